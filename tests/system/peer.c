/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/system/peer.h"

#define PATIENCE_MS 60000

struct peer peer_connect(const struct daemon *daemon)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, daemon->socket, strlen(daemon->socket));
	struct peer peer = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	assert_true(peer.fd >= 0);
	assert_int_equal(connect(peer.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return peer;
}

static struct peer greet(const struct daemon *daemon, const struct wire_hello *hello)
{
	struct peer peer = peer_connect(daemon);
	struct bytes_writer w = {0};
	wire_hello_encode(&w, hello);
	peer_send(&peer, WIRE_HELLO, 1000, 0, &w);
	bytes_writer_deinit(&w);
	peer_expect(&peer, 1000, EDGE_OK);
	return peer;
}

struct peer peer_open(const struct daemon *daemon)
{
	return greet(
		daemon, &(struct wire_hello){.major = WIRE_MAJOR, .name = wire_text_of("test")});
}

struct peer peer_open_1_1(const struct daemon *daemon)
{
	return greet(daemon,
		&(struct wire_hello){.major = WIRE_MAJOR,
			.minor = 1,
			.capabilities = WIRE_CAP_SESSIONS,
			.name = wire_text_of("test")});
}

struct peer peer_open_1_3(const struct daemon *daemon)
{
	return greet(daemon,
		&(struct wire_hello){.major = WIRE_MAJOR,
			.minor = 3,
			.capabilities = WIRE_CAP_STREAMS,
			.name = wire_text_of("test")});
}

struct peer peer_open_store(const struct daemon *daemon)
{
	return greet(daemon,
		&(struct wire_hello){.major = WIRE_MAJOR,
			.minor = 2,
			.capabilities = WIRE_CAP_ADMIN,
			.name = wire_text_of("test")});
}

struct peer peer_open_transfer(const struct daemon *daemon)
{
	return greet(daemon,
		&(struct wire_hello){.major = WIRE_MAJOR,
			.minor = 3,
			.capabilities = WIRE_CAP_ADMIN | WIRE_CAP_SHARED_MEMORY,
			.name = wire_text_of("test")});
}

struct peer peer_open_shared(const struct daemon *daemon)
{
	return greet(daemon,
		&(struct wire_hello){.major = WIRE_MAJOR,
			.minor = 2,
			.capabilities = WIRE_CAP_SHARED_MEMORY | WIRE_CAP_SESSIONS,
			.name = wire_text_of("test")});
}

void peer_close(struct peer *peer)
{
	close(peer->fd);
	peer->fd = -1;
}

void peer_send_bytes(struct peer *peer, const void *bytes, size_t size)
{
	const char *at = bytes;
	while (size > 0) {
		ssize_t n = send(peer->fd, at, size, MSG_NOSIGNAL);
		if (n < 0 && peer->may_be_closed) {
			return;
		}
		assert_true(n > 0);
		at += n;
		size -= (size_t)n;
	}
}

void peer_send_fds(
	struct peer *peer, const void *bytes, size_t size, const int *fds, unsigned int n)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(64 * sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = n ? control.bytes : NULL,
		.msg_controllen = n ? CMSG_SPACE(n * sizeof(int)) : 0};
	assert_true(n <= 64);
	if (n > 0) {
		struct cmsghdr *c = CMSG_FIRSTHDR(&message);
		*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(n * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	ssize_t sent = sendmsg(peer->fd, &message, MSG_NOSIGNAL);
	assert_true(sent == (ssize_t)size || (sent < 0 && peer->may_be_closed));
}

void peer_send_in(struct peer *peer, uint32_t session, unsigned int type, uint64_t id,
	uint32_t deadline_us, const struct bytes_writer *body)
{
	uint8_t header[WIRE_HEADER_BYTES];
	assert_false(body && body->failed);
	wire_header_encode(&(struct wire_header){.type = (uint16_t)type,
				   .id = id,
				   .body_bytes = body ? (uint32_t)body->size : 0,
				   .deadline_us = deadline_us,
				   .session = session},
		header);
	peer_send_bytes(peer, header, sizeof(header));
	if (body) {
		peer_send_bytes(peer, body->data, body->size);
	}
}

void peer_send(struct peer *peer, unsigned int type, uint64_t id, uint32_t deadline_us,
	const struct bytes_writer *body)
{
	peer_send_in(peer, 0, type, id, deadline_us, body);
}

void peer_store(struct peer *peer, uint64_t id, enum wire_store_verb verb, const char *model,
	const char *argument)
{
	struct bytes_writer w = {0};
	const struct wire_store store = {.verb = verb,
		.model = wire_text_of(model),
		.argument = wire_text_of(argument ? argument : "")};
	wire_store_encode(&w, &store);
	peer_send(peer, WIRE_STORE, id, 0, &w);
	bytes_writer_deinit(&w);
}

void peer_infer(struct peer *peer, uint64_t id, const char *model, int32_t width, int8_t value,
	uint32_t deadline_us)
{
	peer_infer_in(peer, 0, id, model, width, value, deadline_us);
}

void peer_infer_in(struct peer *peer, uint32_t session, uint64_t id, const char *model,
	int32_t width, int8_t value, uint32_t deadline_us)
{
	struct bytes_writer w = {0};
	void *data = malloc((size_t)width);
	assert_non_null(data);
	memset(data, value, (size_t)width);
	const struct wire_infer infer = {.model = wire_text_of(model),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8,
			.shape = {2, {1, width}},
			.bytes = (uint32_t)width,
			.data = data}}};
	wire_infer_encode(&w, &infer);
	peer_send_in(peer, session, WIRE_INFER, id, deadline_us, &w);
	bytes_writer_deinit(&w);
	free(data);
}

