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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define MANY 1000
#define CONFIG                                                                                     \
	"[limits]\nheader-timeout = 2s\nhello-timeout = 2s\n"                                      \
	"write-timeout = 500ms\nmax-body = 2M\n"                                                   \
	"max-greeting = 2000\nlog-lines-per-user = 1000000\n"
#define GROWTH_KB 1024 /* of edged's memory, after everything hostile has gone */

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	struct rlimit files;
	char line[128];
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	daemon_prepare(daemon);
	snprintf(line, sizeof(line), "slow %s/gate", daemon->folder);
	daemon_put(daemon, "slow.tflite", line);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_put(daemon, "wide.tflite", "echo 500000");
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

/* A good client in the same moment: right answers. */
static void expect_good(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "echo", 4, 11, 0);
	peer_expect_echo(&peer, 1, 4, 11);
	peer_close(&peer);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Sends what it can; the daemon may close in between. */
static void throw_bytes(struct peer *peer, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = send(peer->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n <= 0) {
			return;
		}
		bytes += n;
		size -= (size_t)n;
	}
}

static void random_bytes_close_their_connection_only(void **state)
{
	uint32_t seed = 1;
	uint8_t bytes[4096];
	for (int round = 0; round < 200; round++) {
		struct peer peer = peer_connect(*state);
		size_t size = 32 + next_random(&seed) % (sizeof(bytes) - 32);
		for (size_t i = 0; i < size; i++) {
			bytes[i] = (uint8_t)next_random(&seed);
		}
		throw_bytes(&peer, bytes, size);
		peer_expect(&peer, 0, EDGE_INVALID);
		peer_expect_closed(&peer);
		peer_close(&peer);
	}
	expect_good(*state);
}

/* A good conversation with some bytes changed: edged answers or closes, and lives. */
static void damaged_frames_harm_nobody(void **state)
{
	uint32_t seed = 2;
	struct bytes_writer w = {0};
	const struct wire_infer infer = {.model = wire_text_of("echo"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8, .shape = {2, {1, 4}}, .bytes = 4, .data = "abcd"}}};
	uint8_t header[WIRE_HEADER_BYTES];
	bytes_reserve(&w, WIRE_HEADER_BYTES);
	struct bytes_writer body = {0};
	wire_infer_encode(&body, &infer);
	bytes_write(&w, body.data, body.size);
	wire_header_encode(
		&(struct wire_header){
			.type = WIRE_INFER, .id = 1, .body_bytes = (uint32_t)body.size},
		header);
	for (int round = 0; round < 500; round++) {
		struct peer peer = peer_open(*state);
		uint8_t bytes[512];
		memcpy(bytes, w.data, w.size);
		memcpy(bytes, header, sizeof(header));
		for (uint32_t n = 1 + next_random(&seed) % 4; n > 0; n--) {
			bytes[next_random(&seed) % w.size] = (uint8_t)next_random(&seed);
		}
		throw_bytes(&peer, bytes, w.size);
		shutdown(peer.fd, SHUT_WR);
		char drop[512];
		while (recv(peer.fd, drop, sizeof(drop), 0) > 0) {}
		peer_close(&peer);
	}
	bytes_writer_deinit(&w);
	bytes_writer_deinit(&body);
	expect_good(*state);
}

static void half_frames_time_out(void **state)
{
	struct peer silent = peer_connect(*state);
	struct peer header = peer_open(*state), body = peer_open(*state);
	uint8_t bytes[WIRE_HEADER_BYTES];
	wire_header_encode(
		&(struct wire_header){.type = WIRE_INFER, .id = 4, .body_bytes = 1000}, bytes);
	peer_send_bytes(&header, bytes, 7);
	peer_send_bytes(&body, bytes, sizeof(bytes));
	peer_send_bytes(&body, bytes, 3);
	expect_good(*state);
	peer_expect(&header, 0, EDGE_DEADLINE);
	peer_expect_closed(&header);
	peer_expect(&body, 4, EDGE_DEADLINE);
	peer_expect_closed(&body);
	peer_expect(&silent, 0, EDGE_DEADLINE);
	peer_expect_closed(&silent);
	peer_close(&header);
	peer_close(&body);
	peer_close(&silent);
}

static void frames_byte_by_byte_are_understood(void **state)
{
	struct peer peer = peer_open(*state);
	struct bytes_writer w = {0};
	uint8_t header[WIRE_HEADER_BYTES];
	const struct wire_describe describe = {
		.model = wire_text_of("echo"), .version = wire_text_of("")};
	wire_describe_encode(&w, &describe);
	wire_header_encode(
		&(struct wire_header){
			.type = WIRE_DESCRIBE, .id = 3, .body_bytes = (uint32_t)w.size},
		header);
	for (size_t i = 0; i < sizeof(header); i++) {
		peer_send_bytes(&peer, header + i, 1);
	}
	for (size_t i = 0; i < w.size; i++) {
		peer_send_bytes(&peer, w.data + i, 1);
	}
	peer_expect(&peer, 3, EDGE_OK);
	bytes_writer_deinit(&w);
	peer_close(&peer);
}

