/* SPDX-License-Identifier: Apache-2.0 */
/* Classes, keys and who may use them, over the socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

/* Of each test: overload lasts for a while. */
static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	char line[128];
	daemon_prepare(daemon);
	snprintf(line, sizeof(line), "slow %s/gate", daemon->folder);
	daemon_put(daemon, "slow.tflite", line);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_put(daemon, "secret-1.tflite", "echo 4");
	daemon_config(daemon,
		"[daemon]\nworkers = 1\nshort-run-us = 0\n[limits]\nqueue-length = 3\n"
		"[access]\nmodels = open=1 secret-*=4294967294\n");
	daemon_start(daemon, false);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

static void occupy(struct daemon *daemon, struct peer *peer, enum wire_class class)
{
	peer_infer_as(peer, class, 0, 1, "slow", 1);
	daemon_wait_running(daemon);
}

/* LIST is answered at once, and what came before it has been judged by then. */
static void wait_until_read(struct peer *peer)
{
	peer_send(peer, WIRE_LIST, 1000, 0, NULL);
	peer_expect(peer, 1000, EDGE_OK);
}

static void urgent_work_is_done_between_the_operators_of_other_work(void **state)
{
	struct peer peer = peer_open_1_3(*state);
	occupy(*state, &peer, WIRE_CLASS_BATCH);
	peer_infer_as(&peer, WIRE_CLASS_REALTIME, 0, 2, "echo", 2);
	peer_expect_echo(&peer, 2, 4, 2);
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 0, 3, "slow", 3);
	daemon_wait_running(*state); /* within the first one */
	peer_infer_as(&peer, WIRE_CLASS_CONTROL, 0, 4, "echo", 4);
	peer_expect_echo(&peer, 4, 4, 4);
	daemon_let_go(*state, 1); /* the inner one waits for it */
	peer_expect_echo(&peer, 3, 4, 3);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_close(&peer);
}

static void what_is_as_urgent_or_less_waits(void **state)
{
	struct peer peer = peer_open_1_3(*state);
	occupy(*state, &peer, WIRE_CLASS_NORMAL);
	peer_infer_as(&peer, WIRE_CLASS_BATCH, 0, 2, "echo", 2);
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 0, 3, "echo", 3);
	wait_until_read(&peer);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_expect_echo(&peer, 3, 4, 3);
	peer_expect_echo(&peer, 2, 4, 2);
	peer_close(&peer);
}

static void a_cancelled_run_ends_below_what_runs_within_it(void **state)
{
	struct peer peer = peer_open_1_3(*state);
	occupy(*state, &peer, WIRE_CLASS_BATCH);
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 0, 2, "slow", 2);
	daemon_wait_running(*state);
	peer_cancel(&peer, 10, 1);
	peer_expect(&peer, 1, EDGE_CANCELLED);
	peer_expect(&peer, 10, EDGE_OK);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 2, 4, 2);
	peer_infer_as(&peer, WIRE_CLASS_BATCH, 0, 3, "echo", 3);
	peer_expect_echo(&peer, 3, 4, 3);
	peer_close(&peer);
}

static void a_newer_request_of_the_same_key_takes_the_place_of_a_waiting_one(void **state)
{
	struct peer peer = peer_open_1_3(*state), other = peer_open_1_3(*state);
	occupy(*state, &peer, WIRE_CLASS_NORMAL);
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 7, 2, "echo", 2);
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 8, 3, "echo", 3);
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 7, 4, "echo", 4);
	peer_expect(&peer, 2, EDGE_SUPERSEDED);
	peer_infer_as(&other, WIRE_CLASS_NORMAL, 8, 5, "echo", 5); /* another connection's */
	peer_expect(&peer, 3, EDGE_SUPERSEDED);
	peer_infer_as(&other, WIRE_CLASS_REALTIME, 8, 6, "echo", 6); /* another class */
	peer_expect(&other, 5, EDGE_SUPERSEDED);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_expect_echo(&peer, 4, 4, 4);
	peer_expect_echo(&other, 6, 4, 6);
	peer_close(&peer);
	peer_close(&other);
}

static void a_key_finds_its_place_in_a_full_queue(void **state)
{
	struct peer peer = peer_open_1_3(*state);
	occupy(*state, &peer, WIRE_CLASS_NORMAL);
	for (uint64_t i = 2; i <= 4; i++) {
		peer_infer_as(&peer, WIRE_CLASS_NORMAL, i, i, "echo", (int8_t)i);
	}
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 9, 9, "echo", 9);
	peer_expect(&peer, 9, EDGE_OVERLOADED);
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 3, 10, "echo", 10);
	peer_expect(&peer, 3, EDGE_SUPERSEDED);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_expect_echo(&peer, 2, 4, 2);
	peer_expect_echo(&peer, 10, 4, 10); /* in the place of 3 */
	peer_expect_echo(&peer, 4, 4, 4);
	peer_close(&peer);
}

