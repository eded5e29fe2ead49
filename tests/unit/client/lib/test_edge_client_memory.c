/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/wire/wire.h"
#include "client/lib/edge_client.h"

/* A daemon that says what a test wants, before it is asked. */
struct fake {
	int fd;
	struct edge_client *client;
};

static void say(int fd, const struct wire_header *header, struct bytes_writer *body)
{
	uint8_t bytes[WIRE_HEADER_BYTES];
	struct wire_header complete = *header;
	complete.type |= WIRE_REPLY;
	complete.body_bytes = (uint32_t)body->size;
	wire_header_encode(&complete, bytes);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(write(fd, body->data, body->size), body->size);
	bytes_writer_deinit(body);
}

static struct fake connect_to(uint64_t capabilities)
{
	struct fake fake = {0};
	struct bytes_writer body = {0};
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fake.fd = pair[1];
	wire_hello_reply_encode(&body,
		&(struct wire_hello_reply){.major = WIRE_MAJOR,
			.minor = WIRE_MINOR,
			.capabilities = capabilities,
			.max_body = 1 << 20});
	say(fake.fd, &(struct wire_header){.type = WIRE_HELLO, .id = 1}, &body);
	assert_int_equal(edge_client_open_fd(pair[0], 1000, &fake.client, NULL), 0);
	return fake;
}

static int connected(void **state)
{
	static struct fake fake;
	char greeting[256];
	fake = connect_to(WIRE_CAP_SHARED_MEMORY);
	assert_true(recv(fake.fd, greeting, sizeof(greeting), 0) > 0);
	*state = &fake;
	return 0;
}

static int disconnected(void **state)
{
	struct fake *fake = *state;
	edge_client_close(fake->client);
	close(fake->fd);
	return 0;
}

static const struct edge_client_tensor input = {
	.type = EDGE_CLIENT_INT8, .shape = {2, {1, 4}}, .bytes = 4, .region = 3, .offset = 128};
static const struct edge_client_place place = {.region = 3, .offset = 64, .room = 8};
static const struct edge_client_request question = {
	.model = "echo", .n_inputs = 1, .inputs = &input, .n_places = 1, .places = &place};