void peer_infer_as(struct peer *peer, enum wire_class class, uint64_t key, uint64_t id,
	const char *model, int8_t value)
{
	struct bytes_writer w = {0};
	uint8_t header[WIRE_HEADER_BYTES];
	const int8_t data[4] = {value, value, value, value};
	const struct wire_infer infer = {.model = wire_text_of(model),
		.key = key,
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8,
			.shape = {2, {1, 4}},
			.bytes = sizeof(data),
			.data = data}}};
	wire_infer_encode(&w, &infer);
	assert_false(w.failed);
	wire_header_encode(
		&(struct wire_header){.type = WIRE_INFER,
			.flags = (uint16_t)(class << WIRE_CLASS_SHIFT | (key ? WIRE_FLAG_KEY : 0)),
			.id = id,
			.body_bytes = (uint32_t)w.size},
		header);
	peer_send_bytes(peer, header, sizeof(header));
	peer_send_bytes(peer, w.data, w.size);
	bytes_writer_deinit(&w);
}

void peer_session_open(struct peer *peer, uint64_t id, const char *model)
{
	struct bytes_writer w = {0};
	wire_session_open_encode(&w, &(struct wire_session_open){.model = wire_text_of(model)});
	peer_send(peer, WIRE_SESSION_OPEN, id, 0, &w);
	bytes_writer_deinit(&w);
}

void peer_session(struct peer *peer, unsigned int type, uint64_t id, uint32_t session)
{
	struct bytes_writer w = {0};
	wire_session_encode(&w, session);
	peer_send(peer, type, id, 0, &w);
	bytes_writer_deinit(&w);
}

uint32_t peer_expect_session(struct peer *peer, uint64_t id)
{
	struct wire_session_open_reply reply = {0};
	struct answer answer = peer_receive(peer);
	assert_int_equal(answer.header.id, id);
	assert_int_equal(answer.header.status, EDGE_OK);
	assert_int_equal(
		wire_session_open_reply_decode(answer.body, answer.header.body_bytes, &reply, NULL),
		0);
	answer_free(&answer);
	return reply.session;
}

void peer_cancel(struct peer *peer, uint64_t id, uint64_t which)
{
	struct bytes_writer w = {0};
	wire_cancel_encode(&w, which);
	peer_send(peer, WIRE_CANCEL, id, 0, &w);
	bytes_writer_deinit(&w);
}

/* False when the daemon closed the connection instead. */
static bool receive(struct peer *peer, void *bytes, size_t size)
{
	char *at = bytes;
	while (size > 0) {
		struct pollfd waited = {.fd = peer->fd, .events = POLLIN};
		assert_int_equal(poll(&waited, 1, PATIENCE_MS), 1);
		ssize_t n = recv(peer->fd, at, size, 0);
		if (n <= 0) {
			return false;
		}
		at += n;
		size -= (size_t)n;
	}
	return true;
}

bool peer_try_receive(struct peer *peer, struct answer *ret_answer)
{
	struct answer answer = {0};
	uint8_t header[WIRE_HEADER_BYTES];
	if (!receive(peer, header, sizeof(header))) {
		return false;
	}
	assert_int_equal(wire_header_decode(header, &answer.header, NULL), 0);
	assert_true(answer.header.type & WIRE_REPLY);
	answer.body = aligned_alloc(
		WIRE_ALIGNMENT, bytes_align_up(answer.header.body_bytes + 1, WIRE_ALIGNMENT));
	assert_non_null(answer.body);
	assert_true(receive(peer, answer.body, answer.header.body_bytes));
	*ret_answer = answer;
	return true;
}

struct answer peer_receive(struct peer *peer)
{
	struct answer answer = {0};
	assert_true(peer_try_receive(peer, &answer));
	return answer;
}

void answer_free(struct answer *answer)
{
	free(answer->body);
	answer->body = NULL;
}

/* Fails with what edged said. */
static void expect_header(const struct answer *answer, uint64_t id, enum edge_status status)
{
	struct error err = {0};
	if (answer->header.id == id && answer->header.status == status) {
		return;
	}
	if (answer->header.status != EDGE_OK) {
		int code = wire_error_decode(
			answer->body, answer->header.body_bytes, answer->header.status, &err);
		assert_true(code < 0);
	}
	fail_msg("id %llu, %s: %s", (unsigned long long)answer->header.id,
		status_name(answer->header.status), err.text);
}

