/* SPDX-License-Identifier: Apache-2.0 */
/* accept - accepts a connection: identifies the peer and checks that there is room for it */
#ifndef DAEMON_EDGED_SOCKET_ACCEPT_H
#define DAEMON_EDGED_SOCKET_ACCEPT_H

#include "daemon/edged/socket/server.h"

/*
 * Accepts the connection that waits at the listener. On error an accepted connection is told the
 * reason if its socket takes it, and closed. After -ENOMEM the connection may still
 * be in the listener's backlog; call again.
 */
int must_check accept_connection(struct server *server, struct error *err);

#endif
