/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_rnn - RNN, UNIDIRECTIONAL_SEQUENCE_RNN, BIDIRECTIONAL_SEQUENCE_RNN (TFLite
 * kernels/basic_rnn.cc, unidirectional_sequence_rnn.cc, bidirectional_sequence_rnn.cc)
 *
 * Float activations; weights float, or int8 with one scale (hybrid).
 */
#include <errno.h>

#include "engine/plan/rules/weighted/rule_recurrent.h"

#define INPUT 0
#define AUX 9 /* of two directions */
#define NONE (-1)

/* Where the operands of one direction stand. */
struct places {
	uint8_t weights, recurrent, bias, state;
	int8_t aux_weights;
};

static const struct places one_way = {1, 2, 3, 4, NONE};
static const struct places two_ways[2] = {{1, 2, 3, 4, 10}, {5, 6, 7, 8, 11}};

struct rnn {
	const struct op_context *ctx;
	const struct places *at;
	int32_t batch, steps, width, aux_width; /* aux_width 0: no weights for a second input */
	int32_t units;
};

static int read_input(struct rnn *n, struct error *err)
{
	const struct shape *in = rule_shape(n->ctx, INPUT);
	bool sequence = n->ctx->node->op != OP_RNN;
	bool time_major = sequence && n->ctx->node->options.recurrent.time_major;
	int r = rule_type_among(
		n->ctx, op_context_input(n->ctx, INPUT), "input", RULE_TYPE(FLOAT32), err);
	r = r < 0 ? r : rule_rank_is(in, "input", sequence ? 3 : 2, err);
	r = r < 0 ? r : rule_not_empty(in, "input", err);
	if (r < 0) {
		return r;
	}
	n->batch = in->dim[time_major ? 1 : 0];
	n->steps = sequence ? in->dim[time_major ? 0 : 1] : 1;
	n->width = in->dim[in->rank - 1];
	return 0;
}

/* Operand @i has the weights' type, one scale, and this shape. */
static int check_matrix(
	const struct rnn *n, uint32_t i, const char *name, int32_t columns, struct error *err)
{
	const struct tensor *t = op_context_input(n->ctx, i);
	const struct shape want = {.rank = 2, .dim = {n->units, columns}};
	int r = rule_type_is(t, name, op_context_input(n->ctx, n->at->weights)->type, err);
	r = r < 0 ? r : rule_recurrent_float_weights(n->ctx, t, name, err);
	if (r < 0) {
		error_prefix(err, "input %u", i);
		return r;
	}
	char is[SHAPE_TEXT_SIZE], must[SHAPE_TEXT_SIZE];
	return shape_equal(rule_shape(n->ctx, i), &want)
		? 0
		: error_set(err, -EBADMSG, "input %u (%s) is %s, must be %s", i, name,
			  shape_format(is, sizeof(is), rule_shape(n->ctx, i)),
			  shape_format(must, sizeof(must), &want));
}

