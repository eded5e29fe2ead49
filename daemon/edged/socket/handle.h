/* SPDX-License-Identifier: Apache-2.0 */
/* handle - answers or dispatches each complete message of a connection */
#ifndef DAEMON_EDGED_SOCKET_HANDLE_H
#define DAEMON_EDGED_SOCKET_HANDLE_H

#include "daemon/edged/socket/conn.h"

/* Takes @request of the connection @context and sees to its answer, now or later. The connection may be closed afterwards. */
void handle_message(void *context, struct request *request);

#endif
