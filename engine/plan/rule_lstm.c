/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_lstm - UNIDIRECTIONAL_SEQUENCE_LSTM (TFLite kernels/unidirectional_sequence_lstm.cc)
 *
 * Three kernels: float, hybrid (float activations, int8 weights), and integer 8x8_16 (int8
 * activations and weights, int16 cell state, five intermediates).
 */
#include <errno.h>
#include <math.h>

#include "engine/plan/rule_recurrent.h"

enum {
	INPUT = 0,
	PROJECTION_WEIGHTS = 16,
	PROJECTION_BIAS = 17,
	OUTPUT_STATE = 18,
	CELL_STATE = 19,
	NORM_FORGET = 21,
	N_OPERANDS = 24,
	HIDDEN = 4, /* intermediate: what is projected, or the output */
	N_INTERMEDIATES = 5,
};

enum kernel {
	KERNEL_FLOAT,
	KERNEL_HYBRID,
	KERNEL_INTEGER,
	N_KERNELS
};

/* Which operands a node has: all of its part, or none. */
enum part {
	PART_INPUT_GATE = 1, /* absent: coupled input and forget gate (CIFG) */
	PART_PEEPHOLE = 2,
	PART_PROJECTION = 4,
	PART_NORM = 8,
	PART_PROJECTION_BIAS = 16, /* with or without, where there is a projection */
};

/* Sizes that shapes are made of. */
enum size {
	SIZE_NONE,
	SIZE_INPUT,
	SIZE_CELL,
	SIZE_OUTPUT,
	N_SIZES
};

#define WEIGHTS                                                                                    \
	{                                                                                          \
		DTYPE_FLOAT32, DTYPE_INT8, DTYPE_INT8                                              \
	}
#define PEEPHOLE                                                                                   \
	{                                                                                          \
		DTYPE_FLOAT32, DTYPE_INT8, DTYPE_INT16                                             \
	}
#define BIAS                                                                                       \
	{                                                                                          \
		DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_INT32                                          \
	}
#define NORM                                                                                       \
	{                                                                                          \
		DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_INT16                                          \
	}

static const struct operand {
	const char *name;
	uint8_t types[N_KERNELS];
	uint8_t parts;
	uint8_t rows, columns; /* enum size; columns SIZE_NONE: a vector of rows */
} operands[N_OPERANDS] = {
	[INPUT] = {"input", {DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_INT8}, 0, 0, 0},
	[1] = {"input to input weights", WEIGHTS, PART_INPUT_GATE, SIZE_CELL, SIZE_INPUT},
	[2] = {"input to forget weights", WEIGHTS, 0, SIZE_CELL, SIZE_INPUT},
	[3] = {"input to cell weights", WEIGHTS, 0, SIZE_CELL, SIZE_INPUT},
	[4] = {"input to output weights", WEIGHTS, 0, SIZE_CELL, SIZE_INPUT},
	[5] = {"recurrent to input weights", WEIGHTS, PART_INPUT_GATE, SIZE_CELL, SIZE_OUTPUT},
	[6] = {"recurrent to forget weights", WEIGHTS, 0, SIZE_CELL, SIZE_OUTPUT},
	[7] = {"recurrent to cell weights", WEIGHTS, 0, SIZE_CELL, SIZE_OUTPUT},
	[8] = {"recurrent to output weights", WEIGHTS, 0, SIZE_CELL, SIZE_OUTPUT},
	[9] = {"cell to input weights", PEEPHOLE, PART_INPUT_GATE | PART_PEEPHOLE, SIZE_CELL, 0},
	[10] = {"cell to forget weights", PEEPHOLE, PART_PEEPHOLE, SIZE_CELL, 0},
	[11] = {"cell to output weights", PEEPHOLE, PART_PEEPHOLE, SIZE_CELL, 0},
	[12] = {"input gate bias", BIAS, PART_INPUT_GATE, SIZE_CELL, 0},
	[13] = {"forget gate bias", BIAS, 0, SIZE_CELL, 0},
	[14] = {"cell gate bias", BIAS, 0, SIZE_CELL, 0},
	[15] = {"output gate bias", BIAS, 0, SIZE_CELL, 0},
	[PROJECTION_WEIGHTS] = {"projection weights", WEIGHTS, PART_PROJECTION, SIZE_OUTPUT,
		SIZE_CELL},
	[PROJECTION_BIAS] = {"projection bias", BIAS, PART_PROJECTION | PART_PROJECTION_BIAS,
		SIZE_OUTPUT, 0},
	[OUTPUT_STATE] = {"output state", {DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_INT8}, 0, 0, 0},
	[CELL_STATE] = {"cell state", {DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_INT16}, 0, 0, 0},
	[20] = {"input norm", NORM, PART_INPUT_GATE | PART_NORM, SIZE_CELL, 0},
	[NORM_FORGET] = {"forget norm", NORM, PART_NORM, SIZE_CELL, 0},
	[22] = {"cell norm", NORM, PART_NORM, SIZE_CELL, 0},
	[23] = {"output norm", NORM, PART_NORM, SIZE_CELL, 0},
};

