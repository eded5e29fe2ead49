/* SPDX-License-Identifier: Apache-2.0 */
/* MEAN and SUM. Source: tflite kernels/reduce.cc and reference/reduce.h (Mean,
 * QuantizedMeanOrSum). */
#include <string.h>

#include "backends/cpu/accept.h"
#include "backends/cpu/params.h"
#include "backends/cpu/quant.h"
#include "backends/cpu/tiles.h"
#include "kernels/reduce.h"
#include "kernels/requant.h"

struct reduce_state {
	ek_sum_fn *sum;
	uint8_t type; /* of operand and result */
	bool is_mean;
	uint32_t in_bytes, sum_bytes; /* of an element */
	bool in_scratch; /* sums are kept in scratch, not in the output */
	uint64_t reduced; /* elements that make one result */
	uint32_t rank; /* at least 1 */
	uint64_t size[SHAPE_MAX_RANK];
	uint64_t step[SHAPE_MAX_RANK]; /* sums that a step moves on; 0 where it adds up */
	struct ek_requant_params params; /* quantised types */
};

static int reduce_accept(const struct op_setup *setup, struct error *err)
{
	uint32_t types = ACCEPT_QUANTISED | ACCEPT(FLOAT32) | ACCEPT(INT32) | ACCEPT(INT64);
	return accept_same(setup, setup->node->op == OP_SUM ? types | ACCEPT(BOOL) : types, err);
}

/* Joins neighbouring dimensions that are both kept or both added up; those of size 1 vanish. */
static void plan_steps(const struct shape *shape, uint32_t axes, struct reduce_state *state)
{
	uint64_t step = 1;
	bool last = false;
	uint64_t size[SHAPE_MAX_RANK] = {1}, steps[SHAPE_MAX_RANK] = {1};
	uint32_t n = 0; /* from the innermost outwards */
	for (uint32_t i = shape->rank; i-- > 0;) {
		bool adds = axes >> i & 1;
		uint64_t dim = (uint64_t)shape->dim[i];
		if (dim == 1) {
			continue;
		}
		if (n > 0 && adds == last) {
			size[n - 1] *= dim;
		} else {
			size[n] = dim;
			steps[n++] = adds ? 0 : step;
		}
		step *= adds ? 1 : dim;
		last = adds;
	}
	state->rank = n ? n : 1;
	for (uint32_t i = 0; i < state->rank; i++) {
		state->size[i] = size[state->rank - 1 - i];
		state->step[i] = steps[state->rank - 1 - i];
	}
}

static int plan(const struct op_setup *setup, struct reduce_state *state, struct error *err)
{
	const struct shape *shape = op_shape_in(setup, 0);
	struct params axes;
	uint32_t mask = 0;
	int r = params_read(setup, 1, &axes, err);
	for (uint32_t i = 0; r == 0 && i < axes.count; i++) {
		uint32_t axis = 0;
		r = params_axis(axes.value[i], shape->rank, &axis, err);
		mask |= 1u << axis; /* one that is there twice counts once */
	}
	if (r < 0) {
		return r;
	}
	uint64_t kept = 1;
	state->reduced = 1;
	for (uint32_t i = 0; i < shape->rank; i++) {
		*(mask >> i & 1 ? &state->reduced : &kept) *= (uint64_t)shape->dim[i];
	}
	/* Axes that a run brings may leave more than the scalar that was planned for. */
	if (kept != params_elements(op_shape_out(setup, 0))) {
		return error_set(err, -EINVAL, "axes that leave %llu elements, not %llu",
			(unsigned long long)kept,
			(unsigned long long)params_elements(op_shape_out(setup, 0)));
	}
	plan_steps(shape, mask, state);
	return 0;
}

static int floor_log2(uint64_t n)
{
	return 63 - __builtin_clzll(n);
}

/* The scale of a sum; of a mean the number of elements goes into the multiplier, with as many more
 * bits as fit. */
static void prepare_scale(const struct op_setup *setup, struct reduce_state *state)
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	struct ek_requant_params *p = &state->params;
	int64_t zeros = (int64_t)((uint64_t)quant_zero(&in->quant, 0) * state->reduced);
	p->src_zero = (int32_t)zeros;
	p->zero = (int32_t)quant_zero(&out->quant, 0);
	p->scale = quant_split((double)quant_scale(in, 0) / (double)quant_scale(out, 0));
	quant_type_range(out->type, &p->lo, &p->hi);
	if (state->is_mean && state->reduced > 0) {
		int shift = floor_log2(state->reduced);
		shift = shift < 32 ? shift : 32;
		shift = shift < 31 + p->scale.shift ? shift : 31 + p->scale.shift;
		int64_t wide = (int64_t)p->scale.multiplier << shift;
		p->scale.multiplier = (int32_t)(wide / (int64_t)state->reduced);
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
	state->sum_bytes = 4;
	switch (state->type) {
	case DTYPE_INT8:
		state->sum = pick_sum(ek_sum_s8, ek_sum_s8_count, setup, &setup->detail);
		break;
	case DTYPE_UINT8:
		state->sum = pick_sum(ek_sum_u8, ek_sum_u8_count, setup, &setup->detail);
		break;
	case DTYPE_INT16:
		state->sum = pick_sum(ek_sum_s16, ek_sum_s16_count, setup, &setup->detail);
		break;
	case DTYPE_FLOAT32:
		state->sum = pick_sum(ek_sum_f32, ek_sum_f32_count, setup, &setup->detail);
		break;
	case DTYPE_INT32:
		state->sum = state->is_mean ? ek_sum_s32to64 : ek_sum_s32;
		state->sum_bytes = state->is_mean ? 8 : 4;
		break;
	case DTYPE_INT64:
		state->sum = ek_sum_s64;
		state->sum_bytes = 8;
		break;
	default:
		state->sum = ek_sum_bool;
		state->sum_bytes = 1;
		break;
	}
}

