/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and replies through memory: what a ring does, and what a hostile one cannot do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/clock.h"
#include "tests/system/ringer.h"

#define PATIENCE_NS UINT64_C(60000000000)

/* ---- what it does */

static void requests_are_answered_in_their_ring(void **state)
{
	struct ringer ringer = ringer_open(*state, 0);
	for (uint64_t id = 1; id <= 100; id++) {
		ringer_ask(&ringer, id, "echo", (int8_t)id);
		ringer_expect(&ringer, id, EDGE_OK, (int8_t)id);
	}
	ringer_close(&ringer);
}

static void all_slots_may_be_full_and_counts_go_on_at_zero(void **state)
{
	struct ringer ringer = ringer_open(*state, UINT32_MAX - 5);
	for (uint64_t round = 0; round < 20; round++) {
		for (uint64_t i = 0; i < RINGER_SLOTS; i++) {
			ringer_ask(&ringer, 1 + i, "echo", (int8_t)(round + i));
		}
		bool seen[RINGER_SLOTS] = {false};
		for (uint64_t i = 0; i < RINGER_SLOTS; i++) { /* in any order: several workers */
			const uint8_t *body = NULL;
			const struct wire_header header = ringer_take(&ringer, &body);
			assert_int_equal(header.status, EDGE_OK);
			assert_in_range(header.id, 1, RINGER_SLOTS);
			assert_false(seen[header.id - 1]);
			seen[header.id - 1] = true;
		}
	}
	ringer_close(&ringer);
}

static void a_reply_that_is_too_long_comes_by_the_socket(void **state)
{
	struct ringer ringer = ringer_open(*state, 0);
	struct bytes_writer w = {0};
	const uint8_t *body = NULL;
	const struct wire_infer infer = {.regions = true,
		.model = wire_text_of("echo"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8,
			.shape = {2, {(REGIONS_SIZE - RINGER_AT) / 4, 4}},
			.bytes = REGIONS_SIZE - RINGER_AT,
			.region = 1}}};
	memset(ringer.memory.data, 7, REGIONS_SIZE - RINGER_AT);
	wire_infer_encode(&w, &infer);
	ringer_submit(&ringer,
		&(struct wire_header){.type = WIRE_INFER,
			.flags = WIRE_FLAG_REGIONS,
			.id = 9,
			.body_bytes = (uint32_t)w.size},
		w.data);
	bytes_writer_deinit(&w);
	const struct wire_header header = ringer_take(&ringer, &body);
	assert_int_equal(header.id, 9);
	assert_int_equal(header.status, EDGE_OK);
	assert_true(header.body_bytes > RINGER_SLOT_BYTES - WIRE_HEADER_BYTES);
	struct answer answer = peer_receive(&ringer.peer);
	assert_int_equal(answer.header.id, 9);
	assert_int_equal(answer.header.status, EDGE_OK);
	answer_free(&answer);
	ringer_ask(&ringer, 10, "echo", 3);
	ringer_expect(&ringer, 10, EDGE_OK, 3);
	ringer_close(&ringer);
}

static void what_is_refused_is_told_in_the_ring(void **state)
{
	struct ringer ringer = ringer_open(*state, 0);
	ringer_ask(&ringer, 1, "nobody", 1);
	ringer_expect(&ringer, 1, EDGE_NOT_FOUND, 0);
	ringer_ask(&ringer, 2, "echo", 2);
	ringer_expect(&ringer, 2, EDGE_OK, 2);
	ringer_close(&ringer);
}

/* Both ways end in the same requests: cancellation and deadlines know those of the ring. */
static void the_socket_takes_back_what_the_ring_asked(void **state)
{
	struct daemon *daemon = *state;
	struct ringer ringer = ringer_open(daemon, 0);
	ringer_ask(&ringer, 1, "slow", 1);
	daemon_wait_running(daemon);
	peer_cancel(&ringer.peer, 2, 1);
	peer_expect(&ringer.peer, 2, EDGE_OK);
	ringer_expect(&ringer, 1, EDGE_CANCELLED, 0);
	ringer_close(&ringer);
}