struct lstm {
	const struct op_context *ctx;
	enum kernel kernel;
	uint8_t parts;
	int32_t size[N_SIZES];
	int32_t batch, steps;
};

static int find_kernel(struct lstm *l, struct error *err)
{
	const struct tensor *input = op_input(l->ctx, INPUT), *weights = op_input(l->ctx, 2);
	for (unsigned int k = 0; k < N_KERNELS; k++) {
		if (operands[INPUT].types[k] == input->type &&
			operands[2].types[k] == weights->type) {
			l->kernel = (enum kernel)k;
			return rule_type_is(rule_output(l->ctx, 0), "output", input->type, err);
		}
	}
	return error_set(err, -EOPNOTSUPP,
		"UNIDIRECTIONAL_SEQUENCE_LSTM v%u with %s input and %s weights is not there yet",
		l->ctx->node->version, dtype_name(input->type), dtype_name(weights->type));
}

/* One operand of each part says whether the part is there; all others must agree. */
static int check_parts(struct lstm *l, struct error *err)
{
	const struct op_context *ctx = l->ctx;
	l->parts = (uint8_t)((op_input(ctx, 1) ? PART_INPUT_GATE : 0) |
		(op_input(ctx, 10) ? PART_PEEPHOLE : 0) |
		(op_input(ctx, PROJECTION_WEIGHTS) ? PART_PROJECTION : 0) |
		(op_input(ctx, PROJECTION_BIAS) ? PART_PROJECTION_BIAS : 0) |
		(op_input(ctx, NORM_FORGET) ? PART_NORM : 0));
	for (uint32_t i = 0; i < N_OPERANDS; i++) {
		bool wanted = (operands[i].parts & ~l->parts) == 0;
		if (wanted != (op_input(ctx, i) != NULL)) {
			return error_set(err, -EBADMSG, "input %u (%s) must%s be there", i,
				operands[i].name, wanted ? "" : " not");
		}
	}
	return 0;
}

static int read_sizes(struct lstm *l, struct error *err)
{
	const struct shape *in = rule_shape(l->ctx, INPUT), *weights = rule_shape(l->ctx, 4),
			   *recurrent = rule_shape(l->ctx, 8);
	bool time_major = l->ctx->node->options.recurrent.time_major;
	int r = rule_rank_is(in, "input", 3, err);
	r = r < 0 ? r : rule_rank_is(weights, "input 4 (input to output weights)", 2, err);
	r = r < 0 ? r : rule_rank_is(recurrent, "input 8 (recurrent to output weights)", 2, err);
	r = r < 0 ? r : rule_not_empty(in, "input", err);
	r = r < 0 ? r : rule_not_empty(weights, "input 4 (input to output weights)", err);
	r = r < 0 ? r : rule_not_empty(recurrent, "input 8 (recurrent to output weights)", err);
	if (r < 0) {
		return r;
	}
	l->steps = in->dim[time_major ? 0 : 1];
	l->batch = in->dim[time_major ? 1 : 0];
	l->size[SIZE_INPUT] = in->dim[2];
	l->size[SIZE_CELL] = weights->dim[0];
	l->size[SIZE_OUTPUT] = recurrent->dim[1];
	if (!(l->parts & PART_PROJECTION) && l->size[SIZE_OUTPUT] != l->size[SIZE_CELL]) {
		return error_set(err, -EBADMSG, "%d cells and %d outputs without a projection",
			(int)l->size[SIZE_CELL], (int)l->size[SIZE_OUTPUT]);
	}
	return 0;
}

static int check_operand(const struct lstm *l, uint32_t i, struct error *err)
{
	const struct operand *o = &operands[i];
	const struct tensor *t = op_input(l->ctx, i);
	if (t->type != o->types[l->kernel]) {
		return error_set(err, -EBADMSG, "input %u (%s) is %s, must be %s", i, o->name,
			dtype_name(t->type), dtype_name(o->types[l->kernel]));
	}
	if (o->rows == SIZE_NONE) {
		return 0;
	}
	struct shape want = {
		.rank = o->columns ? 2 : 1, .dim = {l->size[o->rows], l->size[o->columns]}};
	if (!shape_equal(&want, rule_shape(l->ctx, i))) {
		char is[SHAPE_TEXT_SIZE], must[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input %u (%s) is %s, must be %s", i, o->name,
			shape_format(is, sizeof(is), rule_shape(l->ctx, i)),
			shape_format(must, sizeof(must), &want));
	}
	return 0;
}

