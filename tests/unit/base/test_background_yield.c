/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/background_yield.h"

#define MS UINT64_C(1000000)
#define BEGIN_NS (5000 * MS)

/* Work of which every millisecond of CPU takes @wall_ms, for @ms by the clock; what the last look said. */
static bool work(struct background_yield *yield, uint64_t ms, uint64_t wall_ms)
{
	bool lets = false;
	struct background_yield_times now = yield->last;
	for (uint64_t passed = 0; passed < ms; passed += wall_ms) {
		now.now_ns += wall_ms * MS;
		now.cpu_ns += MS;
		lets = background_yield_note(yield, &now);
	}
	return lets;
}

static struct background_yield fresh(void)
{
	return (struct background_yield){.last = {.now_ns = BEGIN_NS}, .window_ns = BEGIN_NS};
}

static void who_has_the_cpu_lets_others_in_for_ever(void **state)
{
	struct background_yield yield = fresh();
	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_true(work(&yield, 50, 1));
	}
}

static void who_waits_longer_than_it_works_insists_after_its_patience(void **state)
{
	struct background_yield yield = fresh();
	(void)state;
	assert_true(work(&yield, 20, 4)); /* 15 ms of waiting */
	assert_false(work(&yield, 12, 4)); /* 24 ms */
}

static void who_waits_less_than_it_works_does_not_insist(void **state)
{
	struct background_yield yield = fresh();
	(void)state;
	struct background_yield_times now = yield.last;
	for (int i = 0; i < 500; i++) {
		now.now_ns += 3 * MS;
		now.cpu_ns += 2 * MS;
		assert_true(background_yield_note(&yield, &now));
	}
}

static void sleeping_is_no_waiting(void **state)
{
	struct background_yield yield = fresh();
	struct background_yield_times now = yield.last;
	(void)state;
	for (int i = 0; i < 20; i++) {
		now.now_ns += 40 * MS; /* for a disk */
		now.slept++;
		assert_true(background_yield_note(&yield, &now));
	}
}

static void who_insists_does_so_as_long_as_others_want_the_cpu(void **state)
{
	struct background_yield yield = fresh();
	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_false(work(&yield, 500, 5));
	}
	/* They are gone: at the end of the next second, or of the one that had both. */
	work(&yield, 2100, 1);
	assert_true(work(&yield, 10, 1));
}

static void after_a_rest_there_is_patience_again(void **state)
{
	struct background_yield yield = fresh();
	(void)state;
	assert_false(work(&yield, 500, 5));
	struct background_yield_times now = yield.last;
	now.now_ns += BACKGROUND_YIELD_WINDOW_NS + 1;
	assert_true(background_yield_note(&yield, &now));
}

static void *look(void *argument)
{
	bool *begun = argument;
	*begun = background_yield_has_begun();
	background_yield_if_due();
	return NULL;
}

static void it_is_of_the_thread_that_began(void **state)
{
	bool begun = true;
	pthread_t thread;
	(void)state;
	assert_false(background_yield_has_begun());
	assert_false(background_yield_insists());
	background_yield_begin(true);
	assert_true(background_yield_has_begun());
	assert_true(background_yield_insists());
	background_yield_if_due();
	assert_int_equal(pthread_create(&thread, NULL, look, &begun), 0);
	pthread_join(thread, NULL);
	assert_false(begun);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_the_cpu_lets_others_in_for_ever),
		cmocka_unit_test(who_waits_longer_than_it_works_insists_after_its_patience),
		cmocka_unit_test(who_waits_less_than_it_works_does_not_insist),
		cmocka_unit_test(sleeping_is_no_waiting),
		cmocka_unit_test(who_insists_does_so_as_long_as_others_want_the_cpu),
		cmocka_unit_test(after_a_rest_there_is_patience_again),
		cmocka_unit_test(it_is_of_the_thread_that_began),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