static void more_than_max_in_flight_waits_in_its_slots(void **state)
{
	struct daemon *daemon = *state;
	daemon_config(daemon, "[limits]\nmax-in-flight = 2\nmax-regions = 4\n");
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "models ready");
	struct ringer ringer = ringer_open(daemon, 0);
	for (uint64_t round = 0; round < 50; round++) {
		for (uint64_t i = 0; i < RINGER_SLOTS; i++) {
			ringer_ask(&ringer, 1 + i, "echo", 1);
		}
		for (uint64_t i = 0; i < RINGER_SLOTS; i++) {
			const uint8_t *body = NULL;
			assert_int_equal(ringer_take(&ringer, &body).status, EDGE_OK);
		}
	}
	ringer_close(&ringer);
}

/* ---- what is no ring */

static void expect_refused(
	const struct ringer *from, const struct wire_ring *shape, int bell, enum edge_status status)
{
	struct ringer ringer = *from;
	ringer_send_open(&ringer.peer, 6, shape, &bell, bell >= 0 ? 1 : 0);
	peer_expect(&ringer.peer, 6, status);
}

static void what_is_no_ring_is_refused(void **state)
{
	struct peer peer = ringer_peer(*state, WIRE_CAP_SHARED_MEMORY | WIRE_CAP_RINGS);
	struct ringer ringer = {.peer = peer, .memory = memory_new(4 * REGIONS_SIZE)};
	const struct wire_ring good = {.region = peer_region(&peer, &ringer.memory),
		.slots = RINGER_SLOTS,
		.slot_bytes = RINGER_SLOT_BYTES};
	struct wire_ring bad[] = {good, good, good, good, good, good, good};
	owned_fd int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int pipes[2];
	bad[0].region = 77;
	bad[1].offset = 4 * REGIONS_SIZE - 64; /* not all of it is inside */
	bad[2].offset = 4;
	bad[3].slots = 3;
	bad[4].slot_bytes = RINGER_SLOT_BYTES + 4;
	bad[5].slot_bytes = 1u << 31;
	bad[6].slots = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect_refused(&ringer, &bad[i], bell, i == 0 ? EDGE_NOT_FOUND : EDGE_INVALID);
	}
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	expect_refused(&ringer, &good, pipes[0], EDGE_INVALID);
	expect_refused(&ringer, &good, ringer.memory.fd, EDGE_INVALID);
	expect_refused(&ringer, &good, -1, EDGE_INVALID);
	expect_refused(&ringer, &good, bell, EDGE_OK);
	expect_refused(&ringer, &good, bell, EDGE_INVALID); /* there is one */
	close(pipes[0]);
	close(pipes[1]);
	peer_close(&peer);
	memory_free(&ringer.memory);
}

static void without_the_capability_there_is_no_ring(void **state)
{
	struct peer peer = ringer_peer(*state, WIRE_CAP_SHARED_MEMORY);
	const struct wire_ring shape = {.region = 1, .slots = 1, .slot_bytes = RINGER_SLOT_BYTES};
	owned_fd int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ringer_send_open(&peer, 1, &shape, &bell, 1);
	peer_expect(&peer, 1, EDGE_UNSUPPORTED);
	peer_close(&peer);
}

/* ---- what a hostile one cannot do */

static void expect_ended(struct ringer *ringer, struct daemon *daemon)
{
	struct answer answer;
	while (peer_try_receive(&ringer->peer, &answer)) {
		assert_int_equal(answer.header.status, EDGE_INVALID);
		answer_free(&answer);
	}
	ringer_close(ringer);
	regions_expect_good(daemon);
}

static void broken_frames_in_slots_end_the_connection(void **state)
{
	const struct wire_header bad[] = {
		{.type = WIRE_LIST, .id = 1},
		{.type = WIRE_INFER | WIRE_REPLY, .id = 1},
		{.type = WIRE_INFER, .id = 1, .body_bytes = RINGER_SLOT_BYTES},
		{.type = WIRE_INFER, .id = 1, .body_bytes = UINT32_MAX},
		{.type = WIRE_INFER, .id = 1, .session = 4},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ringer ringer = ringer_open(*state, 0);
		ringer_submit(&ringer, &bad[i], NULL);
		expect_ended(&ringer, *state);
	}
	struct ringer ringer = ringer_open(*state, 0);
	memset(ringer.memory.data + RINGER_AT + WIRE_RING_SLOTS, 0xee, RINGER_SLOT_BYTES);
	atomic_store(ringer_word(&ringer, WIRE_RING_SUBMITTED), 1);
	ringer_ring(&ringer);
	expect_ended(&ringer, *state);
}

