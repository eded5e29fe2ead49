/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_lstm - LSTM, UNIDIRECTIONAL_SEQUENCE_LSTM, BIDIRECTIONAL_SEQUENCE_LSTM (TFLite
 * kernels/lstm.cc, unidirectional_sequence_lstm.cc, bidirectional_sequence_lstm.cc)
 *
 * Three kernels: float, hybrid (float activations, int8 weights), and integer (int8 activations and
 * weights, int16 cell state). Two directions are two nodes that share an input.
 */
#include "engine/plan/rules/weighted/rule_lstm.h"

#include <errno.h>
#include <math.h>

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
#define ACTIVATIONS                                                                                \
	{                                                                                          \
		DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_INT8                                           \
	}

#define INPUT_GATE LSTM_PART_INPUT_GATE

static const struct operand {
	const char *name;
	uint8_t types[LSTM_KERNELS];
	uint8_t parts;
	uint8_t rows, columns; /* enum lstm_size; columns NONE: a vector of rows */
} operands[LSTM_OPERANDS] = {
	[LSTM_INPUT] = {"input", ACTIVATIONS, 0, 0, 0},
	[1] = {"input to input weights", WEIGHTS, INPUT_GATE, LSTM_SIZE_CELL, LSTM_SIZE_INPUT},
	[2] = {"input to forget weights", WEIGHTS, 0, LSTM_SIZE_CELL, LSTM_SIZE_INPUT},
	[3] = {"input to cell weights", WEIGHTS, 0, LSTM_SIZE_CELL, LSTM_SIZE_INPUT},
	[4] = {"input to output weights", WEIGHTS, 0, LSTM_SIZE_CELL, LSTM_SIZE_INPUT},
	[5] = {"recurrent to input weights", WEIGHTS, INPUT_GATE, LSTM_SIZE_CELL, LSTM_SIZE_OUTPUT},
	[6] = {"recurrent to forget weights", WEIGHTS, 0, LSTM_SIZE_CELL, LSTM_SIZE_OUTPUT},
	[7] = {"recurrent to cell weights", WEIGHTS, 0, LSTM_SIZE_CELL, LSTM_SIZE_OUTPUT},
	[8] = {"recurrent to output weights", WEIGHTS, 0, LSTM_SIZE_CELL, LSTM_SIZE_OUTPUT},
	[9] = {"cell to input weights", PEEPHOLE, INPUT_GATE | LSTM_PART_PEEPHOLE, LSTM_SIZE_CELL,
		0},
	[10] = {"cell to forget weights", PEEPHOLE, LSTM_PART_PEEPHOLE, LSTM_SIZE_CELL, 0},
	[11] = {"cell to output weights", PEEPHOLE, LSTM_PART_PEEPHOLE, LSTM_SIZE_CELL, 0},
	[12] = {"input gate bias", BIAS, INPUT_GATE, LSTM_SIZE_CELL, 0},
	[13] = {"forget gate bias", BIAS, 0, LSTM_SIZE_CELL, 0},
	[14] = {"cell gate bias", BIAS, 0, LSTM_SIZE_CELL, 0},
	[15] = {"output gate bias", BIAS, 0, LSTM_SIZE_CELL, 0},
	[LSTM_PROJECTION] = {"projection weights", WEIGHTS, LSTM_PART_PROJECTION, LSTM_SIZE_OUTPUT,
		LSTM_SIZE_CELL},
	[LSTM_PROJECTION_BIAS] = {"projection bias", BIAS,
		LSTM_PART_PROJECTION | LSTM_PART_PROJECTION_BIAS, LSTM_SIZE_OUTPUT, 0},
	[LSTM_OUTPUT_STATE] = {"output state", ACTIVATIONS, 0, 0, 0},
	[LSTM_CELL_STATE] = {"cell state", {DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_INT16}, 0, 0, 0},
	[20] = {"input norm", NORM, INPUT_GATE | LSTM_PART_NORM, LSTM_SIZE_CELL, 0},
	[21] = {"forget norm", NORM, LSTM_PART_NORM, LSTM_SIZE_CELL, 0},
	[22] = {"cell norm", NORM, LSTM_PART_NORM, LSTM_SIZE_CELL, 0},
	[23] = {"output norm", NORM, LSTM_PART_NORM, LSTM_SIZE_CELL, 0},
	[LSTM_AUX] = {"second input", ACTIVATIONS, LSTM_PART_AUX, 0, 0},
	[25] = {"second input to input weights", WEIGHTS, INPUT_GATE | LSTM_PART_AUX,
		LSTM_SIZE_CELL, LSTM_SIZE_AUX},
	[26] = {"second input to forget weights", WEIGHTS, LSTM_PART_AUX, LSTM_SIZE_CELL,
		LSTM_SIZE_AUX},
	[27] = {"second input to cell weights", WEIGHTS, LSTM_PART_AUX, LSTM_SIZE_CELL,
		LSTM_SIZE_AUX},
	[28] = {"second input to output weights", WEIGHTS, LSTM_PART_AUX, LSTM_SIZE_CELL,
		LSTM_SIZE_AUX},
};

