/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/mqtt/outbox.h"

#define SMALL 3
#define BYTES 100000

static void put(
	struct outbox *o, enum outbox_kind kind, const char *topic, const char *text, bool fits)
{
	struct outbox_message *m = outbox_message_new(kind, topic, text, strlen(text));
	assert_non_null(m);
	m->qos = 1;
	assert_int_equal(outbox_put(o, m), fits);
}

static void expect(struct outbox *o, const char *text)
{
	struct outbox_message *m = outbox_next(o, 1);
	assert_non_null(m);
	assert_int_equal(m->size, strlen(text));
	assert_memory_equal(m->payload, text, m->size);
	outbox_drop(o, m);
}

static void the_newest_of_a_topic_takes_the_place_of_the_older(void **state)
{
	struct outbox o;
	(void)state;
	outbox_init(&o, SMALL, BYTES);
	put(&o, OUTBOX_LAST, "a", "old", true);
	put(&o, OUTBOX_LAST, "b", "other", true);
	outbox_next(&o, 1)->ends = 2;
	put(&o, OUTBOX_LAST, "a", "new", true);
	expect(&o, "other");
	assert_int_equal(outbox_next(&o, 1)->ends, 2);
	assert_true(outbox_has(&o, "a"));
	outbox_sent(&o, outbox_next(&o, 1), 7);
	assert_true(outbox_has(&o, "a"));
	outbox_rewind(&o);
	expect(&o, "new");
	assert_false(outbox_has(&o, "a"));
	assert_null(outbox_next(&o, 1));
	outbox_deinit(&o);
}

static void what_ended_a_connection_goes_after_the_others_and_results_keep_their_order(void **state)
{
	struct outbox o;
	(void)state;
	outbox_init(&o, 10, BYTES);
	put(&o, OUTBOX_RESPONSE, "r", "suspect", true);
	put(&o, OUTBOX_RESULT, "t", "one", true);
	put(&o, OUTBOX_RESULT, "t", "two", true);
	put(&o, OUTBOX_LAST, "s", "state", true);
	outbox_next(&o, 1)->ends = 1;
	struct outbox_message *one = outbox_next(&o, 1);
	assert_memory_equal(one->payload, "one", 3);
	one->ends = 1;
	expect(&o, "state");
	expect(&o, "suspect");
	expect(&o, "one");
	expect(&o, "two");
	outbox_deinit(&o);
}

static void what_is_not_on_its_way_is_cleared(void **state)
{
	struct outbox o;
	(void)state;
	outbox_init(&o, SMALL, BYTES);
	put(&o, OUTBOX_RESPONSE, "r", "on its way", true);
	put(&o, OUTBOX_RESPONSE, "r", "waits", true);
	struct outbox_message *first = outbox_next(&o, 1);
	outbox_sent(&o, first, 7);
	struct outbox_message *second = outbox_next(&o, 1);
	first->ends = second->ends = 4;
	outbox_clear_others(&o);
	assert_int_equal(first->ends, 4);
	assert_int_equal(second->ends, 0);
	outbox_deinit(&o);
}

static void the_oldest_result_goes_first_then_responses_never_states(void **state)
{
	struct outbox o;
	(void)state;
	outbox_init(&o, SMALL, BYTES);
	put(&o, OUTBOX_LAST, "s", "state", true);
	put(&o, OUTBOX_RESPONSE, "r", "response", true);
	put(&o, OUTBOX_RESULT, "t", "one", true);
	put(&o, OUTBOX_RESULT, "t", "two", true);
	put(&o, OUTBOX_RESPONSE, "r", "response 2", true);
	put(&o, OUTBOX_RESULT, "t", "three", false);
	put(&o, OUTBOX_RESPONSE, "r", "response 3", true);
	assert_int_equal(o.dropped, 4);
	expect(&o, "state");
	expect(&o, "response 2");
	expect(&o, "response 3");
	outbox_deinit(&o);
}