static void more_requests_than_slots_end_the_connection(void **state)
{
	struct ringer ringer = ringer_open(*state, 0);
	atomic_store(ringer_word(&ringer, WIRE_RING_SUBMITTED), RINGER_SLOTS + 1);
	ringer_ring(&ringer);
	expect_ended(&ringer, *state);
}

/* A read of it that waits would stop the loop for good. */
static void a_bell_that_its_owner_reads_stops_nobody(void **state)
{
	struct ringer ringer = ringer_open(*state, 0);
	const uint64_t one = 1;
	uint64_t count = 0;
	assert_int_equal(fcntl(ringer.bell, F_SETFL, 0), 0);
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(write(ringer.bell, &one, sizeof(one)), sizeof(one));
		assert_int_equal(fcntl(ringer.bell, F_SETFL, O_NONBLOCK), 0);
		ssize_t n = read(ringer.bell, &count, sizeof(count));
		assert_true(n == sizeof(count) || n < 0);
		assert_int_equal(fcntl(ringer.bell, F_SETFL, 0), 0);
	}
	regions_expect_good(*state);
	ringer_ask(&ringer, 1, "echo", 5);
	ringer_expect(&ringer, 1, EDGE_OK, 5);
	ringer_close(&ringer);
}

/* The state of edged's main thread as the system tells it: S when it sleeps. */
static char state_of(const struct daemon *daemon)
{
	char path[64], text[256] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)daemon->pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n > 0);
	return strrchr(text, ')')[2];
}

/* One that counts down, or that nobody counts down: a single write would keep the loop awake for ever. */
static void a_bell_that_stays_rung_keeps_nobody_awake(void **state)
{
	const uint64_t often = UINT64_C(1) << 40;
	for (int flags = 0; flags <= EFD_SEMAPHORE; flags += EFD_SEMAPHORE) {
		struct ringer ringer = ringer_open_with(*state, RINGER_SLOTS, 0, flags);
		assert_int_equal(write(ringer.bell, &often, sizeof(often)), sizeof(often));
		regions_expect_good(*state);
		while (state_of(*state) != 'S') {
			sched_yield();
		}
		ringer_ask(&ringer, 1, "echo", 5);
		ringer_expect(&ringer, 1, EDGE_OK, 5);
		ringer_close(&ringer);
	}
}

struct flipper {
	struct ringer *ringer;
	atomic_bool stop;
};

/* Words, headers and bodies, all at once: a race that is meant. */
__attribute__((no_sanitize("thread"))) static void *flip(void *argument)
{
	struct flipper *flipper = argument;
	uint8_t *base = flipper->ringer->memory.data;
	uint32_t seed = 1;
	while (!atomic_load(&flipper->stop)) {
		seed = seed * 1664525u + 1013904223u;
		base[RINGER_AT + WIRE_RING_SLOTS +
			(seed >> 8) % (RINGER_SLOTS * RINGER_SLOT_BYTES)] ^=
			(uint8_t)(1u << (seed >> 29));
		atomic_fetch_add(ringer_word(flipper->ringer, WIRE_RING_ANSWERED), seed & 1);
		atomic_store(ringer_word(flipper->ringer, WIRE_RING_CLIENT_SLEEPS), seed);
	}
	return NULL;
}

static void slots_that_change_while_they_are_read_harm_nobody(void **state)
{
	for (int round = 0; round < 20; round++) {
		struct ringer ringer = ringer_open(*state, 0);
		struct flipper flipper = {.ringer = &ringer};
		pthread_t thread;
		ringer.peer.may_be_closed = true;
		assert_int_equal(pthread_create(&thread, NULL, flip, &flipper), 0);
		for (uint64_t i = 0; i < 200; i++) {
			ringer_ask(&ringer, i, "echo", 1);
			sched_yield();
		}
		atomic_store(&flipper.stop, true);
		pthread_join(thread, NULL);
		ringer_close(&ringer);
		regions_expect_good(*state);
	}
}

