/* SPDX-License-Identifier: Apache-2.0 */
/* accept - the beginning of a connection: who it is, and whether there is room for it */
#ifndef DAEMON_ACCEPT_H
#define DAEMON_ACCEPT_H

#include <uv.h>

#include "daemon/front.h"

struct conn;
struct edged;

/*
 * Takes the connection that waits at @listener. On error it has been accepted, told why if it could
 * be, and closed.
 */
int must_check accept_connection(uv_stream_t *listener, struct edged *edged,
	const struct front *front, struct conn **list, struct error *err);

#endif
