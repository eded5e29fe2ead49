/* SPDX-License-Identifier: Apache-2.0 */
/* sharing - a connection begins to be read in the way that descriptors need */
#ifndef DAEMON_SHARING_H
#define DAEMON_SHARING_H

#include <stdbool.h>

#include "base/wire.h"

struct conn;

/* Reads in the way that descriptors need, if @hello wants shared memory, from the next byte on. False
 * when that cannot be: what a client says then brings none. */
bool sharing_begin(struct conn *conn, const struct wire_hello *hello);

/* What a connection that shares memory may have. */
uint64_t sharing_capabilities(const struct wire_hello *hello);

#endif
