/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

/* One worker, so that a slow model holds up everything behind it. */
static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	char line[128];
	daemon_prepare(daemon);
	snprintf(line, sizeof(line), "slow %s/gate", daemon->folder);
	daemon_put(daemon, "slow.tflite", line);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_config(
		daemon, "[daemon]\nworkers = 1\n[limits]\nqueue-length = 6\nmax-in-flight = 4\n");
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

/* The one worker is busy with request @id of @peer. */
static void occupy(struct daemon *daemon, struct peer *peer, uint64_t id)
{
	peer_infer(peer, id, "slow", 4, (int8_t)id, 0);
	daemon_wait_running(daemon);
}

static void replies_come_in_the_order_in_which_they_are_ready(void **state)
{
	struct peer peer = peer_open(*state);
	occupy(*state, &peer, 1);
	peer_send(&peer, WIRE_LIST, 2, 0, NULL);
	peer_expect(&peer, 2, EDGE_OK);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_close(&peer);
}

static void replace(struct daemon *daemon, const char *line)
{
	struct peer peer = peer_open(daemon);
	daemon_put(daemon, "echo.tflite", line);
	peer_send(&peer, WIRE_RELOAD, 900, 0, NULL);
	peer_expect(&peer, 900, EDGE_OK);
	peer_close(&peer);
}

/* The reply to peer_infer() of 8, @added to each byte; the generation that it names. */
static uint64_t expect_added(struct peer *peer, uint64_t id, int8_t added)
{
	struct wire_infer_reply reply;
	struct answer answer = peer_receive(peer);
	assert_int_equal(answer.header.id, id);
	assert_int_equal(answer.header.status, EDGE_OK);
	assert_int_equal(
		wire_infer_reply_decode(answer.body, answer.header.body_bytes, 0, &reply, NULL), 0);
	assert_int_equal(((const int8_t *)reply.outputs[0].data)[0], 8 + added);
	const uint64_t generation = reply.generation;
	answer_free(&answer);
	return generation;
}

