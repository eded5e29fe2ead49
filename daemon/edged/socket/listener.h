/* SPDX-License-Identifier: Apache-2.0 */
/* listener - the Unix socket: accepts connections, and takes requests while the loop polls */
#ifndef DAEMON_EDGED_SOCKET_LISTENER_H
#define DAEMON_EDGED_SOCKET_LISTENER_H

#include "daemon/edged/socket/server.h"

int must_check listener_start(struct server *server, struct error *err);
/* Accepts no new connections. */
void listener_drain(struct server *server);
/* Closes all connections. */
void listener_stop(struct server *server);

/* Takes requests from all rings. With @thoroughly also reads the socket of the connection that sent
 * the last request. Returns true if there were any. @server: a struct server. Function poll() of
 * struct busy_poll. */
bool listener_poll(void *server, bool thoroughly);
/* Tells the clients of all rings whether a request must wake the loop. Function sleep() of struct
 * busy_poll. */
void listener_sleep(void *server, bool asleep);

#endif