/* Inputs of BIDIRECTIONAL_SEQUENCE_LSTM: one direction's weights are 1 to 17, the other's 18 to 34;
 * then states, the second input, and its weights. */
static int32_t place_two_ways(unsigned int direction, uint32_t i)
{
	int32_t backward = direction == LSTM_BACKWARD;
	if (i == LSTM_INPUT) {
		return 0;
	}
	if (i <= LSTM_PROJECTION_BIAS) {
		return (int32_t)i + 17 * backward;
	}
	if (i == LSTM_OUTPUT_STATE || i == LSTM_CELL_STATE) {
		return 35 + (int32_t)(i - LSTM_OUTPUT_STATE) + 2 * backward;
	}
	if (i == LSTM_AUX) {
		return 39;
	}
	return i >= LSTM_AUX_W ? 40 + (int32_t)(i - LSTM_AUX_W) + 4 * backward : -1;
}

int32_t rule_lstm_place(const struct lstm *l, uint32_t i)
{
	if (l->ctx->node->op == OP_BIDIRECTIONAL_SEQUENCE_LSTM) {
		return place_two_ways(l->direction, i);
	}
	return i < LSTM_AUX ? (int32_t)i : -1;
}

const struct tensor *rule_lstm_tensor(const struct lstm *l, uint32_t i)
{
	int32_t place = rule_lstm_place(l, i);
	return place < 0 ? NULL : op_context_input(l->ctx, (uint32_t)place);
}

const char *rule_lstm_name(uint32_t i)
{
	return operands[i].name;
}

static const struct shape *shape_of(const struct lstm *l, uint32_t i)
{
	return rule_shape(l->ctx, (uint32_t)rule_lstm_place(l, i));
}

/* Files of the years before int8 call the weights of hybrid nodes uint8, and mean int8. */
static unsigned int type_of(const struct lstm *l, uint32_t i, enum lstm_kernel kernel)
{
	unsigned int type = operands[i].types[kernel];
	bool old = kernel == LSTM_HYBRID && type == DTYPE_INT8 &&
		rule_lstm_tensor(l, LSTM_W + 1)->type == DTYPE_UINT8;
	return old ? DTYPE_UINT8 : type;
}

static int find_kernel(struct lstm *l, struct error *err)
{
	const struct tensor *input = op_context_input(l->ctx, LSTM_INPUT);
	const struct tensor *weights = rule_lstm_tensor(l, LSTM_W + 1);
	bool two_ways = l->ctx->node->op == OP_BIDIRECTIONAL_SEQUENCE_LSTM;
	for (unsigned int k = 0; k < (two_ways ? LSTM_INTEGER : LSTM_KERNELS); k++) {
		if (type_of(l, LSTM_INPUT, k) == input->type &&
			type_of(l, LSTM_W + 1, k) == weights->type) {
			l->kernel = (enum lstm_kernel)k;
			return 0;
		}
	}
	return error_set(err, -EOPNOTSUPP, "%s v%u with %s input and %s weights is not there yet",
		operators_name(l->ctx->node->op), l->ctx->node->version, dtype_name(input->type),
		dtype_name(weights->type));
}

/* A second input without weights of its own is the backward direction's input. */
static bool is_there(const struct lstm *l, uint32_t i)
{
	return rule_lstm_tensor(l, i) && (i != LSTM_AUX || rule_lstm_tensor(l, LSTM_AUX_W + 1));
}

/* One operand of each part says whether the part is there; all others must agree. */
static int check_parts(struct lstm *l, struct error *err)
{
	static const struct {
		uint8_t part, operand;
	} signs[] = {
		{LSTM_PART_INPUT_GATE, LSTM_W},
		{LSTM_PART_PEEPHOLE, LSTM_PEEPHOLE + 1},
		{LSTM_PART_PROJECTION, LSTM_PROJECTION},
		{LSTM_PART_PROJECTION_BIAS, LSTM_PROJECTION_BIAS},
		{LSTM_PART_NORM, LSTM_NORM + 1},
		{LSTM_PART_AUX, LSTM_AUX_W + 1},
	};
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		l->parts |= rule_lstm_tensor(l, signs[i].operand) ? signs[i].part : 0;
	}
	for (uint32_t i = 0; i < LSTM_OPERANDS; i++) {
		bool wanted = (operands[i].parts & ~l->parts) == 0;
		if (rule_lstm_place(l, i) >= 0 && wanted != is_there(l, i)) {
			return error_set(err, -EBADMSG, "input %d (%s) must%s be there",
				(int)rule_lstm_place(l, i), operands[i].name, wanted ? "" : " not");
		}
	}
	return 0;
}