static void who_waits_is_answered_by_what_serves_when_its_turn_comes(void **state)
{
	struct peer peer = peer_open(*state), waiting = peer_open(*state);
	peer_infer(&waiting, 2, "echo", 4, 8, 0);
	const uint64_t before = expect_added(&waiting, 2, 0);
	occupy(*state, &peer, 1);
	peer_infer(&waiting, 2, "echo", 4, 8, 0);
	peer_infer(&waiting, 3, "echo", 4, 8, 0);
	replace(*state, "add 1;");
	daemon_let_go(*state, 1);
	assert_true(expect_added(&waiting, 2, 1) > before);
	expect_added(&waiting, 3, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	/* Nothing that it was judged for: it is run by what it was judged for. */
	occupy(*state, &peer, 1);
	peer_infer(&waiting, 2, "echo", 4, 8, 0);
	replace(*state, "echo 16");
	daemon_let_go(*state, 1);
	expect_added(&waiting, 2, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	replace(*state, "echo 4");
	peer_close(&waiting);
	peer_close(&peer);
}

static void who_waits_is_run_by_what_it_came_for_when_that_was_planned_at_another_shape(
	void **state)
{
	struct peer peer = peer_open(*state), waiting = peer_open(*state);
	occupy(*state, &peer, 1);
	peer_infer(&waiting, 2, "echo", 4, 8, 0);
	replace(*state, "rows 2");
	daemon_let_go(*state, 1);
	expect_added(&waiting, 2, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_infer(&waiting, 3, "echo", 4, 8, 0);
	expect_added(&waiting, 3, 0);
	replace(*state, "echo 4");
	peer_close(&waiting);
	peer_close(&peer);
}

/* Asks until that many requests are queued. */
static void wait_queued(struct peer *peer, uint32_t n)
{
	struct wire_status status = {0};
	do {
		peer_send(peer, WIRE_STATUS, 500, 0, NULL);
		struct answer answer = peer_receive(peer);
		assert_int_equal(
			wire_status_decode(answer.body, answer.header.body_bytes, &status, NULL),
			0);
		answer_free(&answer);
	} while (status.queue_length != n);
}

/* Its head has been judged when the other version comes: another connection is answered behind it. */
static void who_is_still_being_read_is_answered_by_what_serves_when_it_is_there(void **state)
{
	struct peer peer = peer_open(*state), other = peer_open(*state);
	struct bytes_writer w = {0};
	uint8_t header[WIRE_HEADER_BYTES];
	static int8_t data[4096];
	memset(data, 8, sizeof(data));
	const struct wire_infer infer = {.model = wire_text_of("echo"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8,
			.shape = {2, {sizeof(data) / 4, 4}},
			.bytes = sizeof(data),
			.data = data}}};
	wire_infer_encode(&w, &infer);
	assert_false(w.failed);
	wire_header_encode(
		&(struct wire_header){.type = WIRE_INFER, .id = 2, .body_bytes = (uint32_t)w.size},
		header);
	peer_send_bytes(&peer, header, sizeof(header));
	peer_send_bytes(&peer, w.data, 3000);
	wait_queued(&other, 0);
	replace(*state, "add 1;");
	peer_send_bytes(&peer, w.data + 3000, w.size - 3000);
	expect_added(&peer, 2, 1);
	replace(*state, "echo 4");
	bytes_writer_deinit(&w);
	peer_close(&other);
	peer_close(&peer);
}

/* What it asks for is in the first bytes: it is refused by these, and its data go nowhere. */
static void a_large_request_is_judged_by_its_first_bytes(void **state)
{
	struct peer peer = peer_open(*state);
	struct bytes_writer w = {0};
	static uint8_t frame[WIRE_HEADER_BYTES + 100000];
	static const int8_t data[90000];
	const struct wire_infer infer = {.model = wire_text_of("nobody"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8,
			.shape = {1, {sizeof(data)}},
			.bytes = sizeof(data),
			.data = data}}};
	wire_infer_encode(&w, &infer);
	assert_false(w.failed);
	wire_header_encode(
		&(struct wire_header){.type = WIRE_INFER, .id = 2, .body_bytes = (uint32_t)w.size},
		frame);
	memcpy(frame + WIRE_HEADER_BYTES, w.data, w.size);
	const size_t all = WIRE_HEADER_BYTES + w.size, first = 256;
	bytes_writer_deinit(&w);
	peer_send_bytes(&peer, frame, first);
	peer_expect(&peer, 2, EDGE_NOT_FOUND);
	peer_send_bytes(&peer, frame + first, all - first);
	peer_infer(&peer, 3, "echo", 4, 8, 0);
	peer_expect_echo(&peer, 3, 4, 8);
	peer_close(&peer);
}

/* An INFER of echo in @rows rows. */
static void put_rows(struct bytes_writer *frame, uint64_t id, int32_t rows, uint32_t deadline_us)
{
	static const int8_t data[4096];
	struct bytes_writer body = {0};
	uint8_t header[WIRE_HEADER_BYTES];
	const struct wire_infer infer = {.model = wire_text_of("echo"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8,
			.shape = {2, {rows, 4}},
			.bytes = (uint32_t)rows * 4,
			.data = data}}};
	wire_infer_encode(&body, &infer);
	wire_header_encode(&(struct wire_header){.type = WIRE_INFER,
				   .id = id,
				   .body_bytes = (uint32_t)body.size,
				   .deadline_us = deadline_us},
		header);
	bytes_write(frame, header, sizeof(header));
	bytes_write(frame, body.data, body.size);
	assert_false(body.failed || frame->failed);
	bytes_writer_deinit(&body);
}

static void a_deadline_is_answered_while_the_body_is_read(void **state)
{
	struct peer peer = peer_open(*state);
	struct bytes_writer frame = {0};
	for (size_t part = 40; part <= 3000; part += 2960) { /* before and behind the head */
		put_rows(&frame, 1, 1024, 50000);
		peer_send_bytes(&peer, frame.data, part);
		peer_expect(&peer, 1, EDGE_DEADLINE);
		peer_send_bytes(&peer, frame.data + part, frame.size - part);
		peer_infer(&peer, 2, "echo", 4, 5, 0);
		peer_expect_echo(&peer, 2, 4, 5);
		frame.size = 0;
	}
	bytes_writer_deinit(&frame);
	peer_close(&peer);
}

