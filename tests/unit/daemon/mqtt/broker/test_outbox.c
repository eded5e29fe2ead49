/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/mqtt/broker/outbox.h"
#include "tests/unit/daemon/temp_folder.h"

#define SMALL 3
#define BYTES 100000

static void put_with(struct outbox *o, enum outbox_kind kind, unsigned int qos, const char *topic,
	const char *text, bool fits)
{
	struct outbox_message *m = outbox_message_new(kind, topic, text, strlen(text));
	assert_non_null(m);
	m->qos = qos;
	assert_int_equal(outbox_put(o, m), fits);
}

static void put(
	struct outbox *o, enum outbox_kind kind, const char *topic, const char *text, bool fits)
{
	put_with(o, kind, 1, topic, text, fits);
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
	put(&o, OUTBOX_LAST, "a", "new", true);
	expect(&o, "other");
	assert_true(outbox_has(&o, "a"));
	outbox_sent(&o, outbox_next(&o, 1), 7);
	assert_true(outbox_has(&o, "a"));
	outbox_rewind(&o);
	expect(&o, "new");
	assert_false(outbox_has(&o, "a"));
	assert_null(outbox_next(&o, 1));
	outbox_deinit(&o);
}

static void the_oldest_result_goes_first_then_responses_of_qos_0_never_states(void **state)
{
	struct outbox o;
	(void)state;
	outbox_init(&o, SMALL, BYTES);
	put(&o, OUTBOX_LAST, "s", "state", true);
	put_with(&o, OUTBOX_RESPONSE, 0, "r", "response", true);
	put(&o, OUTBOX_RESULT, "t", "one", true);
	put(&o, OUTBOX_RESULT, "t", "two", true);
	put_with(&o, OUTBOX_RESPONSE, 0, "r", "response 2", true);
	put(&o, OUTBOX_RESULT, "t", "three", false);
	put_with(&o, OUTBOX_RESPONSE, 0, "r", "response 3", true);
	assert_int_equal(o.dropped, 4);
	put(&o, OUTBOX_LAST, "s", "newer state", true);
	put(&o, OUTBOX_LAST, "s2", "other state", true); /* response 2 goes */
	expect(&o, "response 3");
	expect(&o, "newer state");
	expect(&o, "other state");
	outbox_deinit(&o);
}

static void an_answer_of_qos_1_gives_way_to_nothing(void **state)
{
	struct outbox o;
	(void)state;
	outbox_init(&o, SMALL, BYTES);
	put(&o, OUTBOX_RESPONSE, "r", "one", true);
	put_with(&o, OUTBOX_RESPONSE, 0, "r", "of qos 0", true);
	put(&o, OUTBOX_RESPONSE, "r", "two", true);
	put(&o, OUTBOX_RESPONSE, "r", "three", true); /* that of QoS 0 goes */
	put(&o, OUTBOX_RESPONSE, "r", "four", false);
	put(&o, OUTBOX_LAST, "s", "state", false);
	put(&o, OUTBOX_RESULT, "t", "result", false);
	assert_int_equal(o.dropped, 4);
	expect(&o, "one");
	expect(&o, "two");
	expect(&o, "three");
	outbox_deinit(&o);
}

/* Nothing has gone in vain where it has no room after all. */
static void what_has_no_room_pushes_nothing_out(void **state)
{
	struct outbox o;
	static char large[BYTES - 1000];
	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	outbox_init(&o, 10, BYTES);
	put(&o, OUTBOX_RESULT, "t", "result", true);
	put(&o, OUTBOX_RESPONSE, "r", "answer", true);
	put(&o, OUTBOX_RESPONSE, "r", large, false);
	expect(&o, "result");
	expect(&o, "answer");
	outbox_deinit(&o);
}

