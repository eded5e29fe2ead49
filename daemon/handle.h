/* SPDX-License-Identifier: Apache-2.0 */
/* handle - what a connection does with each message that has come whole */
#ifndef DAEMON_HANDLE_H
#define DAEMON_HANDLE_H

#include "daemon/conn.h"

/* Takes @request and sees to its answer, now or later. The connection may be closed afterwards. */
void handle_message(struct conn *conn, struct request *request);

#endif
