/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/opinfo.h"

#include <errno.h>

#include "base/bytes.h"
#include "engine/plan/rule.h"

#define ANY OPINFO_ANY_NUMBER
#define BIT(i) (1u << (i))

/* Numbers of BuiltinOptions in schema.fbs, version 3. */
enum {
	TABLE_NONE = 0,
	TABLE_CONV_2D = 1,
	TABLE_DEPTHWISE_CONV_2D = 2,
	TABLE_POOL_2D = 5,
	TABLE_SVDF = 6,
	TABLE_FULLY_CONNECTED = 8,
	TABLE_SOFTMAX = 9,
	TABLE_CONCATENATION = 10,
	TABLE_ADD = 11,
	TABLE_RESIZE_BILINEAR = 15,
	TABLE_RESHAPE = 17,
	TABLE_MUL = 21,
	TABLE_REDUCER = 27,
	TABLE_SUB = 28,
	TABLE_SQUEEZE = 30,
	TABLE_SPLIT = 35,
	TABLE_ARG_MAX = 40,
	TABLE_ARG_MIN = 57,
	TABLE_UNIDIRECTIONAL_SEQUENCE_LSTM = 71,
	TABLE_SPLIT_V = 79,
};

#define OPTIONAL_LSTM                                                                              \
	(BIT(1) | BIT(5) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(16) | BIT(17) | BIT(20) |    \
		BIT(21) | BIT(22) | BIT(23))

/* Versions: LiteRT tflite/core/kernels/register.cc. */
static const struct op_row rows[] = {
	/* operator, version, inputs, outputs, optional, options, needed, check */
	{OP_ADD, 5, 2, 2, 1, 1, 0, TABLE_ADD, false, rule_add},
	{OP_ARG_MAX, 3, 2, 2, 1, 1, 0, TABLE_ARG_MAX, true, rule_arg},
	{OP_ARG_MIN, 3, 2, 2, 1, 1, 0, TABLE_ARG_MIN, true, rule_arg},
	{OP_AVERAGE_POOL_2D, 3, 1, 1, 1, 1, 0, TABLE_POOL_2D, true, rule_pool},
	{OP_CONCATENATION, 5, 1, ANY, 1, 1, 0, TABLE_CONCATENATION, true, rule_concatenation},
	{OP_CONV_2D, 8, 3, 3, 1, 1, 0, TABLE_CONV_2D, true, rule_conv},
	{OP_DEPTHWISE_CONV_2D, 7, 2, 3, 1, 1, BIT(2), TABLE_DEPTHWISE_CONV_2D, true,
		rule_depthwise},
	{OP_DEQUANTIZE, 8, 1, 1, 1, 1, 0, TABLE_NONE, false, rule_dequantize},
	{OP_EXPAND_DIMS, 1, 2, 2, 1, 1, 0, TABLE_NONE, false, rule_expand_dims},
	{OP_FULLY_CONNECTED, 14, 2, 3, 1, 1, BIT(2), TABLE_FULLY_CONNECTED, false,
		rule_fully_connected},
	{OP_LOGISTIC, 3, 1, 1, 1, 1, 0, TABLE_NONE, false, rule_logistic},
	{OP_MAX_POOL_2D, 3, 1, 1, 1, 1, 0, TABLE_POOL_2D, true, rule_pool},
	{OP_MEAN, 3, 2, 2, 1, 1, 0, TABLE_REDUCER, false, rule_reduce},
	{OP_MUL, 7, 2, 2, 1, 1, 0, TABLE_MUL, false, rule_mul},
	{OP_PAD, 5, 2, 2, 1, 1, 0, TABLE_NONE, false, rule_pad},
	{OP_PADV2, 5, 3, 3, 1, 1, 0, TABLE_NONE, false, rule_pad},
	{OP_QUANTIZE, 5, 1, 1, 1, 1, 0, TABLE_NONE, false, rule_quantize},
	{OP_RELU, 3, 1, 1, 1, 1, 0, TABLE_NONE, false, rule_relu},
	{OP_RELU6, 3, 1, 1, 1, 1, 0, TABLE_NONE, false, rule_relu},
	{OP_RELU_0_TO_1, 1, 1, 1, 1, 1, 0, TABLE_NONE, false, rule_relu},
	{OP_RELU_N1_TO_1, 1, 1, 1, 1, 1, 0, TABLE_NONE, false, rule_relu},
	{OP_RESHAPE, 1, 1, 2, 1, 1, BIT(1), TABLE_RESHAPE, false, rule_reshape},
	{OP_RESIZE_BILINEAR, 4, 2, 2, 1, 1, 0, TABLE_RESIZE_BILINEAR, false, rule_resize},
	{OP_SOFTMAX, 3, 1, 1, 1, 1, 0, TABLE_SOFTMAX, true, rule_softmax},
	{OP_SPLIT, 4, 2, 2, 1, ANY, 0, TABLE_SPLIT, true, rule_split},
	{OP_SPLIT_V, 2, 3, 3, 1, ANY, 0, TABLE_SPLIT_V, true, rule_split_v},
	{OP_SQUEEZE, 2, 1, 1, 1, 1, 0, TABLE_SQUEEZE, false, rule_squeeze},
	{OP_SUB, 5, 2, 2, 1, 1, 0, TABLE_SUB, false, rule_add},
	{OP_SUM, 2, 2, 2, 1, 1, 0, TABLE_REDUCER, false, rule_reduce},
	{OP_SVDF, 4, 5, 5, 1, 1, BIT(3), TABLE_SVDF, true, rule_svdf},
	{OP_TANH, 3, 1, 1, 1, 1, 0, TABLE_NONE, false, rule_tanh},
	{OP_TRANSPOSE, 7, 2, 2, 1, 1, 0, TABLE_NONE, false, rule_transpose},
	{OP_UNIDIRECTIONAL_SEQUENCE_LSTM, 4, 20, 24, 1, 1, OPTIONAL_LSTM,
		TABLE_UNIDIRECTIONAL_SEQUENCE_LSTM, true, rule_sequence_lstm},
};

