/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators of one operand and its shape: a row for each type says how it is computed.
 * Sources: tflite kernels/elementwise.cc, activations.cc, neg.cc, sign.cc, gelu.cc, floor.cc,
 * ceil.cc, round.cc, fake_quant.cc, complex_support.cc.
 */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/lookup_table.h"
#include "backends/cpu/operand/lookup_table513.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/elementwise/unary_factors.h"
#include "backends/cpu/ops/elementwise/unary_tiles.h"
#include "backends/cpu/row_fusion.h"
#include "backends/cpu/tiles.h"

/* One of three: a kernel of plain numbers (of float32 for float16), a curve of real numbers, or
 * integer arithmetic on codes. */
struct unary_row {
	uint16_t op;
	uint8_t type;
	bool tanh; /* GELU: the approximate form */
	ek_unary_fn *plain;
	unary_factors_fn *factors;
	ek_curve_fn *curve;
	ek_quantized_one_fn *one;
	ek_quantized_s16_fn *codes_s16;
	unary_factors_codes_fn *scales;
	float (*undefined)(const struct tensor *out); /* the curve's value where it has none */
	bool no_negatives; /* a code below the zero point ends the run */
	const char *detail;
};

struct unary_state {
	struct lookup_table table; /* 8 bits; first, as lookup_table_run_rows() wants it */
	const struct unary_row *row;
	union unary_factors factors;
	struct ek_quantized codes;
	int16_t curve[EK_LUT513]; /* int16 */
};

#define F32(name, kernel, ...)                                                                     \
	{                                                                                          \
		.op = OP_##name, .type = DTYPE_FLOAT32, .plain = ek_##kernel,                      \
		.detail = #kernel "__c", __VA_ARGS__                                               \
	}
#define F16(name, kernel, ...)                                                                     \
	{                                                                                          \
		.op = OP_##name, .type = DTYPE_FLOAT16, .plain = ek_##kernel,                      \
		.detail = #kernel "__c", __VA_ARGS__                                               \
	}
#define PLAIN(name, dtype, kernel)                                                                 \
	{                                                                                          \
		.op = OP_##name, .type = DTYPE_##dtype, .plain = ek_##kernel,                      \
		.detail = #kernel "__c"                                                            \
	}
#define CURVE(name, dtype, function, ...)                                                          \
	{                                                                                          \
		.op = OP_##name, .type = DTYPE_##dtype, .curve = (function),                       \
		.detail = "lut513__c", __VA_ARGS__                                                 \
	}
#define CODES(name, dtype, function, ...)                                                          \
	{                                                                                          \
		.op = OP_##name, .type = DTYPE_##dtype, .one = ek_##function,                      \
		.detail = #function "__c", __VA_ARGS__                                             \
	}

