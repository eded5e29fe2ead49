/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "engine/model/schema.h"
#include "engine/model/verify.h"
#include "engine/operators.h"

/* Where an operator's options name subgraphs: numbers in slots, or a list of them. */
struct call_site {
	uint16_t op;
	uint16_t options;
	uint8_t n_slots, slots[2];
	bool list;
};

static const struct call_site call_sites[] = {
	{OP_CALL, OPTIONS_CALL, 1, {SLOT(CALL_OPTIONS, subgraph)}, false},
	{OP_CALL_ONCE, OPTIONS_CALL_ONCE, 1, {SLOT(CALL_ONCE_OPTIONS, init_subgraph_index)}, false},
	{OP_IF, OPTIONS_IF, 2,
		{SLOT(IF_OPTIONS, then_subgraph_index), SLOT(IF_OPTIONS, else_subgraph_index)},
		false},
	{OP_WHILE, OPTIONS_WHILE, 2,
		{SLOT(WHILE_OPTIONS, cond_subgraph_index),
			SLOT(WHILE_OPTIONS, body_subgraph_index)},
		false},
	{OP_STABLEHLO_REDUCE, OPTIONS_STABLEHLO_REDUCE, 1,
		{SLOT(STABLEHLO_REDUCE_OPTIONS, body_subgraph_index)}, false},
	{OP_STABLEHLO_REDUCE_WINDOW, OPTIONS_STABLEHLO_REDUCE_WINDOW, 1,
		{SLOT(STABLEHLO_REDUCE_WINDOW_OPTIONS, body_subgraph_index)}, false},
	{OP_STABLEHLO_SCATTER, OPTIONS_STABLEHLO_SCATTER, 1,
		{SLOT(STABLEHLO_SCATTER_OPTIONS, update_computation_subgraph_index)}, false},
	{OP_STABLEHLO_SORT, OPTIONS_STABLEHLO_SORT, 1,
		{SLOT(STABLEHLO_SORT_OPTIONS, comparator_subgraph_index)}, false},
	{OP_STABLEHLO_WHILE, OPTIONS_STABLEHLO_WHILE, 2,
		{SLOT(STABLEHLO_WHILE_OPTIONS, cond_subgraph_index),
			SLOT(STABLEHLO_WHILE_OPTIONS, body_subgraph_index)},
		false},
	{OP_STABLEHLO_COMPOSITE, OPTIONS_STABLEHLO_COMPOSITE, 1,
		{SLOT(STABLEHLO_COMPOSITE_OPTIONS, decomposition_subgraph_index)}, false},
	{OP_STABLEHLO_CUSTOM_CALL, OPTIONS_STABLEHLO_CUSTOM_CALL, 1,
		{SLOT(STABLEHLO_CUSTOM_CALL_OPTIONS, called_computations)}, true},
};

enum colour {
	UNSEEN,
	OPEN, /* on the path from the subgraph where the search started */
	DONE,
};

struct search {
	struct verify *v;
	uint8_t *colour; /* by subgraph */
	uint8_t *height; /* of a DONE subgraph: how deep its calls go */
	uint32_t depth;
	bool placed; /* the error text has its place: that of the innermost call */
};

static int search_subgraph(struct search *s, uint32_t subgraph);

/* One call: *height grows to one above the called subgraph's. */
static int follow(struct search *s, int32_t callee, uint8_t *height)
{
	if (callee < 0 || (uint32_t)callee >= s->v->subgraphs.count) {
		return error_set(s->v->err, -EBADMSG, "calls subgraph %d of %u", (int)callee,
			s->v->subgraphs.count);
	}
	if (s->colour[callee] == OPEN) {
		return error_set(s->v->err, -EBADMSG, "subgraph %d calls itself", (int)callee);
	}
	int r = s->colour[callee] == DONE ? 0 : search_subgraph(s, (uint32_t)callee);
	if (r < 0) {
		return r;
	}
	uint8_t above = (uint8_t)(s->height[callee] + 1);
	*height = above > *height ? above : *height;
	if (s->depth + above > VERIFY_MAX_CALL_DEPTH + 1) {
		return error_set(
			s->v->err, -EBADMSG, "calls nested deeper than %d", VERIFY_MAX_CALL_DEPTH);
	}
	return 0;
}

