/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule - what the rules of the operator table share
 *
 * A rule (one function per operator, in rule_<family>.c) runs after opinfo_check() has proved:
 * counts of operands, presence of all that are not optional, fixed-width types, dense tensors
 * (rows with OPINFO_SPARSE judge that themselves), shapes of inputs known and of at most 2^31 - 1
 * elements, outputs distinct from inputs. It proves the rest, fills ret->shapes, and ret->macs where
 * that is not the number of output elements.
 *
 * @name in these helpers is what the operand is called in an error: "input", "weights", "bias".
 */
#ifndef ENGINE_PLAN_RULES_RULE_H
#define ENGINE_PLAN_RULES_RULE_H

#include "base/error.h"
#include "engine/operators.h"
#include "engine/plan/op_context.h"

#define RULE_TYPE(name) (1u << DTYPE_##name)

/* Types of whole bytes: what operators take that only move elements. */
#define RULE_WHOLE_BYTES                                                                           \
	(RULE_TYPE(BOOL) | RULE_TYPE(INT8) | RULE_TYPE(UINT8) | RULE_TYPE(INT16) |                 \
		RULE_TYPE(UINT16) | RULE_TYPE(FLOAT16) | RULE_TYPE(BFLOAT16) | RULE_TYPE(INT32) |  \
		RULE_TYPE(UINT32) | RULE_TYPE(FLOAT32) | RULE_TYPE(INT64) | RULE_TYPE(UINT64) |    \
		RULE_TYPE(FLOAT64) | RULE_TYPE(COMPLEX64) | RULE_TYPE(COMPLEX128))

/* Codes of activations, and what parameter inputs (axes, sizes, shapes) have. */
#define RULE_CODES (RULE_TYPE(INT8) | RULE_TYPE(UINT8) | RULE_TYPE(INT16))
#define RULE_INDICES (RULE_TYPE(INT32) | RULE_TYPE(INT64))

/* Strides, dilations and window sizes: no product of two of them leaves int32. */
#define RULE_MAX_STEP 32767

/* Elements of one channel that one window sees: some 100 ms of plain C. */
#define RULE_MAX_WINDOW (1 << 24)

/* Largest left shift of a multiplier: x * 2^30 still has a sign bit to keep. */
#define RULE_MAX_SHIFT 30

/* The rules of the table: int rule_add(ctx, ret, err) and so on. */
#define ROW(name, version, min_in, max_in, min_out, max_out, optional, params, options, flags,     \
	cost, rule)                                                                                \
	int rule(const struct op_context *ctx, struct op_result *ret, struct error *err);
#include "engine/plan/op_rows.h"
#undef ROW

/* Shape of input @i, which must be there. */
static inline const struct shape *rule_shape(const struct op_context *ctx, uint32_t i)
{
	return &ctx->shapes[ctx->node->inputs[i]];
}

static inline const struct tensor *rule_output(const struct op_context *ctx, uint32_t i)
{
	return &ctx->subgraph->tensors[ctx->node->outputs[i]];
}

/* Elements of a known shape that opinfo_check() has bounded. */
uint64_t rule_elements(const struct shape *shape);
/* a * b and a + b, UINT64_MAX where that is beyond 64 bits: a cost to refuse, not to run. */
uint64_t rule_cost_mul(uint64_t a, uint64_t b);
uint64_t rule_cost_add(uint64_t a, uint64_t b);

/* Elements of a shape that a rule has made, as a cost: 0 where only a run knows them. */
uint64_t rule_cost_elements(const struct shape *shape);

/* All dimensions unknown: only a run can tell. */
void rule_set_unknown(struct shape *shape, unsigned int rank);

/* -EOPNOTSUPP "ADD v1 with bool input is not there yet" when the type is not in @mask. */
int must_check rule_type_among(const struct op_context *ctx, const struct tensor *t,
	const char *name, uint32_t mask, struct error *err);
int must_check rule_type_is(
	const struct tensor *t, const char *name, unsigned int type, struct error *err);
int must_check rule_rank_is(
	const struct shape *shape, const char *name, unsigned int rank, struct error *err);
int must_check rule_rank_from(
	const struct shape *shape, const char *name, unsigned int least, struct error *err);
/* Every dimension at least 1. */
int must_check rule_not_empty(const struct shape *shape, const char *name, struct error *err);

/* @shape broadcasts to @to, which stays as it is. */
int must_check rule_stretches(
	const struct shape *shape, const char *name, const struct shape *to, struct error *err);

/* Exactly one scale. */
int must_check rule_per_tensor(const struct tensor *t, const char *name, struct error *err);
/* One scale, or one for each element of dimension @dimension of @shape. */
int must_check rule_per_channel(const struct tensor *t, const char *name, const struct shape *shape,
	uint32_t dimension, struct error *err);
