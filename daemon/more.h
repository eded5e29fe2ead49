/* SPDX-License-Identifier: Apache-2.0 */
/*
 * more - connections that have something to do which is there already
 *
 * Requests that were read ahead, or wait in a ring: nothing tells of them again. Each connection goes on with its own
 * once in a turn of the loop, so that between two times everybody else is heard.
 */
#ifndef DAEMON_MORE_H
#define DAEMON_MORE_H

#include <stdint.h>
#include <uv.h>

struct conn;

struct more {
	uv_idle_t idle; /* active while somebody is here */
	struct conn *first;
	uint32_t n;
	void (*go_on)(struct conn *conn);
};

void more_init(struct more *more, uv_loop_t *loop, void (*go_on)(struct conn *conn));
/* @conn goes on in the next turn, once; it may be here already. */
void more_put(struct more *more, struct conn *conn);
/* @conn has nothing more to do; it may be here or not. */
void more_remove(struct more *more, struct conn *conn);

#endif
