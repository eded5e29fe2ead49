/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring_client - client side of a ring (base/wire/wire.h) with one slot: one request at a time
 *
 * The daemon's data are untrusted: they are copied out of the shared memory before they are
 * parsed, and no number in them is used as an address beyond the slot.
 */
#ifndef CLIENT_LIB_RING_CLIENT_H
#define CLIENT_LIB_RING_CLIENT_H

#include "base/error.h"
#include "base/wire/wire.h"

#define RING_CLIENT_SLOT_BYTES 16384u /* longer requests and replies go through the socket */

struct ring_client {
	uint8_t *base; /* mapped; NULL: no ring */
	size_t bytes;
	int doorbell; /* eventfd, owned; the doorbell that wakes the daemon */
	struct wire_ring shape;
	uint32_t asked, answered;
};

/* Allocates the ring and its doorbell. The caller still tells the daemon about the ring, and
 * owns *ret_fd, the memory's descriptor. */
int must_check ring_client_init(struct ring_client *ring, int *ret_fd, struct error *err);
/* @ring may be zeroed. */
void ring_client_deinit(struct ring_client *ring);

/* True while a request waits for its reply. */
static inline bool ring_client_is_busy(const struct ring_client *ring)
{
	return ring->asked != ring->answered;
}

/* True if the ring is free and a body of this size fits. */
bool ring_client_takes(const struct ring_client *ring, size_t body_bytes);
/* Writes a request to the slot and rings the doorbell if the daemon sleeps. */
void ring_client_request(struct ring_client *ring, const struct wire_header *header,
	const struct bytes_writer *body);

/* True if the reply is in the slot. */
bool ring_client_has_answer(const struct ring_client *ring);
/* Sleeps until ring_client_has_answer(), for @ns at most. May return early. */
void ring_client_sleep(struct ring_client *ring, uint64_t ns);
/* Takes the reply. 1: *ret_header and *ret_body are filled; the caller frees the body, which is
 * aligned to WIRE_ALIGNMENT. 0: the reply comes through the socket. -EPROTO, -ENOMEM. */
int must_check ring_client_take(struct ring_client *ring, struct wire_header *ret_header,
	void **ret_body, struct error *err);

#endif
