/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/chains.h"

#include "base/background_yield.h"

/* Tensors below it are in a core's cache anyway, and few of them are an arena's largest. */
#define LEAST_BYTES ((uint64_t)256 << 10)
/* Beside a node that does little else than read and write them. */
#define LEAST_SIMPLE_BYTES ((uint64_t)16 << 10)

struct search {
	const struct compile_request *request;
	struct prepared *nodes;
	uint32_t *uses; /* one per tensor: how often it is read, as an output too */
};

uint32_t *chains_count_uses(const struct subgraph *s)
{
	uint32_t *uses = calloc((size_t)s->n_tensors + 1, sizeof(*uses));
	for (uint32_t i = 0; uses && i < s->n_nodes; i++) {
		const struct node *node = &s->nodes[i];
		for (uint32_t k = 0; k < node->n_inputs; k++) {
			if (node->inputs[k] >= 0) {
				uses[node->inputs[k]]++;
			}
		}
	}
	for (uint32_t i = 0; uses && i < s->n_outputs; i++) {
		uses[s->outputs[i]]++;
	}
	return uses;
}

static bool describe(
	const struct search *search, uint32_t at, uint32_t operand, struct row_fusion_member *ret)
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
	*ret = (struct row_fusion_member){
		.node = p->node, .op = p->op, .state = p->state, .operand = operand};
	return !p->each_run && p->op->row_shape && p->op->row_shape(&setup, operand, &ret->shape);
}

/* The position behind @at, but for PADs that are part of a window. */
static uint32_t next_of(const struct search *search, uint32_t at)
{
	for (at++; at < search->request->n_nodes && search->nodes[at].is_inner;) {
		at++;
	}
	return at;
}

/* The operand of node @next that reads all that node @at gives, and nobody else does; its n_inputs
 * for none. */
static uint32_t find_reader(const struct search *search, uint32_t at, uint32_t next)
{
	const struct node *node = search->nodes[next].node;
	const int32_t t = search->nodes[at].node->outputs[0];
	uint32_t i = 0;
	if (search->uses[t] != 1 || search->request->subgraph->tensors[t].is_variable) {
		return node->n_inputs;
	}
	while (i < node->n_inputs && node->inputs[i] != t) {
		i++;
	}
	return i;
}

static uint64_t bytes_between(const struct row_fusion_member *m)
{
	return m->shape.out_row_bytes * m->shape.y.out;
}

/* Whether @m, the node at @at, and @next should run together. Rows of floats are long, and few of them at
 * a time are slow. */
static bool pays(const struct search *search, uint32_t at, const struct row_fusion_member *m,
	const struct row_fusion_member *next)
{
	const int32_t t = search->nodes[at].node->outputs[0];
	const bool simple = m->shape.is_simple || next->shape.is_simple;
	return bytes_between(m) >= (simple ? LEAST_SIMPLE_BYTES : LEAST_BYTES) &&
		search->request->subgraph->tensors[t].type != DTYPE_FLOAT32;
}

struct found {
	struct row_fusion row_fusion;
	uint32_t at[ROW_FUSION_MAX]; /* positions of the members */
	uint64_t saved; /* bytes that lie between them */
};

/* Node @at and those behind it that can run with it. */
static void collect(const struct search *search, uint32_t at, struct found *f)
{
	const bool eager = search->request->rewrites & REWRITE_EAGER;
	struct row_fusion *s = &f->row_fusion;
	f->at[0] = at;
	s->n = describe(search, at, 0, &s->members[0]) ? 1 : 0;
	while (s->n > 0 && s->n < ROW_FUSION_MAX) {
		const struct row_fusion_member *last = &s->members[s->n - 1];
		const uint32_t next = next_of(search, f->at[s->n - 1]);
		if (next == search->request->n_nodes) {
			return;
		}
		uint32_t operand = find_reader(search, f->at[s->n - 1], next);
		if (operand == search->nodes[next].node->n_inputs ||
			!describe(search, next, operand, &s->members[s->n]) ||
			(!eager && !pays(search, f->at[s->n - 1], last, &s->members[s->n]))) {
			return;
		}
		f->saved += bytes_between(last);
		f->at[s->n++] = next;
	}
}

static int add_chain(const struct search *search, const struct found *f, struct op_memory *memory,
	struct node_memory *ret_memory)
{
	const uint32_t last = f->at[f->row_fusion.n - 1];
	struct row_fusion *kept = op_memory_alloc(memory, sizeof(*kept));
	if (!kept) {
		return -ENOMEM;
	}
	*kept = f->row_fusion;
	for (uint32_t i = 0; i < kept->n; i++) {
		ret_memory[f->at[i]] = (struct node_memory){0};
		search->nodes[f->at[i]].is_inner = f->at[i] != last;
		search->nodes[f->at[i]].run_with = last;
	}
	search->nodes[last].row_fusion = kept;
	ret_memory[last].scratch = kept->scratch_each * kept->threads;
	return 0;
}

static int make_all(
	const struct search *search, struct op_memory *memory, struct node_memory *ret_memory)
{
	const struct compile_request *r = search->request;
	const unsigned int threads = r->threads ? r->threads : 1;
	const bool eager = r->rewrites & REWRITE_EAGER;
	for (uint32_t at = 0; at < r->n_nodes; at++) {
		struct found found = {0};
		background_yield_if_due();
		if (search->nodes[at].is_inner) {
			continue;
		}
		collect(search, at, &found);
		if (found.row_fusion.n < 2 ||
			!row_fusion_plan(&found.row_fusion, threads, found.saved, eager)) {
			continue;
		}
		if (add_chain(search, &found, memory, ret_memory) < 0) {
			return -ENOMEM;
		}
		at = found.at[found.row_fusion.n - 1];
	}
	return 0;
}

/* Operands of a PAD live until its reader runs, wherever that is. */
static void tell_memory(const struct compile_request *r, const struct prepared *nodes,
	struct node_memory *ret_memory)
{
	for (uint32_t at = 0; at < r->n_nodes; at++) {
		if (nodes[at].is_inner) {
			const struct prepared *with = &nodes[nodes[at].run_with];
			uint32_t until = with->is_inner ? with->run_with : nodes[at].run_with;
			ret_memory[at].later = until - at;
			ret_memory[at].inner = true;
		} else if (!nodes[at].row_fusion && !nodes[at].each_run) {
			ret_memory[at].in_place = nodes[at].op->in_place;
		}
	}
}

int chains_make(const struct compile_request *request, struct prepared *nodes,
	struct op_memory *memory, struct node_memory *ret_memory, struct error *err)
{
	if (request->rewrites & REWRITE_ROW_FUSION && request->n_nodes > 1) {
		owned_mem uint32_t *uses = chains_count_uses(request->subgraph);
		const struct search search = {request, nodes, uses};
		if (!uses || make_all(&search, memory, ret_memory) < 0) {
			return error_no_memory(err);
		}
	}
	tell_memory(request, nodes, ret_memory);
	return 0;
}
