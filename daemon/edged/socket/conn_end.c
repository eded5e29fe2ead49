/* SPDX-License-Identifier: Apache-2.0 */
/* States and the end of a connection. */
#include "daemon/conn.h"

#include <poll.h>

#include "daemon/edged.h"
#include "daemon/process.h"
#include "daemon/ring.h"

void conn_enter(struct conn *conn, enum conn_state state)
{
	conn->state = state;
	conn->edged->n_greeting -= conn->greeting;
	conn->greeting = false;
}

void conn_break(struct conn *conn)
{
	if (conn->state != CONN_CLOSED) {
		conn_enter(conn, CONN_CLOSING);
		conn->broken = true;
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
	struct edged *edged = conn->edged;
	own_close_fd(&conn->poll_fd);
	free(conn);
	process_trim_later(&edged->trim);
	edged_check_drained(edged); /* what was waited for may have been its last reply */
}

void conn_close(struct conn *conn)
{
	if (conn->state == CONN_CLOSED) {
		return;
	}
	conn_enter(conn, CONN_CLOSED);
	*(conn->prev ? &conn->prev->next : conn->list) = conn->next;
	if (conn->next) {
		conn->next->prev = conn->prev;
	}
	more_remove(&conn->edged->more, conn);
	dispatch_abandon(&conn->edged->dispatch, conn);
	request_free(conn->request);
	conn->request = NULL;
	client_sessions_close(&conn->sessions);
	regions_close(&conn->regions);
	ring_close(take(conn->ring));
	events_forget(conn->edged, conn);
	if (conn->edged->asked == conn) {
		conn->edged->asked = NULL;
	}
	own_close_fd(&conn->fd);
	conn->fd = -1;
	uv_close((uv_handle_t *)&conn->pipe, conn_on_closed);
	uv_close((uv_handle_t *)&conn->timer, conn_on_closed);
	if (conn->poll_fd >= 0) {
		conn->edged->n_sharing--;
		conn->account->n_sharing--;
		uv_close((uv_handle_t *)&conn->poll, conn_on_closed);
	}
}

void conn_close_after_replies(struct conn *conn)
{
	if (conn->state == CONN_CLOSED) {
		return;
	}
	conn_enter(conn, CONN_CLOSING);
	conn->read_by_ms = 0;
	dispatch_abandon(&conn->edged->dispatch, conn);
	if (conn->unsent == 0) {
		conn_close(conn);
	} else {
		conn_update(
			conn); /* nothing more is read, and who does not take replies has an end */
	}
}

bool conn_is_done(const struct conn *conn)
{
	return conn->ended && conn->in_flight == 0 && conn->unsent == 0 &&
		!(conn->ring && ring_has_more(conn->ring));
}

/* It reads no more either: it was closed, or its process ended. */
static bool is_gone(const struct conn *conn)
{
	struct pollfd both = {.fd = -1};
	return uv_fileno((const uv_handle_t *)&conn->pipe, &both.fd) < 0 || poll(&both, 1, 0) != 0;
}

void conn_end(struct conn *conn)
{
	if (conn->request) {
		conn->in_flight--;
		request_free(take(conn->request));
	}
	if (conn->ring) {
		ring_end(conn->ring);
	}
	conn->ended = true;
	conn->part = CONN_HEADER;
	conn->got = 0;
	conn->read_by_ms = 0;
	if (conn->state != CONN_OPEN || conn_is_done(conn) || is_gone(conn)) {
		conn_close(conn);
	} else {
		conn_update(conn);
	}
}
