/* SPDX-License-Identifier: Apache-2.0 */
/* What edged tells by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/lib/edge_client.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define WAIT_MS 30000

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_put(daemon, "echo.tflite", "echo 4");
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

static void subscribe(struct peer *peer, uint64_t id, uint32_t kinds)
{
	struct bytes_writer w = {0};
	wire_subscribe_encode(&w, kinds);
	peer_send(peer, WIRE_SUBSCRIBE, id, 0, &w);
	bytes_writer_deinit(&w);
}

/* The next frame is an EVENT under @id about that model alone. True when it has that state. */
static bool receive_event(struct peer *peer, uint64_t id, const char *name, const char *state)
{
	struct answer answer = peer_receive(peer);
	struct wire_list_item item;
	uint32_t n = 0;
	assert_int_equal(answer.header.type, WIRE_EVENT | WIRE_REPLY);
	assert_int_equal(answer.header.id, id);
	assert_int_equal(answer.header.status, EDGE_OK);
	struct bytes_reader r = bytes_reader_of(answer.body, answer.header.body_bytes);
	assert_int_equal(wire_event_decode(&r, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(wire_list_item_decode(&r, &item, NULL), 0);
	assert_int_equal(wire_end(&r, WIRE_EVENT, NULL), 0);
	assert_true(wire_text_is(item.name, name));
	bool is_so = wire_text_is(item.state, state);
	answer_free(&answer);
	return is_so;
}

/* On the way it may have been in others. */
static void expect_event(struct peer *peer, uint64_t id, const char *name, const char *state)
{
	while (!receive_event(peer, id, name, state)) {}
}

static void who_subscribes_is_told_what_is_there_and_what_changes(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open_1_3(daemon), other = peer_open(daemon);
	subscribe(&peer, 7, WIRE_EVENT_MODELS);
	peer_expect(&peer, 7, EDGE_OK);
	expect_event(&peer, 7, "echo", "ready");
	daemon_put(daemon, "more.tflite", "nothing that is known");
	peer_send(&other, WIRE_RELOAD, 1, 0, NULL);
	peer_expect(&other, 1, EDGE_OK);
	expect_event(&peer, 7, "more", "refused");
	daemon_remove(daemon, "more.tflite");
	peer_send(&other, WIRE_RELOAD, 2, 0, NULL);
	peer_expect(&other, 2, EDGE_OK);
	expect_event(&peer, 7, "more", "gone");
	peer_send(&other, WIRE_RELOAD, 3, 0, NULL); /* nothing has changed: nothing is told */
	peer_expect(&other, 3, EDGE_OK);
	peer_infer(&peer, 8, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 8, 4, 1);
	peer_close(&peer);
	peer_close(&other);
}

static void one_connection_subscribes_once_and_to_what_there_is(void **state)
{
	struct peer peer = peer_open_1_3(*state), old = peer_open_store(*state);
	subscribe(&peer, 1, 2);
	peer_expect(&peer, 1, EDGE_UNSUPPORTED);
	subscribe(&peer, 2, WIRE_EVENT_MODELS);
	peer_expect(&peer, 2, EDGE_OK);
	expect_event(&peer, 2, "echo", "ready");
	subscribe(&peer, 3, WIRE_EVENT_MODELS);
	peer_expect(&peer, 3, EDGE_INVALID);
	peer_send(&peer, WIRE_LIST, 2, 0, NULL); /* whose answer would that be? */
	peer_expect(&peer, 2, EDGE_INVALID);
	peer_send(&peer, WIRE_EVENT, 4, 0, NULL); /* nobody sends one to edged */
	peer_expect(&peer, 4, EDGE_UNSUPPORTED);
	subscribe(&old, 5, WIRE_EVENT_MODELS);
	peer_expect(&old, 5, EDGE_UNSUPPORTED);
	peer_close(&peer);
	peer_close(&old);
}

struct told {
	unsigned int n;
	char last[160];
};

static void on_models(void *data, const struct edge_client_list *list)
{
	struct told *told = data;
	told->n++;
	for (size_t i = 0; i < list->n_items; i++) {
		snprintf(told->last, sizeof(told->last), "%s %s", list->items[i].name,
			list->items[i].state);
	}
}

static void the_library_calls_back(void **state)
{
	struct daemon *daemon = *state;
	struct edge_client *client = NULL;
	struct told told = {0};
	struct edge_client_reload reload;
	assert_int_equal(edge_client_open(daemon->socket, WAIT_MS, &client, NULL), 0);
	assert_true(edge_client_peer(client)->has_events);
	assert_int_equal(edge_client_subscribe_models(client, on_models, &told, WAIT_MS, NULL), 0);
	daemon_put(daemon, "new.tflite", "echo 4");
	assert_int_equal(edge_client_reload(client, WAIT_MS, &reload, NULL), 0);
	while (strcmp(told.last, "new ready") != 0) {
		struct pollfd ready = {.fd = edge_client_fd(client), .events = POLLIN};
		assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
		assert_int_equal(edge_client_process(client, NULL), 0);
	}
	assert_true(told.n >= 2);
	edge_client_close(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_subscribes_is_told_what_is_there_and_what_changes),
		cmocka_unit_test(one_connection_subscribes_once_and_to_what_there_is),
		cmocka_unit_test(the_library_calls_back),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
