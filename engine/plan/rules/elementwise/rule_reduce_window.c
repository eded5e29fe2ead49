/* SPDX-License-Identifier: Apache-2.0 */
/* rule_reduce_window - REDUCE_WINDOW and STABLEHLO_REDUCE_WINDOW (TFLite
 * kernels/stablehlo_reduce_window.cc) */
#include <errno.h>

#include "engine/plan/rules/rule.h"

#define MAX_RANK 6
/* Positions of taps are sums of products of two of these and stay far inside of int64. */
#define MAX_NUMBER (INT64_C(1) << 30)

/* One axis, all of it checked. */
struct axis {
	int64_t in, window, stride, base, dilation, before, after;
};

static int check_operands(const struct op_context *ctx, struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	int r = rule_type_among(ctx, op_context_input(ctx, 0), "input",
		RULE_TYPE(BOOL) | RULE_TYPE(INT8) | RULE_TYPE(UINT8) | RULE_TYPE(INT16) |
			RULE_TYPE(INT32) | RULE_TYPE(INT64) | RULE_TYPE(FLOAT32) |
			RULE_TYPE(FLOAT64),
		err);
	r = r < 0
		? r
		: rule_type_is(rule_output(ctx, 0), "output", op_context_input(ctx, 0)->type, err);
	r = r < 0 ? r
		  : rule_type_is(
			    op_context_input(ctx, 1), "init", op_context_input(ctx, 0)->type, err);
	if (r < 0) {
		return r;
	}
	if (in->rank < 1 || in->rank > MAX_RANK) {
		return error_set(
			err, -EBADMSG, "input has rank %u, must have 1 to %d", in->rank, MAX_RANK);
	}
	if (rule_elements(rule_shape(ctx, 1)) != 1) {
		return error_set(err, -EBADMSG, "init must have one element");
	}
	return 0;
}

static int in_range(
	int64_t v, int64_t least, const char *what, unsigned int axis, struct error *err)
{
	if (v < least || v > MAX_NUMBER) {
		return error_set(err, -EBADMSG, "%s %lld of dimension %u, must be %lld to %lld",
			what, (long long)v, axis, (long long)least, (long long)MAX_NUMBER);
	}
	return 0;
}

static int check_axis(const struct axis *a, unsigned int i, struct error *err)
{
	int r = in_range(a->window, 1, "window", i, err);
	r = r < 0 ? r : in_range(a->stride, 1, "stride", i, err);
	r = r < 0 ? r : in_range(a->base, 1, "base dilation", i, err);
	r = r < 0 ? r : in_range(a->dilation, 1, "window dilation", i, err);
	r = r < 0 ? r : in_range(a->before, -MAX_NUMBER, "padding before", i, err);
	return r < 0 ? r : in_range(a->after, -MAX_NUMBER, "padding after", i, err);
}

/* Elements along one axis of the output. */
static int set_dimension(const struct axis *a, unsigned int i, int32_t *ret, struct error *err)
{
	int64_t dilated = a->in > 0 ? (a->in - 1) * a->base + 1 : 0;
	int64_t padded = dilated + a->before + a->after;
	int64_t reach = (a->window - 1) * a->dilation + 1;
	if (padded < 1) {
		return error_set(err, -EBADMSG, "padding leaves %lld elements of dimension %u",
			(long long)padded, i);
	}
	int64_t n = padded < reach ? 0 : (padded - reach) / a->stride + 1;
	if (n > SHAPE_MAX_DIM) {
		return error_set(err, -EFBIG, "%lld windows along dimension %u", (long long)n, i);
	}
	*ret = (int32_t)n;
	return 0;
}

static int set_shape(const struct op_context *ctx, const struct axis *axes, struct op_result *ret,
	struct error *err)
{
	const struct shape *in = rule_shape(ctx, 0);
	uint64_t window = 1;
	ret->shapes[0] = *in;
	for (unsigned int i = 0; i < in->rank; i++) {
		int r = check_axis(&axes[i], i, err);
		r = r < 0 ? r : set_dimension(&axes[i], i, &ret->shapes[0].dim[i], err);
		if (r < 0) {
			return r;
		}
		window = rule_cost_mul(window, (uint64_t)axes[i].window);
	}
	if (window > RULE_MAX_WINDOW) {
		return error_set(err, -EFBIG, "a window of %llu elements, at most %d",
			(unsigned long long)window, RULE_MAX_WINDOW);
	}
	uint64_t elements = 0;
	if (shape_elements(&ret->shapes[0], &elements) == 0) {
		ret->macs = rule_cost_mul(elements, window);
	}
	return 0;
}