static int check_operands(const struct lstm *l, struct error *err)
{
	for (uint32_t i = 0; i < N_OPERANDS; i++) {
		int r = op_input(l->ctx, i) ? check_operand(l, i, err) : 0;
		if (r < 0) {
			return r;
		}
	}
	uint64_t batch = (uint64_t)l->batch;
	int r = rule_state(l->ctx, OUTPUT_STATE, "output state",
		rule_cost_mul(batch, (uint64_t)l->size[SIZE_OUTPUT]), err);
	return r < 0 ? r
		     : rule_state(l->ctx, CELL_STATE, "cell state",
			       rule_cost_mul(batch, (uint64_t)l->size[SIZE_CELL]), err);
}

static int check_options(const struct lstm *l, struct error *err)
{
	const struct options_recurrent *o = &l->ctx->node->options.recurrent;
	if (!isfinite(o->cell_clip) || o->cell_clip < 0 || !isfinite(o->proj_clip) ||
		o->proj_clip < 0) {
		return error_set(err, -EBADMSG, "cell_clip %g, proj_clip %g", (double)o->cell_clip,
			(double)o->proj_clip);
	}
	if (o->diagonal_recurrent_tensors) {
		return error_set(err, -EOPNOTSUPP,
			"UNIDIRECTIONAL_SEQUENCE_LSTM v%u with diagonal recurrent tensors is not "
			"there yet",
			l->ctx->node->version);
	}
	if (l->kernel == KERNEL_INTEGER && o->activation != ACTIVATION_TANH) {
		return error_set(err, -EOPNOTSUPP,
			"UNIDIRECTIONAL_SEQUENCE_LSTM v%u of int8 with fused activation %u is not "
			"there yet",
			l->ctx->node->version, o->activation);
	}
	return rule_recurrent_activation(l->ctx, o->activation, err);
}

/* All that is quantised has one scale; weights and int16 have zero point 0; biases are scaled by
 * what they are added to. */
static int check_scales(const struct lstm *l, struct error *err)
{
	for (uint32_t i = 0; i < N_OPERANDS; i++) {
		const struct tensor *t = op_input(l->ctx, i);
		if (!t || t->type == DTYPE_FLOAT32 || t->type == DTYPE_INT32) {
			continue;
		}
		bool activations = i == INPUT || i == OUTPUT_STATE;
		int r = rule_per_tensor(t, operands[i].name, err);
		r = r < 0 || activations ? r : rule_zero_points_zero(t, operands[i].name, err);
		if (r < 0) {
			error_prefix(err, "input %u", i);
			return r;
		}
	}
	return 0;
}

static float input_scale(const struct lstm *l, uint32_t i)
{
	return op_input(l->ctx, i)->quant.scale[0];
}

/* Intermediate @i: present, of type @type, with one scale. */
static int check_intermediate(
	const struct lstm *l, uint32_t i, unsigned int type, float *ret_scale, struct error *err)
{
	int32_t index = l->ctx->node->intermediates[i];
	if (index < 0) {
		return error_set(err, -EBADMSG, "intermediate %u must be there", i);
	}
	const struct tensor *t = &l->ctx->subgraph->tensors[index];
	int r = rule_type_is(t, "intermediate", type, err);
	r = r < 0 ? r : rule_quantised(t, "intermediate", err);
	if (r < 0) {
		error_prefix(err, "%u", i);
		return r;
	}
	*ret_scale = t->quant.scale[0];
	return 0;
}

/* Multipliers of gate @g (0 input, 1 forget, 2 cell, 3 output): of input, state, peephole, norm. */
static int check_gate(const struct lstm *l, uint32_t g, struct error *err)
{
	float scale = ldexpf(1, -12);
	int r = 0;
	if (l->parts & PART_NORM) {
		r = check_intermediate(l, g, DTYPE_INT16, &scale, err);
		/* the norm's own multiplier is shifted by 12 more */
		r = r < 0 ? r
			  : rule_multiplier((double)input_scale(l, 20 + g), RULE_MAX_SHIFT - 12,
				    "norm", err);
	}
	r = r < 0 ? r
		  : rule_multiplier((double)(input_scale(l, 1 + g) * input_scale(l, INPUT) / scale),
			    RULE_MAX_SHIFT, operands[1 + g].name, err);
	r = r < 0 ? r
		  : rule_multiplier(
			    (double)(input_scale(l, 5 + g) * input_scale(l, OUTPUT_STATE) / scale),
			    RULE_MAX_SHIFT, operands[5 + g].name, err);
	if (r < 0 || !(l->parts & PART_PEEPHOLE) || g == 2) {
		return r;
	}
	uint32_t peephole = g == 3 ? 11 : 9 + g;
	return rule_multiplier((double)input_scale(l, CELL_STATE) *
			(double)input_scale(l, peephole) / (double)scale,
		RULE_MAX_SHIFT, operands[peephole].name, err);
}