static void snapshots_go_before_all_else_and_push_out_only_each_other(void **state)
{
	struct outbox o;
	(void)state;
	outbox_init(&o, SMALL, BYTES);
	put(&o, OUTBOX_SNAPSHOT, "a", "old picture", true);
	put(&o, OUTBOX_SNAPSHOT, "b", "picture of b", true);
	put(&o, OUTBOX_SNAPSHOT, "a", "new picture", true);
	assert_int_equal(o.n, 2);
	put(&o, OUTBOX_RESULT, "t", "one", true);
	put(&o, OUTBOX_RESULT, "t", "two", true); /* the picture of b goes */
	put(&o, OUTBOX_SNAPSHOT, "c", "picture of c", true); /* that of a goes */
	put(&o, OUTBOX_RESPONSE, "r", "response", true);
	put(&o, OUTBOX_SNAPSHOT, "a", "no room", false);
	expect(&o, "one");
	expect(&o, "two");
	expect(&o, "response");
	put(&o, OUTBOX_SNAPSHOT, "a", "picture", true);
	put(&o, OUTBOX_LAST, "a", "", true);
	expect(&o, "");
	assert_null(outbox_next(&o, 1));
	assert_false(outbox_may_hold(&o, "a", BYTES));
	assert_true(outbox_may_hold(&o, "a", BYTES / 2));
	outbox_deinit(&o);
}

static void what_is_on_its_way_is_not_dropped_and_waits_again_after_a_loss(void **state)
{
	struct outbox o;
	(void)state;
	outbox_init(&o, SMALL, BYTES);
	for (int i = 0; i < SMALL; i++) {
		put(&o, OUTBOX_RESULT, "t", i == 0 ? "0" : i == 1 ? "1" : "2", true);
	}
	outbox_sent(&o, outbox_next(&o, 1), 7);
	outbox_sent(&o, outbox_next(&o, 1), 8);
	assert_int_equal(o.in_flight, 2);
	put(&o, OUTBOX_RESULT, "t", "3", true); /* 2 goes */
	struct outbox_message *m = outbox_take_mid(&o, 7);
	assert_memory_equal(m->payload, "0", 1);
	outbox_message_free(m);
	assert_null(outbox_take_mid(&o, 7));
	assert_null(outbox_take_mid(&o, 0));
	outbox_rewind(&o);
	assert_int_equal(o.in_flight, 0);
	expect(&o, "1");
	expect(&o, "3");
	outbox_deinit(&o);
}

static void bytes_are_bounded_too_and_return_to_nothing(void **state)
{
	struct outbox o;
	char text[2000];
	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	outbox_init(&o, 1000, 10000);
	for (int i = 0; i < 100; i++) {
		put(&o, OUTBOX_RESULT, "t", text, true);
		assert_true(o.bytes <= 10000);
	}
	assert_true(o.n >= 3 && o.n < 10);
	outbox_deinit(&o);
	assert_int_equal(o.bytes, 0);
	outbox_init(&o, 10, 1000);
	put(&o, OUTBOX_RESULT, "t", text, false);
	outbox_deinit(&o);
}

static void what_has_expired_is_not_sent(void **state)
{
	struct outbox o;
	(void)state;
	outbox_init(&o, 10, BYTES);
	struct outbox_message *m = outbox_message_new(OUTBOX_RESPONSE, "a", "x", 1);
	m->expires_ns = 100;
	outbox_put(&o, m);
	assert_non_null(outbox_next(&o, 99));
	assert_null(outbox_next(&o, 100));
	assert_int_equal(o.expired, 1);
	outbox_deinit(&o);
}

static void one_alone_on_its_way_is_found_and_taken(void **state)
{
	struct outbox o;
	(void)state;
	outbox_init(&o, SMALL, BYTES);
	put(&o, OUTBOX_RESPONSE, "a", "one", true);
	put(&o, OUTBOX_RESPONSE, "a", "two", true);
	assert_null(outbox_alone(&o));
	struct outbox_message *one = outbox_next(&o, 1);
	outbox_sent(&o, one, 7);
	assert_ptr_equal(outbox_alone(&o), one);
	outbox_sent(&o, outbox_next(&o, 1), 8);
	assert_null(outbox_alone(&o));
	assert_ptr_equal(outbox_take(&o, one), one);
	assert_int_equal(outbox_alone(&o)->mid, 8);
	outbox_message_free(one);
	outbox_rewind(&o);
	assert_null(outbox_alone(&o));
	outbox_deinit(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_of_a_topic_takes_the_place_of_the_older),
		cmocka_unit_test(
			what_ended_a_connection_goes_after_the_others_and_results_keep_their_order),
		cmocka_unit_test(what_is_not_on_its_way_is_cleared),
		cmocka_unit_test(the_oldest_result_goes_first_then_responses_never_states),
		cmocka_unit_test(snapshots_go_before_all_else_and_push_out_only_each_other),
		cmocka_unit_test(what_is_on_its_way_is_not_dropped_and_waits_again_after_a_loss),
		cmocka_unit_test(bytes_are_bounded_too_and_return_to_nothing),
		cmocka_unit_test(what_has_expired_is_not_sent),
		cmocka_unit_test(one_alone_on_its_way_is_found_and_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
