/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/chains.h"

/* Tensors below it are in a core's cache anyway, and few of them are an arena's largest. */
#define LEAST_BYTES ((uint64_t)256 << 10)

struct search {
	const struct compile_request *request;
	struct prepared *nodes;
	uint32_t *uses; /* one per tensor: how often it is read, as an output too */
};

static void count_uses(const struct subgraph *s, uint32_t *uses)
{
	for (uint32_t i = 0; i < s->n_nodes; i++) {
		const struct node *node = &s->nodes[i];
		for (uint32_t k = 0; k < node->n_inputs; k++) {
			if (node->inputs[k] >= 0) {
				uses[node->inputs[k]]++;
			}
		}
	}
	for (uint32_t i = 0; i < s->n_outputs; i++) {
		uses[s->outputs[i]]++;
	}
}

static bool describe(
	const struct search *search, uint32_t at, uint32_t operand, struct strip_member *ret)
{
	const struct compile_request *r = search->request;
	const struct prepared *p = &search->nodes[at];
	const struct op_setup setup = {
		.graph = r->graph,
		.subgraph = r->subgraph,
		.node = p->node,
		.shapes = r->shapes,
		.constants = r->constants,
		.state = p->state,
	};
	*ret = (struct strip_member){
		.node = p->node, .op = p->op, .state = p->state, .operand = operand};
	return !p->each_run && p->op->strip && p->op->strip(&setup, operand, &ret->shape);
}

/* The operand of node @at + 1 that reads all that node @at gives, and nobody else does; its n_inputs
 * for none. */
static uint32_t find_reader(const struct search *search, uint32_t at)
{
	const struct node *next = search->nodes[at + 1].node;
	const int32_t t = search->nodes[at].node->outputs[0];
	uint32_t i = 0;
	if (search->uses[t] != 1 || search->request->subgraph->tensors[t].is_variable) {
		return next->n_inputs;
	}
	while (i < next->n_inputs && next->inputs[i] != t) {
		i++;
	}
	return i;
}

static uint64_t bytes_between(const struct strip_member *m)
{
	return m->shape.out_row_bytes * m->shape.y.out;
}

/* Node @at and those behind it that can run with it. */
static void collect(const struct search *search, uint32_t at, struct strips *s, uint64_t *ret_saved)
{
	const bool eager = search->request->rewrites & REWRITE_EAGER;
	*ret_saved = 0;
	s->n = describe(search, at, 0, &s->members[0]) ? 1 : 0;
	while (s->n > 0 && s->n < STRIPS_MAX && at + s->n < search->request->n_nodes) {
		const struct strip_member *last = &s->members[s->n - 1];
		struct strip_member *next = &s->members[s->n];
		uint32_t operand = find_reader(search, at + s->n - 1);
		if (operand == search->nodes[at + s->n].node->n_inputs ||
			(bytes_between(last) < LEAST_BYTES && !eager) ||
			!describe(search, at + s->n, operand, next)) {
			return;
		}
		*ret_saved += bytes_between(last);
		s->n++;
	}
}

static int add_chain(const struct search *search, uint32_t at, const struct strips *chain,
	struct op_memory *memory, struct node_memory *ret_memory)
{
	struct strips *kept = op_memory_alloc(memory, sizeof(*kept));
	if (!kept) {
		return -ENOMEM;
	}
	*kept = *chain;
	for (uint32_t i = 0; i < chain->n; i++) {
		const uint32_t later = chain->n - 1 - i;
		search->nodes[at + i].is_inner = later > 0;
		ret_memory[at + i] = (struct node_memory){.later = later, .inner = later > 0};
	}
	search->nodes[at + chain->n - 1].strips = kept;
	ret_memory[at + chain->n - 1].scratch = chain->scratch_each * chain->threads;
	return 0;
}

static int make_all(
	const struct search *search, struct op_memory *memory, struct node_memory *ret_memory)
{
	const struct compile_request *r = search->request;
	const unsigned int threads = r->threads ? r->threads : 1;
	uint64_t saved = 0;
	for (uint32_t at = 0; at < r->n_nodes;) {
		struct strips chain = {0};
		collect(search, at, &chain, &saved);
		if (chain.n < 2 ||
			!strips_plan(&chain, threads, saved, r->rewrites & REWRITE_EAGER)) {
			at++;
			continue;
		}
		if (add_chain(search, at, &chain, memory, ret_memory) < 0) {
			return -ENOMEM;
		}
		at += chain.n;
	}
	return 0;
}

int chains_make(const struct compile_request *request, struct prepared *nodes,
	struct op_memory *memory, struct node_memory *ret_memory, struct error *err)
{
	if (!(request->rewrites & REWRITE_STRIPS) || request->n_nodes < 2) {
		return 0;
	}
	owned_mem uint32_t *uses = calloc((size_t)request->subgraph->n_tensors + 1, sizeof(*uses));
	const struct search search = {request, nodes, uses};
	if (!uses) {
		return error_no_memory(err);
	}
	count_uses(request->subgraph, uses);
	return make_all(&search, memory, ret_memory) < 0 ? error_no_memory(err) : 0;
}
