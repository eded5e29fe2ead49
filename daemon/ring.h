/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring - requests and replies of a connection that go through memory
 *
 * A part of one of the connection's regions (base/wire.h): the client puts a request into a slot, counts
 * it, and rings the bell if edged sleeps; edged puts the reply into a slot, counts it, and wakes the
 * client if that sleeps. No byte goes through the socket. Only INFER can be asked so; whatever a reply's
 * slot cannot hold goes by the socket.
 *
 * Nothing in that memory is believed. A frame's header and body are copied out before anything is
 * read in them, counts are read once, and what edged itself has counted it keeps here. The bell is an
 * eventfd that the client may change at any time, so edged neither reads it nor writes to it, and hears each write;
 * the client is woken by its word's address (a futex), since writing to an eventfd that somebody else
 * has too may block. Loop thread only.
 */
#ifndef DAEMON_RING_H
#define DAEMON_RING_H

#include <uv.h>

#include "base/wire.h"
#include "daemon/front.h"
#include "daemon/region.h"

struct conn;
struct edged;

struct ring {
	struct ring *next, *prev; /* edged's list */
	struct edged *edged;
	struct conn *conn; /* NULL once that is closed */
	struct region *region; /* a reference */
	struct wire_ring shape;
	uint8_t *base; /* in the region */
	uint32_t taken, answered; /* requests and replies, ever */
	uint32_t last; /* if it has @ended: so many requests are all */
	bool ended;
	int bell;
	bool hears_writes; /* once each; before the first of them the bell is as libuv has it */
	uv_poll_t poll; /* of the bell */
};

/*
 * Gives @conn the ring that @shape says, in one of its regions for inputs and outputs. *bell is taken
 * on success. -EINVAL when there is one already, the descriptor is no eventfd, or the ring is not inside its
 * region; -ENOENT, -EOPNOTSUPP, -ENOMEM.
 */
int must_check ring_open(
	struct conn *conn, const struct wire_ring *shape, int *bell, struct error *err);
/* The connection ends. NULL is fine. */
void ring_close(struct ring *ring);

/* What the client puts into it from now on has come too late. */
void ring_end(struct ring *ring);
/* True when the client has put more into it. */
bool ring_has_more(const struct ring *ring);
/* Takes what is there, as long as the connection has room for it, all slots at most and at least one; the others that
 * have more to do get as much of the loop's turn. */
void ring_take(struct ring *ring);
/* Sends a reply of a request that came this way, as frame_send() does; takes its body. */
int must_check ring_send(struct ring *ring, struct reply *reply);

/* All rings: takes what is there. True when something was. For spin.h. */
bool rings_look(const struct edged *edged);
/* Tells all clients whether their requests need the bell. */
void rings_sleep(const struct edged *edged, bool asleep);

#endif
