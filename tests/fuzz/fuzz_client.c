/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a daemon says: each question is answered or refused once, nothing is leaked. */
#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/wire/wire.h"
#include "client/lib/edge_client.h"

#define MOST 100000 /* what a socket holds without somebody who reads */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void say_hello(int fd)
{
	struct bytes_writer body = {0};
	uint8_t header[WIRE_HEADER_BYTES];
	struct wire_hello_reply hello = {.major = WIRE_MAJOR,
		.max_body = 1 << 20,
		.max_in_flight = 16,
		.minor = WIRE_MINOR,
		.capabilities = WIRE_CAP_SESSIONS | WIRE_CAP_SHARED_MEMORY,
		.max_sessions = 4,
		.name = wire_text_of("fuzz"),
		.version = wire_text_of("")};
	wire_hello_reply_encode(&body, &hello);
	struct wire_header head = {
		.type = WIRE_HELLO | WIRE_REPLY, .id = 1, .body_bytes = (uint32_t)body.size};
	wire_header_encode(&head, header);
	ssize_t n = write(fd, header, sizeof(header));
	ssize_t m = write(fd, body.data, body.size);
	assert(n > 0 && m > 0);
	bytes_writer_deinit(&body);
}

static void count(void *data, const struct edge_client_reply *reply)
{
	unsigned int *told = data;
	assert(reply->error.code <= 0);
	(*told)++;
}

/* Ids 2 to 10, one of each kind. */
static void ask_everything(struct edge_client *client, unsigned int *told)
{
	uint64_t id = 0;
	const struct edge_client_place place = {.region = 1, .room = 64};
	struct edge_client_request request = {.model = "m", .n_places = 1, .places = &place};
	int r = edge_client_start_list(client, count, told, &id, NULL);
	r |= edge_client_start_describe(client, "m", NULL, count, told, &id, NULL);
	r |= edge_client_start_infer(client, &request, count, told, &id, NULL);
	r |= edge_client_start_status(client, count, told, &id, NULL);
	r |= edge_client_start_reload(client, count, told, &id, NULL);
	r |= edge_client_start_session_open(client, "m", NULL, count, told, &id, NULL);
	r |= edge_client_start_session_infer(client, 1, &request, count, told, &id, NULL);
	r |= edge_client_start_session_reset(client, 1, count, told, &id, NULL);
	r |= edge_client_start_session_close(client, 1, count, told, &id, NULL);
	assert(r == 0 && id == 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2];
	unsigned int told = 0;
	struct edge_client *client = NULL;
	if (size > MOST || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
		return 0;
	}
	say_hello(pair[1]);
	int r = edge_client_open_fd(pair[0], 1000, &client, NULL);
	assert(r == 0);
	ask_everything(client, &told);
	if (size > 0) {
		ssize_t n = write(pair[1], data, size);
		assert(n == (ssize_t)size);
	}
	shutdown(pair[1], SHUT_WR);
	while (edge_client_process(client, NULL) == 0) {}
	assert(told == 9);
	edge_client_close(client);
	close(pair[1]);
	return 0;
}
