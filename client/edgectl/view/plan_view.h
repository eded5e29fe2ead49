/* SPDX-License-Identifier: Apache-2.0 */
/* plan_view - show --plan: steps of a plan, their memory, and their predicted times */
#ifndef CLIENT_EDGECTL_VIEW_PLAN_VIEW_H
#define CLIENT_EDGECTL_VIEW_PLAN_VIEW_H

#include "client/edgectl/cli.h"
#include "client/pipeline/json_builder.h"
#include "engine/edge.h"

/* Prints a table. -ENOENT: no such signature. -ENOMEM. Else the error of writing. */
int must_check plan_view_print(
	const struct edge_model *model, uint32_t signature, const struct cli_settings *settings);

/* Adds the plan as a list "plan" of objects. Errors like plan_view_print(). */
int must_check plan_view_put(
	struct json_document *document, const struct edge_model *model, uint32_t signature);

#endif