/* What was answered is not answered once more: who does not send the rest is told so as one who did not ask. */
static void a_body_that_was_refused_and_does_not_come_ends_the_connection(void **state)
{
	struct daemon *daemon = *state;
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_config(daemon, "[limits]\nheader-timeout = 300ms\n");
	daemon_start(daemon, false);
	struct peer peer = peer_open(daemon);
	struct bytes_writer frame = {0};
	put_rows(&frame, 1, 1024, 1000);
	peer_send_bytes(&peer, frame.data, 40);
	peer_expect(&peer, 1, EDGE_DEADLINE);
	struct answer answer = peer_receive(&peer);
	assert_int_equal(answer.header.type, WIRE_REPLY);
	assert_int_equal(answer.header.id, 0);
	assert_int_equal(answer.header.status, EDGE_DEADLINE);
	answer_free(&answer);
	peer_expect_closed(&peer);
	bytes_writer_deinit(&frame);
	peer_close(&peer);
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_config(
		daemon, "[daemon]\nworkers = 1\n[limits]\nqueue-length = 6\nmax-in-flight = 4\n");
	daemon_start(daemon, false);
}

static void a_deadline_is_answered_while_the_model_runs(void **state)
{
	struct peer peer = peer_open(*state);
	peer_infer(&peer, 1, "slow", 4, 1, 500000);
	daemon_wait_running(*state);
	peer_expect(&peer, 1, EDGE_DEADLINE);
	/* The run was cancelled: nobody let it go, and the worker is free. */
	peer_infer(&peer, 2, "echo", 4, 5, 0);
	peer_expect_echo(&peer, 2, 4, 5);
	peer_close(&peer);
}

static void a_deadline_in_the_queue_keeps_the_request_from_running(void **state)
{
	struct peer peer = peer_open(*state);
	occupy(*state, &peer, 1);
	peer_infer(&peer, 2, "slow", 4, 2, 100000);
	peer_expect(&peer, 2, EDGE_DEADLINE);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	/* Had 2 been run it would have to be let go before this. */
	peer_infer(&peer, 3, "echo", 4, 3, 0);
	peer_expect_echo(&peer, 3, 4, 3);
	peer_close(&peer);
}

static void cancel_ends_a_queued_and_a_running_request(void **state)
{
	struct peer peer = peer_open(*state), other = peer_open(*state);
	occupy(*state, &peer, 1);
	peer_infer(&peer, 2, "echo", 4, 2, 0);
	peer_cancel(&peer, 10, 2);
	peer_expect(&peer, 2, EDGE_CANCELLED);
	peer_expect(&peer, 10, EDGE_OK);
	peer_cancel(&other, 11, 1); /* not a request of that connection */
	peer_expect(&other, 11, EDGE_NOT_FOUND);
	peer_cancel(&peer, 12, 1);
	peer_expect(&peer, 1, EDGE_CANCELLED);
	peer_expect(&peer, 12, EDGE_OK);
	peer_cancel(&peer, 13, 1);
	peer_expect(&peer, 13, EDGE_NOT_FOUND);
	peer_infer(&peer, 1, "echo", 4, 7, 0);
	peer_expect_echo(&peer, 1, 4, 7);
	peer_close(&peer);
	peer_close(&other);
}

static void an_id_in_flight_cannot_be_used_again(void **state)
{
	struct peer peer = peer_open(*state);
	occupy(*state, &peer, 1);
	peer_infer(&peer, 1, "echo", 4, 2, 0);
	peer_expect(&peer, 1, EDGE_INVALID);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_close(&peer);
}

static void a_full_queue_refuses_at_once(void **state)
{
	struct peer a = peer_open(*state), b = peer_open(*state), c = peer_open(*state);
	occupy(*state, &a, 1);
	for (uint64_t i = 2; i <= 4; i++) {
		peer_infer(&a, i, "echo", 4, (int8_t)i, 0);
		peer_infer(&b, i, "echo", 4, (int8_t)i, 0);
	}
	wait_queued(&c, 6);
	peer_infer(&c, 1, "echo", 4, 1, 0);
	peer_expect(&c, 1, EDGE_OVERLOADED);
	daemon_let_go(*state, 1);
	for (uint64_t i = 1; i <= 4; i++) {
		peer_expect_echo(&a, i, 4, (int8_t)i);
	}
	for (uint64_t i = 2; i <= 4; i++) {
		peer_expect_echo(&b, i, 4, (int8_t)i);
	}
	peer_infer(&c, 1, "echo", 4, 1, 0);
	peer_expect_echo(&c, 1, 4, 1);
	peer_close(&a);
	peer_close(&b);
	peer_close(&c);
}

