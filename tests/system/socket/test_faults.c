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
#include <sys/socket.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"
#include "tests/system/regions.h"

#define MOST_CALLS 60 /* more than a request, or a load, makes */

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_put(daemon, "wide.tflite", "echo 500000");
	daemon_put(daemon, "sum.tflite", "sum 1000");
	setenv("EDGED_FAKE", getenv("EDGED_FAULT"), 1);
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

/* The @nth call from now on that can fail in edged does. */
static void arm(const struct daemon *daemon, int nth)
{
	assert_int_equal(sigqueue(daemon->pid, SIGUSR2, (union sigval){.sival_int = nth}), 0);
}

/* False when edged closes instead. */
static bool read_frame(struct peer *peer, struct wire_header *ret_header)
{
	uint8_t header[WIRE_HEADER_BYTES];
	static uint8_t body[1 << 20];
	if (recv(peer->fd, header, sizeof(header), MSG_WAITALL) != sizeof(header)) {
		return false;
	}
	assert_int_equal(wire_header_decode(header, ret_header, NULL), 0);
	const uint32_t bytes = ret_header->body_bytes;
	assert_true(bytes <= sizeof(body));
	return bytes == 0 || recv(peer->fd, body, bytes, MSG_WAITALL) == (ssize_t)bytes;
}

/* Reads until edged closes or an answer to @id has come; its status, or -1. */
static int read_answer(struct peer *peer, uint64_t id)
{
	struct wire_header header = {0};
	while (read_frame(peer, &header)) {
		if (header.id == id) {
			return (int)header.status;
		}
	}
	return -1;
}

/* Reads until edged closes or @n answers have come; how many were not OK, or did not come. */
static unsigned int count_failed(struct peer *peer, unsigned int n)
{
	struct wire_header header = {0};
	unsigned int good = 0;
	for (unsigned int i = 0; i < n && read_frame(peer, &header); i++) {
		good += header.status == EDGE_OK;
	}
	return n - good;
}

static void expect_any_of_three(int status, int nth)
{
	if (status != -1 && status != EDGE_OK && status != EDGE_INTERNAL) {
		fail_msg("call %d failed, and the answer was %s", nth,
			status_name((unsigned int)status));
	}
}

static void expect_good(struct daemon *daemon, int8_t value)
{
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "echo", 4, value, 0);
	peer_expect_echo(&peer, 1, 4, value);
	peer_infer(&peer, 2, "wide", 500000, value, 0);
	peer_expect_echo(&peer, 2, 500000, value);
	peer_close(&peer);
}

/* Whatever fails: an error or a closed connection, and the next request is answered rightly. */
static void any_failed_call_of_a_request_fails_that_request_only(void **state)
{
	unsigned int failed = 0;
	for (int nth = 1; nth <= MOST_CALLS; nth++) {
		struct peer peer = peer_open(*state);
		arm(*state, nth);
		peer_infer(&peer, 1, nth % 2 ? "echo" : "wide", nth % 2 ? 4 : 500000, 1, 0);
		int status = read_answer(&peer, 1);
		expect_any_of_three(status, nth);
		failed += status != EDGE_OK;
		peer_close(&peer);
		arm(*state, 0);
		expect_good(*state, (int8_t)nth);
	}
	assert_true(failed >= 3); /* request, reply, frame */
}

static void any_failed_call_of_a_connection_fails_that_connection_only(void **state)
{
	for (int nth = 1; nth <= 12; nth++) {
		struct bytes_writer w = {0};
		wire_hello_encode(&w, &(struct wire_hello){.major = 1, .name = wire_text_of("t")});
		arm(*state, nth);
		struct peer peer = peer_connect(*state);
		uint8_t header[WIRE_HEADER_BYTES];
		wire_header_encode(
			&(struct wire_header){
				.type = WIRE_HELLO, .id = 1, .body_bytes = (uint32_t)w.size},
			header);
		/* It may be closed by now. */
		ssize_t sent = send(peer.fd, header, sizeof(header), MSG_NOSIGNAL);
		sent = sent < 0 ? sent : send(peer.fd, w.data, w.size, MSG_NOSIGNAL);
		int status = read_answer(&peer, 1);
		expect_any_of_three(status, nth);
		/* The error may have come, and the end of the connection, before all was sent. */
		assert_true(sent > 0 || status != EDGE_OK);
		bytes_writer_deinit(&w);
		peer_close(&peer);
		arm(*state, 0);
		expect_good(*state, (int8_t)nth);
	}
}

