/* SPDX-License-Identifier: Apache-2.0 */
/* The states and the end of a connection. */
#include "daemon/edged/socket/conn.h"

#include <poll.h>

#include "daemon/edged/serve/dispatch.h"
#include "daemon/system/process.h"

void conn_enter(struct conn *conn, enum conn_state state)
{
	conn->state = state;
	conn->server->n_pre_hello -= conn->pre_hello;
	conn->pre_hello = false;
}

void conn_close_in_next_turn(struct conn *conn)
{
	if (conn->state != CONN_CLOSED) {
		conn_enter(conn, CONN_CLOSING);
		conn->send_failed = true;
		conn_update(conn);
	}
}

/* ---- the end of a connection */

void conn_on_closed(uv_handle_t *handle)
{
	struct conn *conn = handle->data;
	if (--conn->open_handles > 0) {
		return;
	}
	if (conn->account) {
		account_close(conn->account);
	}
	process_trim_later(conn->server->trim);
	own_close_fd(&conn->poll_fd);
	free(conn);
}

void conn_close(struct conn *conn)
{
	if (conn->state == CONN_CLOSED) {
		return;
	}
	conn_enter(conn, CONN_CLOSED);
	*(conn->prev ? &conn->prev->next : &conn->server->first) = conn->next;
	if (conn->next) {
		conn->next->prev = conn->prev;
	}
	pending_reads_remove(&conn->server->pending_reads, &conn->pending);
	dispatch_abandon(conn->server->serve, conn);
	request_free(conn->in.request);
	conn->in.request = NULL;
	client_sessions_close(&conn->sessions);
	regions_close(&conn->regions);
	ring_close(take(conn->ring));
	conn->subscription.active = false;
	if (conn->server->last_active == conn) {
		conn->server->last_active = NULL;
	}
	own_close_fd(&conn->in.fd);
	conn->in.fd = -1;
	uv_close((uv_handle_t *)&conn->pipe, conn_on_closed);
	uv_close((uv_handle_t *)&conn->timer, conn_on_closed);
	if (conn->poll_fd >= 0) {
		conn->server->n_fd_passing--;
		conn->account->n_fd_passing--;
		uv_close((uv_handle_t *)&conn->poll, conn_on_closed);
	}
}

void conn_close_after_replies(struct conn *conn)
{
	if (conn->state == CONN_CLOSED) {
		return;
	}
	conn_enter(conn, CONN_CLOSING);
	conn->read_deadline_ms = 0;
	dispatch_abandon(conn->server->serve, conn);
	if (conn->unsent == 0) {
		conn_close(conn);
	} else {
		conn_update(conn); /* stops reading, and sets the time limit for the replies */
	}
}

bool conn_is_done(const struct conn *conn)
{
	return conn->eof && conn->in_flight == 0 && conn->unsent == 0 &&
		!(conn->ring && ring_has_more(conn->ring));
}

/* True when the client closed both directions, or its process ended. */
static bool is_gone(const struct conn *conn)
{
	struct pollfd hangup = {.fd = -1}; /* events 0: only POLLHUP and POLLERR */
	return uv_fileno((const uv_handle_t *)&conn->pipe, &hangup.fd) < 0 ||
		poll(&hangup, 1, 0) != 0;
}

void conn_on_eof(struct conn *conn)
{
	if (conn->in.request) {
		conn->in_flight--;
		request_free(take(conn->in.request));
	}
	if (conn->ring) {
		ring_end(conn->ring);
	}
	conn->eof = true;
	conn->in.part = CONN_HEADER;
	conn->in.n_received = 0;
	conn->read_deadline_ms = 0;
	if (conn->state != CONN_OPEN || conn_is_done(conn) || is_gone(conn)) {
		conn_close(conn);
	} else {
		conn_update(conn);
	}
}