static void clients_that_go_leave_nothing_behind(void **state)
{
	struct daemon *daemon = *state;
	regions_expect_good(daemon);
	struct held before = held_by(daemon);
	for (int i = 0; i < 100; i++) {
		struct ringer ringer = ringer_open(daemon, 0);
		ringer_ask(&ringer, 1, "echo", 1);
		ringer_ask(&ringer, 2, i % 2 == 0 ? "slow" : "echo", 1);
		if (i % 2 == 0) {
			daemon_wait_running(daemon);
		}
		ringer_close(&ringer);
	}
	held_expect(daemon, &before);
}

/* ---- without sleep */

static void who_spins_needs_no_bell(void **state)
{
	struct daemon *daemon = *state;
	daemon_config(daemon, "[daemon]\nspin-us = 1000\n[limits]\nmax-regions = 4\n");
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "models ready");
	struct ringer ringer = ringer_open(daemon, 0);
	unsigned int silent = 0;
	for (uint64_t id = 1; id <= 2000; id++) {
		silent += atomic_load(ringer_word(&ringer, WIRE_RING_EDGED_SLEEPS)) == 0;
		ringer_ask(&ringer, id, "echo", (int8_t)id);
		ringer_expect(&ringer, id, EDGE_OK, (int8_t)id);
	}
	assert_true(silent > 0);
	ringer_close(&ringer);
}

/* Edged has answered, and has the core no more: it gave way, and looks when it has it again. Others may have had it in
 * between, and then it is not tried for a while. */
static void who_shares_its_core_needs_no_bell(void **state)
{
	struct daemon *daemon = *state;
	cpu_set_t before, one;
	const uint64_t until = clock_now_ns() + PATIENCE_NS;
	bool silent = false;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	daemon_config(daemon, "[daemon]\nshort-run-us = 500\n[limits]\nmax-regions = 4\n");
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "models ready");
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(sched_setaffinity(daemon->pid, sizeof(one), &one), 0);
	struct ringer ringer = ringer_open(daemon, 0);
	for (uint64_t id = 1; !silent; id++) {
		assert_true(clock_now_ns() < until);
		ringer_ask(&ringer, id, "echo", (int8_t)id);
		ringer_expect(&ringer, id, EDGE_OK, (int8_t)id);
		silent = atomic_load(ringer_word(&ringer, WIRE_RING_EDGED_SLEEPS)) == 0;
	}
	ringer_close(&ringer);
	assert_int_equal(sched_setaffinity(daemon->pid, sizeof(before), &before), 0);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_answered_in_their_ring),
		cmocka_unit_test(all_slots_may_be_full_and_counts_go_on_at_zero),
		cmocka_unit_test(a_reply_that_is_too_long_comes_by_the_socket),
		cmocka_unit_test(what_is_refused_is_told_in_the_ring),
		cmocka_unit_test(the_socket_takes_back_what_the_ring_asked),
		cmocka_unit_test(what_is_no_ring_is_refused),
		cmocka_unit_test(without_the_capability_there_is_no_ring),
		cmocka_unit_test(broken_frames_in_slots_end_the_connection),
		cmocka_unit_test(more_requests_than_slots_end_the_connection),
		cmocka_unit_test(a_bell_that_its_owner_reads_stops_nobody),
		cmocka_unit_test(a_bell_that_stays_rung_keeps_nobody_awake),
		cmocka_unit_test(slots_that_change_while_they_are_read_harm_nobody),
		cmocka_unit_test(clients_that_go_leave_nothing_behind),
		cmocka_unit_test(more_than_max_in_flight_waits_in_its_slots),
		cmocka_unit_test(who_shares_its_core_needs_no_bell),
		cmocka_unit_test(who_spins_needs_no_bell),
	};
	return cmocka_run_group_tests(tests, regions_set_up, regions_tear_down);
}
