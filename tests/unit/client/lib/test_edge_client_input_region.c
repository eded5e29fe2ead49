/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent for large inputs of synchronous calls, to a daemon that answers before it is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/wire/wire.h"
#include "client/lib/edge_client.h"

#define LARGE EDGE_CLIENT_SHARE_FROM
#define MAX_BODY (1u << 20) /* a region has a sixteenth of that */

struct fake {
	int fd;
	struct edge_client *client;
	uint64_t id; /* of the last message */
	uint8_t bytes[2 * LARGE + 4096]; /* of the last message's body, WIRE_ALIGNMENT */
};

static void say(const struct fake *fake, uint64_t id, uint16_t type, enum edge_status status,
	struct bytes_writer *body)
{
	uint8_t bytes[WIRE_HEADER_BYTES];
	const struct wire_header header = {.type = type | WIRE_REPLY,
		.status = (uint8_t)status,
		.id = id,
		.body_bytes = (uint32_t)body->size};
	wire_header_encode(&header, bytes);
	assert_int_equal(write(fake->fd, bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(write(fake->fd, body->data, body->size), body->size);
	bytes_writer_deinit(body);
}

static int connected(void **state)
{
	struct bytes_writer body = {0};
	struct fake *fake = aligned_alloc(64, (sizeof(*fake) + 63) / 64 * 64);
	const struct timeval patience = {.tv_sec = 10};
	char greeting[256];
	int pair[2];
	assert_non_null(fake);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(
		setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	*fake = (struct fake){.fd = pair[1], .id = 1};
	wire_hello_reply_encode(&body,
		&(struct wire_hello_reply){.major = WIRE_MAJOR,
			.minor = WIRE_MINOR,
			.capabilities = WIRE_CAP_SHARED_MEMORY | WIRE_CAP_SESSIONS,
			.max_sessions = 1,
			.max_body = MAX_BODY});
	say(fake, 1, WIRE_HELLO, EDGE_OK, &body);
	assert_int_equal(edge_client_open_fd(pair[0], 1000, &fake->client, NULL), 0);
	assert_true(recv(fake->fd, greeting, sizeof(greeting), 0) > 0);
	*state = fake;
	return 0;
}

static int disconnected(void **state)
{
	struct fake *fake = *state;
	edge_client_close(fake->client);
	close(fake->fd);
	free(fake);
	return 0;
}

/* ---- what the daemon says */

static void say_answer(const struct fake *fake, uint64_t id)
{
	static struct wire_infer_reply reply;
	struct bytes_writer body = {0};
	reply = (struct wire_infer_reply){0};
	wire_infer_reply_encode(&body, &reply);
	say(fake, id, WIRE_INFER, EDGE_OK, &body);
}

static void say_region(const struct fake *fake, uint64_t id, uint32_t region)
{
	struct bytes_writer body = {0};
	wire_region_encode(&body, region);
	say(fake, id, WIRE_REGION_ADD, EDGE_OK, &body);
}

static void say_removed(const struct fake *fake, uint64_t id)
{
	struct bytes_writer none = {0};
	say(fake, id, WIRE_REGION_REMOVE, EDGE_OK, &none);
}

/* OVERLOADED, without a word on when to come again. */
static void say_refused(const struct fake *fake, uint64_t id, uint16_t type)
{
	struct bytes_writer body = {0};
	wire_error_encode(&body, "no");
	say(fake, id, type, EDGE_OVERLOADED, &body);
}

/* ---- what was said to it */

static ssize_t receive(const struct fake *fake, void *data, size_t size, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {.iov_base = data, .iov_len = size};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(fake->fd, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	if (n > 0 && CMSG_FIRSTHDR(&message)) {
		memcpy(ret_fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(*ret_fd));
	}
	return n;
}

/* The next message, which is of that type; the descriptor that came along, or -1. */
static int heard(struct fake *fake, uint16_t type, struct wire_header *ret_header)
{
	uint8_t bytes[WIRE_HEADER_BYTES];
	int fd = -1;
	assert_int_equal(receive(fake, bytes, sizeof(bytes), &fd), sizeof(bytes));
	assert_int_equal(wire_header_decode(bytes, ret_header, NULL), 0);
	assert_int_equal(ret_header->type, type);
	assert_int_equal(ret_header->id, fake->id + 1);
	fake->id = ret_header->id;
	assert_true(ret_header->body_bytes <= sizeof(fake->bytes));
	if (ret_header->body_bytes > 0) {
		assert_int_equal(receive(fake, fake->bytes, ret_header->body_bytes, &fd),
			ret_header->body_bytes);
	}
	return fd;
}

static const struct wire_infer *heard_infer(struct fake *fake)
{
	static struct wire_infer infer;
	struct wire_header header;
	assert_int_equal(heard(fake, WIRE_INFER, &header), -1);
	assert_int_equal(
		wire_infer_decode(fake->bytes, header.body_bytes, header.flags, &infer, NULL), 0);
	return &infer;
}

/* What the library shares from then on, mapped; for inputs only. */
static const uint8_t *heard_region(struct fake *fake, uint64_t bytes)
{
	struct wire_header header;
	struct wire_region region;
	int fd = heard(fake, WIRE_REGION_ADD, &header);
	assert_true(fd >= 0);
	assert_int_equal(wire_region_add_decode(fake->bytes, header.body_bytes, &region, NULL), 0);
	assert_int_equal(region.uses, WIRE_REGION_INPUTS);
	assert_int_equal(region.bytes, bytes);
	const uint8_t *data = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(data, MAP_FAILED);
	close(fd);
	return data;
}

static void heard_remove(struct fake *fake, uint32_t wanted)
{
	struct wire_header header;
	uint32_t region = 0;
	assert_int_equal(heard(fake, WIRE_REGION_REMOVE, &header), -1);
	assert_int_equal(wire_region_decode(
				 fake->bytes, header.body_bytes, WIRE_REGION_REMOVE, &region, NULL),
		0);
	assert_int_equal(region, wanted);
}

static void expect_silence(const struct fake *fake)
{
	struct pollfd ready = {.fd = fake->fd, .events = POLLIN};
	assert_int_equal(poll(&ready, 1, 0), 0);
}

/* ---- questions */

static uint8_t numbers[2 * LARGE];

static void fill(uint8_t first)
{
	for (size_t i = 0; i < sizeof(numbers); i++) {
		numbers[i] = (uint8_t)(first + i * 7);
	}
}

static int ask(struct fake *fake, uint32_t bytes, uint32_t timeout_ms)
{
	const struct edge_client_tensor input = {.type = EDGE_CLIENT_UINT8,
		.shape = {1, {(int32_t)bytes}},
		.data = numbers,
		.bytes = bytes};
	const struct edge_client_request request = {
		.model = "any", .n_inputs = 1, .inputs = &input};
	struct edge_client_answer *answer = NULL;
	int r = edge_client_infer(fake->client, &request, timeout_ms, &answer, NULL);
	if (r == 0) {
		edge_client_answer_free(answer);
	}
	return r;
}

static void expect_in_body(struct fake *fake, uint32_t bytes)
{
	const struct wire_infer *infer = heard_infer(fake);
	assert_int_equal(infer->inputs[0].region, 0);
	assert_int_equal(infer->inputs[0].bytes, bytes);
	assert_memory_equal(infer->inputs[0].data, numbers, bytes);
}

static void ask_in_body(struct fake *fake, uint32_t bytes)
{
	say_answer(fake, fake->id + 1);
	assert_int_equal(ask(fake, bytes, 1000), 0);
	expect_in_body(fake, bytes);
}

static void expect_in_region(
	struct fake *fake, const uint8_t *data, uint32_t region, uint32_t bytes)
{
	const struct wire_infer *infer = heard_infer(fake);
	assert_int_equal(infer->inputs[0].region, region);
	assert_int_equal(infer->inputs[0].offset, 0);
	assert_int_equal(infer->inputs[0].bytes, bytes);
	assert_memory_equal(data, numbers, bytes);
}

static void ask_in_region(struct fake *fake, const uint8_t *data, uint32_t region, uint32_t bytes)
{
	say_answer(fake, fake->id + 1);
	assert_int_equal(ask(fake, bytes, 1000), 0);
	expect_in_region(fake, data, region, bytes);
}

/* The second large question brings the region. */
static const uint8_t *begin(struct fake *fake, uint32_t region)
{
	fill(1);
	ask_in_body(fake, LARGE);
	say_region(fake, fake->id + 1, region);
	say_answer(fake, fake->id + 2);
	assert_int_equal(ask(fake, LARGE, 1000), 0);
	const uint8_t *data = heard_region(fake, LARGE);
	expect_in_body(fake, LARGE);
	assert_int_equal(edge_client_in_flight(fake->client), 0);
	return data;
}

/* ---- tests */

static void who_asks_once_pays_for_no_region_and_who_goes_on_has_one(void **state)
{
	struct fake *fake = *state;
	const uint8_t *data = begin(fake, 5);
	for (uint8_t i = 0; i < 5; i++) {
		fill(i);
		ask_in_region(fake, data, 5, LARGE);
	}
	expect_silence(fake);
	munmap((void *)(uintptr_t)data, LARGE);
}

static void small_inputs_stay_in_the_body(void **state)
{
	struct fake *fake = *state;
	fill(3);
	for (int i = 0; i < 4; i++) {
		ask_in_body(fake, LARGE - 1);
	}
	const uint8_t *data = begin(fake, 1);
	ask_in_body(fake, LARGE - 1);
	munmap((void *)(uintptr_t)data, LARGE);
}

static void inputs_lie_behind_each_other_beside_those_in_the_callers_region(void **state)
{
	struct fake *fake = *state;
	const uint8_t *data = begin(fake, 5);
	const struct edge_client_tensor inputs[] = {
		{.index = 0, .shape = {1, {100}}, .data = numbers, .bytes = 100},
		{.index = 1, .shape = {1, {4}}, .bytes = 4, .region = 2, .offset = 128},
		{.index = 2, .shape = {1, {0}}},
		{.index = 3,
			.shape = {1, {LARGE - 128}},
			.data = numbers + 7,
			.bytes = LARGE - 128}};
	struct edge_client_tensor copies[4];
	const struct edge_client_request request = {
		.model = "any", .n_inputs = 4, .inputs = copies};
	struct edge_client_answer *answer = NULL;
	memcpy(copies, inputs, sizeof(copies));
	for (size_t i = 0; i < 4; i++) {
		copies[i].type = EDGE_CLIENT_UINT8;
	}
	edge_client_set_share_from(fake->client, 1);
	say_answer(fake, fake->id + 1);
	assert_int_equal(edge_client_infer(fake->client, &request, 1000, &answer, NULL), 0);
	edge_client_answer_free(answer);
	const struct wire_infer *infer = heard_infer(fake);
	assert_int_equal(infer->inputs[0].region, 5);
	assert_int_equal(infer->inputs[0].offset, 0);
	assert_int_equal(infer->inputs[1].region, 2);
	assert_int_equal(infer->inputs[1].offset, 128);
	assert_int_equal(infer->inputs[2].region, 0);
	assert_int_equal(infer->inputs[3].region, 5);
	assert_int_equal(infer->inputs[3].offset, 128);
	assert_memory_equal(data, numbers, 100);
	assert_memory_equal(data + 128, numbers + 7, LARGE - 128);
	munmap((void *)(uintptr_t)data, LARGE);
}

static void a_refusal_is_the_last(void **state)
{
	struct fake *fake = *state;
	fill(9);
	ask_in_body(fake, LARGE);
	say_refused(fake, fake->id + 1, WIRE_REGION_ADD);
	say_answer(fake, fake->id + 2);
	assert_int_equal(ask(fake, LARGE, 1000), 0);
	munmap((void *)(uintptr_t)heard_region(fake, LARGE), LARGE);
	expect_in_body(fake, LARGE);
	for (int i = 0; i < 3; i++) {
		ask_in_body(fake, LARGE);
	}
	expect_silence(fake);
}

/* What it reads must not change while it may still run: in a session its state comes of that. */
static void what_was_given_up_keeps_its_inputs_until_it_is_answered(void **state)
{
	struct fake *fake = *state;
	struct wire_header header;
	const uint8_t *data = begin(fake, 5);
	fill(11);
	assert_int_equal(ask(fake, LARGE, 1), -ETIMEDOUT);
	expect_in_region(fake, data, 5, LARGE);
	const uint64_t given_up = fake->id;
	assert_int_equal(heard(fake, WIRE_CANCEL, &header), -1);
	fill(77);
	ask_in_body(fake, LARGE);
	fill(11);
	assert_memory_equal(data, numbers, LARGE);
	fill(78);
	say_answer(fake, given_up);
	ask_in_body(fake, LARGE); /* it comes while that is waited for */
	ask_in_region(fake, data, 5, LARGE);
	munmap((void *)(uintptr_t)data, LARGE);
}

static void a_larger_question_brings_a_larger_region(void **state)
{
	struct fake *fake = *state;
	munmap((void *)(uintptr_t)begin(fake, 5), LARGE);
	fill(5);
	say_removed(fake, fake->id + 1);
	say_region(fake, fake->id + 2, 6);
	say_answer(fake, fake->id + 3);
	assert_int_equal(ask(fake, LARGE + 1, 1000), 0);
	heard_remove(fake, 5);
	const uint8_t *data = heard_region(fake, 2 * LARGE);
	expect_in_body(fake, LARGE + 1);
	ask_in_region(fake, data, 6, 2 * LARGE);
	ask_in_region(fake, data, 6, LARGE);
	munmap((void *)(uintptr_t)data, 2 * LARGE);
}

static void no_region_is_larger_than_its_part_of_the_longest_body(void **state)
{
	static uint8_t body[MAX_BODY / 16 + 1];
	struct fake *fake = *state;
	const struct edge_client_tensor input = {.type = EDGE_CLIENT_UINT8,
		.shape = {1, {sizeof(body)}},
		.data = body,
		.bytes = sizeof(body)};
	const struct edge_client_request request = {
		.model = "any", .n_inputs = 1, .inputs = &input};
	for (int i = 0; i < 3; i++) {
		struct edge_client_answer *answer = NULL;
		uint8_t bytes[WIRE_HEADER_BYTES];
		int fd = -1;
		struct wire_header header;
		say_answer(fake, ++fake->id);
		assert_int_equal(edge_client_infer(fake->client, &request, 1000, &answer, NULL), 0);
		edge_client_answer_free(answer);
		assert_int_equal(receive(fake, bytes, sizeof(bytes), &fd), sizeof(bytes));
		assert_int_equal(wire_header_decode(bytes, &header, NULL), 0);
		assert_int_equal(header.type, WIRE_INFER);
		assert_int_equal(header.flags & WIRE_FLAG_REGIONS, 0);
		assert_true(header.body_bytes > sizeof(body));
		uint8_t *rest = malloc(header.body_bytes);
		assert_int_equal(receive(fake, rest, header.body_bytes, &fd), header.body_bytes);
		free(rest);
	}
	expect_silence(fake);
}

static void who_does_not_want_it_gives_it_back_at_once(void **state)
{
	struct fake *fake = *state;
	munmap((void *)(uintptr_t)begin(fake, 5), LARGE);
	edge_client_set_share_from(fake->client, 0);
	heard_remove(fake, 5);
	say_removed(fake, fake->id);
	ask_in_body(fake, LARGE);
	ask_in_body(fake, LARGE);
	expect_silence(fake);
}

/* Its number is told only later. */
static void what_is_not_wanted_any_more_goes_back_as_soon_as_it_is_there(void **state)
{
	struct fake *fake = *state;
	struct wire_header header;
	fill(1);
	ask_in_body(fake, LARGE);
	assert_int_equal(ask(fake, LARGE, 1), -ETIMEDOUT);
	munmap((void *)(uintptr_t)heard_region(fake, LARGE), LARGE);
	const uint64_t added = fake->id;
	expect_in_body(fake, LARGE);
	assert_int_equal(heard(fake, WIRE_CANCEL, &header), -1);
	edge_client_set_share_from(fake->client, 0);
	expect_silence(fake);
	say_region(fake, added, 5);
	ask_in_body(fake, LARGE);
	heard_remove(fake, 5);
	ask_in_body(fake, LARGE);
	expect_silence(fake);
}

static void *ask_large(void *fake)
{
	return (void *)(intptr_t)ask(fake, LARGE, 10000);
}

static void a_question_that_finds_no_room_is_asked_again_without_it(void **state)
{
	struct fake *fake = *state;
	const uint8_t *data = begin(fake, 5);
	pthread_t asking;
	void *result = NULL;
	fill(2);
	ask_in_region(fake, data, 5, LARGE);
	assert_int_equal(pthread_create(&asking, NULL, ask_large, fake), 0);
	expect_in_region(fake, data, 5, LARGE);
	say_refused(fake, fake->id, WIRE_INFER);
	heard_remove(fake, 5);
	say_removed(fake, fake->id);
	expect_in_body(fake, LARGE);
	say_answer(fake, fake->id);
	assert_int_equal(pthread_join(asking, &result), 0);
	assert_int_equal((intptr_t)result, 0);
	say_refused(fake, fake->id + 1, WIRE_INFER); /* there is nothing more to give back */
	assert_int_equal(ask(fake, LARGE, 1000), -EAGAIN);
	expect_in_body(fake, LARGE);
	ask_in_body(fake, LARGE);
	expect_silence(fake);
	munmap((void *)(uintptr_t)data, LARGE);
}

static void note_code(void *data, const struct edge_client_reply *reply)
{
	*(int *)data = reply->error.code;
}

static void what_was_started_without_waiting_finds_room_the_next_time(void **state)
{
	struct fake *fake = *state;
	const struct edge_client_request request = {.model = "any"};
	uint64_t id = 0;
	int code = 0;
	munmap((void *)(uintptr_t)begin(fake, 5), LARGE);
	assert_int_equal(
		edge_client_start_infer(fake->client, &request, note_code, &code, &id, NULL), 0);
	say_refused(fake, fake->id + 1, WIRE_INFER);
	assert_int_equal(edge_client_process(fake->client, NULL), 0);
	assert_int_equal(code, -EAGAIN);
	heard_infer(fake);
	heard_remove(fake, 5);
	expect_silence(fake);
}

/* As by a daemon that still loads its models. */
static void refusals_before_the_first_answer_cost_no_region(void **state)
{
	struct fake *fake = *state;
	fill(1);
	for (int i = 0; i < 3; i++) {
		say_refused(fake, fake->id + 1, WIRE_INFER);
		assert_int_equal(ask(fake, LARGE, 1000), -EAGAIN);
		expect_in_body(fake, LARGE);
	}
	const uint8_t *data = begin(fake, 5);
	ask_in_region(fake, data, 5, LARGE);
	munmap((void *)(uintptr_t)data, LARGE);
}

/* Not for bytes. */
static void who_is_told_when_to_come_again_keeps_it(void **state)
{
	struct fake *fake = *state;
	struct bytes_writer body = {0};
	uint8_t bytes[WIRE_HEADER_BYTES];
	const uint8_t *data = begin(fake, 5);
	wire_error_encode(&body, "no");
	const struct wire_header header = {.type = WIRE_INFER | WIRE_REPLY,
		.status = EDGE_OVERLOADED,
		.id = fake->id + 1,
		.deadline_us = 100,
		.body_bytes = (uint32_t)body.size};
	wire_header_encode(&header, bytes);
	assert_int_equal(write(fake->fd, bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(write(fake->fd, body.data, body.size), body.size);
	bytes_writer_deinit(&body);
	assert_int_equal(ask(fake, LARGE, 1000), -EAGAIN);
	expect_in_region(fake, data, 5, LARGE);
	ask_in_region(fake, data, 5, LARGE);
	munmap((void *)(uintptr_t)data, LARGE);
}

/* A caller that says more than it has is told so before anything is read. */
static void bytes_that_do_not_fill_the_shape_are_not_copied(void **state)
{
	struct fake *fake = *state;
	const uint8_t *data = begin(fake, 5);
	const struct edge_client_tensor input = {
		.type = EDGE_CLIENT_UINT8, .shape = {1, {4}}, .data = numbers, .bytes = LARGE};
	const struct edge_client_request request = {
		.model = "any", .n_inputs = 1, .inputs = &input};
	struct edge_client_answer *answer = NULL;
	fill(100);
	assert_int_equal(edge_client_infer(fake->client, &request, 1000, &answer, NULL), -EINVAL);
	assert_int_equal(data[0], 0);
	expect_silence(fake);
	munmap((void *)(uintptr_t)data, LARGE);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, connected, disconnected)
	const struct CMUnitTest tests[] = {
		TEST(who_asks_once_pays_for_no_region_and_who_goes_on_has_one),
		TEST(small_inputs_stay_in_the_body),
		TEST(inputs_lie_behind_each_other_beside_those_in_the_callers_region),
		TEST(a_refusal_is_the_last),
		TEST(what_was_given_up_keeps_its_inputs_until_it_is_answered),
		TEST(a_larger_question_brings_a_larger_region),
		TEST(no_region_is_larger_than_its_part_of_the_longest_body),
		TEST(who_does_not_want_it_gives_it_back_at_once),
		TEST(what_is_not_wanted_any_more_goes_back_as_soon_as_it_is_there),
		TEST(a_question_that_finds_no_room_is_asked_again_without_it),
		TEST(what_was_started_without_waiting_finds_room_the_next_time),
		TEST(refusals_before_the_first_answer_cost_no_region),
		TEST(who_is_told_when_to_come_again_keeps_it),
		TEST(bytes_that_do_not_fill_the_shape_are_not_copied),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