/* Window, stride and dilation of each dimension: one constant tensor each. */
static int check_parameter(
	const struct op_context *ctx, uint32_t i, const char *name, struct error *err)
{
	unsigned int rank = rule_shape(ctx, 0)->rank;
	int r = rule_type_is(op_context_input(ctx, i), name, DTYPE_INT64, err);
	r = r < 0 ? r : rule_rank_is(rule_shape(ctx, i), name, 1, err);
	if (r < 0) {
		return r;
	}
	if (rule_elements(rule_shape(ctx, i)) != rank) {
		return error_set(err, -EBADMSG, "%s has %llu elements, input has rank %u", name,
			(unsigned long long)rule_elements(rule_shape(ctx, i)), rank);
	}
	return rule_known(ctx, i) ? 0 : error_set(err, -EBADMSG, "%s must be a constant", name);
}

int rule_reduce_window(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int32_t function = ctx->node->options.reduce_window.function;
	int r = check_operands(ctx, err);
	r = r < 0 ? r : check_parameter(ctx, 2, "input 2 (window)", err);
	r = r < 0 ? r : check_parameter(ctx, 3, "input 3 (strides)", err);
	r = r < 0 ? r : check_parameter(ctx, 4, "input 4 (dilations)", err);
	if (r < 0) {
		return r;
	}
	if (function < 1 || function > 6) {
		return error_set(err, -EBADMSG, "reduce function %d", (int)function);
	}
	struct axis axes[MAX_RANK];
	for (unsigned int i = 0; i < rule_shape(ctx, 0)->rank; i++) {
		axes[i] = (struct axis){
			.in = rule_shape(ctx, 0)->dim[i],
			.window = rule_value(ctx, 2, i),
			.stride = rule_value(ctx, 3, i),
			.base = 1,
			.dilation = rule_value(ctx, 4, i),
		};
	}
	return set_shape(ctx, axes, ret, err);
}

/* A list that is left out is as if all of it were @otherwise. */
static int64_t list_get(const struct options_list *list, uint32_t i, int64_t otherwise)
{
	return list->count ? options_list_get(list, i) : otherwise;
}

static int check_lists(const struct op_context *ctx, struct error *err)
{
	const struct options_hlo_reduce_window *o = &ctx->node->options.hlo_reduce_window;
	const uint32_t rank = rule_shape(ctx, 0)->rank;
	const struct {
		const char *name;
		uint32_t count, want;
		bool must;
	} lists[] = {
		{"window_dimensions", o->window.count, rank, true},
		{"window_strides", o->strides.count, rank, false},
		{"base_dilations", o->base_dilations.count, rank, false},
		{"window_dilations", o->window_dilations.count, rank, false},
		{"padding", o->padding.count, 2 * rank, false},
	};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (lists[i].count != lists[i].want && (lists[i].must || lists[i].count)) {
			return error_set(err, -EBADMSG, "%s has %u elements, must have %u",
				lists[i].name, lists[i].count, lists[i].want);
		}
	}
	return 0;
}

/* The body is one operator of two numbers; what it computes is told by which it is. */
static int check_body(const struct op_context *ctx, struct error *err)
{
	int32_t index = ctx->node->options.hlo_reduce_window.body;
	if (index < 0 || (uint32_t)index >= ctx->graph->n_subgraphs) {
		return error_set(err, -EBADMSG, "body is subgraph %d of %u", (int)index,
			ctx->graph->n_subgraphs);
	}
	const struct subgraph *body = &ctx->graph->subgraphs[index];
	if (body->n_nodes != 1 || body->nodes[0].n_inputs != 2) {
		return error_set(err, -EOPNOTSUPP,
			"a body that is not one operator of two operands is not there yet");
	}
	switch (body->nodes[0].op) {
	case OP_ADD:
	case OP_STABLEHLO_ADD:
	case OP_MUL:
	case OP_STABLEHLO_MULTIPLY:
	case OP_MAXIMUM:
	case OP_STABLEHLO_MAXIMUM:
	case OP_MINIMUM:
	case OP_STABLEHLO_MINIMUM:
	case OP_LOGICAL_AND:
	case OP_STABLEHLO_AND:
	case OP_LOGICAL_OR:
	case OP_STABLEHLO_OR:
		return 0;
	default:
		return error_set(err, -EOPNOTSUPP, "body %s is not there yet",
			operators_name(body->nodes[0].op));
	}
}

int rule_hlo_reduce_window(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_hlo_reduce_window *o = &ctx->node->options.hlo_reduce_window;
	int r = check_operands(ctx, err);
	r = r < 0 ? r : check_lists(ctx, err);
	r = r < 0 ? r : check_body(ctx, err);
	if (r < 0) {
		return r;
	}
	struct axis axes[MAX_RANK];
	for (unsigned int i = 0; i < rule_shape(ctx, 0)->rank; i++) {
		axes[i] = (struct axis){
			.in = rule_shape(ctx, 0)->dim[i],
			.window = options_list_get(&o->window, i),
			.stride = list_get(&o->strides, i, 1),
			.base = list_get(&o->base_dilations, i, 1),
			.dilation = list_get(&o->window_dilations, i, 1),
			.before = list_get(&o->padding, 2 * i, 0),
			.after = list_get(&o->padding, 2 * i + 1, 0),
		};
	}
	return set_shape(ctx, axes, ret, err);
}
