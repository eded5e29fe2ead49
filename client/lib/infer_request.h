/* SPDX-License-Identifier: Apache-2.0 */
/* question - a request of edge_client.h becomes an INFER */
#ifndef CLIENT_QUESTION_H
#define CLIENT_QUESTION_H

#include "base/wire.h"
#include "client/edge_client.h"

/* Everything that @infer points to is borrowed of @request. -EINVAL for what makes no sense. */
int must_check question_build(
	const struct edge_client_request *request, struct wire_infer *infer, struct error *err);

#endif