/* It asks for megabytes and takes none: it is closed, and others are served meanwhile. */
static void a_client_that_takes_no_replies_is_closed(void **state)
{
	struct peer peer = peer_open(*state);
	peer.may_be_closed = true;
	for (uint64_t i = 0; i < 8; i++) {
		peer_infer(&peer, i, "wide", 500000, 1, 0);
	}
	expect_good(*state);
	daemon_wait_log(*state, "the client does not read its replies");
	peer_close(&peer);
	expect_good(*state);
}

static uint64_t charged(struct daemon *daemon, uint32_t *ret_clients)
{
	struct peer peer = peer_open(daemon);
	struct wire_status status;
	peer_send(&peer, WIRE_STATUS, 1, 0, NULL);
	struct answer answer = peer_receive(&peer);
	assert_int_equal(
		wire_status_decode(answer.body, answer.header.body_bytes, &status, NULL), 0);
	answer_free(&answer);
	peer_close(&peer);
	*ret_clients = status.clients;
	return status.charged_bytes;
}

/* What all left clients were charged is given back; only the asking client is there. */
static void wait_forgotten(struct daemon *daemon)
{
	uint32_t clients = 0;
	uint64_t bytes = 0, until = clock_now_ns() + UINT64_C(20000000000);
	do {
		bytes = charged(daemon, &clients);
		if (clock_now_ns() > until) {
			fail_msg("%u clients hold %llu bytes", clients, (unsigned long long)bytes);
		}
	} while (clients > 1 || bytes > 100000);
}

static void a_thousand_connections_and_a_good_client(void **state)
{
	static struct peer peers[MANY];
	struct peer good = peer_open(*state);
	for (size_t i = 0; i < MANY; i++) {
		peers[i] = peer_connect(*state);
		if (i % 3 == 0) {
			throw_bytes(&peers[i], (const uint8_t *)"EDG1\1\0\0\0garbage", i % 16);
		}
	}
	peer_infer(&good, 1, "echo", 4, 3, 0);
	peer_expect_echo(&good, 1, 4, 3);
	expect_good(*state);
	for (size_t i = 0; i < MANY; i++) {
		peer_close(&peers[i]);
	}
	peer_close(&good);
	wait_forgotten(*state);
	expect_good(*state);
}

/* Tells edged other limits, and has them taken. */
static void limit(struct daemon *daemon, const char *text)
{
	daemon_config(daemon, text);
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "models ready");
}

static void who_says_nothing_makes_room_for_who_comes(void **state)
{
	static struct peer silent[200];
	struct daemon *daemon = *state;
	struct peer good[20];
	unsigned int dropped = 0;
	limit(daemon, "[limits]\nmax-greeting = 40\nhello-timeout = 10min\n");
	for (int i = 0; i < 200; i++) {
		silent[i] = peer_connect(daemon);
	}
	for (int i = 0; i < 20; i++) { /* none of these is dropped */
		good[i] = peer_open(daemon);
		peer_infer(&good[i], 1, "echo", 4, 11, 0);
		peer_expect_echo(&good[i], 1, 4, 11);
	}
	for (int i = 0; i < 200; i++) {
		uint8_t bytes[WIRE_HEADER_BYTES];
		struct wire_header header = {0};
		if (recv(silent[i].fd, bytes, sizeof(bytes), MSG_DONTWAIT) == sizeof(bytes)) {
			assert_int_equal(wire_header_decode(bytes, &header, NULL), 0);
			assert_int_equal(header.status, EDGE_OVERLOADED);
			dropped++;
		}
		peer_close(&silent[i]);
	}
	for (int i = 0; i < 20; i++) {
		peer_close(&good[i]);
	}
	assert_in_range(dropped, 160, 199);
	limit(daemon, CONFIG);
}

/* As another user: root may. */
static void who_breaks_the_protocol_again_and_again_is_kept_out(void **state)
{
	struct daemon *daemon = *state;
	if (geteuid() != 0) {
		print_message("SKIPPED: only root can become somebody else\n");
		return;
	}
	assert_int_equal(chmod(daemon->folder, 0755), 0);
	assert_int_equal(chmod(daemon->socket, 0666), 0);
	limit(daemon, "[limits]\nmax-offences = 5\n");
	assert_int_equal(seteuid(65534), 0);
	for (int i = 0; i < 6; i++) {
		struct peer peer = peer_connect(daemon);
		throw_bytes(&peer, (const uint8_t *)"garbage that is no header at all", 32);
		peer_expect(&peer, 0, EDGE_INVALID);
		peer_expect_closed(&peer);
		peer_close(&peer);
	}
	struct peer peer = peer_connect(daemon);
	peer_expect(&peer, 0, EDGE_OVERLOADED);
	peer_expect_closed(&peer);
	peer_close(&peer);
	assert_int_equal(seteuid(0), 0);
	expect_good(daemon);
	limit(daemon, CONFIG);
}

