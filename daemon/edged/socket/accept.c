/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/socket/accept.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "daemon/edged/socket/conn.h"

/* ---- the peer */

static int identify(struct conn *conn, struct error *err)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd = -1;
	int code = uv_fileno((uv_handle_t *)&conn->pipe, &fd);
	if (code < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		return error_set(err, code < 0 ? code : -errno, "the peer cannot be identified");
	}
	conn->peer.uid = peer.uid;
	conn->peer.pid = peer.pid;
	code = account_open(&conn->server->serve->accounts, peer.uid, &conn->account, err);
	if (code == 0) {
		conn->queue.user = &conn->account->queue;
	}
	return code;
}

/* The reply fits: the socket's buffer is empty. */
static void reject(struct conn *conn, const struct error *err)
{
	const struct wire_header none = {0};
	conn->state = CONN_CLOSED;
	conn_send_error(conn, &none, err);
	uv_close((uv_handle_t *)&conn->pipe, conn_on_closed);
	uv_close((uv_handle_t *)&conn->timer, conn_on_closed);
}

/* ---- room for connections without HELLO */

/* A random number below @n. */
static uint32_t random_below(uint32_t n)
{
	uint32_t value = 0;
	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) != sizeof(value)) {
		value = (uint32_t)clock_now_ns();
	}
	return value % n;
}

/* Random early drop: returns false up to half of max-greeting, true at max-greeting, and true with
 * rising probability in between. */
static bool must_drop_one(const struct server *server)
{
	const uint32_t max = (uint32_t)server->config->max_greeting, half = max / 2;
	return server->n_pre_hello > half && random_below(max - half) < server->n_pre_hello - half;
}

/* Drops a random connection without HELLO. That hits the user with the most of them most likely.
 * @newcomer is spared: its HELLO may have arrived already. */
static void drop_one(struct server *server, struct conn *newcomer)
{
	const struct wire_header none = {0};
	struct error err = {0};
	uint32_t n = random_below(server->n_pre_hello - 1);
	struct conn *conn = newcomer->next;
	while (conn && (!conn->pre_hello || n-- > 0)) {
		conn = conn->next;
	}
	if (conn) {
		error_set(&err, -EAGAIN,
			"too many connections without HELLO (%u): this one is closed",
			server->n_pre_hello);
		conn_drop(conn, &none, &err);
	}
}

static struct conn *conn_new(struct server *server)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	if (!conn) {
		return NULL;
	}
	conn->server = server;
	conn->regions.memfds = &server->serve->memfds;
	uv_pipe_init(server->loop, &conn->pipe, 0);
	uv_timer_init(server->loop, &conn->timer);
	conn->pipe.data = conn->timer.data = conn;
	conn->open_handles = 2;
	conn->in.fd = conn->poll_fd = -1;
	return conn;
}

int accept_connection(struct server *server, struct error *err)
{
	struct conn *conn = conn_new(server);
	if (!conn) {
		return error_no_memory(err);
	}
	int code = uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)&conn->pipe);
	if (code < 0) {
		error_set(err, code, "accept: %s", uv_strerror(code));
	} else {
		code = identify(conn, err);
	}
	if (code < 0) {
		reject(conn, err);
		return code;
	}
	conn->next = server->first;
	if (conn->next) {
		conn->next->prev = conn;
	}
	server->first = conn;
	conn->pre_hello = true;
	server->n_pre_hello++;
	conn->read_deadline_ms = uv_now(server->loop) + server->config->hello_timeout_ms;
	conn_update(conn);
	if (must_drop_one(server)) {
		drop_one(server, server->first);
	}
	return 0;
}