void peer_expect(struct peer *peer, uint64_t id, enum edge_status status)
{
	struct answer answer = peer_receive(peer);
	expect_header(&answer, id, status);
	answer_free(&answer);
}

void peer_expect_echo(struct peer *peer, uint64_t id, int32_t width, int8_t value)
{
	static struct wire_infer_reply reply;
	struct answer answer = peer_receive(peer);
	expect_header(&answer, id, EDGE_OK);
	assert_int_equal(
		wire_infer_reply_decode(answer.body, answer.header.body_bytes, 0, &reply, NULL), 0);
	assert_int_equal(reply.n_outputs, 1);
	assert_int_equal(reply.outputs[0].bytes, width);
	const int8_t *data = reply.outputs[0].data;
	for (int32_t i = 0; i < width; i++) {
		if (data[i] != value) {
			fail_msg("byte %d is %d, not %d", i, data[i], value);
		}
	}
	answer_free(&answer);
}

void peer_expect_closed(struct peer *peer)
{
	char byte = 0;
	assert_false(receive(peer, &byte, 1));
}

struct memory memory_new(size_t bytes)
{
	struct memory memory = {
		.fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING), .bytes = bytes};
	assert_true(memory.fd >= 0);
	assert_int_equal(ftruncate(memory.fd, (off_t)bytes), 0);
	assert_int_equal(fallocate(memory.fd, 0, 0, (off_t)bytes), 0);
	assert_int_equal(
		fcntl(memory.fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	memory.data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fd, 0);
	assert_ptr_not_equal(memory.data, MAP_FAILED);
	return memory;
}

void memory_free(struct memory *memory)
{
	munmap(memory->data, memory->bytes);
	close(memory->fd);
}

/* A frame, with @fd at its first byte unless it is -1. */
static void send_frame_fd(
	struct peer *peer, uint16_t type, uint64_t id, const struct bytes_writer *body, int fd)
{
	uint8_t header[WIRE_HEADER_BYTES];
	struct bytes_writer all = {0};
	wire_header_encode(
		&(struct wire_header){.type = type, .id = id, .body_bytes = (uint32_t)body->size},
		header);
	bytes_write(&all, header, sizeof(header));
	bytes_write(&all, body->data, body->size);
	peer_send_fds(peer, all.data, all.size, &fd, fd >= 0);
	bytes_writer_deinit(&all);
}

void peer_region_add(struct peer *peer, uint64_t id, int fd, uint64_t bytes, uint32_t uses)
{
	struct bytes_writer w = {0};
	const struct wire_region region = {.bytes = bytes, .uses = uses};
	wire_region_add_encode(&w, &region);
	send_frame_fd(peer, WIRE_REGION_ADD, id, &w, fd);
	bytes_writer_deinit(&w);
}

void peer_store_fd(
	struct peer *peer, uint64_t id, enum wire_store_verb verb, const char *model, int fd)
{
	peer_store_fd_with(peer, id, verb, model, "", fd);
}

void peer_store_fd_with(struct peer *peer, uint64_t id, enum wire_store_verb verb,
	const char *model, const char *argument, int fd)
{
	struct bytes_writer w = {0};
	const struct wire_store store = {
		.verb = verb, .model = wire_text_of(model), .argument = wire_text_of(argument)};
	wire_store_encode(&w, &store);
	send_frame_fd(peer, WIRE_STORE, id, &w, fd);
	bytes_writer_deinit(&w);
}

void peer_region_remove(struct peer *peer, uint64_t id, uint32_t region)
{
	struct bytes_writer w = {0};
	wire_region_encode(&w, region);
	peer_send(peer, WIRE_REGION_REMOVE, id, 0, &w);
	bytes_writer_deinit(&w);
}

uint32_t peer_region(struct peer *peer, const struct memory *memory)
{
	uint32_t region = 0;
	peer_region_add(
		peer, 900, memory->fd, memory->bytes, WIRE_REGION_INPUTS | WIRE_REGION_OUTPUTS);
	struct answer answer = peer_receive(peer);
	expect_header(&answer, 900, EDGE_OK);
	assert_int_equal(wire_region_decode(answer.body, answer.header.body_bytes, WIRE_REGION_ADD,
				 &region, NULL),
		0);
	answer_free(&answer);
	return region;
}

struct wire_list_item answer_find(const struct answer *list, const char *name)
{
	struct bytes_reader r = bytes_reader_of(list->body, list->header.body_bytes);
	struct wire_list_item item = {0};
	uint32_t n = 0;
	assert_int_equal(list->header.status, EDGE_OK);
	assert_int_equal(wire_list_decode(&r, &n, NULL), 0);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(wire_list_item_decode(&r, &item, NULL), 0);
		if (wire_text_is(item.name, name)) {
			return item;
		}
	}
	fail_msg("model %s is not in the list", name);
	return item;
}
