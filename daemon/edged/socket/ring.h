/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring - requests and replies through slots of shared memory
 *
 * A ring lies in one of the connection's regions (base/wire/wire.h). The client puts a request into
 * a slot, counts it, and rings the doorbell if edged sleeps. edged puts the reply into a slot,
 * counts it, and wakes the client if it sleeps. No byte goes through the socket. Only INFER can be
 * sent through a ring. A reply too large for its slot goes through the socket.
 *
 * Nothing in the shared memory is trusted. A frame's header and body are copied out before they are
 * read, counts are read once, and edged keeps its own counts in private memory.
 *
 * The doorbell is an eventfd that the client may change at any time. edged neither reads nor writes
 * it and is told of each write (EPOLLET). The client is woken by a futex on the word
 * WIRE_RING_ANSWERED, because a write to an eventfd that another process has too may block. Loop
 * thread only.
 */
#ifndef DAEMON_EDGED_SOCKET_RING_H
#define DAEMON_EDGED_SOCKET_RING_H

#include <uv.h>

#include "base/wire/wire.h"
#include "daemon/edged/serve/region.h"

struct conn;

struct ring {
	struct ring *next, **at; /* link of the list of all rings, and what leads to it */
	struct conn *conn;
	/* The doorbell was rung, or cannot be heard: @code below 0. */
	void (*rung)(struct conn *conn, int code);
	struct region *region; /* region with the ring; a reference */
	struct wire_ring shape; /* as the client gave it */
	uint8_t *base; /* the ring's first byte in the region */
	uint32_t taken, answered; /* requests taken and replies put since the ring was laid out */
	uint32_t last; /* with @ended: count of the last request to take */
	bool ended;
	int doorbell; /* the doorbell, an eventfd */
	bool hears_writes; /* the doorbell was made edge-triggered, after its first event */
	uv_poll_t poll; /* polls the doorbell */
};

/*
 * Opens the ring of @shape in one of @regions, which must be for inputs and outputs, and adds it to
 * @list. Takes *bell on success. -EINVAL when *bell is no eventfd or the ring does not lie inside its
 * region; -ENOENT when there is no such region; -ENOMEM; or libuv's error.
 */
int must_check ring_open(struct ring **list, uv_loop_t *loop, const struct regions *regions,
	const struct wire_ring *shape, int *doorbell, struct ring **ret_ring, struct error *err);
/* Closes the ring: its connection ends. NULL is fine. */
void ring_close(struct ring *ring);

/* Requests that the client puts into the ring after this call are ignored. */
void ring_end(struct ring *ring);
/* True when the ring has a request that was not taken. */
bool ring_has_more(const struct ring *ring);
/* True when the client says that the ring has more requests than slots. */
bool ring_overflows(const struct ring *ring);

/* Copies the header of the next request. The request counts as taken; ring_read_body() reads its
 * body of @bytes, which fit into the slot. */
void ring_take_header(struct ring *ring, uint8_t ret_bytes[WIRE_HEADER_BYTES]);
void ring_read_body(const struct ring *ring, void *body, uint32_t bytes);

/* The most bytes of a reply's body that a slot takes. */
uint32_t ring_most_body(const struct ring *ring);
/* Puts a reply into the next slot, and wakes the client. With the @header alone, whose length is above
 * ring_most_body(), the client waits for the frame on the socket. */
void ring_put(
	struct ring *ring, const uint8_t header[WIRE_HEADER_BYTES], const void *body, size_t bytes);

/* Tells all clients of @first's list whether they must ring the doorbell. */
void ring_sleep_all(const struct ring *first, bool asleep);

#endif
