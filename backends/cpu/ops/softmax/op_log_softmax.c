/* SPDX-License-Identifier: Apache-2.0 */
/* LOG_SOFTMAX over the last dimension. Source: tflite kernels/activations.cc (LogSoftmaxPrepare),
 * PreprocessLogSoftmaxScalingExp of kernels/internal/quantization_util.cc. */
#include <math.h>

#include "backends/cpu/accept.h"
#include "backends/cpu/quant.h"
#include "backends/cpu/tiles.h"
#include "kernels/log_softmax.h"

#define INTEGER_BITS 5

struct log_softmax_state {
	uint64_t depth, row_bytes;
	ek_log_softmax_fn *run; /* NULL for float */
	struct ek_log_softmax params;
};

static int log_softmax_accept(const struct op_setup *setup, struct error *err)
{
	return accept_same(setup, ACCEPT(FLOAT32) | ACCEPT(INT8) | ACCEPT(UINT8), err);
}

static void prepare_codes(const struct op_setup *setup, struct ek_log_softmax *p)
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	double fixed = (double)quant_scale(in, 0) * (1 << (31 - INTEGER_BITS));
	struct ek_scale split = quant_split(fmin(fixed, 2147483647.0));
	double radius = ((1 << INTEGER_BITS) - 1) * (double)(1 << (31 - INTEGER_BITS));
	p->least = -(int32_t)floor(ldexp(radius, -split.shift));
	p->reverse = quant_split(ldexp(1, 31 - split.shift) / (double)split.multiplier);
	p->zero = (int32_t)quant_zero(&out->quant, 0);
	quant_type_range(out->type, &p->lo, &p->hi);
	ek_log_softmax_fill(split, p);
}

static int log_softmax_prepare(struct op_setup *setup, struct error *err)
{
	struct log_softmax_state *state = setup->state = op_alloc(setup, sizeof(*state));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	const struct tensor *in = op_tensor_in(setup, 0);
	const struct shape *shape = op_shape_in(setup, 0);
	state->depth = shape->rank ? (uint64_t)shape->dim[shape->rank - 1] : 1;
	state->row_bytes = state->depth * accept_element_bytes(in);
	setup->detail = "log_softmax_f32__c";
	if (in->type != DTYPE_FLOAT32) {
		state->run = in->type == DTYPE_INT8 ? ek_log_softmax_s8 : ek_log_softmax_u8;
		setup->detail = "log_softmax__c";
		prepare_codes(setup, &state->params);
	}
	return 0;
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
			if (s->run) {
				s->run(dst, src, (size_t)s->depth, &s->params);
			} else {
				ek_log_softmax_f32(
					(float *)dst, (const float *)src, (size_t)s->depth);
			}
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_log_softmax = {.op = OP_LOG_SOFTMAX,
	.accept = log_softmax_accept,
	.prepare = log_softmax_prepare,
	.run = log_softmax_run};
