/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front - a way by which requests come in and replies go out
 *
 * start, stop, reply; drain is the first half of a stop. Today there is one, the Unix socket
 * (front_socket.h).
 */
#ifndef DAEMON_FRONT_H
#define DAEMON_FRONT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"

struct edged;

/* One answer. The front takes the body, and charges it to the peer until it is sent or dropped. */
struct reply {
	uint16_t type; /* enum wire_type of the request */
	uint64_t id;
	enum edge_status status;
	uint32_t retry_after_us; /* of OVERLOADED: when to ask again; 0: not told */
	uint16_t flags; /* of the header: WIRE_FLAG_* */
	bool by_ring; /* that is how the request came */
	struct bytes_writer body;
};

struct front {
	const char *name;
	int (*start)(struct front *front, struct edged *edged, struct error *err);
	void (*drain)(struct front *front); /* takes nobody new */
	void (*stop)(struct front *front); /* closes everything */

	/* Sends @reply to @peer, the front's own mark of who asked. Loop thread. */
	void (*reply)(void *peer, struct reply *reply);
};

#endif
