/* SPDX-License-Identifier: Apache-2.0 */
/* MEAN and SUM. Source: tflite kernels/reduce.cc and reference/reduce.h (Mean,
 * QuantizedMeanOrSum). */
#include <math.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/reduce/reduce_axes.h"
#include "backends/cpu/tiles.h"
#include "kernels/requant/requant.h"

struct reduce_state {
	struct reduce reduce;
	uint8_t type; /* of operand and result */
	bool is_mean;
	bool in_scratch; /* sums are kept in scratch, not in the output */
	ek_requant_fn *requant; /* quantised types */
	struct ek_requant_params params;
};

static int reduce_accept(const struct op_setup *setup, struct error *err)
{
	uint32_t types = ACCEPT_QUANTISED | ACCEPT(FLOAT32) | ACCEPT(INT32) | ACCEPT(INT64);
	return op_accept_same(setup, setup->node->op == OP_SUM ? types | ACCEPT(BOOL) : types, err);
}

static int floor_log2(uint64_t n)
{
	return 63 - __builtin_clzll(n);
}

/* From sums to codes; uint8 codes are the same bytes. */
static ek_requant_fn *pick_requant(const struct op_setup *setup)
{
	bool wide = op_tensor_out(setup, 0)->type == DTYPE_INT16;
	const struct ek_requant *kernel = wide ? OP_PICK(ek_requant_s32s16, setup->cpu_features)
					       : OP_PICK(ek_requant_s32s8, setup->cpu_features);
	return kernel->run;
}

/* The scale of a sum; of a mean the number of elements goes into the multiplier, with as many more
 * bits as fit. */
static void prepare_scale(const struct op_setup *setup, struct reduce_state *state)
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	struct ek_requant_params *p = &state->params;
	int64_t zeros = (int64_t)((uint64_t)quant_zero(&in->quant, 0) * state->reduce.reduced);
	p->src_zero = (int32_t)zeros;
	p->zero = (int32_t)quant_zero(&out->quant, 0);
	p->scale = quant_params_split(
		(double)quant_params_scale(in, 0) / (double)quant_params_scale(out, 0));
	quant_params_type_range(out->type, &p->lo, &p->hi);
	state->requant = pick_requant(setup);
	if (state->is_mean && state->reduce.reduced > 0) {
		int shift = floor_log2(state->reduce.reduced);
		shift = shift < 32 ? shift : 32;
		shift = shift < 31 + p->scale.shift ? shift : 31 + p->scale.shift;
		int64_t wide = (int64_t)p->scale.multiplier << shift;
		p->scale.multiplier = (int32_t)(wide / (int64_t)state->reduce.reduced);
		p->scale.shift -= shift;
	}
}

static ek_sum_fn *pick_sum(const struct ek_sum *list, size_t count, const struct op_setup *setup,
	const char **ret_name)
{
	const struct ek_sum *row = ek_pick(list, count, sizeof(*list), setup->cpu_features);
	*ret_name = row->variant.name;
	return row->run;
}

/* Which kernel adds, and how wide its sums are. */
static void pick_kernel(struct op_setup *setup, struct reduce_state *state)
{
	state->reduce.acc_bytes = 4;
	switch (state->type) {
	case DTYPE_INT8:
		state->reduce.fold = pick_sum(ek_sum_s8, ek_sum_s8_count, setup, &setup->detail);
		break;
	case DTYPE_UINT8:
		state->reduce.fold = pick_sum(ek_sum_u8, ek_sum_u8_count, setup, &setup->detail);
		break;
	case DTYPE_INT16:
		state->reduce.fold = pick_sum(ek_sum_s16, ek_sum_s16_count, setup, &setup->detail);
		break;
	case DTYPE_FLOAT32:
		state->reduce.fold = pick_sum(ek_sum_f32, ek_sum_f32_count, setup, &setup->detail);
		break;
	case DTYPE_INT32:
		state->reduce.fold = state->is_mean ? ek_sum_s32to64 : ek_sum_s32;
		state->reduce.acc_bytes = state->is_mean ? 8 : 4;
		break;
	case DTYPE_INT64:
		state->reduce.fold = ek_sum_s64;
		state->reduce.acc_bytes = 8;
		break;
	default:
		state->reduce.fold = ek_sum_bool;
		state->reduce.acc_bytes = 1;
		break;
	}
}

static int reduce_prepare(struct op_setup *setup, struct error *err)
{
	struct reduce_state *state = setup->state;
	int r = reduce_plan(setup, &state->reduce, err);
	if (r < 0) {
		return r;
	}
	state->type = op_tensor_in(setup, 0)->type;
	state->is_mean = setup->node->op == OP_MEAN;
	state->reduce.in_bytes = (uint32_t)op_accept_element_bytes(op_tensor_in(setup, 0));
	pick_kernel(setup, state);
	if (ACCEPT_QUANTISED >> state->type & 1) {
		prepare_scale(setup, state);
	}
	state->in_scratch = state->reduce.acc_bytes != state->reduce.in_bytes;
	if (state->in_scratch) {
		setup->scratch_bytes =
			op_elements(op_shape_out(setup, 0)) * state->reduce.acc_bytes;
	}
	return 0;
}

/* Integers are cut towards zero. A mean of no floats is NaN without a sign, on every CPU. */
static void finish_means(const struct reduce_state *s, const void *sums, size_t n, void *dst)
{
	int64_t count = (int64_t)s->reduce.reduced;
	for (size_t i = 0; i < n; i++) {
		if (s->type == DTYPE_FLOAT32) {
			((float *)dst)[i] = count ? ((const float *)sums)[i] / (float)count : NAN;
		} else if (s->type == DTYPE_INT32) {
			((int32_t *)dst)[i] = (int32_t)(((const int64_t *)sums)[i] / count);
		} else {
			((int64_t *)dst)[i] = ((const int64_t *)sums)[i] / count;
		}
	}
}

static void finish(const struct reduce_state *s, const void *sums, size_t n, void *dst)
{
	if (ACCEPT_QUANTISED >> s->type & 1) {
		s->requant(dst, sums, n, &s->params);
	} else if (s->is_mean) {
		finish_means(s, sums, n, dst);
	}
}

static int reduce_run(const struct op_call *call, struct error *err)
{
	const struct reduce_state *s = call->state;
	const struct value *out = op_out(call, 0);
	size_t n = op_elements(&out->shape);
	char *sums = s->in_scratch ? call->scratch : out->data;
	if (n == 0 || (s->reduce.reduced == 0 && s->type != DTYPE_FLOAT32)) {
		/* Sums and means of nothing: 0, and code 0 for quantised types. */
		return tiles_result(
			tiles_clear(out->data, n * s->reduce.in_bytes, call->control), err);
	}
	struct tiles t = {.total = n,
		.control = call->control,
		.result = tiles_clear(sums, n * s->reduce.acc_bytes, call->control)};
	int result = t.result < 0 ? tiles_end(&t, err) : reduce_walk(&s->reduce, call, sums, err);
	while (result == 0 && tiles_next(&t)) {
		char *dst = (char *)out->data + t.at * s->reduce.in_bytes;
		finish(s, sums + t.at * s->reduce.acc_bytes, (size_t)t.count, dst);
	}
	return result < 0 ? result : tiles_end(&t, err);
}

const struct cpu_op op_mean = {.op = OP_MEAN,
	.also = OP_ALSO(OP_SUM),
	.params = 1u << 1,
	.accept = reduce_accept,
	.state_bytes = sizeof(struct reduce_state),
	.prepare = reduce_prepare,
	.run = reduce_run};