/* An INFER with a key and @bytes of input, at most 4096. */
static void infer_with_key(uint64_t id, uint64_t key, uint32_t bytes, struct bytes_writer *frame)
{
	static const int8_t data[4096];
	struct bytes_writer body = {0};
	uint8_t header[WIRE_HEADER_BYTES];
	const struct wire_infer infer = {.model = wire_text_of("echo"),
		.key = key,
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8,
			.shape = {2, {bytes / 4, 4}},
			.bytes = bytes,
			.data = data}}};
	wire_infer_encode(&body, &infer);
	wire_header_encode(&(struct wire_header){.type = WIRE_INFER,
				   .flags = WIRE_FLAG_KEY,
				   .id = id,
				   .body_bytes = (uint32_t)body.size},
		header);
	bytes_write(frame, header, sizeof(header));
	bytes_write(frame, body.data, body.size);
	assert_false(body.failed || frame->failed);
	bytes_writer_deinit(&body);
}

/* An INFER whose body is longer than what is judged of it. */
static void large_with_key(uint64_t id, uint64_t key, struct bytes_writer *frame)
{
	infer_with_key(id, key, 4096, frame);
}

/* The header comes while the queue is full, the body when it is free again. */
static void a_small_request_is_judged_when_all_of_it_is_there(void **state)
{
	struct peer peer = peer_open_1_3(*state), other = peer_open_1_3(*state);
	struct bytes_writer frame = {0};
	occupy(*state, &peer, WIRE_CLASS_NORMAL);
	for (uint64_t i = 2; i <= 4; i++) {
		peer_infer_as(&peer, WIRE_CLASS_NORMAL, 0, i, "echo", (int8_t)i);
	}
	wait_until_read(&peer);
	wait_until_read(&other);
	infer_with_key(5, 7, 4, &frame);
	peer_send_bytes(&other, frame.data, WIRE_HEADER_BYTES);
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 0, 6, "echo", 6);
	peer_expect(&peer, 6, EDGE_OVERLOADED); /* the queue is full */
	daemon_let_go(*state, 1);
	for (uint64_t i = 1; i <= 4; i++) {
		peer_expect_echo(&peer, i, 4, (int8_t)i);
	}
	peer_send_bytes(&other, frame.data + WIRE_HEADER_BYTES, frame.size - WIRE_HEADER_BYTES);
	peer_expect_echo(&other, 5, 4, 0);
	bytes_writer_deinit(&frame);
	peer_close(&peer);
	peer_close(&other);
}

static void a_key_that_can_replace_nothing_is_turned_away_by_its_header(void **state)
{
	struct peer peer = peer_open_1_3(*state), other = peer_open_1_3(*state);
	struct bytes_writer frame = {0};
	occupy(*state, &peer, WIRE_CLASS_NORMAL);
	for (uint64_t i = 2; i <= 4; i++) {
		peer_infer_as(&peer, WIRE_CLASS_NORMAL, 0, i, "echo", (int8_t)i);
	}
	wait_until_read(&peer);
	large_with_key(5, 7, &frame);
	peer_send_bytes(&other, frame.data, WIRE_HEADER_BYTES);
	peer_expect(&other, 5, EDGE_OVERLOADED);
	peer_send_bytes(&other, frame.data + WIRE_HEADER_BYTES, frame.size - WIRE_HEADER_BYTES);
	wait_until_read(&other);
	bytes_writer_deinit(&frame);
	daemon_let_go(*state, 1);
	for (uint64_t i = 1; i <= 4; i++) {
		peer_expect_echo(&peer, i, 4, (int8_t)i);
	}
	peer_close(&peer);
	peer_close(&other);
}

