/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "tests/system/regions.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* ---- memory that is refused */

static int unsealed(uint64_t bytes, unsigned int flags, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
	if (fd < 0) {
		return -1;
	}
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	if (bytes < 1 << 24 && fallocate(fd, 0, 0, (off_t)bytes) < 0) {
		close(fd);
		return -1;
	}
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

/* @fd is closed. */
static void expect_add(
	struct peer *peer, int fd, uint64_t bytes, uint32_t uses, enum edge_status status)
{
	assert_true(fd >= 0);
	peer_region_add(peer, 5, fd, bytes, uses);
	close(fd);
	peer_expect(peer, 5, status);
}

static int reopened(int fd, int flags)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int again = open(path, flags | O_CLOEXEC);
	assert_true(again >= 0);
	close(fd);
	return again;
}

static int file_in(const char *folder)
{
	char path[64];
	snprintf(path, sizeof(path), "%s/edged-test-XXXXXX", folder);
	int fd = mkostemp(path, O_CLOEXEC);
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(posix_fallocate(fd, 0, REGIONS_SIZE), 0);
	return fd;
}

static void memory_that_may_shrink_is_refused(void **state)
{
	struct peer peer = peer_open_shared(*state);
	static const int too_few[] = {0, F_SEAL_SHRINK, F_SEAL_SHRINK | F_SEAL_GROW,
		F_SEAL_GROW | F_SEAL_SEAL, F_SEAL_SHRINK | F_SEAL_SEAL};
	for (size_t i = 0; i < sizeof(too_few) / sizeof(too_few[0]); i++) {
		expect_add(&peer, unsealed(REGIONS_SIZE, 0, too_few[i]), REGIONS_SIZE, REGIONS_BOTH,
			EDGE_INVALID);
	}
	struct memory memory = memory_new(REGIONS_SIZE);
	assert_int_equal(peer_region(&peer, &memory), 1);
	assert_int_equal(ftruncate(memory.fd, 0), -1); /* what the seals are for */
	memory_free(&memory);
	peer_close(&peer);
}

static void what_is_no_memory_is_refused(void **state)
{
	struct peer peer = peer_open_shared(*state);
	int pipes[2], pair[2];
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	expect_add(&peer, file_in("/dev/shm"), REGIONS_SIZE, REGIONS_BOTH, EDGE_INVALID);
	expect_add(&peer, file_in("/var/tmp"), REGIONS_SIZE, REGIONS_BOTH, EDGE_INVALID);
	expect_add(&peer, open("/dev/zero", O_RDWR | O_CLOEXEC), REGIONS_SIZE, REGIONS_BOTH,
		EDGE_INVALID);
	expect_add(&peer, pipes[0], REGIONS_SIZE, REGIONS_BOTH, EDGE_INVALID);
	expect_add(&peer, pair[0], REGIONS_SIZE, REGIONS_BOTH, EDGE_INVALID);
	expect_add(&peer, open("/", O_PATH | O_CLOEXEC), REGIONS_SIZE, REGIONS_BOTH, EDGE_INVALID);
	close(pipes[1]);
	close(pair[1]);
	peer_region_add(&peer, 6, -1, REGIONS_SIZE, REGIONS_BOTH);
	peer_expect(&peer, 6, EDGE_INVALID);
	peer_infer(&peer, 7, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 7, 4, 1);
	peer_close(&peer);
}

static void huge_pages_are_refused(void **state)
{
	struct peer peer = peer_open_shared(*state);
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
	if (fd < 0) {
		print_message("SKIPPED: this kernel has no huge pages\n");
		peer_close(&peer);
		return;
	}
	/* None need be there: it is refused for what it is. */
	assert_int_equal(ftruncate(fd, 1 << 21), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, SEALS), 0);
	expect_add(&peer, fd, 1 << 21, REGIONS_BOTH, EDGE_INVALID);
	peer_close(&peer);
}

