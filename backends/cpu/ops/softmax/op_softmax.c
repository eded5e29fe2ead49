/* SPDX-License-Identifier: Apache-2.0 */
/* SOFTMAX over the last dimension. Source: tflite kernels/activations.cc (SoftmaxPrepare),
 * PreprocessSoftmaxScaling and CalculateInputRadius of kernels/internal/quantization_util.cc. */
#include <math.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/lookup_table513.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/tiles.h"
#include "kernels/math/f16.h"
#include "kernels/softmax/softmax.h"

#define INTEGER_BITS 5
#define MAX_ROW_S16 65536 /* the sum of int16 exponentials stays in int32 */

struct softmax_state {
	size_t depth;
	uint32_t in_bytes, out_bytes; /* of an element */
	float beta;
	ek_softmax_fn *run; /* NULL for floats */
	const struct ek_softmax_parts *parts; /* of long rows; NULL for floats and int16 */
	struct ek_softmax_params params;
	int32_t exp8[256]; /* 8 bits */
	int16_t exp[EK_LUT513], reciprocal[EK_LUT513]; /* int16 */
};

static int softmax_accept(const struct op_setup *setup, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	if (out->type == DTYPE_INT16 && (in->type == DTYPE_INT8 || in->type == DTYPE_UINT8)) {
		return 0;
	}
	return op_accept_same(setup, ACCEPT_QUANTISED | ACCEPT(FLOAT32) | ACCEPT(FLOAT16), err);
}

static int prepare_8bit(
	const struct op_setup *setup, struct softmax_state *state, struct error *err)
{
	struct ek_softmax_params *p = &state->params;
	double scale = (double)state->beta * (double)quant_params_scale(op_tensor_in(setup, 0), 0);
	double fixed = fmin(scale * (1 << (31 - INTEGER_BITS)), 2147483647.0);
	struct ek_scale split = quant_params_split(fixed);
	if (split.shift < 0 || split.multiplier == 0) {
		return error_set(err, -EINVAL, "beta times the scale is below 2^-26");
	}
	double radius = ((1 << INTEGER_BITS) - 1) * (double)(1 << (31 - INTEGER_BITS));
	ek_softmax_exp8(split, -(int32_t)floor(ldexp(radius, -split.shift)), state->exp8);
	p->exp8 = state->exp8;
	p->out_bits = state->out_bytes == 2 ? 16 : 8;
	return 0;
}

static double reciprocal_of(double x)
{
	return 1 / (1 + x);
}

static int prepare_s16(const struct op_setup *setup, struct softmax_state *state, struct error *err)
{
	static const struct table513_range exp_range = {10.0 / 65535, 32767, 2.0 / 65535, 0};
	static const struct table513_range one_range = {1.0 / 65535, -32768, 2.0 / 65535, 0};
	if (state->depth > MAX_ROW_S16) {
		return error_set(err, -EOPNOTSUPP,
			"int16 rows of more than %u are not "
			"there yet",
			MAX_ROW_S16);
	}
	float scale = quant_params_scale(op_tensor_in(setup, 0), 0) * state->beta;
	state->params.scale = quant_params_split((double)scale / (10.0 / 65535));
	lookup_table513_fill(exp, &exp_range, state->exp);
	lookup_table513_fill(reciprocal_of, &one_range, state->reciprocal);
	state->params.exp = state->exp;
	state->params.reciprocal = state->reciprocal;
	return 0;
}

static const struct ek_softmax *pick(const struct op_setup *setup)
{
	uint64_t mask = setup->cpu_features;
	bool to16 = op_tensor_out(setup, 0)->type == DTYPE_INT16;
	switch (op_tensor_in(setup, 0)->type) {
	case DTYPE_INT8:
		return to16 ? OP_PICK(ek_softmax_s8to16, mask) : OP_PICK(ek_softmax_s8, mask);
	case DTYPE_UINT8:
		return to16 ? OP_PICK(ek_softmax_u8to16, mask) : OP_PICK(ek_softmax_u8, mask);
	default:
		return OP_PICK(ek_softmax_s16, mask);
	}
}

static const struct ek_softmax_parts *parts_of(const struct op_setup *setup)
{
	bool to16 = op_tensor_out(setup, 0)->type == DTYPE_INT16;
	switch (op_tensor_in(setup, 0)->type) {
	case DTYPE_INT8:
		return to16 ? &ek_softmax_parts_s8to16 : &ek_softmax_parts_s8;
	case DTYPE_UINT8:
		return to16 ? &ek_softmax_parts_u8to16 : &ek_softmax_parts_u8;
	default:
		return NULL;
	}
}

