/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/mqtt/ask.h"

#define MOST 100

static struct ask *add(struct asks *asks, enum ask_priority priority, size_t work, size_t answer)
{
	struct ask *ask = ask_new();
	assert_non_null(ask);
	ask->priority = priority;
	ask->work_bytes = work;
	ask->work_answer_bytes = answer;
	asks_add(asks, ask);
	return ask;
}

static void end(struct asks *asks)
{
	while (asks->first) {
		struct ask *ask = asks->first;
		asks_remove(asks, ask);
		ask_free(ask);
	}
}

static void what_is_decoded_counts_and_answers_once(void **state)
{
	struct asks asks = {.max = 10, .max_bytes = 1000, .max_work_bytes = MOST};
	struct ask *a = add(&asks, ASK_NORMAL, 30, 20), *b = add(&asks, ASK_NORMAL, 30, 40);
	struct ask *c = add(&asks, ASK_NORMAL, 30, 10);
	(void)state;
	assert_true(asks_may_work(&asks, c)); /* nobody works yet, however many wait */
	a->state = ASK_DECODING;
	assert_true(asks_may_work(&asks, b)); /* 60 and the larger answer: all there is */
	b->work_bytes++;
	assert_false(asks_may_work(&asks, b));
	b->work_bytes--;
	b->state = ASK_READY;
	assert_false(asks_may_work(&asks, c)); /* 90 and 40 */
	b->work_answer_bytes = 0;
	assert_false(asks_may_work(&asks, c)); /* 90 and the 20 of the first */
	a->state = ASK_READY;
	asks_set_running(&asks, a, true);
	assert_false(asks_may_work(&asks, c)); /* edged having it changes nothing */
	a->work_answer_bytes = 0;
	assert_true(asks_may_work(&asks, c));
	end(&asks);
}

static void the_first_may_whatever_it_takes(void **state)
{
	struct asks asks = {.max = 10, .max_bytes = 1000, .max_work_bytes = MOST};
	struct ask *large = add(&asks, ASK_NORMAL, 10 * MOST, 0);
	struct ask *input = add(&asks, ASK_NORMAL, 0, 0), *small = add(&asks, ASK_LOW, 1, 0);
	(void)state;
	input->of_pipeline = true;
	input->state = ASK_DECODING; /* is with the process of the pipelines */
	assert_true(asks_may_work(&asks, large));
	large->state = ASK_DECODING;
	assert_true(asks_may_work(&asks, large)); /* it is not counted twice */
	assert_false(asks_may_work(&asks, small));
	asks_remove(&asks, large);
	ask_free(large);
	assert_true(asks_may_work(&asks, small));
	end(&asks);
}

static void those_behind_give_way_the_last_first(void **state)
{
	struct asks asks = {.max = 10, .max_bytes = 1000, .max_work_bytes = MOST};
	struct ask *ahead = add(&asks, ASK_HIGH, 10, 0), *now = add(&asks, ASK_NORMAL, 10, 0);
	struct ask *low = add(&asks, ASK_LOW, 10, 0), *lower = add(&asks, ASK_LOW, 10, 0);
	struct ask *lowest = add(&asks, ASK_LOW, 10, 0);
	(void)state;
	ahead->state = low->state = lower->state = ASK_READY;
	lowest->state = ASK_DECODING;
	assert_ptr_equal(asks_decoded_behind(&asks, now), lower);
	ask_forget_decoded(lower);
	assert_int_equal(lower->state, ASK_NEW);
	asks_set_running(&asks, low, true);
	assert_null(asks_decoded_behind(&asks, now));
	char link = 0;
	ahead->wants_room = true;
	assert_null(asks_decoded_behind(&asks, now)); /* its broker has gone */
	ahead->link = (struct link *)&link; /* its turn has come, and there was no room */
	assert_ptr_equal(asks_decoded_behind(&asks, now), ahead);
	end(&asks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_decoded_counts_and_answers_once),
		cmocka_unit_test(the_first_may_whatever_it_takes),
		cmocka_unit_test(those_behind_give_way_the_last_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
