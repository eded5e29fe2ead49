/* SPDX-License-Identifier: Apache-2.0 */
/* plan_view - show --plan: steps of a plan, where they write, and where its time is expected to go */
#ifndef CLIENT_PLAN_VIEW_H
#define CLIENT_PLAN_VIEW_H

#include "client/cli.h"
#include "client/json.h"
#include "engine/edge.h"

/* Prints the table. -ENOENT for a signature that is not there, -ENOMEM, or what writing gave. */
int must_check plan_view_print(
	const struct edge_model *model, uint32_t signature, const struct settings *settings);

/* The same as a list "plan" of objects. Errors as above. */
int must_check plan_view_put(
	struct json_document *document, const struct edge_model *model, uint32_t signature);

#endif
