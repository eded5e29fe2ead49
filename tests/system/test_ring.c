/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and replies through memory: what a ring does, and what a hostile one cannot do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/futex.h>
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
#include "tests/system/regions.h"

/* Its time is that of struct timespec. */
#if defined(SYS_futex_time64) && __SIZEOF_LONG__ == 4
#define FUTEX SYS_futex_time64
#else
#define FUTEX SYS_futex
#endif
#define SLOTS 4
#define SLOT_BYTES 1024
#define RING_AT 4096 /* of memory that is twice as large as a ring */
#define PATIENCE_NS UINT64_C(60000000000)

/* A client with one region that has the ring, and tensors before it. */
struct ringer {
	struct peer peer;
	struct memory memory;
	int bell;
	struct wire_ring shape;
	uint32_t asked, answered;
};

static struct peer open_peer(const struct daemon *daemon, uint64_t capabilities)
{
	struct peer peer = peer_connect(daemon);
	struct bytes_writer w = {0};
	const struct wire_hello hello = {.major = WIRE_MAJOR,
		.minor = 3,
		.capabilities = capabilities,
		.name = wire_text_of("test")};
	wire_hello_encode(&w, &hello);
	peer_send(&peer, WIRE_HELLO, 0, 0, &w);
	bytes_writer_deinit(&w);
	peer_expect(&peer, 0, EDGE_OK);
	return peer;
}

/* The frame of a RING_OPEN with @n descriptors. */
static void send_open(struct peer *peer, uint64_t id, const struct wire_ring *shape, const int *fds,
	unsigned int n)
{
	struct bytes_writer w = {0};
	uint8_t frame[256];
	wire_ring_encode(&w, shape);
	wire_header_encode(
		&(struct wire_header){
			.type = WIRE_RING_OPEN, .id = id, .body_bytes = (uint32_t)w.size},
		frame);
	memcpy(frame + WIRE_HEADER_BYTES, w.data, w.size);
	if (n > 0) {
		peer_send_fds(peer, frame, WIRE_HEADER_BYTES + w.size, fds, n);
	} else {
		peer_send_bytes(peer, frame, WIRE_HEADER_BYTES + w.size);
	}
	bytes_writer_deinit(&w);
}

static atomic_uint *word(const struct ringer *ringer, uint32_t at)
{
	return (atomic_uint *)(void *)(ringer->memory.data + RING_AT + at);
}

/* @first: what the words count from; @flags: of the bell. */
static struct ringer ringer_open_with(const struct daemon *daemon, uint32_t first, int flags)
{
	struct ringer ringer = {.peer = open_peer(daemon, WIRE_CAP_SHARED_MEMORY | WIRE_CAP_RINGS),
		.memory = memory_new(4 * REGIONS_SIZE),
		.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | flags),
		.shape = {.offset = RING_AT, .slots = SLOTS, .slot_bytes = SLOT_BYTES},
		.asked = first,
		.answered = first};
	assert_true(ringer.bell >= 0);
	ringer.shape.region = peer_region(&ringer.peer, &ringer.memory);
	atomic_store(word(&ringer, WIRE_RING_SUBMITTED), first);
	atomic_store(word(&ringer, WIRE_RING_ANSWERED), first);
	send_open(&ringer.peer, 5, &ringer.shape, &ringer.bell, 1);
	peer_expect(&ringer.peer, 5, EDGE_OK);
	return ringer;
}

static struct ringer ringer_open(const struct daemon *daemon, uint32_t first)
{
	return ringer_open_with(daemon, first, 0);
}

static void ringer_close(struct ringer *ringer)
{
	peer_close(&ringer->peer);
	memory_free(&ringer->memory);
	close(ringer->bell);
}

static void ring(const struct ringer *ringer)
{
	const uint64_t one = 1;
	if (atomic_load(word(ringer, WIRE_RING_EDGED_SLEEPS)) != 0) {
		assert_int_equal(write(ringer->bell, &one, sizeof(one)), sizeof(one));
	}
}

/* Puts a frame into the next slot. */
static void submit(struct ringer *ringer, const struct wire_header *header, const void *body)
{
	uint8_t *slot =
		ringer->memory.data + RING_AT + wire_ring_request_at(&ringer->shape, ringer->asked);
	wire_header_encode(header, slot);
	if (body && header->body_bytes <= SLOT_BYTES - WIRE_HEADER_BYTES) {
		memcpy(slot + WIRE_HEADER_BYTES, body, header->body_bytes);
	}
	atomic_store(word(ringer, WIRE_RING_SUBMITTED), ++ringer->asked);
	ring(ringer);
}

/* 4 bytes of @value, in the body. */
static void ask(struct ringer *ringer, uint64_t id, const char *model, int8_t value)
{
	struct bytes_writer w = {0};
	const int8_t data[4] = {value, value, value, value};
	const struct wire_infer infer = {.model = wire_text_of(model),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8, .shape = {2, {1, 4}}, .bytes = 4, .data = data}}};
	wire_infer_encode(&w, &infer);
	submit(ringer,
		&(struct wire_header){.type = WIRE_INFER, .id = id, .body_bytes = (uint32_t)w.size},
		w.data);
	bytes_writer_deinit(&w);
}

