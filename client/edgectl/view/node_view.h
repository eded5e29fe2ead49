/* SPDX-License-Identifier: Apache-2.0 */
/* node_view - the operators, with their kernels, of a model that edgectl itself has loaded */
#ifndef CLIENT_EDGECTL_VIEW_NODE_VIEW_H
#define CLIENT_EDGECTL_VIEW_NODE_VIEW_H

#include "client/edgectl/view/fields.h"
#include "engine/edge.h"

/* Prints a table. @ns: time of each node, or NULL. -ENOMEM. */
int must_check node_view_print(const struct edge_model *model, uint32_t signature,
	const uint64_t *ns, const struct cli_settings *settings);

/* Adds a list "nodes" of objects. */
void node_view_put(struct json_document *document, const struct edge_model *model,
	uint32_t signature, const uint64_t *ns);

#endif