/* a has three requests waiting when b's first comes: b is served after one of them. */
static void connections_take_turns(void **state)
{
	struct peer a = peer_open(*state), b = peer_open(*state);
	occupy(*state, &a, 1);
	peer_infer(&a, 2, "slow", 4, 2, 0);
	peer_infer(&a, 3, "slow", 4, 3, 0);
	peer_send(&a, WIRE_LIST, 4, 0, NULL); /* its answer: 2 and 3 are queued */
	peer_expect(&a, 4, EDGE_OK);
	peer_infer(&b, 1, "echo", 4, 1, 0);
	peer_send(&b, WIRE_LIST, 2, 0, NULL);
	peer_expect(&b, 2, EDGE_OK);
	daemon_let_go(*state, 1);
	peer_expect_echo(&a, 1, 4, 1);
	daemon_wait_running(*state); /* 2 */
	daemon_let_go(*state, 1);
	peer_expect_echo(&a, 2, 4, 2);
	peer_expect_echo(&b, 1, 4, 1); /* before 3, which nobody let go */
	daemon_wait_running(*state);
	daemon_let_go(*state, 1);
	peer_expect_echo(&a, 3, 4, 3);
	peer_close(&a);
	peer_close(&b);
}

/* max-in-flight is 4: the fifth request is not read, so STATUS behind it is not answered yet. */
static void a_connection_is_not_read_above_its_limit(void **state)
{
	struct peer peer = peer_open(*state);
	occupy(*state, &peer, 1);
	for (uint64_t i = 2; i <= 5; i++) {
		peer_infer(&peer, i, "echo", 4, (int8_t)i, 0);
	}
	peer_send(&peer, WIRE_STATUS, 6, 0, NULL);
	daemon_let_go(*state, 1);
	for (uint64_t i = 1; i <= 2; i++) {
		peer_expect_echo(&peer, i, 4, (int8_t)i);
	}
	unsigned int seen = 0;
	for (int i = 0; i < 4; i++) { /* 6 is read once two are answered, and waits for no worker */
		struct answer answer = peer_receive(&peer);
		assert_int_equal(answer.header.status, EDGE_OK);
		seen |= 1u << answer.header.id;
		answer_free(&answer);
	}
	assert_int_equal(seen, 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6);
	peer_close(&peer);
}