static void holes_are_refused(void **state)
{
	struct peer peer = peer_open_shared(*state);
	const uint64_t huge = UINT64_C(1) << 40;
	expect_add(&peer, unsealed(1 << 24, 0, SEALS), 1 << 24, REGIONS_BOTH, EDGE_INVALID);
	expect_add(&peer, unsealed(huge, 0, SEALS), huge, REGIONS_BOTH, EDGE_INVALID);
	struct memory memory = memory_new(REGIONS_SIZE);
	assert_int_equal(
		fallocate(memory.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096), 0);
	peer_region_add(&peer, 1, memory.fd, REGIONS_SIZE, REGIONS_BOTH);
	peer_expect(&peer, 1, EDGE_INVALID);
	memory_free(&memory);
	peer_close(&peer);
}

static void another_size_than_said_is_refused(void **state)
{
	struct peer peer = peer_open_shared(*state);
	static const uint64_t sizes[] = {
		0, 1, REGIONS_SIZE - 1, REGIONS_SIZE + 1, UINT64_MAX, UINT64_C(1) << 63};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		expect_add(&peer, unsealed(REGIONS_SIZE, 0, SEALS), sizes[i], REGIONS_BOTH,
			EDGE_INVALID);
	}
	expect_add(&peer, unsealed(REGIONS_SIZE, 0, SEALS), REGIONS_SIZE, 0, EDGE_INVALID);
	expect_add(&peer, unsealed(REGIONS_SIZE, 0, SEALS), REGIONS_SIZE, 4, EDGE_INVALID);
	peer_close(&peer);
}

static void a_descriptor_must_be_open_for_its_uses(void **state)
{
	struct peer peer = peer_open_shared(*state);
	expect_add(&peer, reopened(unsealed(REGIONS_SIZE, 0, SEALS), O_RDONLY), REGIONS_SIZE,
		WIRE_REGION_OUTPUTS, EDGE_INVALID);
	expect_add(&peer, reopened(unsealed(REGIONS_SIZE, 0, SEALS), O_RDONLY), REGIONS_SIZE,
		REGIONS_BOTH, EDGE_INVALID);
	expect_add(&peer, reopened(unsealed(REGIONS_SIZE, 0, SEALS), O_WRONLY), REGIONS_SIZE,
		WIRE_REGION_OUTPUTS, EDGE_INVALID);
	expect_add(&peer, unsealed(REGIONS_SIZE, 0, SEALS | F_SEAL_WRITE), REGIONS_SIZE,
		REGIONS_BOTH, EDGE_INVALID);
	expect_add(&peer, reopened(unsealed(REGIONS_SIZE, 0, SEALS), O_RDONLY), REGIONS_SIZE,
		WIRE_REGION_INPUTS, EDGE_OK);
	/* What is for inputs is not for outputs, and the other way round. */
	ask_expect(&peer,
		&(struct ask){
			.model = "echo", .width = 4, .data = "abcd", .out_region = 1, .room = 64},
		EDGE_INVALID);
	expect_add(&peer, unsealed(REGIONS_SIZE, 0, SEALS), REGIONS_SIZE, WIRE_REGION_OUTPUTS,
		EDGE_OK);
	ask_expect(&peer, &(struct ask){.model = "echo", .width = 4, .in_region = 2}, EDGE_INVALID);
	ask_send(&peer, 8,
		&(struct ask){
			.model = "echo", .width = 4, .in_region = 1, .out_region = 2, .room = 64});
	ask_expect_output(&peer, 8, NULL);
	peer_close(&peer);
}

