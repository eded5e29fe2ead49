/* SPDX-License-Identifier: Apache-2.0 */
/* infer_request - converts a request of edge_client.h to an INFER message */
#ifndef CLIENT_LIB_INFER_REQUEST_H
#define CLIENT_LIB_INFER_REQUEST_H

#include "base/wire/wire.h"
#include "client/lib/edge_client.h"

/* @infer borrows its memory from @request. -EINVAL: the request is invalid. */
int must_check infer_request_build(
	const struct edge_client_request *request, struct wire_infer *infer, struct error *err);

#endif
