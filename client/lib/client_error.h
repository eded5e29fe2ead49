/* SPDX-License-Identifier: Apache-2.0 */
/* client_error - errors as the library's callers get them */
#ifndef CLIENT_LIB_CLIENT_ERROR_H
#define CLIENT_LIB_CLIENT_ERROR_H

#include <string.h>

#include "base/error.h"
#include "client/lib/edge_client.h"

/* Copies @err to @ret_err, which may be NULL. Returns err->code. */
static inline int client_error_copy(const struct error *err, struct edge_client_error *ret_err)
{
	if (ret_err) {
		ret_err->code = err->code;
		ret_err->status = (unsigned int)err->status;
		ret_err->retry_after_us = err->retry_after_us;
		_Static_assert(sizeof(ret_err->text) == sizeof(err->text), "the same text");
		memcpy(ret_err->text, err->text, sizeof(ret_err->text));
	}
	return err->code;
}

#endif
