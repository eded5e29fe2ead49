/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/plan_types.h"

#include <stdlib.h>

struct plan *plan_ref(struct plan *plan)
{
	ref_get(&plan->ref);
	return plan;
}

static void free_subgraph(struct subgraph_plan *part)
{
	for (uint32_t i = 0; i < part->n_steps; i++) {
		if (part->steps[i].program) {
			part->steps[i].backend->free_program(part->steps[i].program);
		}
	}
	for (uint32_t i = 0; part->calls && i < PLAN_CALLS * part->n_order; i++) {
		plan_unref(part->calls[i]);
	}
	for (uint32_t t = 0; part->subgraph && t < part->subgraph->n_tensors; t++) {
		if (part->tensors && part->tensors[t].place == PLACE_FOLDED) {
			free((void *)part->constants[t]);
		}
		if (part->tensors) {
			free(part->tensors[t].initial);
		}
	}
	free(part->shapes);
	free(part->tensors);
	free(part->constants);
	free(part->order);
	free(part->kinds);
	free(part->calls);
	free(part->scratch_offset);
	free(part->state_offset);
	free(part->node_macs);
	free(part->steps);
}

void plan_unref(struct plan *plan)
{
	if (!plan || !ref_put(&plan->ref)) {
		return;
	}
	free_subgraph(&plan->part);
	free(plan);
}

struct shape plan_declared_shape(const struct tensor *tensor)
{
	struct shape shape = tensor->shape;
	for (unsigned int i = 0; i < shape.rank; i++) {
		shape.dim[i] = shape.dim[i] < 0 ? 1 : shape.dim[i];
	}
	return shape;
}

int plan_node_error(const struct subgraph_plan *plan, uint32_t node, int code, struct error *err)
{
	const struct node *n = &plan->subgraph->nodes[node];
	bool unknown = n->op == OP_CUSTOM;
	char name[48];
	error_escape(name, sizeof(name), n->custom_name.data, n->custom_name.length);
	error_prefix(err, "subgraph %u, node %u (%s%s%s v%u)", plan->index, node,
		operators_name(n->op), unknown ? " " : "", unknown ? name : "", n->version);
	return code;
}