static void room_is_set_aside_for_answers_to_come(void **state)
{
	struct outbox o;
	size_t reserved[SMALL] = {0}, more = 0;
	(void)state;
	outbox_init(&o, 16, BYTES); /* 14 of which are for answers to questions */
	for (int i = 0; i < SMALL; i++) {
		put(&o, OUTBOX_RESULT, "t", "result", true); /* which gives way */
		assert_true(outbox_reserve(&o, "r", 1, 20000, &reserved[i]));
		assert_true(reserved[i] > 20000);
	}
	assert_false(outbox_reserve(&o, "r", 1, 30000, &more));
	outbox_release(&o, 1, reserved[0]);
	assert_true(outbox_reserve(&o, "r", 1, 30000, &reserved[0]));
	for (int i = 0; i < 10; i++) { /* with what is left over */
		put(&o, OUTBOX_RESPONSE, "r", "error", true);
	}
	assert_int_equal(o.n, 13);
	put(&o, OUTBOX_RESPONSE, "r", "error", true); /* a result goes */
	assert_int_equal(o.n, 13);
	assert_false(outbox_reserve(&o, "r", 1, 1, &more));
	assert_true(outbox_has_room(&o, OUTBOX_RESPONSE, "r", 1));
	put(&o, OUTBOX_RESPONSE, "r", "error", true);
	put(&o, OUTBOX_RESPONSE, "r", "error", true);
	assert_false(outbox_has_room(&o, OUTBOX_RESPONSE, "r", 1));
	put(&o, OUTBOX_RESPONSE, "r", "error", false);
	outbox_release(&o, 1, reserved[2]);
	assert_true(outbox_has_room(&o, OUTBOX_RESPONSE, "r", 1));
	assert_true(outbox_largest_response(&o, "r") < BYTES - BYTES / 8);
	assert_true(outbox_largest_response(&o, "r") > BYTES - BYTES / 4);
	outbox_deinit(&o);
	outbox_init(&o, 16, 8 << 20); /* of many bytes the part is smaller */
	assert_true(outbox_largest_response(&o, "r") > (8 << 20) - (257 << 10));
	assert_true(outbox_reserve(&o, "r", 1, outbox_largest_response(&o, "r"), &more));
	assert_false(outbox_has_room(&o, OUTBOX_RESPONSE, "r", 257 << 10));
	assert_true(outbox_has_room(&o, OUTBOX_RESPONSE, "r", 255 << 10));
	outbox_deinit(&o);
}

static void room_for_several_is_there_for_all_or_none(void **state)
{
	struct outbox o;
	size_t bytes = 0, more = 0;
	(void)state;
	outbox_init(&o, 16, BYTES);
	for (int i = 0; i < 10; i++) {
		put(&o, OUTBOX_RESULT, "t", "result", true);
	}
	assert_false(outbox_reserve(&o, "r", 15, 15, &bytes)); /* an eighth is not for these */
	assert_int_equal(o.n, 10);
	assert_true(outbox_reserve(&o, "r", 12, 1200, &bytes));
	assert_int_equal(bytes, 12 * outbox_cost("r", 100));
	assert_int_equal(o.n, 4);
	assert_true(outbox_reserve(&o, "r", 2, 2, &more));
	assert_false(outbox_reserve(&o, "r", 1, 1, &more));
	for (int i = 0; i < 12; i++) {
		outbox_release(&o, 1, outbox_cost("r", 100));
		put(&o, OUTBOX_RESPONSE, "r", "answer", true);
	}
	assert_int_equal(o.reserved_messages, 2);
	assert_int_equal(o.reserved_bytes, 2 * outbox_cost("r", 1));
	outbox_deinit(&o);
}

/* What edged is at has its answers soon; what the broker has not taken may lie there for ever. */
static void what_lies_there_is_told_from_what_is_set_aside(void **state)
{
	struct outbox o;
	size_t reserved = 0, more = 0;
	(void)state;
	outbox_init(&o, 16, BYTES);
	assert_true(outbox_reserve(&o, "r", 14, 14, &reserved));
	assert_false(outbox_reserve(&o, "r", 1, 1, &more));
	assert_true(outbox_could_reserve(&o, "r", 14, 14));
	assert_false(outbox_could_reserve(&o, "r", 15, 15)); /* an eighth is not for these */
	outbox_release(&o, 14, reserved);
	for (int i = 0; i < 13; i++) {
		put(&o, OUTBOX_RESPONSE, "r", "answer", true);
	}
	put(&o, OUTBOX_RESULT, "t", "result", true);
	put(&o, OUTBOX_RESULT, "t", "result", true);
	assert_true(outbox_could_reserve(&o, "r", 1, 1)); /* results give way */
	assert_false(outbox_could_reserve(&o, "r", 2, 2));
	assert_false(outbox_could_reserve(&o, "r", 1, BYTES));
	assert_true(outbox_reserve(&o, "r", 1, 1, &reserved));
	assert_true(outbox_could_reserve(&o, "r", 1, 1));
	assert_false(outbox_could_reserve(&o, "r", 2, 2));
	outbox_deinit(&o);
}

