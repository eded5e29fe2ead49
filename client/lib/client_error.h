/* SPDX-License-Identifier: Apache-2.0 */
/* client_error - errors as the library's callers get them */
#ifndef CLIENT_LIB_CLIENT_ERROR_H
#define CLIENT_LIB_CLIENT_ERROR_H

#include "base/error.h"
#include "client/lib/edge_client.h"

/* Copies @err to @ret_err, which may be NULL. Returns err->code. */
int client_error_copy(const struct error *err, struct edge_client_error *ret_err);

#endif
