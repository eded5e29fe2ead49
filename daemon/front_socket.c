/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/front_socket.h"

#include <assert.h>
#include <errno.h>

#include "daemon/accept.h"
#include "daemon/bus.h"
#include "daemon/edged.h"
#include "daemon/kept.h"

#define BACKLOG 511
#define RETRY_MS 100
#define ACCEPTS 16 /* of a turn: then those who are connected come to theirs */

static void on_retry(uv_timer_t *timer);

static void accept_one(struct front_socket *socket)
{
	struct error err = {0};
	int code = accept_connection((uv_stream_t *)&socket->listener, socket->edged,
		&socket->front, &socket->first, &err);
	if (code < 0) {
		log_debug(&socket->edged->log, "connection refused: %s", err.text);
	}
	if (code == -ENOMEM) {
		/* Nothing was accepted, and libuv waits until something is. */
		uv_timer_start(&socket->retry, on_retry, RETRY_MS, 0);
	}
}

static void on_retry(uv_timer_t *timer)
{
	struct front_socket *socket = timer->data;
	socket->n_accepted = 1;
	accept_one(socket);
}

/* True when enough were accepted in this turn. libuv goes on until nobody waits, but stops while one is not taken. */
static bool is_enough(struct front_socket *socket)
{
	const uint64_t now_ms = uv_now(&socket->edged->loop);
	socket->n_accepted = now_ms == socket->accepted_ms ? socket->n_accepted + 1 : 1;
	socket->accepted_ms = now_ms;
	return socket->n_accepted > ACCEPTS;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct front_socket *socket = listener->data;
	if (status < 0) {
		log_warning(&socket->edged->log, "accept: %s", uv_strerror(status));
		return;
	}
	if (is_enough(socket)) {
		uv_timer_start(&socket->retry, on_retry, 0, 0);
	} else {
		accept_one(socket);
	}
}

/* The manager's socket, or our own. */
static int open_listener(struct front_socket *socket, int *ret_fd, struct error *err)
{
	const struct config *config = &socket->edged->config;
	owned_fd int kept = -1;
	int code = bus_passed(KEPT_NAME, ret_fd, &kept, err);
	if (kept >= 0 && !kept_load(kept, &socket->edged->metrics, &socket->edged->store)) {
		log_notice(&socket->edged->log, "what was kept as statistics is none: ignored");
	}
	if (kept >= 0) {
		bus_forget(KEPT_NAME); /* old by the next start, unless kept_save() renews it */
	}
	if (code < 0 || *ret_fd >= 0) {
		return code;
	}
	code = listen_open(config->socket, (mode_t)config->socket_mode, config->socket_group,
		ret_fd, &socket->file, err);
	socket->own_file = code == 0;
	return code;
}

static int start(struct front *front, struct edged *edged, struct error *err)
{
	struct front_socket *socket = (struct front_socket *)front;
	owned_fd int fd = -1;
	socket->edged = edged;
	int code = open_listener(socket, &fd, err);
	if (code < 0) {
		return code;
	}
	uv_pipe_init(&edged->loop, &socket->listener, 0);
	uv_timer_init(&edged->loop, &socket->retry);
	socket->listener.data = socket->retry.data = socket;
	socket->listening = true;
	code = uv_pipe_open(&socket->listener, fd);
	if (code == 0) {
		fd = -1; /* the listener's */
		code = uv_listen((uv_stream_t *)&socket->listener, BACKLOG, on_connection);
	}
	return code == 0 ? 0 : error_set(err, code, "listen: %s", uv_strerror(code));
}

static void drain(struct front *front)
{
	struct front_socket *socket = (struct front_socket *)front;
	if (!socket->listening) {
		return;
	}
	socket->listening = false;
	uv_close((uv_handle_t *)&socket->listener, NULL);
	uv_close((uv_handle_t *)&socket->retry, NULL);
	if (socket->own_file) {
		listen_remove(socket->edged->config.socket, &socket->file);
	}
}

static void stop(struct front *front)
{
	struct front_socket *socket = (struct front_socket *)front;
	drain(front);
	while (socket->first) {
		conn_close(socket->first);
	}
}

void front_socket_init(struct front_socket *socket)
{
	static_assert(offsetof(struct front_socket, front) == 0, "the casts above rely on it");
	*socket = (struct front_socket){.front = {
						.name = "socket",
						.start = start,
						.drain = drain,
						.stop = stop,
						.reply = conn_reply,
					}};
}

bool front_socket_look(void *context, bool thoroughly)
{
	struct edged *edged = context;
	struct conn *conn = thoroughly ? edged->asked : NULL;
	edged->dispatch.short_line = NULL; /* each time is as a turn of the loop */
	return rings_look(edged) || (conn && conn_look(conn));
}

void front_socket_sleep(void *edged, bool asleep)
{
	rings_sleep(edged, asleep);
}