/* Rows for codes stand before those of plain numbers: the first that fits is taken. */
static const struct unary_row rows[] = {
	F32(ABS, abs_f32),
	CODES(ABS, INT8, quantized_abs, .scales = unary_factors_abs),
	CODES(ABS, INT16, quantized_abs, .scales = unary_factors_abs,
		.codes_s16 = ek_quantized_abs_s16),
	PLAIN(ABS, INT16, abs_s16),
	PLAIN(ABS, INT32, abs_s32),
	F32(CEIL, ceil_f32),
	PLAIN(COMPLEX_ABS, COMPLEX64, abs_c64),
	F32(COS, cos_f32),
	F16(COS, cos_f32),
	F32(ELU, elu_f32),
	CURVE(ELU, INT8, ek_curve_elu),
	F32(EXP, exp_f32),
	CURVE(EXP, INT8, ek_curve_exp),
	CURVE(EXP, INT16, ek_curve_exp),
	F32(FAKE_QUANT, fake_quant_f32, .factors = unary_factors_fake_quant),
	F32(FLOOR, floor_f32),
	F16(FLOOR, floor_f32),
	F32(GELU, gelu_f32),
	F16(GELU, gelu_f32),
	CURVE(GELU, INT8, ek_curve_gelu),
	CURVE(GELU, UINT8, ek_curve_gelu),
	CURVE(GELU, INT16, ek_curve_gelu),
	F32(GELU, gelu_tanh_f32, .tanh = true),
	F16(GELU, gelu_tanh_f32, .tanh = true),
	CURVE(GELU, INT8, ek_curve_gelu_tanh, .tanh = true),
	CURVE(GELU, UINT8, ek_curve_gelu_tanh, .tanh = true),
	CURVE(GELU, INT16, ek_curve_gelu_tanh, .tanh = true),
	F32(HARD_SWISH, hard_swish_f32),
	CODES(HARD_SWISH, INT8, quantized_hard_swish, .scales = unary_factors_hard_swish),
	CODES(HARD_SWISH, UINT8, quantized_hard_swish, .scales = unary_factors_hard_swish),
	PLAIN(IMAG, COMPLEX64, imag_c64),
	F32(LEAKY_RELU, leaky_relu_f32, .factors = unary_factors_alpha),
	CODES(LEAKY_RELU, INT8, quantized_leaky_relu, .scales = unary_factors_leaky_relu),
	CODES(LEAKY_RELU, UINT8, quantized_leaky_relu, .scales = unary_factors_leaky_relu),
	CODES(LEAKY_RELU, INT16, quantized_leaky_relu, .scales = unary_factors_leaky_relu,
		.codes_s16 = ek_quantized_leaky_relu_s16),
	F32(LOG, log_f32),
	CURVE(LOG, INT8, ek_curve_log, .undefined = unary_factors_lowest),
	CURVE(LOG, INT16, ek_curve_log, .undefined = unary_factors_lowest),
	PLAIN(LOGICAL_NOT, BOOL, not_b),
	F32(NEG, neg_f32),
	F16(NEG, neg_f32),
	PLAIN(NEG, INT8, neg_s8),
	PLAIN(NEG, INT16, neg_s16),
	PLAIN(NEG, INT32, neg_s32),
	PLAIN(NEG, INT64, neg_s64),
	PLAIN(REAL, COMPLEX64, real_c64),
	F32(ROUND, round_f32),
	F16(ROUND, round_f32),
	F32(RSQRT, rsqrt_f32),
	CODES(RSQRT, INT8, quantized_rsqrt, .scales = unary_factors_rsqrt, .no_negatives = true),
	CURVE(RSQRT, INT16, ek_curve_rsqrt, .undefined = unary_factors_highest,
		.no_negatives = true),
	F32(SIGN, sign_f32),
	PLAIN(SIGN, FLOAT64, sign_f64),
	PLAIN(SIGN, INT32, sign_s32),
	F32(SIN, sin_f32),
	F16(SIN, sin_f32),
	F32(SQRT, sqrt_f32),
	CODES(SQRT, INT8, quantized_sqrt, .scales = unary_factors_sqrt, .no_negatives = true),
	CODES(SQRT, INT16, quantized_sqrt, .scales = unary_factors_sqrt, .no_negatives = true,
		.codes_s16 = ek_quantized_sqrt_s16),
	F32(SQUARE, square_f32),
};

static bool fits(const struct unary_row *row, const struct node *node, const struct tensor *in)
{
	bool tanh = node->op == OP_GELU && node->options.gelu.approximate;
	return row->op == node->op && row->type == in->type && row->tanh == tanh &&
		(row->plain || in->quant.n_scales);
}

static const struct unary_row *find_row(const struct op_setup *setup)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (fits(&rows[i], setup->node, op_tensor_in(setup, 0))) {
			return &rows[i];
		}
	}
	return NULL;
}

static int unary_accept(const struct op_setup *setup, struct error *err)
{
	return find_row(setup) ? 0 : op_accept_type(op_tensor_in(setup, 0), 0, err);
}

static void prepare_codes(struct op_setup *setup, struct unary_state *state)
{
	const struct unary_row *row = state->row;
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	struct ek_quantized *p = &state->codes;
	float undefined = row->undefined ? row->undefined(out) : 0;
	p->src_zero = (int32_t)quant_zero(&in->quant, 0);
	p->zero = (int32_t)quant_zero(&out->quant, 0);
	quant_params_type_range(out->type, &p->lo, &p->hi);
	if (row->scales) {
		row->scales(setup, p);
	}
	if (in->type == DTYPE_INT16 && row->curve) {
		lookup_table513_fill_curve(setup, row->curve, undefined, state->curve);
	}
	if (in->type == DTYPE_INT16) {
		return;
	}
	lookup_table_init(setup, 1, &state->table);
	if (row->curve) {
		lookup_table_fill_curve(setup, row->curve, undefined, &state->table);
	} else {
		lookup_table_fill_codes(setup, row->one, p, &state->table);
	}
}

