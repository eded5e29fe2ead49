/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane - the client's end of a ring (base/wire.h) with one slot: one request at a time through memory
 *
 * The daemon is not believed more than over the socket: what it wrote is copied out before it is looked at,
 * and no number of it leads anywhere outside the slot.
 */
#ifndef CLIENT_LANE_H
#define CLIENT_LANE_H

#include "base/error.h"
#include "base/wire.h"

#define LANE_SLOT_BYTES 16384u /* requests and replies that are longer go by the socket */

struct lane {
	uint8_t *base; /* mapped; NULL: there is no lane */
	size_t bytes;
	int bell; /* owned */
	struct wire_ring shape;
	uint32_t asked, answered;
};

/* Memory and bell, for a ring that the daemon has still to be told of. *ret_fd, the caller's, is that of the
 * memory. */
int must_check lane_init(struct lane *lane, int *ret_fd, struct error *err);
/* A zeroed one has nothing. */
void lane_deinit(struct lane *lane);

/* True while a request waits for its answer. */
static inline bool lane_is_busy(const struct lane *lane)
{
	return lane->asked != lane->answered;
}

/* Whether the frame of such a body can be asked now. */
bool lane_takes(const struct lane *lane, size_t body_bytes);
/* Asks it. */
void lane_ask(struct lane *lane, const struct wire_header *header, const struct bytes_writer *body);

/* True when the answer is there. */
bool lane_has_answer(const struct lane *lane);
/* Sleeps until it may be, for @ns at most. */
void lane_sleep(struct lane *lane, uint64_t ns);
/* Takes the answer. 1: *ret_header and the body, which the caller frees, WIRE_ALIGNMENT. 0: it comes by the
 * socket. -EPROTO, -ENOMEM. */
int must_check lane_take(
	struct lane *lane, struct wire_header *ret_header, void **ret_body, struct error *err);

#endif