static void a_user_and_a_connection_have_so_much_memory(void **state)
{
	struct held before;
	regions_expect_good(*state);
	before = held_by(*state);
	struct peer peer = peer_open_shared(*state);
	expect_add(&peer, unsealed(9 << 20, 0, SEALS), 9 << 20, REGIONS_BOTH, EDGE_OVERLOADED);
	for (int i = 0; i < 4; i++) {
		expect_add(&peer, unsealed(REGIONS_SIZE, 0, SEALS), REGIONS_SIZE, REGIONS_BOTH,
			EDGE_OK);
	}
	expect_add(&peer, unsealed(REGIONS_SIZE, 0, SEALS), REGIONS_SIZE, REGIONS_BOTH,
		EDGE_OVERLOADED);
	peer_region_remove(&peer, 6, 2);
	peer_expect(&peer, 6, EDGE_OK);
	expect_add(&peer, unsealed(REGIONS_SIZE, 0, SEALS), REGIONS_SIZE, REGIONS_BOTH, EDGE_OK);
	peer_region_remove(&peer, 7, 2);
	peer_expect(&peer, 7, EDGE_NOT_FOUND);
	peer_close(&peer);
	held_expect(*state, &before);
}

/* ---- descriptors where they do not belong */

static void expect_fds_close(
	struct daemon *daemon, const void *bytes, size_t size, unsigned int n, uint64_t id)
{
	struct peer peer = peer_open_shared(daemon);
	struct memory memory = memory_new(REGIONS_SIZE);
	int fds[64];
	for (unsigned int i = 0; i < n; i++) {
		fds[i] = memory.fd;
	}
	peer.may_be_closed = true;
	peer_send_fds(&peer, bytes, size, fds, n);
	peer_expect(&peer, id, EDGE_INVALID);
	struct answer answer;
	assert_false(peer_try_receive(&peer, &answer));
	peer_close(&peer);
	memory_free(&memory);
}

static void descriptors_elsewhere_end_the_connection(void **state)
{
	struct held before;
	uint8_t add[WIRE_HEADER_BYTES + 12], list[WIRE_HEADER_BYTES];
	struct bytes_writer w = {0};
	regions_expect_good(*state);
	before = held_by(*state);
	wire_region_add_encode(
		&w, &(struct wire_region){.bytes = REGIONS_SIZE, .uses = REGIONS_BOTH});
	wire_header_encode(
		&(struct wire_header){.type = WIRE_REGION_ADD, .id = 4, .body_bytes = 12}, add);
	memcpy(add + WIRE_HEADER_BYTES, w.data, 12);
	bytes_writer_deinit(&w);
	wire_header_encode(&(struct wire_header){.type = WIRE_LIST, .id = 4}, list);
	for (int round = 0; round < 20; round++) {
		expect_fds_close(*state, list, sizeof(list), 1, 4);
		expect_fds_close(*state, add, sizeof(add), 2, 0);
		expect_fds_close(*state, add, sizeof(add), 64, 0);
	}
	/* At the first byte of a body, and in its middle: refused, unless it was read with the header. */
	struct memory memory = memory_new(REGIONS_SIZE);
	for (size_t at = WIRE_HEADER_BYTES; at < sizeof(add); at += 5) {
		struct peer peer = peer_open_shared(*state);
		peer.may_be_closed = true;
		peer_send_bytes(&peer, add, at);
		peer_send_fds(&peer, add + at, sizeof(add) - at, &memory.fd, 1);
		struct answer answer = peer_receive(&peer);
		assert_true(answer.header.status == EDGE_INVALID ||
			(answer.header.status == EDGE_OK && answer.header.id == 4));
		answer_free(&answer);
		peer_close(&peer);
	}
	memory_free(&memory);
	held_expect(*state, &before);
}

/* The connection stays, the descriptor does not. */
static void a_refused_request_closes_its_descriptor(void **state)
{
	struct held before;
	static const uint8_t zeros[5000];
	uint8_t header[WIRE_HEADER_BYTES];
	regions_expect_good(*state);
	struct peer peer = peer_open_shared(*state);
	struct memory memory = memory_new(REGIONS_SIZE);
	before = held_by(*state);
	wire_header_encode(
		&(struct wire_header){
			.type = WIRE_REGION_ADD, .id = 4, .body_bytes = sizeof(zeros)},
		header);
	for (int i = 0; i < 20; i++) {
		peer_send_fds(&peer, header, sizeof(header), &memory.fd, 1);
		peer_send_bytes(&peer, zeros, sizeof(zeros));
		peer_expect(&peer, 4, EDGE_INVALID);
	}
	held_expect(*state, &before);
	peer_close(&peer);
	memory_free(&memory);
}

