/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>

#include "backends/backends.h"
#include "daemon/served.h"

#define SHORT_NS 50000

static int fresh(void **state)
{
	static struct served served;
	for (uint32_t i = 0; i < SERVED_TIMED; i++) {
		atomic_init(&served.run_ns[i], SERVED_LONG_NS);
	}
	*state = &served;
	return 0;
}

static void runs_are_expected_to_be_long_until_many_were_short(void **state)
{
	struct served *served = *state;
	unsigned int n = 0;
	assert_int_equal(served_expected_ns(served, 0), SERVED_LONG_NS);
	while (served_expected_ns(served, 0) > SHORT_NS) {
		served_note_run(served, 0, 10000);
		n++;
	}
	assert_in_range(n, 20, 30);
	assert_int_equal(served_expected_ns(served, 1), SERVED_LONG_NS);
}

static void a_long_run_is_remembered_for_some_runs(void **state)
{
	struct served *served = *state;
	unsigned int n = 0;
	for (int i = 0; i < 200; i++) {
		served_note_run(served, 2, 10000);
	}
	assert_true(served_expected_ns(served, 2) < SHORT_NS);
	served_note_run(served, 2, UINT64_C(60000000000));
	assert_true(served_expected_ns(served, 2) > SHORT_NS);
	while (served_expected_ns(served, 2) > SHORT_NS) {
		served_note_run(served, 2, 10000);
		n++;
	}
	assert_in_range(n, 8, 20);
}

static void signatures_that_are_not_timed_are_long(void **state)
{
	struct served *served = *state;
	served_note_run(served, SERVED_TIMED, 1);
	assert_int_equal(served_expected_ns(served, SERVED_TIMED), SERVED_LONG_NS);
}

static void bury(void *context, struct served *served)
{
	struct served **buried = context;
	assert_null(*buried);
	*buried = served;
}

/* Or whoever answers requests would unmap the model before. */
static void the_last_to_let_go_leaves_it_to_whoever_frees(void **state)
{
	struct served *served = *state, *buried = NULL;
	served->bury = bury;
	served->bury_context = &buried;
	ref_init(&served->ref);
	assert_ptr_equal(served_ref(served), served);
	served_unref(served);
	assert_null(buried);
	served_unref(served);
	assert_ptr_equal(buried, served);
}

/* Or another model would be unloaded for memory that is about to be free. */
static void what_nobody_has_any_more_is_not_counted_until_it_is_freed(void **state)
{
	struct served *served = *state, *buried = NULL;
	struct served_session second = {.bytes = 30}, first = {.next = &second, .bytes = 20};
	struct budget budget = {0};
	first.budget = second.budget = served->budget = &budget;
	served->bytes = 100;
	served->idle = &first;
	served->bury = bury;
	served->bury_context = &buried;
	budget_add(&budget, 150);
	ref_init(&served->ref);
	served_unref(served);
	assert_ptr_equal(buried, served);
	assert_int_equal(atomic_load(&budget.held), 0);
	assert_int_equal(first.bytes + second.bytes, 0); /* nor taken away twice */
	*served = (struct served){0};
}

/* False in builds with a sanitizer, which brings memory of its own. */
static bool memory_counts(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return false;
#elif defined(__has_feature)
	return !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
	return true;
#endif
}

static long faults_now(void)
{
	struct rusage usage;
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_minflt;
}

/* Pages that are touched for the first time in the first run of a model. */
static long first_faults(bool warm)
{
	const struct edge_options options = {
		.backends = backends_builtin(), .cpu_features = backends_cpu_features()};
	owned(served_unref) struct served *served = NULL;
	struct served_session *session = NULL;
	struct edge_model *model = NULL;
	assert_int_equal(edge_model_open_file(SOURCE_ROOT "/packaging/models/keyword.tflite",
				 &options, &model, NULL),
		0);
	assert_int_equal(served_new(model, NULL, 0, &served, NULL), 0);
	if (warm) {
		served_warm(served, NULL);
	}
	assert_int_equal(served_take_session(served, 0, &session, NULL), 0);
	const long before = faults_now();
	assert_int_equal(edge_session_run(session->session, NULL, NULL), 0);
	const long faults = faults_now() - before;
	served_give_session(served, session);
	return faults;
}

static void who_asks_a_warm_model_first_waits_for_no_page(void **state)
{
	(void)state;
	const long once = first_faults(false); /* the code of all this is in memory after that */
	const long cold = first_faults(false), warm = first_faults(true);
	print_message("%ld, %ld, warm %ld\n", once, cold, warm);
	if (memory_counts()) {
		assert_true(cold > 4);
		assert_in_range(warm, 0, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(runs_are_expected_to_be_long_until_many_were_short, fresh),
		cmocka_unit_test_setup(a_long_run_is_remembered_for_some_runs, fresh),
		cmocka_unit_test_setup(signatures_that_are_not_timed_are_long, fresh),
		cmocka_unit_test_setup(the_last_to_let_go_leaves_it_to_whoever_frees, fresh),
		cmocka_unit_test_setup(
			what_nobody_has_any_more_is_not_counted_until_it_is_freed, fresh),
		cmocka_unit_test(who_asks_a_warm_model_first_waits_for_no_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
