/* SPDX-License-Identifier: Apache-2.0 */
/* stats - the reply to STATS */
#ifndef DAEMON_EDGED_SOCKET_STATS_H
#define DAEMON_EDGED_SOCKET_STATS_H

#include "base/bytes.h"
#include "base/error.h"

struct conn;

/* Encodes the reply to STATS. Peers without the right to manage models get only their own user's
 * numbers. */
int must_check stats_encode(struct conn *conn, struct bytes_writer *w, struct error *err);

#endif
