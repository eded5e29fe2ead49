/* SPDX-License-Identifier: Apache-2.0 */
/* reply - what a client gets for a request, before it is a frame */
#ifndef DAEMON_EDGED_SERVE_REPLY_H
#define DAEMON_EDGED_SERVE_REPLY_H

#include "base/bytes.h"
#include "base/status.h"

/* Who sends it takes @body and charges it to the client until it is sent or dropped. */
struct reply {
	uint16_t type; /* enum wire_type of the request */
	uint64_t id;
	enum edge_status status;
	uint32_t retry_after_us; /* with OVERLOADED: after how long to ask again; 0: not said */
	uint16_t flags; /* the header's WIRE_FLAG_* */
	bool by_ring; /* the request came through a ring */
	struct bytes_writer body;
};

#endif