static int follow_list(struct search *s, const struct flat_vector *list, uint8_t *height)
{
	int r = verify_charge(s->v, list->count);
	for (uint32_t i = 0; r == 0 && i < list->count; i++) {
		r = follow(s, flat_vector_i32(list, i), height);
	}
	return r;
}

static int follow_node(
	struct search *s, const struct call_site *site, uint32_t operator, uint8_t * height)
{
	const struct flat *f = s->v->f;
	uint32_t slot = site->options < OPTIONS_2_BASE ? SLOT(OPERATOR, builtin_options)
						       : SLOT(OPERATOR, builtin_options_2);
	uint32_t options = flat_get_table(f, operator, slot);
	if (options == 0 || flat_get_u8(f, operator, slot - 1, 0) == 0) {
		return error_set(s->v->err, -EBADMSG, "no options to say which subgraph is called");
	}
	if (site->list) {
		struct flat_vector list = flat_get_vector(f, options, site->slots[0]);
		return follow_list(s, &list, height);
	}
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < site->n_slots; i++) {
		r = follow(s, flat_get_i32(f, options, site->slots[i], 0), height);
	}
	return r;
}

static const struct call_site *find_site(int32_t op)
{
	for (size_t i = 0; i < sizeof(call_sites) / sizeof(call_sites[0]); i++) {
		if (call_sites[i].op == op) {
			return &call_sites[i];
		}
	}
	return NULL;
}

static int search_nodes(struct search *s, uint32_t index, uint8_t *height)
{
	const struct flat *f = s->v->f;
	uint32_t subgraph = flat_vector_table(f, &s->v->subgraphs, index);
	struct flat_vector operators = flat_get_vector(f, subgraph, SLOT(SUBGRAPH, operators));
	for (uint32_t i = 0; i < operators.count; i++) {
		uint32_t operator= flat_vector_table(f, &operators, i);
		uint32_t code = flat_get_u32(f, operator, SLOT(OPERATOR, opcode_index), 0);
		int32_t op = view_builtin_code(f, flat_vector_table(f, &s->v->codes, code));
		const struct call_site *site = find_site(op);
		int r = site ? follow_node(s, site, operator, height) : 0;
		if (r < 0) {
			if (!s->placed) {
				error_prefix(s->v->err, "subgraph %u, node %u (%s)", index, i,
					operators_name((unsigned int)op));
				s->placed = true;
			}
			return r;
		}
	}
	return 0;
}

static int search_subgraph(struct search *s, uint32_t subgraph)
{
	uint8_t height = 0;
	s->colour[subgraph] = OPEN;
	s->depth++;
	if (s->depth > VERIFY_MAX_CALL_DEPTH + 1) {
		return error_set(
			s->v->err, -EBADMSG, "calls nested deeper than %d", VERIFY_MAX_CALL_DEPTH);
	}
	int r = search_nodes(s, subgraph, &height);
	if (r < 0) {
		return r;
	}
	s->depth--;
	s->height[subgraph] = height;
	s->colour[subgraph] = DONE;
	return 0;
}

int verify_calls(struct verify *v)
{
	owned(free) void *colour = calloc(v->subgraphs.count, 1);
	owned(free) void *height = calloc(v->subgraphs.count, 1);
	if (!colour || !height) {
		return error_no_memory(v->err);
	}
	struct search s = {.v = v, .colour = colour, .height = height};
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < v->subgraphs.count; i++) {
		if (s.colour[i] == UNSEEN) {
			r = search_subgraph(&s, i);
		}
	}
	return r;
}
