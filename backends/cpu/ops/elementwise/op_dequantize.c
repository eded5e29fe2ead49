/* SPDX-License-Identifier: Apache-2.0 */
/* DEQUANTIZE to float32, per tensor and per channel, also from float16 and int4, and NumericVerify,
 * which subtracts what the result should be. Source: tflite kernels/dequantize.h,
 * reference/dequantize.h, numeric_verify.cc. */
#include <math.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/tiles.h"
#include "kernels/math/f16.h"
#include "kernels/requant/requant.h"

#define CODES (ACCEPT_QUANTISED | ACCEPT(INT4) | ACCEPT(INT32) | ACCEPT(FLOAT16))

struct channel {
	float step;
	int32_t zero;
};

struct dequantize_state {
	ek_dequantize_fn *run; /* NULL for float16 */
	uint8_t type;
	uint32_t in_bytes; /* of a code as the kernel reads it */
	uint32_t n_channels;
	uint64_t inner; /* elements of one channel in a row */
	const struct channel *channels;
};

static ek_dequantize_fn *pick(unsigned int type)
{
	switch (type) {
	case DTYPE_UINT8:
		return ek_dequantize_u8;
	case DTYPE_INT16:
		return ek_dequantize_s16;
	case DTYPE_INT32:
		return ek_dequantize_s32;
	default:
		return ek_dequantize_s8;
	}
}

static int dequantize_prepare(struct op_setup *setup, struct error *err)
{
	struct dequantize_state *state = setup->state = op_alloc(setup, sizeof(*state));
	const struct tensor *in = op_tensor_in(setup, 0);
	const struct shape *shape = op_shape_in(setup, 0);
	uint32_t n = in->quant.n_scales > 1 ? in->quant.n_scales : 1;
	struct channel *channels = op_alloc(setup, (uint64_t)n * sizeof(*channels));
	if (!state || !channels) {
		return op_alloc_failed(setup, err);
	}
	for (uint32_t c = 0; c < n; c++) {
		channels[c].step = quant_params_scale(in, c);
		channels[c].zero = (int32_t)quant_zero(&in->quant, c);
	}
	*state = (struct dequantize_state){
		.run = in->type == DTYPE_FLOAT16 ? NULL : pick(in->type),
		.type = in->type,
		.in_bytes = in->type == DTYPE_INT4 ? 1 : (uint32_t)op_accept_element_bytes(in),
		.n_channels = n,
		.inner = n > 1 ? op_gemm(shape, in->quant.dimension + 1, shape->rank)
			       : op_elements(shape),
		.channels = channels,
	};
	setup->detail = state->run ? "dequantize__c" : "f16_to_f32__c";
	if (in->type == DTYPE_INT4) {
		setup->scratch_bytes = op_elements(shape);
	}
	return 0;
}

static void run_tile(const struct dequantize_state *s, float *dst, const char *src, uint64_t at,
	uint64_t n, const struct channel *channel)
{
	if (s->run) {
		s->run(dst + at, src + at * s->in_bytes, n, channel->step, channel->zero);
	} else {
		ek_f16_to_f32(dst + at, (const uint16_t *)src + at, n);
	}
}

static int dequantize_run(const struct op_call *call, struct error *err)
{
	const struct dequantize_state *s = call->state;
	float *dst = op_out(call, 0)->data;
	const void *src = op_in(call, 0)->data;
	uint64_t total = op_elements(&op_out(call, 0)->shape);
	const void *codes = s->type == DTYPE_INT4 ? call->scratch : src;
	struct tiles t = {.total = total, .control = call->control};
	while (tiles_next(&t)) {
		if (s->type == DTYPE_INT4) { /* whole bytes: tiles are even */
			ek_unpack_s4((int8_t *)call->scratch + t.at,
				(const uint8_t *)src + t.at / 2, (size_t)t.count);
		}
		for (uint64_t at = t.at, end = t.at + t.count, n; at < end; at += n) {
			n = tiles_run(at, end, s->inner);
			run_tile(s, dst, codes, at, n, &s->channels[at / s->inner % s->n_channels]);
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_dequantize = {.op = OP_DEQUANTIZE,
	.types_in[0] = CODES,
	.types_out = ACCEPT(FLOAT32),
	.prepare = dequantize_prepare,
	.run = dequantize_run};

/* The difference that ends a run; a float16 has no step. */
static float verify_limit(const struct op_call *call)
{
	const struct options_numeric_verify *o = &call->node->options.numeric_verify;
	const struct tensor *in = &call->subgraph->tensors[call->node->inputs[0]];
	if (!o->log_if_failed || o->tolerance < 0.1f) {
		return INFINITY;
	}
	return o->tolerance * (in->quant.n_scales == 1 ? in->quant.scale[0] : 0);
}

static int verify_run(const struct op_call *call, struct error *err)
{
	int r = dequantize_run(call, err);
	if (r < 0) {
		return r;
	}
	const float limit = verify_limit(call);
	const float *reference = op_in(call, 1)->data;
	float *dst = op_out(call, 0)->data;
	struct tiles t = {.total = op_elements(&op_out(call, 0)->shape), .control = call->control};
	while (tiles_next(&t)) {
		size_t miss = ek_miss_f32(dst + t.at, reference + t.at, t.count, limit);
		if (miss < t.count) {
			return error_set(err, -EINVAL, "element %llu is %g off, at most %g",
				(unsigned long long)(t.at + miss), (double)dst[t.at + miss],
				(double)limit);
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_numeric_verify = {.op = OP_NUMERIC_VERIFY,
	.types_in[0] = CODES,
	.types_out = ACCEPT(FLOAT32),
	.prepare = dequantize_prepare,
	.run = verify_run};
