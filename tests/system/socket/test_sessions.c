/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define CONFIG                                                                                     \
	"[daemon]\nworkers = 4\n"                                                                  \
	"[limits]\nmax-sessions = 3\nmax-in-flight = 40\nqueue-length = 64\n"                      \
	"max-bytes-per-user = 2M\nmax-body = 64K\n"

/* Models that remember: each run adds its input to what the session holds, and answers that. */
static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	char line[128];
	daemon_prepare(daemon);
	snprintf(line, sizeof(line), "slowsum %s/gate", daemon->folder);
	daemon_put(daemon, "slow.tflite", line);
	daemon_put(daemon, "sum.tflite", "sum 1000");
	daemon_put(daemon, "heavy.tflite", "sum 1500000");
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_config(daemon, CONFIG);
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

static uint32_t open_session(struct peer *peer, const char *model)
{
	peer_session_open(peer, 900, model);
	return peer_expect_session(peer, 900);
}

static void close_session(struct peer *peer, uint32_t session)
{
	peer_session(peer, WIRE_SESSION_CLOSE, 901, session);
	peer_expect(peer, 901, EDGE_OK);
}

static struct wire_status status_of(struct peer *peer)
{
	struct wire_status status;
	peer_send(peer, WIRE_STATUS, 902, 0, NULL);
	struct answer answer = peer_receive(peer);
	assert_int_equal(answer.header.id, 902);
	assert_int_equal(
		wire_status_decode(answer.body, answer.header.body_bytes, &status, NULL), 0);
	answer_free(&answer);
	return status;
}

#define A_REQUEST 100000 /* bytes: more than the one that asks for them takes */

/* Until nothing is held for clients but that. */
static void wait_nothing_held(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	while (status_of(&peer).charged_bytes > A_REQUEST) {}
	peer_close(&peer);
}

static void hello_tells_what_there_is(void **state)
{
	struct peer peer = peer_connect(*state);
	struct bytes_writer w = {0};
	struct wire_hello hello = {
		.major = 1, .minor = 3, .capabilities = ~UINT64_C(0), .name = wire_text_of("t")};
	struct wire_hello_reply reply;
	wire_hello_encode(&w, &hello);
	peer_send(&peer, WIRE_HELLO, 1, 0, &w);
	struct answer answer = peer_receive(&peer);
	assert_int_equal(
		wire_hello_reply_decode(answer.body, answer.header.body_bytes, &reply, NULL), 0);
	assert_int_equal(reply.minor, WIRE_MINOR);
	assert_true(reply.capabilities & WIRE_CAP_SESSIONS);
	assert_int_equal(reply.max_sessions, 3);
	answer_free(&answer);
	bytes_writer_deinit(&w);
	peer_close(&peer);
}

static void a_session_keeps_its_state(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	uint32_t session = open_session(&peer, "sum");
	assert_int_equal(session, 1);
	for (int8_t i = 1; i <= 5; i++) {
		peer_infer_in(&peer, session, 1, "sum", 4, 3, 0);
		peer_expect_echo(&peer, 1, 4, (int8_t)(3 * i));
	}
	peer_infer_in(&peer, session, 1, "", 4, 1, 0); /* a session knows its model */
	peer_expect_echo(&peer, 1, 4, 16);
	peer_close(&peer);
}

static void sessions_know_nothing_of_each_other(void **state)
{
	struct peer a = peer_open_1_1(*state), b = peer_open_1_1(*state);
	uint32_t first = open_session(&a, "sum"), second = open_session(&a, "sum");
	uint32_t other = open_session(&b, "sum");
	assert_int_not_equal(first, second);
	peer_infer_in(&a, first, 1, "sum", 4, 5, 0);
	peer_expect_echo(&a, 1, 4, 5);
	peer_infer_in(&a, second, 1, "sum", 4, 7, 0);
	peer_expect_echo(&a, 1, 4, 7);
	peer_infer_in(&b, other, 1, "sum", 4, 9, 0);
	peer_expect_echo(&b, 1, 4, 9);
	peer_infer(&a, 1, "sum", 4, 1, 0); /* and without one nothing is kept */
	peer_expect_echo(&a, 1, 4, 1);
	peer_infer(&a, 1, "sum", 4, 1, 0);
	peer_expect_echo(&a, 1, 4, 1);
	peer_infer_in(&a, first, 1, "sum", 4, 1, 0);
	peer_expect_echo(&a, 1, 4, 6);
	peer_close(&a);
	peer_close(&b);
}

