/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_control - IF, WHILE, CALL, CALL_ONCE, STABLEHLO_COMPOSITE (TFLite kernels/if.cc, while.cc,
 * call_once.cc, stablehlo_composite.cc)
 *
 * These rules run with open shapes too and prove counts and types only: the shapes of the outputs
 * are what the called subgraphs give (engine/plan/call.c).
 */
#include <errno.h>

#include "engine/plan/rules/rule.h"

/* One side of a call: the tensors of the caller's node against those of the called subgraph. */
struct side {
	const char *name;
	const int32_t *own, *called;
	uint32_t n_own, n_called;
};

static int check_side(const struct op_context *ctx, const struct subgraph *callee,
	const struct side *side, struct error *err)
{
	if (side->n_own != side->n_called) {
		return error_set(err, -EBADMSG, "%u %s for a subgraph of %u", side->n_own,
			side->name, side->n_called);
	}
	for (uint32_t i = 0; i < side->n_own; i++) {
		if (side->called[i] < 0 ||
			ctx->subgraph->tensors[side->own[i]].type !=
				callee->tensors[side->called[i]].type) {
			return error_set(err, -EBADMSG,
				"%s %u is not of the type that the subgraph has", side->name, i);
		}
	}
	return 0;
}

static int check_inputs(
	const struct op_context *ctx, uint32_t first, int32_t callee, struct error *err)
{
	const struct subgraph *s = &ctx->graph->subgraphs[callee];
	const struct side side = {"inputs", ctx->node->inputs + first, s->inputs,
		ctx->node->n_inputs - first, s->n_inputs};
	return check_side(ctx, s, &side, err);
}

static int check_outputs(const struct op_context *ctx, int32_t callee, struct error *err)
{
	const struct subgraph *s = &ctx->graph->subgraphs[callee];
	const struct side side = {
		"outputs", ctx->node->outputs, s->outputs, ctx->node->n_outputs, s->n_outputs};
	return check_side(ctx, s, &side, err);
}

static int check_call(const struct op_context *ctx, uint32_t first, int32_t callee,
	struct op_result *ret, struct error *err)
{
	int r = check_inputs(ctx, first, callee, err);
	for (uint32_t i = 0; r == 0 && i < ctx->node->n_outputs; i++) {
		rule_set_unknown(&ret->shapes[i], 1);
	}
	ret->macs = 1;
	return r < 0 ? r : check_outputs(ctx, callee, err);
}

/* Exactly one bool, as far as it is known. */
static int check_condition(
	const struct tensor *t, const struct shape *shape, const char *name, struct error *err)
{
	int r = rule_type_is(t, name, DTYPE_BOOL, err);
	if (r == 0 && shape_known(shape) && rule_elements(shape) != 1) {
		char text[SHAPE_TEXT_SIZE];
		r = error_set(err, -EBADMSG, "%s of shape %s, must be one element", name,
			shape_format(text, sizeof(text), shape));
	}
	return r;
}

int rule_if(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_call *o = &ctx->node->options.call;
	int r = check_condition(op_context_input(ctx, 0), rule_shape(ctx, 0), "condition", err);
	if (r == 0) {
		r = check_call(ctx, 1, o->first, ret, err);
		error_prefix(r < 0 ? err : NULL, "then");
	}
	if (r == 0) {
		r = check_call(ctx, 1, o->second, ret, err);
		error_prefix(r < 0 ? err : NULL, "else");
	}
	return r;
}

/* What leaves a round of a loop enters the next one: nobody checks types there. */
static int check_carried(const struct op_context *ctx, struct error *err)
{
	const struct node *node = ctx->node;
	if (node->n_inputs != node->n_outputs) {
		return error_set(
			err, -EBADMSG, "%u inputs and %u outputs", node->n_inputs, node->n_outputs);
	}
	for (uint32_t i = 0; i < node->n_inputs; i++) {
		unsigned int in = op_context_input(ctx, i)->type, out = rule_output(ctx, i)->type;
		if (in != out) {
			return error_set(err, -EBADMSG, "input %u is %s, output %u is %s", i,
				dtype_name(in), i, dtype_name(out));
		}
	}
	return 0;
}

int rule_while(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_call *o = &ctx->node->options.call;
	const struct subgraph *cond = &ctx->graph->subgraphs[o->first];
	int r = check_carried(ctx, err);
	if (r < 0) {
		return r;
	}
	if (cond->n_outputs != 1 || cond->outputs[0] < 0) {
		return error_set(err, -EBADMSG, "a condition of %u outputs", cond->n_outputs);
	}
	const struct shape open = {.rank = 1, .dim = {-1}};
	r = check_condition(&cond->tensors[cond->outputs[0]], &open, "condition", err);
	if (r == 0) {
		r = check_inputs(ctx, 0, o->first, err);
		error_prefix(r < 0 ? err : NULL, "condition");
	}
	if (r == 0) {
		r = check_call(ctx, 0, o->second, ret, err);
		error_prefix(r < 0 ? err : NULL, "body");
	}
	return r;
}

int rule_call(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct node *node = ctx->node;
	return check_call(ctx, 0,
		node->op == OP_STABLEHLO_COMPOSITE ? node->options.composite.subgraph
						   : node->options.call.first,
		ret, err);
}
