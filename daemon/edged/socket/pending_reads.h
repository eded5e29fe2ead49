/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pending_reads - connections whose next request is in memory already
 *
 * Requests that were read ahead or wait in a ring cause no event of the loop. Each such connection
 * is resumed once in a turn of the loop, so that other connections are read in between.
 */
#ifndef DAEMON_EDGED_SOCKET_PENDING_READS_H
#define DAEMON_EDGED_SOCKET_PENDING_READS_H

#include <stdint.h>
#include <uv.h>

/* A connection's place in the list. Zeroed at first. */
struct pending_link {
	struct pending_link *next, **at; /* @at NULL: not in the list */
};

struct pending_reads {
	uv_idle_t idle; /* active while the list has connections */
	struct pending_link *first;
	uint32_t n; /* connections in the list */
	void (*resume)(struct pending_link *link); /* conn_resume() */
};

void pending_reads_init(struct pending_reads *pending_reads, uv_loop_t *loop,
	void (*resume)(struct pending_link *link));
/* The connection of @link is resumed in the loop's next turn, once. It may be in the list already. */
void pending_reads_add(struct pending_reads *pending_reads, struct pending_link *link);
/* Takes @link out of the list, if it is there. */
void pending_reads_remove(struct pending_reads *pending_reads, struct pending_link *link);

#endif