const struct op_row *opinfo_rows(uint32_t *ret_count)
{
	*ret_count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

const struct op_row *opinfo_find(const struct node *node)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].op == node->op) {
			return &rows[i];
		}
	}
	return NULL;
}

static int refuse_operator(const struct node *node, struct error *err)
{
	if (node->op == OP_CUSTOM) {
		char name[100];
		error_escape(name, sizeof(name), node->custom_name.data, node->custom_name.length);
		return error_set(err, -EOPNOTSUPP, "custom operator '%s' v%u is not there yet",
			name, node->version);
	}
	if (node->op >= OP_COUNT) {
		return error_set(err, -EOPNOTSUPP, "operator number %u v%u is unknown", node->op,
			node->version);
	}
	return error_set(err, -EOPNOTSUPP, "operator %s v%u is not there yet",
		operator_name(node->op), node->version);
}

static int check_count(
	uint32_t n, unsigned int min, unsigned int max, const char *what, struct error *err)
{
	if (n >= min && (max == ANY || n <= max)) {
		return 0;
	}
	return max == ANY ? error_set(err, -EBADMSG, "%u %s, must be %u or more", n, what, min)
		: min == max
		? error_set(err, -EBADMSG, "%u %s, must be %u", n, what, min)
		: error_set(err, -EBADMSG, "%u %s, must be %u to %u", n, what, min, max);
}

static int check_row(const struct op_row *row, const struct node *node, struct error *err)
{
	uint16_t table = node->options.table;
	if (node->version < 1 || node->version > row->max_version) {
		return error_set(err, -EOPNOTSUPP,
			"operator %s v%u is not there yet, v1 to v%u are", operator_name(node->op),
			node->version, row->max_version);
	}
	if (row->options != TABLE_NONE && table != row->options &&
		(row->options_needed || table != TABLE_NONE)) {
		return table == TABLE_NONE
			? error_set(err, -EBADMSG, "options are missing")
			: error_set(err, -EBADMSG, "options are of table %u, must be of %u", table,
				  row->options);
	}
	int r = check_count(node->n_inputs, row->min_inputs, row->max_inputs, "inputs", err);
	return r < 0
		? r
		: check_count(node->n_outputs, row->min_outputs, row->max_outputs, "outputs", err);
}

