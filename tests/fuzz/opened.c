/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/opened.h"

#include <stdlib.h>
#include <string.h>

#include "engine/plan/opinfo.h"

#define MAX_OPENED 64 /* constants of one model that become inputs */
#define MAX_BYTES 65536 /* of each */

static void open_constant(struct opened *o, int32_t t)
{
	struct tensor *tensor = t < 0 ? NULL : &o->subgraph->tensors[t];
	if (!tensor || !tensor->data || tensor->sparsity || tensor->data_bytes > MAX_BYTES ||
		o->subgraph->n_inputs >= o->n_own + MAX_OPENED) {
		return;
	}
	o->was[t] = tensor->data;
	tensor->data = NULL;
	o->inputs[o->subgraph->n_inputs++] = t;
}

static void open_node(struct opened *o, const struct node *node, enum opening opening)
{
	const struct op_row *row = opinfo_find(node);
	uint64_t params = row ? row->params : 0;
	for (uint32_t k = 0; k < node->n_inputs; k++) {
		if (opening == OPEN_ALL || (k < 64 && params >> k & 1)) {
			open_constant(o, node->inputs[k]);
		}
	}
}

bool opened_init(struct opened *o, struct graph *graph, uint32_t subgraph, enum opening opening)
{
	struct subgraph *part = &graph->subgraphs[subgraph];
	*o = (struct opened){.graph = graph, .subgraph = part, .n_own = part->n_inputs};
	o->was = calloc((size_t)part->n_tensors + 1, sizeof(*o->was));
	o->inputs = calloc((size_t)part->n_inputs + MAX_OPENED, sizeof(*o->inputs));
	if (!o->was || !o->inputs) {
		return false;
	}
	memcpy(o->inputs, part->inputs, part->n_inputs * sizeof(*o->inputs));
	part->inputs = o->inputs;
	for (uint32_t i = 0; opening != OPEN_NOTHING && i < part->n_nodes; i++) {
		open_node(o, &part->nodes[i], opening);
	}
	return opening == OPEN_NOTHING || part->n_inputs > o->n_own;
}

void opened_deinit(struct opened *o)
{
	free(o->was);
	free(o->inputs);
}