/* Matrix operand @i, whose dimensions are about to be read. */
static int check_matrix(const struct lstm *l, uint32_t i, struct error *err)
{
	int r = rule_rank_is(shape_of(l, i), operands[i].name, 2, err);
	r = r < 0 ? r : rule_not_empty(shape_of(l, i), operands[i].name, err);
	if (r < 0) {
		error_prefix(err, "input %d", (int)rule_lstm_place(l, i));
	}
	return r;
}

static int read_input(struct lstm *l, struct error *err)
{
	const struct shape *in = rule_shape(l->ctx, LSTM_INPUT);
	bool sequence = l->ctx->node->op != OP_LSTM;
	bool time_major = l->ctx->node->options.recurrent.time_major;
	int r = rule_rank_is(in, "input", sequence ? 3 : 2, err);
	r = r < 0 ? r : rule_not_empty(in, "input", err);
	if (r < 0) {
		return r;
	}
	l->steps = sequence ? in->dim[time_major ? 0 : 1] : 1;
	l->batch = in->dim[sequence && time_major ? 1 : 0];
	l->size[LSTM_SIZE_INPUT] = in->dim[in->rank - 1];
	return 0;
}

/* The second input: as the first, but for its width where it has weights of its own. */
static int read_aux(struct lstm *l, struct error *err)
{
	if (!rule_lstm_tensor(l, LSTM_AUX)) {
		return 0;
	}
	const struct shape *in = rule_shape(l->ctx, LSTM_INPUT), *aux = shape_of(l, LSTM_AUX);
	struct shape want = *in;
	if (l->parts & LSTM_PART_AUX && aux->rank == 3) {
		want.dim[2] = aux->dim[2];
	}
	if (!shape_equal(&want, aux)) {
		char is[SHAPE_TEXT_SIZE], must[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "second input is %s, input is %s",
			shape_format(is, sizeof(is), aux), shape_format(must, sizeof(must), in));
	}
	l->size[LSTM_SIZE_AUX] = aux->dim[2];
	int r = rule_type_is(rule_lstm_tensor(l, LSTM_AUX), "second input", DTYPE_FLOAT32, err);
	return r < 0 ? r : rule_not_empty(aux, "second input", err);
}

static int read_sizes(struct lstm *l, struct error *err)
{
	int r = read_input(l, err);
	r = r < 0 ? r : check_matrix(l, LSTM_W + 3, err);
	r = r < 0 ? r : check_matrix(l, LSTM_R + 3, err);
	r = r < 0 ? r : read_aux(l, err);
	if (r < 0) {
		return r;
	}
	l->size[LSTM_SIZE_CELL] = shape_of(l, LSTM_W + 3)->dim[0];
	l->size[LSTM_SIZE_OUTPUT] = shape_of(l, LSTM_R + 3)->dim[1];
	if (!(l->parts & LSTM_PART_PROJECTION) &&
		l->size[LSTM_SIZE_OUTPUT] != l->size[LSTM_SIZE_CELL]) {
		return error_set(err, -EBADMSG, "%d cells and %d outputs without a projection",
			(int)l->size[LSTM_SIZE_CELL], (int)l->size[LSTM_SIZE_OUTPUT]);
	}
	return 0;
}

static int check_operand(const struct lstm *l, uint32_t i, struct error *err)
{
	const struct operand *o = &operands[i];
	const struct tensor *t = rule_lstm_tensor(l, i);
	int32_t place = rule_lstm_place(l, i);
	if (t->type != type_of(l, i, l->kernel)) {
		return error_set(err, -EBADMSG, "input %d (%s) is %s, must be %s", (int)place,
			o->name, dtype_name(t->type), dtype_name(type_of(l, i, l->kernel)));
	}
	if (o->rows == LSTM_SIZE_NONE) {
		return 0;
	}
	struct shape want = {
		.rank = o->columns ? 2 : 1, .dim = {l->size[o->rows], l->size[o->columns]}};
	if (!shape_equal(&want, shape_of(l, i))) {
		char is[SHAPE_TEXT_SIZE], must[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input %d (%s) is %s, must be %s", (int)place,
			o->name, shape_format(is, sizeof(is), shape_of(l, i)),
			shape_format(must, sizeof(must), &want));
	}
	return 0;
}

static int check_state(const struct lstm *l, uint32_t i, int32_t width, struct error *err)
{
	uint64_t elements = rule_cost_mul((uint64_t)l->batch, (uint64_t)width);
	return rule_recurrent_state(
		l->ctx, (uint32_t)rule_lstm_place(l, i), operands[i].name, elements, err);
}