/* Some of the messages of a session fail, whichever: what is told is right, and the session is gone
 * with its connection. */
static void any_failed_call_of_a_session_fails_that_session_only(void **state)
{
	unsigned int failed = 0;
	for (int nth = 1; nth <= MOST_CALLS; nth++) {
		struct peer peer = peer_open_1_1(*state);
		peer.may_be_closed = true;
		arm(*state, nth);
		peer_session_open(&peer, 1, "sum");
		peer_infer_in(&peer, 1, 2, "sum", 4, 1, 0);
		peer_session(&peer, WIRE_SESSION_RESET, 3, 1);
		peer_infer_in(&peer, 1, 4, "sum", 4, 1, 0);
		peer_session_open(&peer, 5, "sum");
		peer_session(&peer, WIRE_SESSION_CLOSE, 6, 1);
		peer_send(&peer, WIRE_STATUS, 7, 0, NULL);
		failed += count_failed(&peer, 7);
		peer_close(&peer);
		arm(*state, 0);
		expect_good(*state, (int8_t)nth);
		peer = peer_open_1_1(*state);
		peer_session_open(&peer, 1, "sum");
		assert_int_equal(peer_expect_session(&peer, 1), 1);
		peer_infer_in(&peer, 1, 2, "sum", 4, 9, 0);
		peer_expect_echo(&peer, 2, 4, 9);
		peer_close(&peer);
	}
	assert_true(failed >= 1);
}

/* Neither memory nor descriptors are left of what failed. */
static void any_failed_call_with_shared_memory_fails_that_connection_only(void **state)
{
	struct memory memory = memory_new(4096);
	unsigned int failed = 0;
	expect_good(*state, 1);
	const struct held before = held_by(*state);
	for (int nth = 1; nth <= MOST_CALLS; nth++) {
		struct peer peer = peer_open_shared(*state);
		peer.may_be_closed = true;
		arm(*state, nth);
		peer_region_add(&peer, 1, memory.fd, memory.bytes, REGIONS_BOTH);
		ask_send(&peer, 2, &ask_in_place);
		peer_region_remove(&peer, 3, 1);
		peer_send(&peer, WIRE_STATUS, 4, 0, NULL);
		failed += read_answer(&peer, 4) != EDGE_OK;
		peer_close(&peer);
		arm(*state, 0);
		expect_good(*state, (int8_t)nth);
		peer = peer_open_shared(*state);
		assert_int_equal(peer_region(&peer, &memory), 1);
		memset(memory.data, nth, 4);
		ask_send(&peer, 2, &ask_in_place);
		ask_expect_output(&peer, 2, NULL);
		assert_memory_equal(memory.data + 64, memory.data, 4);
		peer_close(&peer);
	}
	assert_true(failed >= 1);
	held_expect(*state, &before);
	memory_free(&memory);
}

static void any_failed_call_of_a_load_refuses_that_file_only(void **state)
{
	struct daemon *daemon = *state;
	struct peer admin = peer_open(daemon);
	for (int nth = 1; nth <= MOST_CALLS; nth++) {
		char line[32];
		snprintf(line, sizeof(line), "echo %d", 8 + nth);
		daemon_put(daemon, "new.tflite", line);
		arm(daemon, nth);
		peer_send(&admin, WIRE_RELOAD, 1, 0, NULL);
		int status = read_answer(&admin, 1);
		arm(daemon, 0);
		if (status == -1) {
			admin = peer_open(daemon);
		}
		expect_good(daemon, (int8_t)nth);
		peer_send(&admin, WIRE_RELOAD, 2, 0, NULL);
		assert_int_equal(read_answer(&admin, 2), EDGE_OK);
		peer_infer(&admin, 3, "new", 8 + nth, 5, 0);
		peer_expect_echo(&admin, 3, 8 + nth, 5);
	}
	peer_close(&admin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_failed_call_of_a_request_fails_that_request_only),
		cmocka_unit_test(any_failed_call_of_a_connection_fails_that_connection_only),
		cmocka_unit_test(any_failed_call_of_a_session_fails_that_session_only),
		cmocka_unit_test(any_failed_call_with_shared_memory_fails_that_connection_only),
		cmocka_unit_test(any_failed_call_of_a_load_refuses_that_file_only),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