static void reset_goes_back_to_the_start_in_its_turn(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	uint32_t session = open_session(&peer, "slow");
	peer_infer_in(&peer, session, 1, "slow", 4, 5, 0);
	daemon_wait_running(*state);
	peer_infer_in(&peer, session, 2, "slow", 4, 6, 0);
	peer_session(&peer, WIRE_SESSION_RESET, 3, session);
	peer_infer_in(&peer, session, 4, "slow", 4, 7, 0);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 1, 4, 5);
	daemon_wait_running(*state);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 2, 4, 11);
	peer_expect(&peer, 3, EDGE_OK);
	daemon_wait_running(*state);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 4, 4, 7);
	peer_close(&peer);
}

/* Four workers, and each request depends on the one before. */
static void the_order_is_kept_whatever_the_number_of_workers(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	uint32_t sessions[2] = {open_session(&peer, "sum"), open_session(&peer, "sum")};
	uint32_t sums[2] = {0, 0};
	for (int round = 0; round < 20; round++) {
		int8_t answers[32];
		for (uint64_t i = 0; i < 32; i++) {
			int8_t value = (int8_t)(round * 7 + (int)i);
			sums[i % 2] += (uint8_t)value;
			answers[i] = (int8_t)sums[i % 2];
			peer_infer_in(&peer, sessions[i % 2], i, "sum", 4, value, 0);
		}
		for (int i = 0; i < 32; i++) {
			static struct wire_infer_reply reply;
			struct answer answer = peer_receive(&peer);
			assert_int_equal(answer.header.status, EDGE_OK);
			assert_int_equal(wire_infer_reply_decode(answer.body,
						 answer.header.body_bytes, 0, &reply, NULL),
				0);
			const int8_t *data = reply.outputs[0].data;
			assert_int_equal(data[0], answers[answer.header.id]);
			answer_free(&answer);
		}
	}
	peer_close(&peer);
}

static void what_follows_open_may_name_it_at_once(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	peer_session_open(&peer, 1, "sum");
	peer_infer_in(&peer, 1, 2, "sum", 4, 8, 0);
	peer_session(&peer, WIRE_SESSION_CLOSE, 3, 1);
	bool seen[4] = {false};
	for (int i = 0; i < 3; i++) {
		struct answer answer = peer_receive(&peer);
		assert_int_equal(answer.header.status, EDGE_OK);
		seen[answer.header.id] = true;
		answer_free(&answer);
	}
	assert_true(seen[1] && seen[2] && seen[3]);
	peer_close(&peer);
}

static void a_closed_session_is_unknown_and_its_id_does_not_come_again(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	uint32_t session = open_session(&peer, "sum");
	close_session(&peer, session);
	peer_infer_in(&peer, session, 1, "sum", 4, 1, 0);
	peer_expect(&peer, 1, EDGE_NOT_FOUND);
	peer_session(&peer, WIRE_SESSION_CLOSE, 2, session);
	peer_expect(&peer, 2, EDGE_NOT_FOUND);
	peer_session(&peer, WIRE_SESSION_RESET, 3, session);
	peer_expect(&peer, 3, EDGE_NOT_FOUND);
	uint32_t again = open_session(&peer, "sum");
	assert_true(again > session);
	peer_close(&peer);
}