/* Sleeps at the word, as clients do. */
static void wait_answer(const struct ringer *ringer)
{
	const uint64_t until = clock_now_ns() + PATIENCE_NS;
	const struct timespec nap = {.tv_sec = 1};
	atomic_store(word(ringer, WIRE_RING_CLIENT_SLEEPS), 1);
	while (atomic_load(word(ringer, WIRE_RING_ANSWERED)) == ringer->answered) {
		assert_true(clock_now_ns() < until);
		syscall(FUTEX, word(ringer, WIRE_RING_ANSWERED), FUTEX_WAIT, ringer->answered, &nap,
			NULL, 0);
	}
	atomic_store(word(ringer, WIRE_RING_CLIENT_SLEEPS), 0);
}

/* The next reply's header; *ret_body is in the slot. */
static struct wire_header take_answer(struct ringer *ringer, const uint8_t **ret_body)
{
	struct wire_header header = {0};
	wait_answer(ringer);
	const uint8_t *slot = ringer->memory.data + RING_AT +
		wire_ring_reply_at(&ringer->shape, ringer->answered++);
	assert_int_equal(wire_header_decode(slot, &header, NULL), 0);
	*ret_body = slot + WIRE_HEADER_BYTES;
	return header;
}

static void expect(struct ringer *ringer, uint64_t id, enum edge_status status, int8_t value)
{
	const uint8_t *body = NULL;
	struct wire_infer_reply reply;
	const struct wire_header header = take_answer(ringer, &body);
	assert_int_equal(header.id, id);
	assert_int_equal(header.type, WIRE_INFER | WIRE_REPLY);
	assert_int_equal(header.status, status);
	if (status == EDGE_OK) {
		const int8_t wanted[4] = {value, value, value, value};
		_Alignas(64) uint8_t copy[SLOT_BYTES];
		memcpy(copy, body, header.body_bytes);
		assert_int_equal(
			wire_infer_reply_decode(copy, header.body_bytes, 0, &reply, NULL), 0);
		assert_memory_equal(reply.outputs[0].data, wanted, sizeof(wanted));
	}
}

/* ---- what it does */

static void requests_are_answered_in_their_ring(void **state)
{
	struct ringer ringer = ringer_open(*state, 0);
	for (uint64_t id = 1; id <= 100; id++) {
		ask(&ringer, id, "echo", (int8_t)id);
		expect(&ringer, id, EDGE_OK, (int8_t)id);
	}
	ringer_close(&ringer);
}

static void all_slots_may_be_full_and_counts_go_on_at_zero(void **state)
{
	struct ringer ringer = ringer_open(*state, UINT32_MAX - 5);
	for (uint64_t round = 0; round < 20; round++) {
		for (uint64_t i = 0; i < SLOTS; i++) {
			ask(&ringer, 1 + i, "echo", (int8_t)(round + i));
		}
		bool seen[SLOTS] = {false};
		for (uint64_t i = 0; i < SLOTS; i++) { /* in any order: several workers */
			const uint8_t *body = NULL;
			const struct wire_header header = take_answer(&ringer, &body);
			assert_int_equal(header.status, EDGE_OK);
			assert_in_range(header.id, 1, SLOTS);
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
			.shape = {2, {(REGIONS_SIZE - RING_AT) / 4, 4}},
			.bytes = REGIONS_SIZE - RING_AT,
			.region = 1}}};
	memset(ringer.memory.data, 7, REGIONS_SIZE - RING_AT);
	wire_infer_encode(&w, &infer);
	submit(&ringer,
		&(struct wire_header){.type = WIRE_INFER,
			.flags = WIRE_FLAG_REGIONS,
			.id = 9,
			.body_bytes = (uint32_t)w.size},
		w.data);
	bytes_writer_deinit(&w);
	const struct wire_header header = take_answer(&ringer, &body);
	assert_int_equal(header.id, 9);
	assert_int_equal(header.status, EDGE_OK);
	assert_true(header.body_bytes > SLOT_BYTES - WIRE_HEADER_BYTES);
	struct answer answer = peer_receive(&ringer.peer);
	assert_int_equal(answer.header.id, 9);
	assert_int_equal(answer.header.status, EDGE_OK);
	answer_free(&answer);
	ask(&ringer, 10, "echo", 3);
	expect(&ringer, 10, EDGE_OK, 3);
	ringer_close(&ringer);
}

static void what_is_refused_is_told_in_the_ring(void **state)
{
	struct ringer ringer = ringer_open(*state, 0);
	ask(&ringer, 1, "nobody", 1);
	expect(&ringer, 1, EDGE_NOT_FOUND, 0);
	ask(&ringer, 2, "echo", 2);
	expect(&ringer, 2, EDGE_OK, 2);
	ringer_close(&ringer);
}