static int check_bias(const struct rnn *n, struct error *err)
{
	const struct shape *bias = rule_shape(n->ctx, n->at->bias);
	int r = rule_type_is(op_context_input(n->ctx, n->at->bias), "bias", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_rank_is(bias, "bias", 1, err);
	return r < 0 || bias->dim[0] == n->units
		? r
		: error_set(err, -EBADMSG, "bias has %d elements for %d units", (int)bias->dim[0],
			  (int)n->units);
}

/* [batch, units] */
static int check_state(const struct rnn *n, struct error *err)
{
	const struct shape *state = rule_shape(n->ctx, n->at->state);
	int r = rule_type_is(op_context_input(n->ctx, n->at->state), "state", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_rank_is(state, "state", 2, err);
	if (r < 0) {
		return r;
	}
	if (state->dim[0] != n->batch || state->dim[1] != n->units) {
		return error_set(err, -EBADMSG, "state is %dx%d for batch %d and %d units",
			(int)state->dim[0], (int)state->dim[1], (int)n->batch, (int)n->units);
	}
	return rule_recurrent_state(n->ctx, n->at->state, "state", rule_elements(state), err);
}

static int check_direction(struct rnn *n, struct error *err)
{
	const struct places *at = n->at;
	const struct shape *weights = rule_shape(n->ctx, at->weights);
	int r = rule_recurrent_float_weights(
		n->ctx, op_context_input(n->ctx, at->weights), "weights", err);
	r = r < 0 ? r : rule_rank_is(weights, "weights", 2, err);
	r = r < 0 ? r : rule_not_empty(weights, "weights", err);
	if (r < 0) {
		return r;
	}
	n->units = weights->dim[0];
	r = check_matrix(n, at->weights, "weights", n->width, err);
	r = r < 0 ? r : check_matrix(n, at->recurrent, "recurrent weights", n->units, err);
	if (r == 0 && n->aux_width) {
		r = check_matrix(n, (uint32_t)at->aux_weights, "weights of the second input",
			n->aux_width, err);
	}
	r = r < 0 ? r : check_bias(n, err);
	return r < 0 ? r : check_state(n, err);
}

/* Two directions of int8 weights, time-major: the sequence is gone through once for each step
 * (backends/cpu/ops/recurrent/op_rnn.c). */
static uint64_t rounds_of(const struct rnn *n)
{
	const struct op_context *ctx = n->ctx;
	bool again = ctx->node->op == OP_BIDIRECTIONAL_SEQUENCE_RNN &&
		op_context_input(ctx, n->at->weights)->type != DTYPE_FLOAT32 &&
		ctx->node->options.recurrent.time_major;
	return again ? (uint64_t)n->steps : 1;
}

static uint64_t count_macs(const struct rnn *n)
{
	uint64_t seen = rule_cost_add((uint64_t)n->width, (uint64_t)n->aux_width);
	uint64_t rows = rule_cost_mul((uint64_t)n->batch, (uint64_t)n->steps);
	seen = rule_cost_add(seen, (uint64_t)n->units);
	rows = rule_cost_mul(rows, rounds_of(n));
	return rule_cost_mul(rows, rule_cost_mul((uint64_t)n->units, seen));
}

static int check_output(const struct op_context *ctx, struct error *err)
{
	int r = rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
	return r < 0 ? r
		     : rule_recurrent_activation(ctx, ctx->node->options.recurrent.activation, err);
}

int rule_rnn(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	struct rnn n = {.ctx = ctx, .at = &one_way};
	int r = read_input(&n, err);
	r = r < 0 ? r : check_direction(&n, err);
	r = r < 0 ? r : check_output(ctx, err);
	if (r < 0) {
		return r;
	}
	ret->shapes[0] = *rule_shape(ctx, INPUT);
	ret->shapes[0].dim[ret->shapes[0].rank - 1] = n.units;
	ret->macs = count_macs(&n);
	return 0;
}

/* As the first input, but for its width where it has weights of its own: else it is the backward
 * direction's input. */
static int read_aux(struct rnn *n, struct error *err)
{
	const struct op_context *ctx = n->ctx;
	bool forward = op_context_input(ctx, (uint32_t)two_ways[0].aux_weights) != NULL;
	bool backward = op_context_input(ctx, (uint32_t)two_ways[1].aux_weights) != NULL;
	const struct tensor *aux = op_context_input(ctx, AUX);
	if (forward != backward || (forward && !aux)) {
		return error_set(err, -EBADMSG,
			"second input and its weights of both directions must be there, or none");
	}
	if (!aux) {
		return 0;
	}
	const struct shape *in = rule_shape(ctx, INPUT), *shape = rule_shape(ctx, AUX);
	int r = rule_type_is(aux, "second input", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_rank_is(shape, "second input", 3, err);
	r = r < 0 ? r : rule_not_empty(shape, "second input", err);
	if (r < 0) {
		return r;
	}
	bool alike = shape->dim[0] == in->dim[0] && shape->dim[1] == in->dim[1] &&
		(forward || shape->dim[2] == in->dim[2]);
	if (!alike) {
		char is[SHAPE_TEXT_SIZE], must[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "second input is %s, input is %s",
			shape_format(is, sizeof(is), shape), shape_format(must, sizeof(must), in));
	}
	n->aux_width = forward ? shape->dim[2] : 0;
	return 0;
}

int rule_bidirectional_rnn(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	struct rnn n = {.ctx = ctx};
	int32_t units[2] = {0, 0};
	uint64_t macs = 0;
	int r = read_input(&n, err);
	r = r < 0 ? r : read_aux(&n, err);
	for (uint32_t i = 0; r == 0 && i < 2; i++) {
		n.at = &two_ways[i];
		r = check_direction(&n, err);
		units[i] = n.units;
		macs = rule_cost_add(macs, count_macs(&n));
	}
	if (r == 0) {
		r = rule_type_is(op_context_input(ctx, two_ways[1].weights), "backward weights",
			op_context_input(ctx, two_ways[0].weights)->type, err);
	}
	r = r < 0 ? r : check_output(ctx, err);
	if (r < 0) {
		return r;
	}
	ret->macs = macs;
	return rule_recurrent_two_ways(ctx, rule_shape(ctx, INPUT), units, ret, err);
}
