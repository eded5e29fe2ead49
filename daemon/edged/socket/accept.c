/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/accept.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "daemon/conn.h"
#include "daemon/edged.h"
#include "daemon/frame.h"

/* ---- the beginning of a connection */

static int identify(struct conn *conn, struct error *err)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd = -1;
	int code = uv_fileno((uv_handle_t *)&conn->pipe, &fd);
	if (code < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		return error_set(err, code < 0 ? code : -errno, "the peer cannot be identified");
	}
	conn->uid = peer.uid;
	conn->pid = peer.pid;
	code = account_open(&conn->edged->accounts, peer.uid, &conn->account, err);
	if (code == 0) {
		conn->line.user = &conn->account->queue;
	}
	return code;
}

/* Best effort: the socket's buffer is empty, so it fits. */
static void tell_and_close(struct conn *conn, const struct error *err)
{
	conn->state = CONN_CLOSED;
	conn_note_sent(conn, frame_send_error(conn, 0, 0, err));
	uv_close((uv_handle_t *)&conn->pipe, conn_on_closed);
	uv_close((uv_handle_t *)&conn->timer, conn_on_closed);
}

/* ---- who says nothing makes room */

/* A number below @n, at which nobody can guess. */
static uint32_t chance(uint32_t n)
{
	uint32_t value = 0;
	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) != sizeof(value)) {
		value = (uint32_t)clock_now_ns();
	}
	return value % n;
}

/* Of a newcomer: never up to half of what may be there, always at the end. */
static bool is_too_many(const struct edged *edged)
{
	const uint32_t most = (uint32_t)edged->config.max_greeting, half = most / 2;
	return edged->n_greeting > half && chance(most - half) < edged->n_greeting - half;
}

/* One of those that have not said HELLO behind @newcomer, whose HELLO may be here already: most likely one
 * of whoever has most of them. */
static void drop_one(struct edged *edged, struct conn *newcomer)
{
	const struct wire_header none = {0};
	struct error err = {0};
	uint32_t n = chance(edged->n_greeting - 1);
	struct conn *conn = newcomer->next;
	while (conn && (!conn->greeting || n-- > 0)) {
		conn = conn->next;
	}
	if (conn) {
		error_set(&err, -EAGAIN, "%u connections have not said HELLO", edged->n_greeting);
		conn_drop(conn, &none, &err);
	}
}

static struct conn *conn_new(struct edged *edged, const struct front *front, struct conn **list)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	if (!conn) {
		return NULL;
	}
	conn->edged = edged;
	conn->front = front;
	conn->list = list;
	conn->regions.memfds = &edged->memfds;
	uv_pipe_init(&edged->loop, &conn->pipe, 0);
	uv_timer_init(&edged->loop, &conn->timer);
	conn->pipe.data = conn->timer.data = conn;
	conn->open_handles = 2;
	conn->fd = conn->poll_fd = -1;
	return conn;
}

int accept_connection(uv_stream_t *listener, struct edged *edged, const struct front *front,
	struct conn **list, struct error *err)
{
	struct conn *conn = conn_new(edged, front, list);
	if (!conn) {
		return error_no_memory(err);
	}
	int code = uv_accept(listener, (uv_stream_t *)&conn->pipe);
	if (code < 0) {
		error_set(err, code, "accept: %s", uv_strerror(code));
	} else {
		code = identify(conn, err);
	}
	if (code < 0) {
		tell_and_close(conn, err);
		return code;
	}
	conn->next = *list;
	if (conn->next) {
		conn->next->prev = conn;
	}
	*list = conn;
	conn->greeting = true;
	edged->n_greeting++;
	conn->read_by_ms = uv_now(&edged->loop) + edged->config.hello_timeout_ms;
	conn_update(conn);
	if (is_too_many(edged)) {
		drop_one(edged, *list);
	}
	return 0;
}