static int reduce_prepare(struct op_setup *setup, struct error *err)
{
	struct reduce_state *state = setup->state = op_alloc(setup, sizeof(*state));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	int r = plan(setup, state, err);
	if (r < 0) {
		return r;
	}
	state->type = op_tensor_in(setup, 0)->type;
	state->is_mean = setup->node->op == OP_MEAN;
	state->in_bytes = (uint32_t)accept_element_bytes(op_tensor_in(setup, 0));
	pick_kernel(setup, state);
	if (ACCEPT_QUANTISED >> state->type & 1) {
		prepare_scale(setup, state);
	}
	state->in_scratch = state->sum_bytes != state->in_bytes;
	if (state->in_scratch) {
		setup->scratch_bytes = params_elements(op_shape_out(setup, 0)) * state->sum_bytes;
	}
	return 0;
}

struct reduction {
	const struct reduce_state *state;
	const char *src; /* moves on through the whole input */
	const struct run_control *control;
	uint64_t since_check; /* elements added since the control was looked at */
};

static int add_row(struct reduction *r, uint64_t n, uint64_t step, char *sums)
{
	const struct reduce_state *s = r->state;
	struct tiles t = {.total = n, .control = r->control};
	while (tiles_next(&t)) {
		s->sum(sums + t.at * step * s->sum_bytes, r->src, t.count, step);
		r->src += t.count * s->in_bytes;
	}
	r->since_check += n;
	if (t.result == 0 && r->since_check > TILE_ELEMENTS) {
		r->since_check = 0;
		t.result = run_control_check(r->control);
	}
	return t.result;
}

static int add_level(struct reduction *r, uint32_t level, char *sums)
{
	const struct reduce_state *s = r->state;
	if (level + 1 == s->rank) {
		return add_row(r, s->size[level], s->step[level], sums);
	}
	for (uint64_t i = 0; i < s->size[level]; i++) {
		int result = add_level(r, level + 1, sums);
		if (result < 0) {
			return result;
		}
		sums += s->step[level] * s->sum_bytes;
	}
	return 0;
}

/* Sums of quantised types become codes. */
static void finish_codes(const struct reduce_state *s, const int32_t *sums, size_t n, void *dst)
{
	for (size_t i = 0; i < n; i++) {
		int32_t code = ek_requant_one(sums[i], &s->params);
		if (s->type == DTYPE_INT16) {
			((int16_t *)dst)[i] = (int16_t)code;
		} else {
			((uint8_t *)dst)[i] = (uint8_t)code;
		}
	}
}

/* Integers are cut towards zero. */
static void finish_means(const struct reduce_state *s, const void *sums, size_t n, void *dst)
{
	int64_t count = (int64_t)s->reduced;
	for (size_t i = 0; i < n; i++) {
		if (s->type == DTYPE_FLOAT32) {
			((float *)dst)[i] = ((const float *)sums)[i] / (float)count;
		} else if (s->type == DTYPE_INT32) {
			((int32_t *)dst)[i] = (int32_t)(((const int64_t *)sums)[i] / count);
		} else {
			((int64_t *)dst)[i] = ((const int64_t *)sums)[i] / count;
		}
	}
}

static int reduce_run(const struct op_call *call, struct error *err)
{
	const struct reduce_state *s = call->state;
	const struct value *out = op_out(call, 0);
	size_t n = params_elements(&out->shape);
	char *sums = s->in_scratch ? call->scratch : out->data;
	if (s->reduced == 0 || n == 0) { /* sums of nothing: 0, and code 0 for quantised types */
		memset(out->data, 0, n * s->in_bytes);
		return 0;
	}
	memset(sums, 0, n * s->sum_bytes);
	struct reduction r = {.state = s, .src = op_in(call, 0)->data, .control = call->control};
	int result = add_level(&r, 0, sums);
	if (result < 0) {
		return error_set(err, result, "given up in the middle of the operator");
	}
	if (ACCEPT_QUANTISED >> s->type & 1) {
		finish_codes(s, (const int32_t *)sums, n, out->data);
	} else if (s->is_mean) {
		finish_means(s, sums, n, out->data);
	}
	return 0;
}

const struct cpu_op op_mean = {.op = OP_MEAN,
	.params = 1u << 1,
	.accept = reduce_accept,
	.prepare = reduce_prepare,
	.run = reduce_run};
const struct cpu_op op_sum = {.op = OP_SUM,
	.params = 1u << 1,
	.accept = reduce_accept,
	.prepare = reduce_prepare,
	.run = reduce_run};