static void requests_before_close_are_answered(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	uint32_t session = open_session(&peer, "slow");
	peer_infer_in(&peer, session, 1, "slow", 4, 1, 0);
	daemon_wait_running(*state);
	peer_infer_in(&peer, session, 2, "slow", 4, 2, 0);
	close_session(&peer, session);
	daemon_let_go(*state, 2);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_expect_echo(&peer, 2, 4, 3);
	daemon_wait_running(*state);
	peer_close(&peer);
}

static void another_connections_session_is_unknown(void **state)
{
	struct peer a = peer_open_1_1(*state), b = peer_open_1_1(*state);
	uint32_t session = open_session(&a, "sum");
	peer_infer_in(&b, session, 1, "sum", 4, 1, 0);
	peer_expect(&b, 1, EDGE_NOT_FOUND);
	peer_session(&b, WIRE_SESSION_CLOSE, 2, session);
	peer_expect(&b, 2, EDGE_NOT_FOUND);
	peer_infer_in(&a, session, 1, "sum", 4, 1, 0);
	peer_expect_echo(&a, 1, 4, 1);
	peer_infer_in(&a, UINT32_MAX, 1, "sum", 4, 1, 0);
	peer_expect(&a, 1, EDGE_NOT_FOUND);
	peer_close(&a);
	peer_close(&b);
}