static void a_key_that_nobody_waits_with_is_turned_away_by_its_head(void **state)
{
	struct peer peer = peer_open_1_3(*state), other = peer_open_1_3(*state);
	struct bytes_writer frame = {0};
	const size_t head = WIRE_HEADER_BYTES + 3000;
	occupy(*state, &peer, WIRE_CLASS_NORMAL);
	for (uint64_t i = 2; i <= 4; i++) {
		peer_infer_as(&peer, WIRE_CLASS_NORMAL, i, i, "echo", (int8_t)i);
	}
	wait_until_read(&peer);
	large_with_key(5, 7, &frame);
	peer_send_bytes(&other, frame.data, head);
	peer_expect(&other, 5, EDGE_OVERLOADED);
	peer_send_bytes(&other, frame.data + head, frame.size - head);
	frame.size = 0;
	large_with_key(6, 3, &frame); /* that of one that waits */
	peer_send_bytes(&other, frame.data, frame.size);
	peer_expect(&peer, 3, EDGE_SUPERSEDED);
	bytes_writer_deinit(&frame);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_expect_echo(&peer, 2, 4, 2);
	peer_expect_echo(&peer, 4, 4, 4);
	peer_expect_echo(&other, 6, 4096, 0);
	peer_close(&peer);
	peer_close(&other);
}

/* For that reason. */
static uint32_t turned_away(struct peer *peer, const char *reason)
{
	struct error err = {0};
	struct answer answer = peer_receive(peer);
	uint32_t retry_us = answer.header.deadline_us;
	wire_error_decode(answer.body, answer.header.body_bytes, answer.header.status, &err);
	assert_int_equal(err.status, EDGE_OVERLOADED);
	assert_memory_equal(err.text, reason, strlen(reason));
	answer_free(&answer);
	return retry_us;
}

static void who_is_turned_away_is_told_when_to_ask_again(void **state)
{
	struct peer peer = peer_open_1_3(*state), old = peer_open(*state);
	occupy(*state, &peer, WIRE_CLASS_NORMAL);
	for (uint64_t i = 2; i <= 4; i++) {
		peer_infer_as(&peer, WIRE_CLASS_NORMAL, 0, i, "echo", (int8_t)i);
	}
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 0, 5, "echo", 5);
	assert_in_range(turned_away(&peer, "the queue is full; ask"), 1000, 1000000);
	peer_infer(&old, 6, "echo", 4, 6, 0); /* its version has no place for it */
	assert_int_equal(turned_away(&old, "the queue is full; ask"), 0);
	daemon_let_go(*state, 1);
	for (uint64_t i = 1; i <= 4; i++) {
		peer_expect_echo(&peer, i, 4, (int8_t)i);
	}
	peer_close(&peer);
	peer_close(&old);
}

/* A run of a second, which edged then expects of that model, is longer than any pause of a busy machine
 * between two reads. */
static void a_deadline_that_cannot_be_kept_is_told_as_the_reason(void **state)
{
	struct peer peer = peer_open_1_3(*state);
	const struct timespec second = {.tv_sec = 1};
	occupy(*state, &peer, WIRE_CLASS_NORMAL);
	nanosleep(&second, NULL);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	occupy(*state, &peer, WIRE_CLASS_NORMAL);
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 0, 2, "slow", 2);
	peer_infer(&peer, 3, "echo", 4, 3, 700000);
	turned_away(&peer, "it cannot be done before its deadline");
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	daemon_wait_running(*state);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 2, 4, 2);
	peer_close(&peer);
}

static void classes_and_keys_are_not_of_older_versions(void **state)
{
	struct peer peer = peer_open(*state);
	peer.may_be_closed = true; /* behind the header */
	peer_infer_as(&peer, WIRE_CLASS_REALTIME, 0, 1, "echo", 1);
	peer_expect(&peer, 1, EDGE_INVALID);
	peer_expect_closed(&peer);
	peer_close(&peer);
}

static void a_model_that_is_for_others_is_denied(void **state)
{
	struct peer peer = peer_open_1_3(*state);
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 0, 1, "secret-1", 1);
	peer_expect(&peer, 1, EDGE_DENIED);
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 0, 2, "echo", 2);
	peer_expect_echo(&peer, 2, 4, 2);
	peer_close(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			urgent_work_is_done_between_the_operators_of_other_work, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_as_urgent_or_less_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_cancelled_run_ends_below_what_runs_within_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_newer_request_of_the_same_key_takes_the_place_of_a_waiting_one, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_key_finds_its_place_in_a_full_queue, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_small_request_is_judged_when_all_of_it_is_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_key_that_can_replace_nothing_is_turned_away_by_its_header, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_key_that_nobody_waits_with_is_turned_away_by_its_head, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			who_is_turned_away_is_told_when_to_ask_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_deadline_that_cannot_be_kept_is_told_as_the_reason, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			classes_and_keys_are_not_of_older_versions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_model_that_is_for_others_is_denied, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
