/* SPDX-License-Identifier: Apache-2.0 */
/* REDUCE_MAX, REDUCE_MIN, REDUCE_PROD, REDUCE_ANY and REDUCE_ALL. Source: tflite
 * kernels/reduce.cc, reference/reduce.h (QuantizedReduceProd). */
#include <float.h>
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/operand/strided.h"
#include "backends/cpu/ops/reduce/reduce_axes.h"
#include "backends/cpu/ops/reduce/reduce_kernel.h"
#include "backends/cpu/tiles.h"

/* What an accumulator starts with: also the result of nothing. */
union first {
	uint8_t u8;
	int8_t s8;
	int16_t s16;
	int32_t s32;
	int64_t s64;
	float f32;
};

struct fold_state {
	struct reduce reduce;
	union first first;
	uint8_t type; /* of operand and result */
	bool is_extreme; /* REDUCE_MAX, REDUCE_MIN */
	bool is_product; /* of codes: accumulators are in scratch */
	int32_t zero, lo, hi; /* of such a product's result */
	int32_t one; /* code of 1 */
};

static int fold_accept(const struct op_setup *setup, struct error *err)
{
	uint32_t types = ACCEPT(BOOL);
	switch (setup->node->op) {
	case OP_REDUCE_MAX:
	case OP_REDUCE_MIN:
		types |= ACCEPT_QUANTISED | ACCEPT(FLOAT32) | ACCEPT(INT32) | ACCEPT(INT64);
		break;
	case OP_REDUCE_PROD:
		types |= ACCEPT(INT8) | ACCEPT(INT16) | ACCEPT(FLOAT32) | ACCEPT(INT32) |
			ACCEPT(INT64);
		break;
	default:
		break;
	}
	return op_accept_same(setup, types, err);
}

static enum ek_reduce fold_of(unsigned int op)
{
	switch (op) {
	case OP_REDUCE_MAX:
		return EK_REDUCE_GREATEST;
	case OP_REDUCE_MIN:
		return EK_REDUCE_LEAST;
	case OP_REDUCE_PROD:
		return EK_REDUCE_MULTIPLY;
	case OP_REDUCE_ANY:
		return EK_REDUCE_OR;
	default:
		return EK_REDUCE_AND;
	}
}

/* The least number of the type, or the greatest. */
static union first extreme(unsigned int type, bool least)
{
	switch (type) {
	case DTYPE_FLOAT32:
		return (union first){.f32 = least ? -FLT_MAX : FLT_MAX};
	case DTYPE_INT64:
		return (union first){.s64 = least ? INT64_MIN : INT64_MAX};
	case DTYPE_INT32:
		return (union first){.s32 = least ? INT32_MIN : INT32_MAX};
	case DTYPE_INT16:
		return (union first){.s16 = least ? INT16_MIN : INT16_MAX};
	case DTYPE_INT8:
		return (union first){.s8 = least ? INT8_MIN : INT8_MAX};
	case DTYPE_UINT8:
		return (union first){.u8 = least ? 0 : UINT8_MAX};
	default:
		return (union first){.u8 = !least};
	}
}

static union first one(unsigned int type)
{
	switch (type) {
	case DTYPE_FLOAT32:
		return (union first){.f32 = 1};
	case DTYPE_INT64:
		return (union first){.s64 = 1};
	case DTYPE_INT32:
		return (union first){.s32 = 1};
	default:
		return (union first){.u8 = 1};
	}
}

static union first first_of(unsigned int op, unsigned int type)
{
	switch (op) {
	case OP_REDUCE_MAX:
		return extreme(type, true);
	case OP_REDUCE_MIN:
		return extreme(type, false);
	case OP_REDUCE_ANY:
		return (union first){.u8 = 0};
	default:
		return one(type);
	}
}

static ek_sum_fn *kernel_of(unsigned int op, unsigned int type)
{
	return reduce_kernel_find(type, fold_of(op));
}