/* Scale 2^-15 to 2^-9: what the integer tanh takes, and the int16 of the state holds. */
static int check_cell_state(const struct lstm *l, struct error *err)
{
	int log2 = 0;
	float scale = input_scale(l, CELL_STATE);
	if (!rule_power_of_two(scale, &log2) || log2 < -15 || log2 > -9) {
		return error_set(err, -EBADMSG, "cell state has scale %g, must be 2^-15 to 2^-9",
			(double)scale);
	}
	return rule_multiplier((double)l->ctx->node->options.recurrent.cell_clip / (double)scale,
		RULE_MAX_SHIFT, "cell_clip", err);
}

static int check_hidden(const struct lstm *l, struct error *err)
{
	const struct tensor *output = rule_output(l->ctx, 0);
	float scale = 0;
	int r = check_intermediate(l, HIDDEN, DTYPE_INT8, &scale, err);
	r = r < 0 ? r
		  : rule_multiplier(ldexp(1, -30) / (double)scale, RULE_MAX_SHIFT, "hidden", err);
	r = r < 0 ? r : rule_per_tensor(output, "output", err);
	if (r < 0 || !(l->parts & PART_PROJECTION)) {
		return r;
	}
	r = rule_multiplier(
		(double)(input_scale(l, PROJECTION_WEIGHTS) * scale / input_scale(l, OUTPUT_STATE)),
		RULE_MAX_SHIFT, "projection", err);
	return r < 0 ? r
		     : rule_multiplier((double)l->ctx->node->options.recurrent.proj_clip /
				       (double)output->quant.scale[0],
			       RULE_MAX_SHIFT, "proj_clip", err);
}

static int check_integer(const struct lstm *l, struct error *err)
{
	uint32_t n = l->ctx->node->n_intermediates;
	if (n == 12) {
		return error_set(err, -EOPNOTSUPP,
			"UNIDIRECTIONAL_SEQUENCE_LSTM v%u with 12 intermediates (8x8_8) is not "
			"there yet",
			l->ctx->node->version);
	}
	if (n != N_INTERMEDIATES) {
		return error_set(err, -EBADMSG, "%u intermediates, must be %d", n, N_INTERMEDIATES);
	}
	int r = check_cell_state(l, err);
	for (uint32_t g = l->parts & PART_INPUT_GATE ? 0 : 1; r == 0 && g < 4; g++) {
		r = check_gate(l, g, err);
	}
	return r < 0 ? r : check_hidden(l, err);
}

static uint64_t count_macs(const struct lstm *l)
{
	uint64_t cells = (uint64_t)l->size[SIZE_CELL], outputs = (uint64_t)l->size[SIZE_OUTPUT];
	uint64_t gates = l->parts & PART_INPUT_GATE ? 4 : 3;
	uint64_t macs =
		rule_cost_mul(gates * cells, rule_cost_add((uint64_t)l->size[SIZE_INPUT], outputs));
	if (l->parts & PART_PROJECTION) {
		macs = rule_cost_add(macs, rule_cost_mul(cells, outputs));
	}
	return rule_cost_mul(macs, rule_cost_mul((uint64_t)l->steps, (uint64_t)l->batch));
}

int rule_sequence_lstm(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	struct lstm l = {.ctx = ctx};
	int r = find_kernel(&l, err);
	r = r < 0 ? r : check_parts(&l, err);
	r = r < 0 ? r : read_sizes(&l, err);
	r = r < 0 ? r : check_operands(&l, err);
	r = r < 0 ? r : check_options(&l, err);
	r = r < 0 ? r : check_scales(&l, err);
	if (r == 0 && l.kernel == KERNEL_INTEGER) {
		r = check_integer(&l, err);
	}
	if (r < 0) {
		return r;
	}
	ret->shapes[0] = *rule_shape(ctx, INPUT);
	ret->shapes[0].dim[2] = l.size[SIZE_OUTPUT];
	ret->macs = count_macs(&l);
	return 0;
}