static int softmax_prepare(struct op_setup *setup, struct error *err)
{
	struct softmax_state *state = setup->state;
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	const struct shape *shape = op_shape_in(setup, 0);
	state->depth = shape->rank ? (size_t)shape->dim[shape->rank - 1] : 1;
	state->in_bytes = (uint32_t)op_accept_element_bytes(in);
	state->out_bytes = (uint32_t)op_accept_element_bytes(out);
	state->beta = setup->node->options.softmax.beta;
	if (in->type == DTYPE_FLOAT32 || in->type == DTYPE_FLOAT16) {
		setup->detail = "softmax_f32__c";
		setup->scratch_bytes = in->type == DTYPE_FLOAT16 ? sizeof(float) * state->depth : 0;
		return 0;
	}
	quant_params_type_range(out->type, &state->params.out_lo, &state->params.out_hi);
	const struct ek_softmax *kernel = pick(setup);
	state->run = kernel->run;
	state->parts = parts_of(setup);
	setup->detail = kernel->variant.name;
	return in->type == DTYPE_INT16 ? prepare_s16(setup, state, err)
				       : prepare_8bit(setup, state, err);
}

static void run_row(const struct softmax_state *s, void *dst, const void *src, float *scratch)
{
	if (s->run) {
		s->run(dst, src, s->depth, &s->params);
	} else if (s->in_bytes == sizeof(float)) {
		ek_softmax_f32(dst, src, s->depth, s->beta);
	} else {
		ek_f16_to_f32(scratch, src, s->depth);
		ek_softmax_f32(scratch, scratch, s->depth, s->beta);
		ek_f16_from_f32(dst, scratch, s->depth);
	}
}

/* Codes of a long row. */
static int run_parts(const struct softmax_state *s, void *dst, const void *src,
	const struct run_control *control)
{
	struct tiles t = {.total = s->depth, .control = control};
	const char *x = src;
	int32_t max = INT32_MIN;
	uint64_t sum = 0;
	while (tiles_next(&t)) {
		max = s->parts->max(max, x + t.at, (size_t)t.count);
	}
	tiles_restart(&t);
	while (tiles_next(&t)) {
		sum = s->parts->sum(sum, x + t.at, (size_t)t.count, max, &s->params);
	}
	tiles_restart(&t);
	while (tiles_next(&t)) {
		s->parts->share((char *)dst + t.at * s->out_bytes, x + t.at, (size_t)t.count, max,
			sum, &s->params);
	}
	return t.result;
}

/* A tile of a long row; as floats in @scratch where it has others. */
static const float *floats_of(
	const struct softmax_state *s, const void *src, float *scratch, const struct tiles *t)
{
	if (s->in_bytes == sizeof(float)) {
		return (const float *)src + t->at;
	}
	ek_f16_to_f32(scratch + t->at, (const uint16_t *)src + t->at, (size_t)t->count);
	return scratch + t->at;
}

static int run_parts_float(const struct softmax_state *s, void *dst, const void *src,
	float *scratch, const struct run_control *control)
{
	struct tiles t = {.total = s->depth, .control = control};
	float *y = s->in_bytes == sizeof(float) ? dst : scratch, max = 0, sum = 0;
	while (tiles_next(&t)) {
		const float *x = floats_of(s, src, scratch, &t);
		max = ek_softmax_f32_max(t.at ? max : x[0], x, (size_t)t.count);
	}
	tiles_restart(&t);
	while (tiles_next(&t)) {
		const float *x = floats_of(s, src, scratch, &t);
		sum = ek_softmax_f32_sum(sum, y + t.at, x, (size_t)t.count, max, s->beta);
	}
	tiles_restart(&t);
	while (tiles_next(&t)) {
		ek_softmax_f32_share(y + t.at, (size_t)t.count, sum);
		if (s->in_bytes != sizeof(float)) {
			ek_f16_from_f32((uint16_t *)dst + t.at, y + t.at, (size_t)t.count);
		}
	}
	return t.result;
}

static int run_long_row(
	const struct softmax_state *s, void *dst, const void *src, const struct op_call *call)
{
	return s->parts ? run_parts(s, dst, src, call->control)
			: run_parts_float(s, dst, src, call->scratch, call->control);
}

static int softmax_run(const struct op_call *call, struct error *err)
{
	const struct softmax_state *s = call->state;
	const struct value *out = op_out(call, 0);
	uint64_t elements = op_elements(&out->shape);
	struct tiles t = {.total = elements && s->depth ? elements / s->depth : 0,
		.control = call->control,
		.each = tiles_rows(s->depth)};
	while (tiles_next(&t)) {
		for (size_t row = t.at; row < t.at + t.count; row++) {
			char *dst = (char *)out->data + row * s->depth * s->out_bytes;
			const char *src =
				(const char *)op_in(call, 0)->data + row * s->depth * s->in_bytes;
			if (s->depth <= TILE_ROW) {
				run_row(s, dst, src, call->scratch);
			} else {
				t.result = run_long_row(s, dst, src, call);
			}
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_softmax = {.op = OP_SOFTMAX,
	.accept = softmax_accept,
	.state_bytes = sizeof(struct softmax_state),
	.prepare = softmax_prepare,
	.run = softmax_run};