/* Each message of theirs is wrong, and brings what it can. */
static void a_flood_of_descriptors_leaves_nothing(void **state)
{
	struct held before;
	int fds[64];
	uint8_t bytes[WIRE_HEADER_BYTES] = "EDG1";
	regions_expect_good(*state);
	before = held_by(*state);
	for (int i = 0; i < 64; i++) {
		fds[i] = STDERR_FILENO;
	}
	for (int round = 0; round < 50; round++) {
		struct peer peer = peer_open_shared(*state);
		peer.may_be_closed = true;
		for (unsigned int i = 0; i < 64; i++) {
			peer_send_fds(&peer, bytes, 1 + i % sizeof(bytes), fds, 1 + i);
		}
		regions_expect_good(*state);
		peer_close(&peer);
	}
	held_expect(*state, &before);
}

static void a_client_that_goes_during_a_run_takes_nothing_with_it(void **state)
{
	struct held before;
	struct daemon *daemon = *state;
	regions_expect_good(daemon);
	before = held_by(daemon);
	struct ask ask = ask_in_place;
	ask.model = "slow";
	for (int i = 0; i < 4; i++) {
		struct peer peer = peer_open_shared(daemon);
		struct memory memory = memory_new(REGIONS_SIZE);
		peer_region(&peer, &memory);
		ask_send(&peer, 1, &ask);
		daemon_wait_running(daemon);
		peer_close(&peer);
		memory_free(&memory);
		regions_expect_good(daemon);
	}
	held_expect(daemon, &before);
}

struct flipper {
	pthread_t thread;
	struct memory *memory;
	atomic_bool stop;
};

static void *flip(void *argument)
{
	struct flipper *flipper = argument;
	volatile uint8_t *data = flipper->memory->data;
	for (uint32_t i = 0; !atomic_load(&flipper->stop); i++) {
		data[i % REGIONS_WIDE] = (uint8_t)i;
	}
	return NULL;
}

/* Somebody writes where edged reads, and where it writes. */
static void bytes_that_change_during_a_run_harm_nobody(void **state)
{
	struct peer peer = peer_open_shared(*state), good = peer_open(*state);
	struct memory memory = memory_new(1 << 18);
	struct flipper flipper = {.memory = &memory};
	const struct ask wide = {.model = "wide",
		.width = REGIONS_WIDE,
		.in_region = peer_region(&peer, &memory),
		.out_region = 1,
		.room = REGIONS_WIDE};
	assert_int_equal(pthread_create(&flipper.thread, NULL, flip, &flipper), 0);
	for (int i = 0; i < 200; i++) {
		ask_send(&peer, 1, &wide);
		peer_infer(&good, 2, "echo", 4, (int8_t)i, 0);
		ask_expect_output(&peer, 1, NULL);
		peer_expect_echo(&good, 2, 4, (int8_t)i);
	}
	atomic_store(&flipper.stop, true);
	pthread_join(flipper.thread, NULL);
	peer_close(&peer);
	peer_close(&good);
	memory_free(&memory);
}

/* The seals do not forbid it; edged reads zeros from pages that are new. */
static void pages_taken_back_read_as_zeros(void **state)
{
	struct peer peer = peer_open_shared(*state);
	struct memory memory = memory_new(REGIONS_SIZE);
	struct ask ask = ask_in_place;
	peer_region(&peer, &memory);
	ask.in_offset = 4096;
	memset(memory.data + 4096, 5, 4096);
	ask_send(&peer, 1, &ask);
	ask_expect_output(&peer, 1, NULL);
	assert_int_equal(memory.data[64], 5);
	assert_int_equal(
		fallocate(memory.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, REGIONS_SIZE),
		0);
	ask_send(&peer, 2, &ask);
	ask_expect_output(&peer, 2, NULL);
	assert_int_equal(memory.data[64], 0);
	peer_close(&peer);
	memory_free(&memory);
}

