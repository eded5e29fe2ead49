/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/pads.h"

#include "backends/cpu/params.h"

/* Nodes between a PAD and its reader at most: a hostile file may have many of both. */
#define MOST_APART 64

static bool is_code(unsigned int type)
{
	return type == DTYPE_INT8 || type == DTYPE_UINT8 || type == DTYPE_INT16;
}

static bool same_quant(const struct quant *a, const struct quant *b)
{
	return a->n_scales == 1 && b->n_scales == 1 && a->scale[0] == b->scale[0] &&
		quant_zero(a, 0) == quant_zero(b, 0);
}

/* A PAD of rows and columns alone, by constants; its paddings. */
static bool is_window_pad(
	const struct compile_request *r, const struct node *node, struct op_pad *ret)
{
	const struct subgraph *s = r->subgraph;
	const struct op_setup setup = {
		.subgraph = s, .node = node, .shapes = r->shapes, .constants = r->constants};
	struct params p;
	if (node->op != OP_PAD || !is_code(s->tensors[node->inputs[0]].type) ||
		!shape_known(&r->shapes[node->inputs[0]]) || r->shapes[node->inputs[0]].rank != 4 ||
		!op_constant(&setup, 1) ||
		!same_quant(
			&s->tensors[node->inputs[0]].quant, &s->tensors[node->outputs[0]].quant) ||
		params_read(&setup, 1, &p, NULL) < 0) {
		return false;
	}
	*ret = (struct op_pad){
		.top = (uint32_t)p.value[2],
		.bottom = (uint32_t)p.value[3],
		.left = (uint32_t)p.value[4],
		.right = (uint32_t)p.value[5],
	};
	return p.value[0] == 0 && p.value[1] == 0 && p.value[6] == 0 && p.value[7] == 0;
}

/* Padding of at most half a filter, as SAME has it, is what kernels are made for. */
static bool is_like_same(
	int64_t in, int64_t before, int64_t after, int64_t out, int64_t reach, int64_t stride)
{
	int64_t total = (out - 1) * stride + reach - (in + before + after);
	int64_t first = before + (total > 0 ? total / 2 : 0);
	int64_t last = (out - 1) * stride + reach - in - first;
	return first <= reach / 2 && last <= reach / 2 && in >= 1;
}

static bool is_window(const struct compile_request *r, const struct node *node,
	const struct op_pad *pad, const struct shape *in)
{
	if (node->op != OP_CONV_2D && node->op != OP_DEPTHWISE_CONV_2D) {
		return false;
	}
	const struct options_conv *o = &node->options.conv;
	const struct shape *w = &r->shapes[node->inputs[1]], *out = &r->shapes[node->outputs[0]];
	return shape_known(w) && shape_known(out) && shape_known(in) &&
		is_like_same(in->dim[1], pad->top, pad->bottom, out->dim[1],
			((int64_t)w->dim[1] - 1) * o->dilation_h + 1, o->stride_h) &&
		is_like_same(in->dim[2], pad->left, pad->right, out->dim[2],
			((int64_t)w->dim[2] - 1) * o->dilation_w + 1, o->stride_w);
}

/* A copy of @node whose operand 0 is @tensor. */
static struct node *read_instead(const struct node *node, int32_t tensor, struct op_memory *memory)
{
	struct node *copy = op_memory_alloc(memory, sizeof(*copy));
	int32_t *inputs = op_memory_alloc(memory, node->n_inputs * sizeof(*inputs));
	if (!copy || !inputs) {
		return NULL;
	}
	*copy = *node;
	for (uint32_t i = 0; i < node->n_inputs; i++) {
		inputs[i] = i ? node->inputs[i] : tensor;
	}
	copy->inputs = inputs;
	return copy;
}

/* The position of the node that alone reads what node @at gives, as its operand 0; none: n_nodes. */
static uint32_t find_reader(
	const struct compile_request *r, const struct prepared *nodes, uint32_t at)
{
	const int32_t t = nodes[at].node->outputs[0];
	for (uint32_t i = at + 1; i < r->n_nodes && i - at < MOST_APART; i++) {
		for (uint32_t k = 0; k < nodes[i].node->n_inputs; k++) {
			if (nodes[i].node->inputs[k] == t) {
				return k == 0 ? i : r->n_nodes;
			}
		}
	}
	return r->n_nodes;
}

static int fold(const struct compile_request *r, struct prepared *nodes, uint32_t at,
	const struct op_pad *pad, struct op_memory *memory, struct error *err)
{
	const int32_t in = nodes[at].node->inputs[0];
	const uint32_t reader = find_reader(r, nodes, at);
	if (reader == r->n_nodes || !is_window(r, nodes[reader].node, pad, &r->shapes[in])) {
		return 0;
	}
	const struct node *node = read_instead(nodes[reader].node, in, memory);
	if (!node) {
		return error_no_memory(err);
	}
	nodes[reader].node = node;
	nodes[reader].pad = *pad;
	nodes[at].is_inner = true;
	nodes[at].run_with = reader;
	nodes[at].detail = "padding";
	return 0;
}

int pads_fold(const struct compile_request *r, struct prepared *nodes, struct op_memory *memory,
	struct error *err)
{
	owned_mem uint32_t *uses = NULL;
	int code = 0;
	for (uint32_t at = 0; code == 0 && at < r->n_nodes && r->rewrites & REWRITE_PADS; at++) {
		struct op_pad pad;
		if (!is_window_pad(r, nodes[at].node, &pad)) {
			continue;
		}
		uses = uses ? uses : chains_count_uses(r->subgraph);
		if (!uses) {
			return error_no_memory(err);
		}
		const int32_t t = nodes[at].node->outputs[0];
		if (uses[t] == 1 && !r->subgraph->tensors[t].is_variable) {
			code = fold(r, nodes, at, &pad, memory, err);
		}
	}
	return code;
}