static void a_session_is_of_its_model_only(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	uint32_t session = open_session(&peer, "sum");
	peer_infer_in(&peer, session, 1, "echo", 4, 1, 0);
	peer_expect(&peer, 1, EDGE_INVALID);
	peer_session_open(&peer, 2, "none");
	peer_expect(&peer, 2, EDGE_NOT_FOUND);
	peer_infer_in(&peer, session, 1, "sum", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_close(&peer);
}

/* The model changes on disk: who has a session does not notice. */
static void a_session_keeps_the_model_that_it_was_opened_on(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open_1_1(daemon);
	daemon_put(daemon, "new.tflite", "sum 100");
	peer_send(&peer, WIRE_RELOAD, 1, 0, NULL);
	peer_expect(&peer, 1, EDGE_OK);
	uint32_t session = open_session(&peer, "new");
	peer_infer_in(&peer, session, 1, "new", 4, 2, 0);
	peer_expect_echo(&peer, 1, 4, 2);
	daemon_put(daemon, "new.tflite", "echo 5");
	peer_send(&peer, WIRE_RELOAD, 1, 0, NULL);
	peer_expect(&peer, 1, EDGE_OK);
	peer_infer_in(&peer, session, 1, "new", 4, 2, 0);
	peer_expect_echo(&peer, 1, 4, 4);
	peer_infer(&peer, 1, "new", 5, 3, 0);
	peer_expect_echo(&peer, 1, 5, 3);
	daemon_remove(daemon, "new.tflite");
	peer_send(&peer, WIRE_RELOAD, 1, 0, NULL);
	peer_expect(&peer, 1, EDGE_OK);
	peer_infer_in(&peer, session, 1, "new", 4, 2, 0);
	peer_expect_echo(&peer, 1, 4, 6);
	peer_close(&peer);
}

static void another_signature_is_of_the_same_session(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	uint32_t session = open_session(&peer, "sum");
	const int8_t data[4] = {4, 4, 4, 4};
	const struct wire_infer infer = {.signature = wire_text_of("serve"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8, .shape = {2, {1, 4}}, .bytes = 4, .data = data}}};
	struct bytes_writer w = {0};
	wire_infer_encode(&w, &infer);
	peer_infer_in(&peer, session, 1, "sum", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_send_in(&peer, session, WIRE_INFER, 2, 0, &w);
	peer_expect_echo(&peer, 2, 4, 5);
	peer_infer_in(&peer, session, 3, "sum", 4, 1, 0);
	peer_expect_echo(&peer, 3, 4, 6);
	bytes_writer_deinit(&w);
	peer_close(&peer);
}

static void more_than_the_limit_is_overloaded_until_one_is_closed(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	uint32_t sessions[3];
	for (int i = 0; i < 3; i++) {
		sessions[i] = open_session(&peer, "sum");
	}
	peer_session_open(&peer, 1, "sum");
	peer_expect(&peer, 1, EDGE_OVERLOADED);
	close_session(&peer, sessions[1]);
	open_session(&peer, "sum");
	peer_session_open(&peer, 2, "sum");
	peer_expect(&peer, 2, EDGE_OVERLOADED);
	peer_close(&peer);
}

static void a_sessions_memory_is_charged_until_it_is_closed(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	wait_nothing_held(*state);
	uint32_t session = open_session(&peer, "heavy");
	assert_true(status_of(&peer).charged_bytes >= 1500000);
	peer_session_open(&peer, 1, "heavy");
	peer_expect(&peer, 1, EDGE_OVERLOADED);
	close_session(&peer, session);
	assert_true(status_of(&peer).charged_bytes < A_REQUEST);
	open_session(&peer, "heavy");
	peer_close(&peer); /* as well as closed one by one */
	wait_nothing_held(*state);
}

static void a_session_that_outgrows_its_user_is_closed(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	uint32_t session = open_session(&peer, "sum"), other = open_session(&peer, "sum");
	peer_infer_in(&peer, session, 1, "sum", 4, 98, 0);
	peer_expect_echo(&peer, 1, 4, 98);
	peer_infer_in(&peer, session, 2, "sum", 4, 1, 0); /* now it takes 10 MB */
	peer_expect(&peer, 2, EDGE_OVERLOADED);
	peer_infer_in(&peer, session, 3, "sum", 4, 1, 0);
	peer_expect(&peer, 3, EDGE_NOT_FOUND);
	peer_infer_in(&peer, other, 4, "sum", 4, 1, 0);
	peer_expect_echo(&peer, 4, 4, 1);
	peer_close(&peer);
	wait_nothing_held(*state);
}

static void a_waiting_request_can_be_cancelled_and_has_its_deadline(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	uint32_t session = open_session(&peer, "slow");
	peer_infer_in(&peer, session, 1, "slow", 4, 1, 0);
	daemon_wait_running(*state);
	peer_infer_in(&peer, session, 2, "slow", 4, 2, 0);
	peer_infer_in(&peer, session, 3, "slow", 4, 3, 50000);
	peer_infer_in(&peer, session, 4, "slow", 4, 4, 0);
	peer_cancel(&peer, 10, 2);
	peer_expect(&peer, 2, EDGE_CANCELLED);
	peer_expect(&peer, 10, EDGE_OK);
	peer_expect(&peer, 3, EDGE_DEADLINE);
	assert_int_equal(status_of(&peer).queue_length, 1);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	daemon_wait_running(*state);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 4, 4, 5); /* 2 and 3 never ran */
	peer_close(&peer);
}

/* The one that runs is ended; what it had done so far is not seen by the next. */
static void a_run_that_is_ended_leaves_the_state_as_it_was(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	uint32_t session = open_session(&peer, "slow");
	peer_infer_in(&peer, session, 1, "slow", 4, 1, 0);
	daemon_wait_running(*state);
	peer_infer_in(&peer, session, 2, "slow", 4, 2, 0);
	peer_cancel(&peer, 10, 1);
	peer_expect(&peer, 1, EDGE_CANCELLED);
	peer_expect(&peer, 10, EDGE_OK);
	daemon_wait_running(*state);
	daemon_let_go(*state, 1);
	peer_expect_echo(&peer, 2, 4, 2);
	peer_close(&peer);
}