static uint64_t charged(struct peer *peer)
{
	struct wire_status status;
	peer_send(peer, WIRE_STATUS, 1, 0, NULL);
	struct answer answer = peer_receive(peer);
	assert_int_equal(
		wire_status_decode(answer.body, answer.header.body_bytes, &status, NULL), 0);
	answer_free(&answer);
	return status.charged_bytes;
}

/* Whoever lets memory go need not wait for edged to hear of it. */
static void charged_expect(struct peer *peer, uint64_t bytes)
{
	const uint64_t until = clock_now_ns() + UINT64_C(20000000000);
	uint64_t now;
	while ((now = charged(peer)) != bytes && clock_now_ns() < until) {}
	assert_int_equal(now, bytes);
}

/* Takes the pages back and has edged touch new ones; then it is a region no more. */
static void punch(struct peer *peer, const struct memory *memory)
{
	assert_int_equal(fallocate(memory->fd, 0, 0, (off_t)memory->bytes), 0);
	const struct ask ask = {.model = "wide",
		.width = REGIONS_WIDE,
		.in_region = peer_region(peer, memory),
		.out_region = 0};
	static uint8_t out[REGIONS_WIDE];
	assert_int_equal(fallocate(memory->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				 (off_t)memory->bytes),
		0);
	ask_send(peer, 1, &ask);
	ask_expect_output(peer, 1, out);
	assert_int_equal(out[REGIONS_WIDE - 1], 0);
	peer_region_remove(peer, 2, ask.in_region);
	peer_expect(peer, 2, EDGE_OK);
}

/* Edged's pages for the kernel, whoever has them when the region and its connection are gone. */
static void who_keeps_memory_that_edged_has_touched_stays_charged(void **state)
{
	enum {
		BYTES = 1 << 20,
		CHARGE = BYTES + 4096,
		N = 7
	}; /* of 8 MB for each user */
	struct memory memories[N + 1];
	struct peer peer = peer_open_shared(*state), watcher = peer_open(*state);
	const uint64_t before = charged(&watcher);
	for (uint64_t i = 0; i < N; i++) {
		memories[i] = memory_new(BYTES);
		punch(&peer, &memories[i]);
		assert_int_equal(charged(&watcher), before + (i + 1) * CHARGE);
		punch(&peer, &memories[i]); /* no more, however often */
		assert_int_equal(charged(&watcher), before + (i + 1) * CHARGE);
	}
	memories[N] = memory_new(BYTES);
	peer_region_add(&peer, 3, memories[N].fd, BYTES, REGIONS_BOTH);
	peer_expect(&peer, 3, EDGE_OVERLOADED);
	peer_close(&peer);
	regions_expect_good(*state);
	assert_true(charged(&watcher) >= before + N * CHARGE);
	for (uint64_t i = 0; i < N; i++) {
		memory_free(&memories[i]);
		charged_expect(&watcher, before + (N - 1 - i) * CHARGE);
	}
	peer = peer_open_shared(*state);
	peer_region(&peer, &memories[N]);
	assert_int_equal(charged(&watcher), before + CHARGE);
	memory_free(&memories[N]);
	assert_int_equal(charged(&watcher), before + CHARGE);
	peer_close(&peer);
	charged_expect(&watcher, before);
	peer_close(&watcher);
}

