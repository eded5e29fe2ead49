/* SPDX-License-Identifier: Apache-2.0 */
/* stats - the reply to STATS */
#ifndef DAEMON_STATS_H
#define DAEMON_STATS_H

#include "base/bytes.h"
#include "base/error.h"

struct conn;

/* Users other than the one who asks are told to those only who may manage models. */
int must_check stats_encode(struct conn *conn, struct bytes_writer *w, struct error *err);

#endif
