/* SPDX-License-Identifier: Apache-2.0 */
/* framing - what a connection's next header may say */
#ifndef DAEMON_FRAMING_H
#define DAEMON_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire.h"
#include "daemon/access.h"

struct conn;
struct request;

/* Decodes conn->bytes into conn->header. What it refuses ends the connection: -EPROTO, -EFBIG. */
int must_check framing_check(struct conn *conn, struct error *err);

/* The same for what lies in a ring's slot. *ret_header is filled as far as wire_header_decode() does. */
int must_check framing_check_slot(const struct conn *conn, const uint8_t bytes[WIRE_HEADER_BYTES],
	uint32_t slot_bytes, struct wire_header *ret_header, struct error *err);

/* Whether messages of that type may come with one. */
bool framing_takes_descriptor(uint16_t type);
/* Whether the deadline of their header means something. */
bool framing_heeds_deadline(uint16_t type);

/* True for the types that HELLO's version and capabilities have. */
bool framing_knows(const struct conn *conn, uint16_t type);

/* What refuses the request that the header begins, but not the connection; else makes the request. */
int must_check framing_admit(struct conn *conn, const struct wire_header *header,
	struct request **ret_request, struct error *err);

/* Whether the peer has the right, and may use a model of that name. */
bool framing_may(struct conn *conn, enum access_right right);
bool framing_may_use(struct conn *conn, const char *model);

#endif
