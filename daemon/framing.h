/* SPDX-License-Identifier: Apache-2.0 */
/* framing - what a connection's next header may say */
#ifndef DAEMON_FRAMING_H
#define DAEMON_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct conn;

/* Decodes conn->bytes into conn->header. What it refuses ends the connection: -EPROTO, -EFBIG. */
int must_check framing_check(struct conn *conn, struct error *err);

/* True for the types that HELLO's version and capabilities have. */
bool framing_knows(const struct conn *conn, uint16_t type);

#endif