static int check_operands(const struct lstm *l, struct error *err)
{
	for (uint32_t i = 0; i < LSTM_OPERANDS; i++) {
		int r = rule_lstm_tensor(l, i) ? check_operand(l, i, err) : 0;
		if (r < 0) {
			return r;
		}
	}
	int r = check_state(l, LSTM_OUTPUT_STATE, l->size[LSTM_SIZE_OUTPUT], err);
	return r < 0 ? r : check_state(l, LSTM_CELL_STATE, l->size[LSTM_SIZE_CELL], err);
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
			"%s v%u with diagonal recurrent tensors is not there yet",
			operators_name(l->ctx->node->op), l->ctx->node->version);
	}
	/* The integer kernels do not look at it: theirs is tanh. */
	return rule_recurrent_activation(l->ctx, o->activation, err);
}

static uint64_t count_macs(const struct lstm *l)
{
	uint64_t cells = (uint64_t)l->size[LSTM_SIZE_CELL],
		 outputs = (uint64_t)l->size[LSTM_SIZE_OUTPUT];
	uint64_t gates = l->parts & LSTM_PART_INPUT_GATE ? 4 : 3;
	uint64_t seen = rule_cost_add((uint64_t)l->size[LSTM_SIZE_INPUT], outputs);
	if (l->parts & LSTM_PART_AUX) {
		seen = rule_cost_add(seen, (uint64_t)l->size[LSTM_SIZE_AUX]);
	}
	uint64_t macs = rule_cost_mul(gates * cells, seen);
	if (l->parts & LSTM_PART_PROJECTION) {
		macs = rule_cost_add(macs, rule_cost_mul(cells, outputs));
	}
	return rule_cost_mul(macs, rule_cost_mul((uint64_t)l->steps, (uint64_t)l->batch));
}

static int check_direction(struct lstm *l, struct error *err)
{
	int r = find_kernel(l, err);
	r = r < 0 ? r : check_parts(l, err);
	r = r < 0 ? r : read_sizes(l, err);
	r = r < 0 ? r : check_operands(l, err);
	r = r < 0 ? r : check_options(l, err);
	return r < 0 ? r : rule_lstm_scales(l, err);
}

static int check_output(const struct op_context *ctx, uint32_t i, struct error *err)
{
	return rule_type_is(rule_output(ctx, i), "output", op_context_input(ctx, 0)->type, err);
}

/* The operands of layer normalisation stand at the end: all of them, or none. */
static int check_count(const struct op_context *ctx, struct error *err)
{
	uint32_t n = ctx->node->n_inputs;
	if (n != LSTM_NORM && n != LSTM_AUX) {
		return error_set(
			err, -EBADMSG, "%u inputs, must be %d or %d", n, LSTM_NORM, LSTM_AUX);
	}
	return ctx->node->n_outputs == 1
		? 0
		: error_set(err, -EBADMSG, "%u outputs, must be 1", ctx->node->n_outputs);
}

int rule_sequence_lstm(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	struct lstm l = {.ctx = ctx};
	int r = check_count(ctx, err);
	r = r < 0 ? r : check_direction(&l, err);
	r = r < 0 ? r : check_output(ctx, 0, err);
	if (r < 0) {
		return r;
	}
	ret->shapes[0] = *rule_shape(ctx, LSTM_INPUT);
	ret->shapes[0].dim[ret->shapes[0].rank - 1] = l.size[LSTM_SIZE_OUTPUT];
	ret->macs = count_macs(&l);
	return 0;
}

int rule_lstm(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	unsigned int kernel = ctx->node->options.recurrent.lstm_kernel;
	if (kernel > 1) {
		return error_set(err, -EBADMSG, "kernel type %u", kernel);
	}
	return kernel == 1 ? rule_lstm_basic(ctx, ret, err) : rule_sequence_lstm(ctx, ret, err);
}

int rule_bidirectional_lstm(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	struct lstm way[2] = {{.ctx = ctx}, {.ctx = ctx, .direction = LSTM_BACKWARD}};
	int32_t width[2] = {0, 0};
	uint64_t macs = 0;
	for (uint32_t i = 0; i < 2; i++) {
		int r = check_direction(&way[i], err);
		if (r < 0) {
			return r;
		}
		width[i] = way[i].size[LSTM_SIZE_OUTPUT];
		macs = rule_cost_add(macs, count_macs(&way[i]));
	}
	if (way[0].kernel != way[1].kernel || (way[0].parts ^ way[1].parts) & LSTM_PART_AUX) {
		return error_set(err, -EBADMSG, "the two directions have different weights");
	}
	ret->macs = macs;
	return rule_recurrent_two_ways(ctx, rule_shape(ctx, LSTM_INPUT), width, ret, err);
}