/* Both ways end in the same requests: cancellation and deadlines know those of the ring. */
static void the_socket_takes_back_what_the_ring_asked(void **state)
{
	struct daemon *daemon = *state;
	struct ringer ringer = ringer_open(daemon, 0);
	ask(&ringer, 1, "slow", 1);
	daemon_wait_running(daemon);
	peer_cancel(&ringer.peer, 2, 1);
	peer_expect(&ringer.peer, 2, EDGE_OK);
	expect(&ringer, 1, EDGE_CANCELLED, 0);
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
		for (uint64_t i = 0; i < SLOTS; i++) {
			ask(&ringer, 1 + i, "echo", 1);
		}
		for (uint64_t i = 0; i < SLOTS; i++) {
			const uint8_t *body = NULL;
			assert_int_equal(take_answer(&ringer, &body).status, EDGE_OK);
		}
	}
	ringer_close(&ringer);
}

/* ---- what is no ring */

static void expect_refused(
	const struct ringer *from, const struct wire_ring *shape, int bell, enum edge_status status)
{
	struct ringer ringer = *from;
	send_open(&ringer.peer, 6, shape, &bell, bell >= 0 ? 1 : 0);
	peer_expect(&ringer.peer, 6, status);
}

static void what_is_no_ring_is_refused(void **state)
{
	struct peer peer = open_peer(*state, WIRE_CAP_SHARED_MEMORY | WIRE_CAP_RINGS);
	struct ringer ringer = {.peer = peer, .memory = memory_new(4 * REGIONS_SIZE)};
	const struct wire_ring good = {.region = peer_region(&peer, &ringer.memory),
		.slots = SLOTS,
		.slot_bytes = SLOT_BYTES};
	struct wire_ring bad[] = {good, good, good, good, good, good, good};
	owned_fd int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int pipes[2];
	bad[0].region = 77;
	bad[1].offset = 4 * REGIONS_SIZE - 64; /* not all of it is inside */
	bad[2].offset = 4;
	bad[3].slots = 3;
	bad[4].slot_bytes = SLOT_BYTES + 4;
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
	struct peer peer = open_peer(*state, WIRE_CAP_SHARED_MEMORY);
	const struct wire_ring shape = {.region = 1, .slots = 1, .slot_bytes = SLOT_BYTES};
	owned_fd int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	send_open(&peer, 1, &shape, &bell, 1);
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
		{.type = WIRE_INFER, .id = 1, .body_bytes = SLOT_BYTES},
		{.type = WIRE_INFER, .id = 1, .body_bytes = UINT32_MAX},
		{.type = WIRE_INFER, .id = 1, .session = 4},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ringer ringer = ringer_open(*state, 0);
		submit(&ringer, &bad[i], NULL);
		expect_ended(&ringer, *state);
	}
	struct ringer ringer = ringer_open(*state, 0);
	memset(ringer.memory.data + RING_AT + WIRE_RING_SLOTS, 0xee, SLOT_BYTES);
	atomic_store(word(&ringer, WIRE_RING_SUBMITTED), 1);
	ring(&ringer);
	expect_ended(&ringer, *state);
}

static void more_requests_than_slots_end_the_connection(void **state)
{
	struct ringer ringer = ringer_open(*state, 0);
	atomic_store(word(&ringer, WIRE_RING_SUBMITTED), SLOTS + 1);
	ring(&ringer);
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
	ask(&ringer, 1, "echo", 5);
	expect(&ringer, 1, EDGE_OK, 5);
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
		struct ringer ringer = ringer_open_with(*state, 0, flags);
		assert_int_equal(write(ringer.bell, &often, sizeof(often)), sizeof(often));
		regions_expect_good(*state);
		while (state_of(*state) != 'S') {
			sched_yield();
		}
		ask(&ringer, 1, "echo", 5);
		expect(&ringer, 1, EDGE_OK, 5);
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
		base[RING_AT + WIRE_RING_SLOTS + (seed >> 8) % (SLOTS * SLOT_BYTES)] ^=
			(uint8_t)(1u << (seed >> 29));
		atomic_fetch_add(word(flipper->ringer, WIRE_RING_ANSWERED), seed & 1);
		atomic_store(word(flipper->ringer, WIRE_RING_CLIENT_SLEEPS), seed);
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
			ask(&ringer, i, "echo", 1);
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
		ask(&ringer, 1, "echo", 1);
		ask(&ringer, 2, i % 2 == 0 ? "slow" : "echo", 1);
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
		silent += atomic_load(word(&ringer, WIRE_RING_EDGED_SLEEPS)) == 0;
		ask(&ringer, id, "echo", (int8_t)id);
		expect(&ringer, id, EDGE_OK, (int8_t)id);
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
		ask(&ringer, id, "echo", (int8_t)id);
		expect(&ringer, id, EDGE_OK, (int8_t)id);
		silent = atomic_load(word(&ringer, WIRE_RING_EDGED_SLEEPS)) == 0;
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