static void unary_init(struct op_setup *setup)
{
	struct unary_state *state = setup->state;
	state->row = find_row(setup);
	setup->detail = state->row->detail;
	if (!state->row->plain) {
		prepare_codes(setup, state);
	} else if (state->row->factors) {
		state->row->factors(setup, &state->factors);
	}
	setup->scratch_bytes =
		state->row->type == DTYPE_FLOAT16 ? unary_tiles_f16_scratch(setup) : 0;
}

static int check_negatives(
	const struct op_call *call, const struct unary_state *state, struct error *err)
{
	const void *src = op_in(call, 0)->data;
	const int32_t limit = state->codes.src_zero;
	struct tiles t = {.total = op_elements(&op_in(call, 0)->shape), .control = call->control};
	while (tiles_next(&t)) {
		const size_t n = (size_t)t.count;
		const size_t at = state->row->type == DTYPE_INT16
			? ek_quantized_find_below_s16((const int16_t *)src + t.at, n, limit)
			: ek_quantized_find_below_s8((const int8_t *)src + t.at, n, limit);
		if (at < n) {
			return error_set(err, -EINVAL, "element %llu of input 0 is negative",
				(unsigned long long)(t.at + at));
		}
	}
	return tiles_end(&t, err);
}

static int run_s16(const struct op_call *call, const struct unary_state *state, struct error *err)
{
	const int16_t *src = op_in(call, 0)->data;
	int16_t *dst = op_out(call, 0)->data;
	struct tiles t = {.total = op_elements(&op_out(call, 0)->shape), .control = call->control};
	while (tiles_next(&t)) {
		if (state->row->curve) {
			ek_lut513(dst + t.at, src + t.at, t.count, state->curve);
		} else {
			state->row->codes_s16(dst + t.at, src + t.at, t.count, &state->codes);
		}
	}
	return tiles_end(&t, err);
}

static int unary_op_run(const struct op_call *call, struct error *err)
{
	const struct unary_state *state = call->state;
	const struct unary_row *row = state->row;
	if (row->plain) {
		return row->type == DTYPE_FLOAT16
			? unary_tiles_run_f16(call, row->plain, &state->factors, err)
			: unary_tiles_run(call, row->plain, &state->factors, err);
	}
	int r = row->no_negatives ? check_negatives(call, state, err) : 0;
	if (r < 0) {
		return r;
	}
	return row->type == DTYPE_INT16 ? run_s16(call, state, err)
					: lookup_table_run(&state->table, call, err);
}

static bool unary_row_shape(
	const struct op_setup *setup, uint32_t operand, struct row_fusion_shape *ret)
{
	const struct unary_row *row = ((const struct unary_state *)setup->state)->row;
	return !row->plain && !row->no_negatives && lookup_table_row_shape(setup, operand, ret);
}

const struct cpu_op op_unary = {
	.op = OP_ABS,
	.also = OP_ALSO(OP_CEIL, OP_COMPLEX_ABS, OP_COS, OP_ELU, OP_EXP, OP_FAKE_QUANT, OP_FLOOR,
		OP_GELU, OP_HARD_SWISH, OP_IMAG, OP_LEAKY_RELU, OP_LOG, OP_LOGICAL_NOT, OP_NEG,
		OP_REAL, OP_ROUND, OP_RSQRT, OP_SIGN, OP_SIN, OP_SQRT, OP_SQUARE),
	.accept = unary_accept,
	.state_bytes = sizeof(struct unary_state),
	.init = unary_init,
	.run = unary_op_run,
	.row_shape = unary_row_shape,
	.run_rows = lookup_table_run_rows,
	.in_place = 1,
};

static int zeros_run(const struct op_call *call, struct error *err)
{
	const struct value *out = op_out(call, 0);
	return tiles_result(tiles_clear(out->data, out->bytes, call->control), err);
}

const struct cpu_op op_zeros_like = {.op = OP_ZEROS_LIKE,
	.types = ACCEPT(FLOAT32) | ACCEPT(INT32) | ACCEPT(INT64),
	.run = zeros_run};