static void a_client_that_leaves_takes_its_requests_with_it(void **state)
{
	struct peer gone = peer_open(*state), peer = peer_open(*state);
	occupy(*state, &gone, 1);
	peer_infer(&gone, 2, "slow", 4, 2, 0);
	peer_infer(&gone, 3, "slow", 4, 3, 0);
	peer_close(&gone);
	/* Nobody lets a slow one go; this is answered only if all three are dropped. */
	peer_infer(&peer, 1, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_close(&peer);
}

/* As nc -N and socat do. @peer is read by both of edged's ways. */
static void ask_and_shut(struct daemon *daemon, struct peer peer)
{
	struct bytes_writer frame = {0};
	occupy(daemon, &peer, 1);
	peer_infer(&peer, 2, "echo", 4, 2, 0);
	put_rows(&frame, 3, 1024, 0);
	peer_send_bytes(&peer, frame.data, 3000); /* the rest never comes */
	assert_int_equal(shutdown(peer.fd, SHUT_WR), 0);
	struct peer other = peer_open(daemon); /* by its answer edged has seen that end */
	peer_send(&other, WIRE_LIST, 1, 0, NULL);
	peer_expect(&other, 1, EDGE_OK);
	daemon_let_go(daemon, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_expect_echo(&peer, 2, 4, 2);
	peer_expect_closed(&peer);
	bytes_writer_deinit(&frame);
	peer_close(&other);
	peer_close(&peer);
}

static void a_client_that_only_reads_on_gets_its_answers(void **state)
{
	ask_and_shut(*state, peer_open(*state));
	ask_and_shut(*state, peer_open_shared(*state));
}

static void drain_finishes_what_runs_and_refuses_what_waits(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	occupy(daemon, &peer, 1);
	peer_infer(&peer, 2, "echo", 4, 2, 0);
	peer_send(&peer, WIRE_LIST, 3, 0, NULL);
	peer_expect(&peer, 3, EDGE_OK);
	daemon_signal(daemon, SIGTERM);
	peer_expect(&peer, 2, EDGE_DRAINING);
	peer_infer(&peer, 4, "echo", 4, 4, 0);
	peer_expect(&peer, 4, EDGE_DRAINING);
	daemon_let_go(daemon, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_expect_closed(&peer);
	assert_int_equal(daemon_wait(daemon), 0);
	assert_int_not_equal(access(daemon->socket, F_OK), 0);
	peer_close(&peer);
	daemon_start(daemon, false);
}

static void drain_gives_up_on_what_runs_too_long(void **state)
{
	struct daemon *daemon = *state;
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_config(daemon, "[daemon]\nworkers = 1\ndrain-timeout = 20ms\n");
	daemon_start(daemon, false);
	struct peer peer = peer_open(daemon);
	occupy(daemon, &peer, 1);
	daemon_signal(daemon, SIGTERM);
	peer_expect(&peer, 1, EDGE_DRAINING);
	assert_int_equal(daemon_wait(daemon), 0);
	peer_close(&peer);
	daemon_start(daemon, false);
}

/* With timeouts that would be seen: the client's end ends the wait. */
static void drain_does_not_wait_for_a_client_that_left(void **state)
{
	struct daemon *daemon = *state;
	uint8_t header[WIRE_HEADER_BYTES];
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_put(daemon, "wide.tflite", "echo 8000000");
	daemon_config(daemon,
		"[daemon]\nworkers = 1\ndrain-timeout = 10min\n"
		"[limits]\nwrite-timeout = 10min\n");
	daemon_start(daemon, false);
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "wide", 8000000, 1, 0);
	assert_int_equal(recv(peer.fd, header, sizeof(header), MSG_WAITALL), sizeof(header));
	daemon_signal(daemon, SIGTERM);
	daemon_wait_log(daemon, "stopping");
	peer_close(&peer);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_remove(daemon, "wide.tflite");
	daemon_start(daemon, false);
}

static void a_second_sigterm_leaves_at_once(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	occupy(daemon, &peer, 1);
	daemon_signal(daemon, SIGTERM);
	daemon_wait_log(daemon, "stopping");
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 128 + SIGTERM);
	peer_close(&peer);
	daemon_start(daemon, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_come_in_the_order_in_which_they_are_ready),
		cmocka_unit_test(who_waits_is_answered_by_what_serves_when_its_turn_comes),
		cmocka_unit_test(
			who_waits_is_run_by_what_it_came_for_when_that_was_planned_at_another_shape),
		cmocka_unit_test(
			who_is_still_being_read_is_answered_by_what_serves_when_it_is_there),
		cmocka_unit_test(a_large_request_is_judged_by_its_first_bytes),
		cmocka_unit_test(a_deadline_is_answered_while_the_body_is_read),
		cmocka_unit_test(a_body_that_was_refused_and_does_not_come_ends_the_connection),
		cmocka_unit_test(a_deadline_is_answered_while_the_model_runs),
		cmocka_unit_test(a_deadline_in_the_queue_keeps_the_request_from_running),
		cmocka_unit_test(cancel_ends_a_queued_and_a_running_request),
		cmocka_unit_test(an_id_in_flight_cannot_be_used_again),
		cmocka_unit_test(a_full_queue_refuses_at_once),
		cmocka_unit_test(connections_take_turns),
		cmocka_unit_test(a_connection_is_not_read_above_its_limit),
		cmocka_unit_test(a_client_that_leaves_takes_its_requests_with_it),
		cmocka_unit_test(a_client_that_only_reads_on_gets_its_answers),
		cmocka_unit_test(drain_finishes_what_runs_and_refuses_what_waits),
		cmocka_unit_test(drain_gives_up_on_what_runs_too_long),
		cmocka_unit_test(drain_does_not_wait_for_a_client_that_left),
		cmocka_unit_test(a_second_sigterm_leaves_at_once),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
