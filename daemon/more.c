/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/more.h"

#include "daemon/conn.h"

/* Who has more again after that is put into the list anew, and not into this turn's. */
static void on_turn(uv_idle_t *idle)
{
	struct more *more = idle->data;
	struct conn *left = take(more->first);
	left->more_at = &left;
	while (left) {
		struct conn *conn = left;
		more_remove(more, conn);
		more->go_on(conn);
	}
}

void more_init(struct more *more, uv_loop_t *loop, void (*go_on)(struct conn *conn))
{
	*more = (struct more){.go_on = go_on};
	uv_idle_init(loop, &more->idle);
	more->idle.data = more;
}

void more_put(struct more *more, struct conn *conn)
{
	if (conn->more_at) {
		return;
	}
	conn->more_at = &more->first;
	conn->more_next = more->first;
	if (conn->more_next) {
		conn->more_next->more_at = &conn->more_next;
	}
	more->first = conn;
	if (more->n++ == 0) {
		uv_idle_start(&more->idle, on_turn);
	}
}

void more_remove(struct more *more, struct conn *conn)
{
	if (!conn->more_at) {
		return;
	}
	*conn->more_at = conn->more_next;
	if (conn->more_next) {
		conn->more_next->more_at = conn->more_at;
	}
	conn->more_next = NULL;
	conn->more_at = NULL;
	if (--more->n == 0) {
		uv_idle_stop(&more->idle);
	}
}