int must_check rule_zero_points_zero(const struct tensor *t, const char *name, struct error *err);
/* One scale, zero point 0 where the type is int16 or int32. */
int must_check rule_quantised(const struct tensor *t, const char *name, struct error *err);

/* A factor by which integers are rescaled: finite, not negative, below 2^@max_shift. Below 2^-31 it
 * counts as 0 (QuantizeMultiplier, TFLite kernels/internal/quantization_util.cc). */
int must_check rule_multiplier(double factor, int max_shift, const char *name, struct error *err);

/* True when log2(scale) is a whole number to within 1e-3 (CheckedLog2, TFLite
 * quantization_util.cc); *ret gets it. */
bool rule_power_of_two(float scale, int *ret_log2);

/* Fused NONE, RELU, RELU_N1_TO_1 or RELU6, whose limits fit an int32 in the output's scale. */
int must_check rule_fused(const struct op_context *ctx, unsigned int activation,
	const struct tensor *output, struct error *err);

/* Operators that move elements: input @i has a type of @mask (see RULE_WHOLE_BYTES) and every output
 * has the same. */
int must_check rule_moved(
	const struct op_context *ctx, uint32_t i, uint32_t mask, struct error *err);
/* Codes of 8 and 16 bits mean the same in @t and in @output: scale (0 where there is not exactly
 * one) and zero point agree. */
int must_check rule_same_scale(
	const struct tensor *t, const char *name, const struct tensor *output, struct error *err);
/* The same for output 0, and int16 has zero point 0. */
int must_check rule_same_codes(
	const struct op_context *ctx, const struct tensor *t, const char *name, struct error *err);
/* A parameter input of int32 or int64: @n numbers in a row, or @n rows of @width where that is not
 * 0. */
int must_check rule_list(const struct op_context *ctx, uint32_t i, const char *name, int32_t n,
	int32_t width, struct error *err);
/* A dimension that was computed: -EBADMSG when @dim is not 0..SHAPE_MAX_DIM. */
int must_check rule_set_dim(struct shape *shape, unsigned int i, int64_t dim, struct error *err);

/* True when the values of parameter input @i can be read now: constant, folded, or none at all. */
bool rule_known(const struct op_context *ctx, uint32_t i);
/* Element @k of int32 or int64 parameter input @i, which is known. */
int64_t rule_value(const struct op_context *ctx, uint32_t i, uint64_t k);
/* Exactly one element, of whatever rank. */
int must_check rule_one_element(
	const struct op_context *ctx, uint32_t i, const char *name, struct error *err);
/* The same of type int32, or int64 where @wide. */
int must_check rule_scalar_parameter(
	const struct op_context *ctx, uint32_t i, const char *name, bool wide, struct error *err);
/* -@rank <= axis < @rank; *ret gets the one from the front. */
int must_check rule_axis(int64_t axis, unsigned int rank, unsigned int *ret, struct error *err);

/* An option is within @min..@max. */
int must_check rule_option(
	const char *name, int32_t value, int32_t min, int32_t max, struct error *err);

/* Windows that slide over one dimension: TFLite kernels/padding.h, ComputeOutSize. Not above 0
 * when the window does not fit. */
struct rule_window {
	int32_t size, filter, stride, dilation;
};
int64_t rule_window_count(const struct rule_window *w, unsigned int padding);
/* Checks filters, strides and dilations, computes heights and widths. One of them is 0 where the
 * filter is larger than the input by no more than a stride; a still larger one is refused. */
int must_check rule_windows(const struct rule_window *h, const struct rule_window *w,
	unsigned int padding, int32_t *ret_h, int32_t *ret_w, struct error *err);
/* The same for what pools, where a much too large filter gives no rows (observed with LiteRT), nor
 * columns where it is too wide. */
int must_check rule_pool_windows(const struct rule_window *h, const struct rule_window *w,
	unsigned int padding, int32_t *ret_h, int32_t *ret_w, struct error *err);

/* Operands of CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED. */
struct rule_weighted {
	const struct tensor *input, *weights, *bias, *output; /* bias may be NULL */
	const struct shape *weights_shape, *bias_shape;
	uint32_t dimension; /* of the weights: output channels */
	uint32_t bias_type; /* option quantized_bias_type: 0, INT32 or INT64 */
	int max_shift; /* of the multipliers with an int64 sum */
	bool blockwise; /* float input, and rule_blockwise() has judged the weights */
	bool one_scale; /* a bias beside weights of one scale has the products' scale */
};
/* Types and size of the bias, scales and zero points of all, multipliers in range. */
int must_check rule_weighted_check(const struct rule_weighted *w, struct error *err);

/* Input @i is a constant int4 matrix of whole blocks, its scales (float16 or float32) are
 * constants, one for each block, and so are its zero points, all in int4's range. */
int must_check rule_blockwise(const struct op_context *ctx, uint32_t i, struct error *err);

#endif