static void a_client_that_leaves_takes_its_sessions_with_it(void **state)
{
	struct peer gone = peer_open_1_1(*state), peer = peer_open_1_1(*state);
	uint32_t session = open_session(&gone, "slow"), other = open_session(&gone, "sum");
	peer_infer_in(&gone, session, 1, "slow", 4, 1, 0);
	daemon_wait_running(*state);
	for (uint64_t i = 2; i < 10; i++) {
		peer_infer_in(&gone, session, i, "slow", 4, 2, 0);
		peer_infer_in(&gone, other, i + 20, "sum", 4, 2, 0);
	}
	peer_close(&gone);
	/* Nobody lets a slow one go. */
	struct wire_status status = status_of(&peer);
	while (status.running + status.queue_length > 0 || status.clients > 1) {
		status = status_of(&peer);
	}
	peer_close(&peer);
}

static void others_are_not_held_up_by_a_session_that_waits(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	uint32_t session = open_session(&peer, "slow");
	for (uint64_t i = 1; i <= 10; i++) { /* more than there are workers */
		peer_infer_in(&peer, session, i, "slow", 4, 1, 0);
	}
	daemon_wait_running(*state);
	peer_infer(&peer, 20, "echo", 4, 5, 0);
	peer_expect_echo(&peer, 20, 4, 5);
	for (uint64_t i = 1; i <= 10; i++) {
		daemon_let_go(*state, 1);
		peer_expect_echo(&peer, i, 4, (int8_t)i);
	}
	for (int i = 2; i <= 10; i++) {
		daemon_wait_running(*state);
	}
	peer_close(&peer);
}

static void waiting_requests_count_for_the_queues_length(void **state)
{
	struct daemon *daemon = *state;
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_config(daemon, "[daemon]\nworkers = 1\n[limits]\nqueue-length = 3\n");
	daemon_start(daemon, false);
	struct peer peer = peer_open_1_1(daemon);
	uint32_t session = open_session(&peer, "slow");
	peer_infer_in(&peer, session, 1, "slow", 4, 1, 0);
	daemon_wait_running(daemon);
	peer_infer_in(&peer, session, 2, "slow", 4, 1, 0);
	peer_infer_in(&peer, session, 3, "slow", 4, 1, 0);
	peer_infer(&peer, 4, "echo", 4, 1, 0);
	peer_infer_in(&peer, session, 5, "slow", 4, 1, 0);
	peer_expect(&peer, 5, EDGE_OVERLOADED);
	peer_infer(&peer, 6, "echo", 4, 1, 0);
	peer_expect(&peer, 6, EDGE_OVERLOADED);
	peer_session_open(&peer, 7, "sum"); /* opening waits for a worker as well */
	peer_expect(&peer, 7, EDGE_OVERLOADED);
	daemon_signal(daemon, SIGTERM);
	bool seen[5] = {false};
	for (int i = 0; i < 3; i++) {
		struct answer answer = peer_receive(&peer);
		assert_int_equal(answer.header.status, EDGE_DRAINING);
		assert_in_range(answer.header.id, 2, 4);
		seen[answer.header.id] = true;
		answer_free(&answer);
	}
	assert_true(seen[2] && seen[3] && seen[4]);
	peer_session_open(&peer, 8, "sum");
	peer_expect(&peer, 8, EDGE_DRAINING);
	daemon_let_go(daemon, 1);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_expect_closed(&peer);
	assert_int_equal(daemon_wait(daemon), 0);
	peer_close(&peer);
	daemon_config(daemon, CONFIG);
	daemon_start(daemon, false);
}

static void an_open_that_is_cancelled_leaves_no_session(void **state)
{
	struct daemon *daemon = *state;
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_config(daemon, "[daemon]\nworkers = 1\n[limits]\nmax-sessions = 1\n");
	daemon_start(daemon, false);
	struct peer busy = peer_open(daemon), peer = peer_open_1_1(daemon);
	peer_infer(&busy, 1, "slow", 4, 1, 0);
	daemon_wait_running(daemon);
	peer_session_open(&peer, 1, "sum");
	peer_infer_in(&peer, 1, 2, "sum", 4, 1, 0);
	peer_cancel(&peer, 10, 1);
	peer_expect(&peer, 1, EDGE_CANCELLED);
	peer_expect(&peer, 10, EDGE_OK);
	daemon_let_go(daemon, 1);
	peer_expect_echo(&busy, 1, 4, 1);
	peer_expect(&peer, 2, EDGE_NOT_FOUND);
	assert_int_equal(open_session(&peer, "sum"), 2);
	peer_close(&busy);
	peer_close(&peer);
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_config(daemon, CONFIG);
	daemon_start(daemon, false);
}

