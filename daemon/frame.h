/* SPDX-License-Identifier: Apache-2.0 */
/* frame - a reply on its way out of a connection, charged to the client until it is written */
#ifndef DAEMON_FRAME_H
#define DAEMON_FRAME_H

#include "daemon/front.h"

struct conn;

/* The header of @reply as it is. */
void frame_header(const struct conn *conn, const struct reply *reply, uint8_t *ret_bytes);

/*
 * Takes the reply's body and writes it. 1: the socket took all of it. 0: conn_sent() follows, once,
 * from the loop. A reply for which the client's account has no room becomes an error. On failure
 * nothing follows, and the connection is of no use any more.
 */
int must_check frame_send(struct conn *conn, struct reply *reply);

/* As above, of an error, without memory of its own unless the socket is full: whoever is turned away
 * costs little. */
int must_check frame_send_error(
	struct conn *conn, uint16_t type, uint64_t id, const struct error *err);

#endif