/* Results count as room, but one that is on its way gives way no more. */
static void what_is_set_aside_is_there_whatever_goes_meanwhile(void **state)
{
	struct outbox o;
	size_t reserved[14];
	(void)state;
	outbox_init(&o, 16, BYTES);
	for (int i = 0; i < 16; i++) {
		put(&o, OUTBOX_RESULT, "t", "result", true);
	}
	for (int i = 0; i < 14; i++) {
		assert_true(outbox_reserve(&o, "r", 1, 1024, &reserved[i]));
	}
	assert_int_equal(o.n, 2);
	for (int i = 0; i < 2; i++) {
		struct outbox_message *m = outbox_next(&o, 1);
		assert_non_null(m);
		outbox_sent(&o, m, i + 1);
	}
	for (int i = 0; i < 14; i++) {
		outbox_release(&o, 1, reserved[i]);
		put(&o, OUTBOX_RESPONSE, "r", "answer", true);
	}
	assert_int_equal(o.n, 16);
	outbox_deinit(&o);
}

static bool may(const void *data, const struct journal_entry *note)
{
	(void)data;
	return note->waits;
}

/* It is asked again, in this life or the next one. */
static void the_request_of_an_answer_that_had_no_room_is_put_off(void **state)
{
	const struct temp_folder *folder = *state;
	struct journal *journal = malloc(sizeof(*journal));
	struct journal_record record;
	struct journal_entry *note = NULL;
	struct error err = {0};
	struct outbox o;
	const struct mosq_message message = {.topic = "edged/gw1/digits/infer",
		.payload = "x",
		.size = 1,
		.qos = 1,
		.response_topic = "r",
		.content_type = "",
		.priority = "",
		.accept = "",
		.traceparent = "",
		.deadline = ""};
	assert_non_null(journal);
	journal_init(journal);
	assert_int_equal(journal_open(journal, folder->path, 1 << 20, &err), 0);
	outbox_init(&o, 1, BYTES);
	put(&o, OUTBOX_RESPONSE, "r", "one", true);
	struct outbox_message *m = outbox_message_new(OUTBOX_RESPONSE, "r", "two", 3);
	m->qos = 1;
	m->journal = journal_add(journal, "a", &message);
	assert_non_null(m->journal);
	assert_false(outbox_put(&o, m));
	assert_int_equal(journal->n_used, 1);
	assert_true(journal_next(journal, may, NULL, &record, &note));
	assert_string_equal(record.message.topic, "edged/gw1/digits/infer");
	free(record.buffer);
	journal_delete(note);
	journal_close(journal);
	free(journal);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_of_a_topic_takes_the_place_of_the_older),
		cmocka_unit_test(the_oldest_result_goes_first_then_responses_of_qos_0_never_states),
		cmocka_unit_test(an_answer_of_qos_1_gives_way_to_nothing),
		cmocka_unit_test(what_has_no_room_pushes_nothing_out),
		cmocka_unit_test(room_is_set_aside_for_answers_to_come),
		cmocka_unit_test(room_for_several_is_there_for_all_or_none),
		cmocka_unit_test(what_is_set_aside_is_there_whatever_goes_meanwhile),
		cmocka_unit_test(what_lies_there_is_told_from_what_is_set_aside),
		cmocka_unit_test_setup_teardown(
			the_request_of_an_answer_that_had_no_room_is_put_off, temp_folder_set_up,
			temp_folder_tear_down),
		cmocka_unit_test(snapshots_go_before_all_else_and_push_out_only_each_other),
		cmocka_unit_test(what_is_on_its_way_is_not_dropped_and_waits_again_after_a_loss),
		cmocka_unit_test(bytes_are_bounded_too_and_return_to_nothing),
		cmocka_unit_test(what_has_expired_is_not_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