/* What 1.0 did not know it still does not: the messages, and bytes 28 to 31 of the header. */
static void a_client_of_1_0_has_no_sessions(void **state)
{
	struct peer peer = peer_open(*state);
	peer.may_be_closed = true;
	peer_session_open(&peer, 1, "sum");
	peer_expect(&peer, 1, EDGE_UNSUPPORTED);
	peer_session(&peer, WIRE_SESSION_CLOSE, 2, 1);
	peer_expect(&peer, 2, EDGE_UNSUPPORTED);
	peer_infer_in(&peer, 1, 3, "sum", 4, 1, 0);
	peer_expect(&peer, 3, EDGE_INVALID);
	peer_expect_closed(&peer);
	peer_close(&peer);
}

static void malformed_session_messages_are_invalid(void **state)
{
	struct peer peer = peer_open_1_1(*state);
	struct bytes_writer w = {0};
	for (size_t n = 0; n < 8; n++) {
		for (unsigned int type = WIRE_SESSION_OPEN; type <= WIRE_SESSION_CLOSE; type++) {
			w.size = 0;
			for (size_t i = 0; i < n; i++) {
				bytes_write_u8(&w, 0xff);
			}
			peer_send(&peer, type, 1, 0, &w);
			peer_expect(&peer, 1,
				n == 4 && type != WIRE_SESSION_OPEN ? EDGE_NOT_FOUND
								    : EDGE_INVALID);
		}
	}
	bytes_writer_deinit(&w);
	peer_send_in(&peer, 1, WIRE_LIST, 2, 0, NULL); /* only INFER has a session */
	peer_expect(&peer, 2, EDGE_INVALID);
	peer_expect_closed(&peer);
	peer_close(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_tells_what_there_is),
		cmocka_unit_test(a_session_keeps_its_state),
		cmocka_unit_test(sessions_know_nothing_of_each_other),
		cmocka_unit_test(reset_goes_back_to_the_start_in_its_turn),
		cmocka_unit_test(the_order_is_kept_whatever_the_number_of_workers),
		cmocka_unit_test(what_follows_open_may_name_it_at_once),
		cmocka_unit_test(a_closed_session_is_unknown_and_its_id_does_not_come_again),
		cmocka_unit_test(requests_before_close_are_answered),
		cmocka_unit_test(another_connections_session_is_unknown),
		cmocka_unit_test(a_session_is_of_its_model_only),
		cmocka_unit_test(a_session_keeps_the_model_that_it_was_opened_on),
		cmocka_unit_test(another_signature_is_of_the_same_session),
		cmocka_unit_test(more_than_the_limit_is_overloaded_until_one_is_closed),
		cmocka_unit_test(a_sessions_memory_is_charged_until_it_is_closed),
		cmocka_unit_test(a_session_that_outgrows_its_user_is_closed),
		cmocka_unit_test(a_waiting_request_can_be_cancelled_and_has_its_deadline),
		cmocka_unit_test(a_run_that_is_ended_leaves_the_state_as_it_was),
		cmocka_unit_test(a_client_that_leaves_takes_its_sessions_with_it),
		cmocka_unit_test(others_are_not_held_up_by_a_session_that_waits),
		cmocka_unit_test(waiting_requests_count_for_the_queues_length),
		cmocka_unit_test(an_open_that_is_cancelled_leaves_no_session),
		cmocka_unit_test(a_client_of_1_0_has_no_sessions),
		cmocka_unit_test(malformed_session_messages_are_invalid),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
