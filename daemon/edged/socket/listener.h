/* SPDX-License-Identifier: Apache-2.0 */
/* listener - the Unix socket: starts and stops the room, and finds requests for busy_poll.h */
#ifndef DAEMON_EDGED_SOCKET_LISTENER_H
#define DAEMON_EDGED_SOCKET_LISTENER_H

#include "daemon/edged/socket/server.h"

int must_check listener_start(struct server *server, struct error *err);
/* Accepts no new connections. */
void listener_drain(struct server *server);
/* Closes all connections. */
void listener_stop(struct server *server);

/* look() of busy_poll.h; @server is a struct server. Takes requests from all rings. @thoroughly
 * also reads the socket of the client that asked last. True when there were any. */
bool listener_poll(void *server, bool thoroughly);
/* sleep() of busy_poll.h. */
void listener_sleep(void *server, bool asleep);

#endif