/* Types of a fixed width, dense, at most 2^31 - 1 elements. *ret_known turns false where a
 * dimension is not known. */
static int check_input(const struct op_context *ctx, const struct op_row *row, uint32_t i,
	bool *ret_known, struct error *err)
{
	const struct tensor *t = op_input(ctx, i);
	if (!t) {
		return i < 32 && row->optional >> i & 1
			? 0
			: error_set(err, -EBADMSG, "input %u must be there", i);
	}
	const struct shape *shape = rule_shape(ctx, i);
	uint64_t elements = 0;
	if (dtype_bits(t->type) == 0) {
		return error_set(err, -EOPNOTSUPP, "%s v%u with %s input is not there yet",
			operator_name(ctx->node->op), ctx->node->version, dtype_name(t->type));
	}
	if (t->sparsity) {
		return error_set(err, -EOPNOTSUPP, "%s v%u with sparse input %u is not there yet",
			operator_name(ctx->node->op), ctx->node->version, i);
	}
	if (!shape_known(shape)) {
		*ret_known = false;
		return 0;
	}
	if (shape_elements(shape, &elements) < 0) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input %u of shape %s is too large", i,
			shape_format(text, sizeof(text), shape));
	}
	return 0;
}

/* An output is no constant and none of the inputs. (A variable may be written by a node.) */
static int check_output(const struct op_context *ctx, uint32_t i, struct error *err)
{
	const struct node *node = ctx->node;
	if (node->outputs[i] < 0) {
		return error_set(err, -EBADMSG, "output %u must be there", i);
	}
	const struct tensor *t = rule_output(ctx, i);
	if (t->data) {
		return error_set(err, -EBADMSG, "output %u is a constant", i);
	}
	for (uint32_t k = 0; k < node->n_inputs; k++) {
		if (node->inputs[k] == node->outputs[i]) {
			return error_set(err, -EBADMSG, "output %u is input %u", i, k);
		}
	}
	return 0;
}

static int check_operands(
	const struct op_context *ctx, const struct op_row *row, bool *ret_known, struct error *err)
{
	*ret_known = true;
	for (uint32_t i = 0; i < ctx->node->n_inputs; i++) {
		int r = check_input(ctx, row, i, ret_known, err);
		if (r < 0) {
			return r;
		}
	}
	for (uint32_t i = 0; i < ctx->node->n_outputs; i++) {
		int r = check_output(ctx, i, err);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* Sizes of the outputs, and the cost where the rule has left it to them. */
static int finish(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < ctx->node->n_outputs; i++) {
		const struct shape *shape = &ret->shapes[i];
		uint64_t elements = 0;
		if (shape_known(shape) && shape_elements(shape, &elements) < 0) {
			char text[SHAPE_TEXT_SIZE];
			return error_set(err, -EBADMSG, "output %u of shape %s is too large", i,
				shape_format(text, sizeof(text), shape));
		}
		sum = rule_cost_add(sum, elements);
	}
	ret->macs = ret->macs ? ret->macs : sum;
	return 0;
}

int opinfo_check(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct op_row *row = opinfo_find(ctx->node);
	bool known = true;
	if (!row) {
		return refuse_operator(ctx->node, err);
	}
	int r = check_row(row, ctx->node, err);
	r = r < 0 ? r : check_operands(ctx, row, &known, err);
	if (r < 0) {
		return r;
	}
	ret->macs = 0;
	if (!known) {
		for (uint32_t i = 0; i < ctx->node->n_outputs; i++) {
			rule_set_unknown(&ret->shapes[i], rule_output(ctx, i)->shape.rank);
		}
		return 0;
	}
	r = row->check(ctx, ret, err);
	return r < 0 ? r : finish(ctx, ret, err);
}