static void shared_memory_is_sealed_and_whole(void **state)
{
	(void)state;
	int fd = -1;
	void *data = NULL;
	struct edge_client_error err;
	assert_int_equal(edge_client_memory_new(5000, &fd, &data, &err), 0);
	assert_int_equal(fcntl(fd, F_GET_SEALS) & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	memset(data, 1, 5000);
	assert_int_equal(ftruncate(fd, 0), -1);
	munmap(data, 5000);
	close(fd);
	assert_int_equal(edge_client_memory_new(0, &fd, &data, &err), -EINVAL);
}

static void a_name_that_no_message_has_room_for_is_invalid(void **state)
{
	struct fake *fake = *state;
	struct edge_client_model *model = NULL;
	struct edge_client_answer *answer = NULL;
	struct edge_client_error err = {0};
	static char name[70000];
	memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(
		edge_client_describe(fake->client, name, NULL, 1000, &model, &err), -EINVAL);
	assert_string_equal(err.text, "a name has at most 65535 bytes");
	const struct edge_client_request asked = {.model = name};
	assert_int_equal(edge_client_infer(fake->client, &asked, 1000, &answer, &err), -EINVAL);
	assert_string_equal(err.text, "a name has at most 65535 bytes");
	assert_int_equal(edge_client_in_flight(fake->client), 0);
}

/* The limit keeps a mistake here from taking the machine's memory. */
static void more_than_the_machine_has_is_not_tried(void **state)
{
	(void)state;
	int fd = -1;
	void *data = NULL;
	struct edge_client_error err;
	struct rlimit before;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	const struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	if (sizeof(size_t) > 4) { /* as much as 32 bits can say may be there */
		assert_int_equal(
			edge_client_memory_new((size_t)PTRDIFF_MAX, &fd, &data, &err), -ENOMEM);
		assert_non_null(strstr(err.text, "to spare"));
	}
	assert_int_equal(edge_client_memory_new(2 << 20, &fd, &data, &err), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

/* Reads what was sent; the descriptor that came along, or -1. */
static int sent(const struct fake *fake, uint8_t *bytes, size_t size)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {.iov_base = bytes, .iov_len = size};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	int fd = -1;
	assert_true(recvmsg(fake->fd, &message, MSG_CMSG_CLOEXEC) > 0);
	if (CMSG_FIRSTHDR(&message)) {
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	}
	return fd;
}

static void a_region_is_added_with_its_descriptor_and_removed(void **state)
{
	struct fake *fake = *state;
	struct bytes_writer body = {0};
	struct wire_header header;
	struct wire_region asked;
	uint8_t bytes[256];
	uint32_t region = 0;
	int fd = -1;
	void *data = NULL;
	assert_int_equal(edge_client_memory_new(4096, &fd, &data, NULL), 0);
	wire_region_encode(&body, 9);
	say(fake->fd, &(struct wire_header){.type = WIRE_REGION_ADD, .id = 2}, &body);
	assert_int_equal(edge_client_region_add(
				 fake->client, fd, 4096, EDGE_CLIENT_INPUTS, 1000, &region, NULL),
		0);
	assert_int_equal(region, 9);
	int other = sent(fake, bytes, sizeof(bytes));
	assert_true(other >= 0);
	assert_int_equal(pwrite(other, "through", 7, 0), 7);
	assert_memory_equal(data, "through", 7);
	assert_int_equal(wire_header_decode(bytes, &header, NULL), 0);
	assert_int_equal(header.type, WIRE_REGION_ADD);
	assert_int_equal(
		wire_region_add_decode(bytes + WIRE_HEADER_BYTES, header.body_bytes, &asked, NULL),
		0);
	assert_int_equal(asked.bytes, 4096);
	assert_int_equal(asked.uses, EDGE_CLIENT_INPUTS);

	say(fake->fd, &(struct wire_header){.type = WIRE_REGION_REMOVE, .id = 3}, &body);
	assert_int_equal(edge_client_region_remove(fake->client, region, 1000, NULL), 0);
	close(other);
	close(fd);
	munmap(data, 4096);
}

static void say_output(int fd, uint64_t id, uint64_t offset, uint32_t bytes)
{
	static struct wire_infer_reply reply;
	struct bytes_writer body = {0};
	reply = (struct wire_infer_reply){.regions = true,
		.n_outputs = 1,
		.outputs = {{.type = DTYPE_INT8,
			.shape = {1, {(int32_t)bytes}},
			.bytes = bytes,
			.region = 3,
			.offset = offset}}};
	wire_infer_reply_encode(&body, &reply);
	say(fd, &(struct wire_header){.type = WIRE_INFER, .flags = WIRE_FLAG_REGIONS, .id = id},
		&body);
}

static void an_answer_tells_what_is_in_its_place(void **state)
{
	struct fake *fake = *state;
	struct edge_client_answer *answer = NULL;
	static struct wire_infer asked;
	struct wire_header header;
	uint8_t bytes[512];
	say_output(fake->fd, 2, 64, 8);
	assert_int_equal(edge_client_infer(fake->client, &question, 1000, &answer, NULL), 0);
	assert_null(answer->outputs[0].data);
	assert_int_equal(answer->outputs[0].bytes, 8);
	assert_int_equal(answer->outputs[0].region, 3);
	assert_int_equal(answer->outputs[0].offset, 64);
	edge_client_answer_free(answer);
	assert_int_equal(sent(fake, bytes, sizeof(bytes)), -1);
	assert_int_equal(wire_header_decode(bytes, &header, NULL), 0);
	assert_int_equal(header.flags, WIRE_FLAG_REGIONS);
	assert_int_equal(wire_infer_decode(bytes + WIRE_HEADER_BYTES, header.body_bytes,
				 header.flags, &asked, NULL),
		0);
	assert_int_equal(asked.inputs[0].region, 3);
	assert_int_equal(asked.inputs[0].offset, 128);
	assert_int_equal(asked.places[0].room, 8);
}

static void expect_lost(const struct fake *fake)
{
	struct edge_client_answer *answer = NULL;
	struct edge_client_error err;
	assert_int_equal(edge_client_infer(fake->client, &question, 1000, &answer, &err), -EPROTO);
	assert_string_equal(err.text, "INFER: output 0 is not in its place");
}

static void an_output_that_lies_elsewhere_ends_the_connection(void **state)
{
	struct fake *fake = *state;
	say_output(fake->fd, 2, 128, 8);
	expect_lost(fake);
}

static void an_output_above_its_room_ends_the_connection(void **state)
{
	struct fake *fake = *state;
	say_output(fake->fd, 2, 64, 9);
	expect_lost(fake);
}

static void a_daemon_without_shared_memory_is_not_asked(void **state)
{
	(void)state;
	struct fake fake = connect_to(0);
	struct edge_client_answer *answer = NULL;
	uint32_t region = 0;
	assert_int_equal(edge_client_peer(fake.client)->has_regions, 0);
	assert_int_equal(
		edge_client_region_add(fake.client, 0, 1, EDGE_CLIENT_INPUTS, 1000, &region, NULL),
		-EOPNOTSUPP);
	assert_int_equal(edge_client_region_remove(fake.client, 1, 1000, NULL), -EOPNOTSUPP);
	assert_int_equal(
		edge_client_infer(fake.client, &question, 1000, &answer, NULL), -EOPNOTSUPP);
	edge_client_close(fake.client);
	close(fake.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_memory_is_sealed_and_whole),
		cmocka_unit_test(more_than_the_machine_has_is_not_tried),
		cmocka_unit_test_setup_teardown(
			a_name_that_no_message_has_room_for_is_invalid, connected, disconnected),
		cmocka_unit_test_setup_teardown(
			a_region_is_added_with_its_descriptor_and_removed, connected, disconnected),
		cmocka_unit_test_setup_teardown(
			an_answer_tells_what_is_in_its_place, connected, disconnected),
		cmocka_unit_test_setup_teardown(
			an_output_that_lies_elsewhere_ends_the_connection, connected, disconnected),
		cmocka_unit_test_setup_teardown(
			an_output_above_its_room_ends_the_connection, connected, disconnected),
		cmocka_unit_test(a_daemon_without_shared_memory_is_not_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
