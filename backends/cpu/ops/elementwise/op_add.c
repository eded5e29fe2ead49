/* SPDX-License-Identifier: Apache-2.0 */
/* ADD and SUB. Source of the scales: tflite kernels/add.cc and sub.cc, Prepare. */
#include <math.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/elementwise/op_arith.h"
#include "backends/cpu/row_fusion.h"

static int add_accept(const struct op_setup *setup, struct error *err)
{
	uint32_t half = setup->node->op == OP_ADD ? ACCEPT(FLOAT16) : 0;
	return op_accept_same(setup,
		half | ACCEPT_QUANTISED | ACCEPT(FLOAT32) | ACCEPT(INT32) | ACCEPT(INT64), err);
}

/* True when @scale is 2^n up to a thousandth of the exponent, as the reference's CheckedLog2. */
static bool is_power_of_two(float scale, int32_t *ret_exponent)
{
	double exponent = log2((double)scale);
	*ret_exponent = (int32_t)round(exponent);
	return fabs(exponent - round(exponent)) < 1e-3;
}

/* int16 with scales that are all powers of two: shifts alone. False when that is not so. */
static bool prepare_pot(const struct op_setup *setup, struct ek_arith_q *p)
{
	int32_t a, b, out;
	if (!setup->node->options.arithmetic.pot_scale_int16 ||
		!is_power_of_two(quant_params_scale(op_tensor_in(setup, 0), 0), &a) ||
		!is_power_of_two(quant_params_scale(op_tensor_in(setup, 1), 0), &b) ||
		!is_power_of_two(quant_params_scale(op_tensor_out(setup, 0), 0), &out)) {
		return false;
	}
	p->a_scale.shift = a - out;
	p->b_scale.shift = b - out;
	return true;
}

static void prepare_scales(const struct op_setup *setup, struct ek_arith_q *p)
{
	const struct tensor *out = op_tensor_out(setup, 0);
	double twice = quant_params_common_scale(setup, p);
	p->left_shift = out->type == DTYPE_INT16 ? 15 : 20;
	p->scale = quant_params_split(
		twice / ((double)(1 << p->left_shift) * (double)quant_params_scale(out, 0)));
}

static const struct ek_arith_q_row *pick(const struct op_setup *setup, bool pot)
{
	uint64_t mask = setup->cpu_features;
	switch (op_tensor_out(setup, 0)->type) {
	case DTYPE_INT8:
		return OP_PICK(ek_add_s8, mask);
	case DTYPE_UINT8:
		return OP_PICK(ek_add_u8, mask);
	default:
		return pot ? OP_PICK(ek_add_s16_pot, mask) : OP_PICK(ek_add_s16, mask);
	}
}

static int prepare_quantised(struct op_setup *setup, struct ek_arith_q *p, struct error *err)
{
	bool pot = op_tensor_out(setup, 0)->type == DTYPE_INT16 && prepare_pot(setup, p);
	if (!pot) {
		prepare_scales(setup, p);
	}
	if (p->a_scale.shift > 0 || p->b_scale.shift > 0 || p->scale.shift > 0) {
		return error_set(err, -EINVAL, "the result's scale is too fine for its operands'");
	}
	if (pot && (p->a_scale.shift < -31 || p->b_scale.shift < -31)) {
		return error_set(err, -EINVAL, "the result's scale is too coarse");
	}
	return arith_prepare_q(setup, pick(setup, pot), err);
}

static int add_prepare(struct op_setup *setup, struct error *err)
{
	static const struct arith_rows add = {
		.f32 = ek_add_f32, .f16 = ek_add_f16, .s32 = ek_add_s32, .s64 = ek_add_s64};
	static const struct arith_rows sub = {
		.f32 = ek_sub_f32, .s32 = ek_sub_s32, .s64 = ek_sub_s64};
	struct arith *state = setup->state;
	bool is_sub = setup->node->op == OP_SUB;
	broadcast_plan(setup, 2, &state->shape);
	state->params.sign = is_sub ? -1 : 1;
	if (ACCEPT_QUANTISED >> op_tensor_out(setup, 0)->type & 1) {
		return prepare_quantised(setup, &state->params, err);
	}
	return arith_prepare(setup, is_sub ? &sub : &add, err);
}

static int add_run(const struct op_call *call, struct error *err)
{
	const struct arith *state = call->state;
	return broadcast_run_shared(&state->shape, call, arith_row, state, err);
}

/* Pictures of equal shapes: a row is the same elements of all three. */
static bool add_row_shape(
	const struct op_setup *setup, uint32_t operand, struct row_fusion_shape *ret)
{
	const struct shape *out = op_shape_out(setup, 0);
	const struct arith *state = setup->state;
	if (operand > 1 || out->rank != 4 || out->dim[0] != 1 ||
		!shape_equal(op_shape_in(setup, 0), out) ||
		!shape_equal(op_shape_in(setup, 1), out)) {
		return false;
	}
	const uint32_t rows = (uint32_t)out->dim[1];
	const uint64_t bytes = op_gemm(out, 2, 4) * state->shape.dst_bytes;
	*ret = (struct row_fusion_shape){
		.y = {.in = rows, .out = rows, .taps = 1, .stride = 1, .dilation = 1},
		.in_row_bytes = bytes,
		.out_row_bytes = bytes};
	return true;
}

static void add_run_rows(const struct op_call *call, const struct row_fusion_rows *rows)
{
	static const size_t step[] = {1, 1};
	const struct arith *state = call->state;
	const struct value *out = op_out(call, 0);
	const size_t n = (size_t)op_gemm(&out->shape, 2, 4);
	const size_t at = rows->first * n * state->shape.dst_bytes;
	const void *src[] = {op_in(call, 0)->data, op_in(call, 1)->data};
	src[rows->operand] = rows->input;
	src[0] = (const uint8_t *)src[0] + at;
	src[1] = (const uint8_t *)src[1] + at;
	arith_row(state, (uint8_t *)rows->output + at, src, step, rows->n * n);
}

const struct cpu_op op_add = {
	.op = OP_ADD,
	.accept = add_accept,
	.state_bytes = sizeof(struct arith),
	.prepare = add_prepare,
	.run = add_run,
	.row_shape = add_row_shape,
	.run_rows = add_run_rows,
	.in_place = 3,
};
const struct cpu_op op_sub = {
	.op = OP_SUB,
	.accept = add_accept,
	.state_bytes = sizeof(struct arith),
	.prepare = add_prepare,
	.run = add_run,
	.in_place = 3,
};
