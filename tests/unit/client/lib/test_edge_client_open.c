/* SPDX-License-Identifier: Apache-2.0 */
/* Daemons that stop while they are connected to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/wire/wire.h"
#include "client/lib/edge_client.h"

static void say_header(int fd, const struct wire_header *header)
{
	uint8_t bytes[WIRE_HEADER_BYTES];
	wire_header_encode(header, bytes);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
}

static void say(int fd, uint16_t type, uint64_t id, uint32_t status, struct bytes_writer *body)
{
	struct wire_header header = {.type = type | WIRE_REPLY,
		.id = id,
		.body_bytes = (uint32_t)body->size,
		.status = status};
	say_header(fd, &header);
	assert_int_equal(write(fd, body->data, body->size), body->size);
	bytes_writer_deinit(body);
}

static void say_hello(int fd, uint16_t major, uint32_t max_body)
{
	struct bytes_writer body = {0};
	struct wire_hello_reply hello = {.major = major,
		.minor = 1,
		.capabilities = WIRE_CAP_SESSIONS,
		.max_sessions = 3,
		.max_body = max_body,
		.max_in_flight = 16,
		.max_tensors = WIRE_MAX_TENSORS,
		.name = wire_text_of("fake\x1b"),
		.version = wire_text_of("9")};
	wire_hello_reply_encode(&body, &hello);
	say(fd, WIRE_HELLO, 1, EDGE_OK, &body);
}

struct place {
	char folder[32], socket[48];
	int listener;
};

static struct place listen_somewhere(void)
{
	struct place place = {.folder = "/tmp/edged-client-XXXXXX"};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	assert_non_null(mkdtemp(place.folder));
	snprintf(place.socket, sizeof(place.socket), "%s/socket", place.folder);
	strcpy(address.sun_path, place.socket);
	const struct timeval patience = {.tv_sec = 20}; /* of accept() */
	place.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(place.listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(
		bind(place.listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(place.listener, 4), 0);
	return place;
}

/* One that stops before it greets, and the next one. */
static void *be_daemons(void *argument)
{
	const struct place *place = argument;
	close(accept(place->listener, NULL, NULL));
	int fd = accept(place->listener, NULL, NULL);
	if (fd >= 0) {
		say_hello(fd, WIRE_MAJOR, 1 << 20);
	}
	return (void *)(intptr_t)fd;
}

static void *be_a_daemon_that_stops(void *argument)
{
	const struct place *place = argument;
	for (int i = 0; i < 2; i++) {
		close(accept(place->listener, NULL, NULL));
	}
	return (void *)(intptr_t)-1;
}

static int open_at(struct place *place, void *(*daemon)(void *), struct edge_client **ret_client,
	struct edge_client_error *err)
{
	pthread_t thread;
	void *fd = NULL;
	assert_int_equal(pthread_create(&thread, NULL, daemon, place), 0);
	int r = edge_client_open(place->socket, 60000, ret_client, err);
	assert_int_equal(pthread_join(thread, &fd), 0);
	if ((intptr_t)fd >= 0) {
		close((int)(intptr_t)fd);
	}
	close(place->listener);
	unlink(place->socket);
	rmdir(place->folder);
	return r;
}

static void who_is_not_greeted_by_one_that_stops_asks_the_next_one(void **state)
{
	(void)state;
	struct place place = listen_somewhere();
	struct edge_client *client = NULL;
	assert_int_equal(open_at(&place, be_daemons, &client, NULL), 0);
	assert_string_equal(edge_client_peer(client)->version, "9");
	edge_client_close(client);
}

static void who_is_greeted_by_nobody_twice_is_told(void **state)
{
	(void)state;
	struct place place = listen_somewhere();
	struct edge_client *client = NULL;
	struct edge_client_error err = {0};
	assert_int_equal(open_at(&place, be_a_daemon_that_stops, &client, &err), -ENOTCONN);
	assert_int_equal(strncmp(err.text, "HELLO: ", 7), 0);
	assert_null(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_not_greeted_by_one_that_stops_asks_the_next_one),
		cmocka_unit_test(who_is_greeted_by_nobody_twice_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
