/* SPDX-License-Identifier: Apache-2.0 */
/* LOG_SOFTMAX over the last dimension. Source: tflite kernels/activations.cc (LogSoftmaxPrepare),
 * PreprocessLogSoftmaxScalingExp of kernels/internal/quantization_util.cc. */
#include <math.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/tiles.h"
#include "kernels/softmax/log_softmax.h"

#define INTEGER_BITS 5

struct log_softmax_state {
	uint64_t depth, row_bytes;
	ek_log_softmax_fn *run; /* NULL for float */
	const struct ek_log_softmax_parts *parts; /* of long rows; NULL for float */
	struct ek_log_softmax params;
};

static void prepare_codes(const struct op_setup *setup, struct ek_log_softmax *p)
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	double fixed = (double)quant_params_scale(in, 0) * (1 << (31 - INTEGER_BITS));
	struct ek_scale split = quant_params_split(fmin(fixed, 2147483647.0));
	double radius = ((1 << INTEGER_BITS) - 1) * (double)(1 << (31 - INTEGER_BITS));
	p->least = -(int32_t)floor(ldexp(radius, -split.shift));
	p->reverse = quant_params_split(ldexp(1, 31 - split.shift) / (double)split.multiplier);
	p->zero = (int32_t)quant_zero(&out->quant, 0);
	quant_params_type_range(out->type, &p->lo, &p->hi);
	ek_log_softmax_fill(split, p);
}

static void log_softmax_init(struct op_setup *setup)
{
	struct log_softmax_state *state = setup->state;
	const struct tensor *in = op_tensor_in(setup, 0);
	const struct shape *shape = op_shape_in(setup, 0);
	state->depth = shape->rank ? (uint64_t)shape->dim[shape->rank - 1] : 1;
	state->row_bytes = state->depth * op_accept_element_bytes(in);
	setup->detail = "log_softmax_f32__c";
	if (in->type != DTYPE_FLOAT32) {
		state->run = in->type == DTYPE_INT8 ? ek_log_softmax_s8 : ek_log_softmax_u8;
		state->parts = in->type == DTYPE_INT8 ? &ek_log_softmax_parts_s8
						      : &ek_log_softmax_parts_u8;
		setup->detail = "log_softmax__c";
		prepare_codes(setup, &state->params);
	}
}

static void run_row(const struct log_softmax_state *s, void *dst, const void *src)
{
	if (s->run) {
		s->run(dst, src, (size_t)s->depth, &s->params);
	} else {
		ek_log_softmax_f32(dst, src, (size_t)s->depth);
	}
}

/* Codes of a long row. */
static int run_parts(const struct log_softmax_state *s, void *dst, const void *src,
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
		s->parts->finish(
			(char *)dst + t.at, x + t.at, (size_t)t.count, max, sum, &s->params);
	}
	return t.result;
}

static int run_parts_float(const struct log_softmax_state *s, float *dst, const float *src,
	const struct run_control *control)
{
	struct tiles t = {.total = s->depth, .control = control};
	float max = src[0], sum = 0;
	while (tiles_next(&t)) {
		max = ek_log_softmax_f32_max(max, src + t.at, (size_t)t.count);
	}
	tiles_restart(&t);
	while (tiles_next(&t)) {
		sum = ek_log_softmax_f32_sum(sum, src + t.at, (size_t)t.count, max);
	}
	const float log_sum = logf(sum);
	tiles_restart(&t);
	while (tiles_next(&t)) {
		ek_log_softmax_f32_finish(dst + t.at, src + t.at, (size_t)t.count, max, log_sum);
	}
	return t.result;
}

static int log_softmax_run(const struct op_call *call, struct error *err)
{
	const struct log_softmax_state *s = call->state;
	uint64_t n = op_elements(&op_out(call, 0)->shape);
	struct tiles t = {.total = n ? n / s->depth : 0,
		.control = call->control,
		.each = tiles_rows(s->depth)};
	while (tiles_next(&t)) {
		for (uint64_t row = t.at; row < t.at + t.count; row++) {
			char *dst = (char *)op_out(call, 0)->data + row * s->row_bytes;
			const char *src = (const char *)op_in(call, 0)->data + row * s->row_bytes;
			if (s->depth <= TILE_ROW) {
				run_row(s, dst, src);
			} else if (s->parts) {
				t.result = run_parts(s, dst, src, call->control);
			} else {
				t.result = run_parts_float(
					s, (float *)dst, (const float *)src, call->control);
			}
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_log_softmax = {.op = OP_LOG_SOFTMAX,
	.types = ACCEPT(FLOAT32) | ACCEPT(INT8) | ACCEPT(UINT8),
	.state_bytes = sizeof(struct log_softmax_state),
	.init = log_softmax_init,
	.run = log_softmax_run};