static void thousands_of_regions_come_and_go(void **state)
{
	struct peer peer = peer_open_shared(*state), watcher = peer_open(*state);
	const uint64_t before = charged(&watcher);
	for (uint32_t i = 0; i < 3000; i++) {
		struct memory memory = memory_new(REGIONS_SIZE);
		uint32_t region = peer_region(&peer, &memory);
		memory_free(&memory);
		peer_region_remove(&peer, 2, region);
		peer_expect(&peer, 2, EDGE_OK);
	}
	assert_int_equal(charged(&watcher), before);
	peer_close(&peer);
	peer_close(&watcher);
}

/* What came is lost, and not who brought it. */
static void without_a_free_descriptor_memory_is_refused_and_nobody_is_ended(void **state)
{
	struct daemon *daemon = *state;
	struct rlimit before, none;
	struct peer peer = peer_open_shared(daemon);
	struct memory memory = memory_new(REGIONS_SIZE);
	assert_int_equal(prlimit(daemon->pid, RLIMIT_NOFILE, NULL, &before), 0);
	none = before;
	none.rlim_cur = 3; /* all below are taken */
	assert_int_equal(prlimit(daemon->pid, RLIMIT_NOFILE, &none, NULL), 0);
	peer_region_add(&peer, 1, memory.fd, memory.bytes, REGIONS_BOTH);
	peer_expect(&peer, 1, EDGE_OVERLOADED);
	peer_infer(&peer, 2, "echo", 4, 7, 0);
	peer_expect_echo(&peer, 2, 4, 7);
	assert_int_equal(prlimit(daemon->pid, RLIMIT_NOFILE, &before, NULL), 0);
	peer_region(&peer, &memory);
	ask_send(&peer, 3, &ask_in_place);
	ask_expect_output(&peer, 3, NULL);
	memory_free(&memory);
	peer_close(&peer);
}

/* A process that dies with a region, a request on its way, a descriptor in the socket. */
static void die_in_the_middle(struct daemon *daemon, int how)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct peer peer = peer_open_shared(daemon);
		struct memory memory = memory_new(REGIONS_SIZE);
		if (how % 3 != 2) {
			peer_region(&peer, &memory);
			ask_send(&peer, 1, &ask_in_place);
		}
		if (how % 3 != 0) {
			peer_send_fds(&peer, "EDG1", 4, &memory.fd, 1);
		}
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void clients_that_are_killed_leave_nothing_behind(void **state)
{
	struct held before;
	regions_expect_good(*state);
	before = held_by(*state);
	struct peer good = peer_open(*state);
	for (int i = 0; i < 60; i++) {
		die_in_the_middle(*state, i);
		peer_infer(&good, 1, "echo", 4, (int8_t)i, 0);
		peer_expect_echo(&good, 1, 4, (int8_t)i);
	}
	peer_close(&good);
	held_expect(*state, &before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_that_may_shrink_is_refused),
		cmocka_unit_test(what_is_no_memory_is_refused),
		cmocka_unit_test(huge_pages_are_refused),
		cmocka_unit_test(holes_are_refused),
		cmocka_unit_test(another_size_than_said_is_refused),
		cmocka_unit_test(a_descriptor_must_be_open_for_its_uses),
		cmocka_unit_test(a_user_and_a_connection_have_so_much_memory),
		cmocka_unit_test(descriptors_elsewhere_end_the_connection),
		cmocka_unit_test(a_refused_request_closes_its_descriptor),
		cmocka_unit_test(a_flood_of_descriptors_leaves_nothing),
		cmocka_unit_test(a_client_that_goes_during_a_run_takes_nothing_with_it),
		cmocka_unit_test(bytes_that_change_during_a_run_harm_nobody),
		cmocka_unit_test(pages_taken_back_read_as_zeros),
		cmocka_unit_test(who_keeps_memory_that_edged_has_touched_stays_charged),
		cmocka_unit_test(thousands_of_regions_come_and_go),
		cmocka_unit_test(without_a_free_descriptor_memory_is_refused_and_nobody_is_ended),
		cmocka_unit_test(clients_that_are_killed_leave_nothing_behind),
	};
	return cmocka_run_group_tests(tests, regions_set_up, regions_tear_down);
}