/* As another user, while root is there. */
static void who_asks_for_nothing_but_lists_is_told_to_wait(void **state)
{
	struct daemon *daemon = *state;
	if (geteuid() != 0) {
		print_message("SKIPPED: only root can become somebody else\n");
		return;
	}
	assert_int_equal(chmod(daemon->folder, 0755), 0);
	assert_int_equal(chmod(daemon->socket, 0666), 0);
	struct peer root = peer_open(daemon);
	assert_int_equal(seteuid(65534), 0);
	struct peer peer = peer_open_1_3(daemon);
	assert_int_equal(seteuid(0), 0);
	const uint64_t until = clock_now_ns() + UINT64_C(60000000000);
	unsigned int status = EDGE_OK;
	for (uint64_t i = 0; status == EDGE_OK; i++) {
		assert_true(clock_now_ns() < until);
		peer_send(&peer, WIRE_LIST, i, 0, NULL);
		struct answer answer = peer_receive(&peer);
		status = answer.header.status;
		assert_true(status == EDGE_OK || answer.header.deadline_us > 0);
		answer_free(&answer);
	}
	assert_int_equal(status, EDGE_OVERLOADED);
	peer_send(&root, WIRE_LIST, 1, 0, NULL);
	peer_expect(&root, 1, EDGE_OK);
	peer_infer(&peer, 1, "echo", 4, 1, 0); /* its runs are another matter */
	peer_expect_echo(&peer, 1, 4, 1);
	peer_close(&root);
	peer_close(&peer);
}

/* A process that dies in the middle of whatever it was doing. */
static void die_in_the_middle(struct daemon *daemon, int how)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct peer peer = peer_open(daemon);
		uint8_t header[WIRE_HEADER_BYTES];
		wire_header_encode(
			&(struct wire_header){.type = WIRE_INFER, .id = 4, .body_bytes = 2000000},
			header);
		if (how == 0) {
			peer_infer(&peer, 1, "slow", 4, 1, 0);
		} else if (how == 1) {
			peer_infer(&peer, 1, "wide", 500000, 1, 0);
		} else {
			peer_send_bytes(&peer, header, sizeof(header));
		}
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void clients_killed_mid_request_leave_nothing_behind(void **state)
{
	struct peer good = peer_open(*state);
	for (int i = 0; i < 60; i++) {
		die_in_the_middle(*state, i % 3);
		peer_infer(&good, (uint64_t)i, "echo", 4, (int8_t)i, 0);
		peer_expect_echo(&good, (uint64_t)i, 4, (int8_t)i);
	}
	peer_close(&good);
	wait_forgotten(*state);
}

static void memory_returns_to_where_it_was(void **state)
{
	struct daemon *daemon = *state;
	expect_good(daemon);
	wait_forgotten(daemon);
	long before = daemon_memory_kb(daemon, "Rss");
	for (int i = 0; i < 3; i++) {
		random_bytes_close_their_connection_only(state);
		a_thousand_connections_and_a_good_client(state);
		clients_killed_mid_request_leave_nothing_behind(state);
		a_client_that_takes_no_replies_is_closed(state);
	}
	wait_forgotten(daemon);
	/* Freed memory is given back within a second or two; sanitizers keep it. */
	uint64_t until = clock_now_ns() + UINT64_C(20000000000);
	long after = daemon_memory_kb(daemon, "Rss");
	while (daemon_memory_counts() && after > before + GROWTH_KB) {
		if (clock_now_ns() > until) {
			fail_msg("Rss was %ld KB and is %ld KB", before, after);
		}
		expect_good(daemon);
		after = daemon_memory_kb(daemon, "Rss");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_bytes_close_their_connection_only),
		cmocka_unit_test(damaged_frames_harm_nobody),
		cmocka_unit_test(half_frames_time_out),
		cmocka_unit_test(frames_byte_by_byte_are_understood),
		cmocka_unit_test(a_client_that_takes_no_replies_is_closed),
		cmocka_unit_test(a_thousand_connections_and_a_good_client),
		cmocka_unit_test(who_says_nothing_makes_room_for_who_comes),
		cmocka_unit_test(who_breaks_the_protocol_again_and_again_is_kept_out),
		cmocka_unit_test(who_asks_for_nothing_but_lists_is_told_to_wait),
		cmocka_unit_test(clients_killed_mid_request_leave_nothing_behind),
		cmocka_unit_test(memory_returns_to_where_it_was),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