/* Every factor is scaled by scale(input) / scale(output)^(1 / n). */
static void prepare_product(struct op_setup *setup, struct fold_state *state)
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	struct reduce *r = &state->reduce;
	double root = r->reduced ? 1 / (double)r->reduced : 1;
	r->scaling.scale = quant_params_split(
		(double)quant_params_scale(in, 0) / pow((double)quant_params_scale(out, 0), root));
	r->scaling.zero = (int32_t)quant_zero(&in->quant, 0);
	r->product = state->type == DTYPE_INT8 ? ek_gemm_s8 : ek_gemm_s16;
	r->acc_bytes = sizeof(int64_t);
	state->is_product = true;
	state->first.s64 = EK_GEMM_NONE;
	state->zero = (int32_t)quant_zero(&out->quant, 0);
	quant_params_type_range(out->type, &state->lo, &state->hi);
	state->one = ek_clamp32(quant_params_code(out, 1), state->lo, state->hi);
	setup->scratch_bytes = op_elements(op_shape_out(setup, 0)) * sizeof(int64_t);
}

static int fold_prepare(struct op_setup *setup, struct error *err)
{
	struct fold_state *state = setup->state;
	int r = reduce_plan(setup, &state->reduce, err);
	if (r < 0) {
		return r;
	}
	const struct tensor *in = op_tensor_in(setup, 0);
	unsigned int op = setup->node->op;
	state->type = in->type;
	state->is_extreme = op == OP_REDUCE_MAX || op == OP_REDUCE_MIN;
	state->reduce.in_bytes = (uint32_t)op_accept_element_bytes(in);
	if (op == OP_REDUCE_PROD && ACCEPT_QUANTISED >> in->type & 1) {
		prepare_product(setup, state);
		/* MBQM64 shifts right by 15 - shift. */
		return state->reduce.scaling.scale.shift > 14
			? op_accept_missing("a factor of 2^14 and more", err)
			: 0;
	}
	state->reduce.acc_bytes = state->reduce.in_bytes;
	state->reduce.fold = kernel_of(op, in->type);
	state->first = first_of(op, in->type);
	return 0;
}

/* Products become codes. */
static void finish_product(const struct fold_state *s, const int64_t *products, size_t n, void *dst)
{
	for (size_t i = 0; i < n; i++) {
		int32_t y = products[i] == EK_GEMM_NONE
			? s->one
			: ek_clamp32(ek_add32(ek_mbqm64(products[i], s->reduce.scaling.scale),
					     s->zero),
				  s->lo, s->hi);
		if (s->type == DTYPE_INT16) {
			((int16_t *)dst)[i] = (int16_t)y;
		} else {
			((int8_t *)dst)[i] = (int8_t)y;
		}
	}
}

/* Extremes over all axes start with the first element, which may be NaN and stays then. */
static const void *first_at(const struct fold_state *s, const void *input)
{
	bool of_input = s->type == DTYPE_FLOAT32 && s->is_extreme && s->reduce.is_whole;
	return of_input && s->reduce.reduced > 0 ? input : &s->first;
}

static int fold_run(const struct op_call *call, struct error *err)
{
	const struct fold_state *s = call->state;
	const struct value *out = op_out(call, 0);
	size_t n = op_elements(&out->shape);
	void *acc = s->is_product ? call->scratch : out->data;
	if (n == 0) {
		return 0;
	}
	int r = strided_fill(
		acc, first_at(s, op_in(call, 0)->data), s->reduce.acc_bytes, n, call->control, err);
	r = r < 0 ? r : reduce_walk(&s->reduce, call, acc, err);
	struct tiles t = {.total = s->is_product ? n : 0, .control = call->control};
	while (r == 0 && tiles_next(&t)) {
		finish_product(s, (const int64_t *)acc + t.at, (size_t)t.count,
			(char *)out->data + t.at * s->reduce.in_bytes);
	}
	return r < 0 ? r : tiles_end(&t, err);
}

const struct cpu_op op_reduce = {.op = OP_REDUCE_ALL,
	.also = OP_ALSO(OP_REDUCE_ANY, OP_REDUCE_MAX, OP_REDUCE_MIN, OP_REDUCE_PROD),
	.params = 1u << 1,
	.accept = fold_accept,
	.state_bytes = sizeof(struct fold_state),
	.prepare = fold_prepare,
	.run = fold_run};

/* clang-format off */
/* clang-format on */
