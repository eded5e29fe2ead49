/* SPDX-License-Identifier: Apache-2.0 */
/* ARG_MAX and ARG_MIN. Source: tflite kernels/arg_min_max.cc. */
#include <math.h>
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/params.h"
#include "backends/cpu/tiles.h"
#include "kernels/reduce/argmax.h"

#define COMPARED (ACCEPT(FLOAT32) | ACCEPT(INT8) | ACCEPT(UINT8) | ACCEPT(INT32) | ACCEPT(BOOL))

struct arg_state {
	ek_arg_fn *run;
	uint64_t depth, inner; /* elements compared; of one that follow each other */
	uint32_t element_bytes;
	bool out64, is_float;
};

/* The greatest of codes has several ways. */
static ek_arg_fn *pick_codes(const struct op_setup *setup, bool is_signed)
{
	const struct ek_arg *list = is_signed ? ek_argmax_s8_list : ek_argmax_u8_list;
	const size_t count = is_signed ? ek_argmax_s8_count : ek_argmax_u8_count;
	const struct ek_arg *row = ek_pick(list, count, sizeof(*list), setup->cpu_features);
	return row->run;
}

static ek_arg_fn *pick(const struct op_setup *setup, unsigned int type, bool is_max)
{
	switch (type) {
	case DTYPE_FLOAT32:
		return is_max ? ek_argmax_f32 : ek_argmin_f32;
	case DTYPE_INT32:
		return is_max ? ek_argmax_s32 : ek_argmin_s32;
	case DTYPE_INT8:
		return is_max ? pick_codes(setup, true) : ek_argmin_s8;
	default:
		return is_max ? pick_codes(setup, false) : ek_argmin_u8;
	}
}

static int arg_prepare(struct op_setup *setup, struct error *err)
{
	struct arg_state *state = setup->state;
	const struct shape *shape = op_shape_in(setup, 0);
	const struct tensor *in = op_tensor_in(setup, 0);
	uint32_t axis = 0;
	int r = params_read_axis(setup, 1, shape->rank, &axis, err);
	if (r < 0) {
		return r;
	}
	if (shape->dim[axis] == 0) {
		return error_set(err, -EINVAL, "no elements along axis %u", axis);
	}
	state->run = pick(setup, in->type, setup->node->op == OP_ARG_MAX);
	state->depth = (uint64_t)shape->dim[axis];
	state->inner = op_gemm(shape, axis + 1, shape->rank);
	state->element_bytes = (uint32_t)op_accept_element_bytes(in);
	state->is_float = in->type == DTYPE_FLOAT32;
	state->out64 = op_tensor_out(setup, 0)->type == DTYPE_INT64;
	return 0;
}

/* Elements at the start of @n that no order has: a kernel that begins with one stays there. */
static uint64_t count_nans(const struct arg_state *s, const char *src, uint64_t n)
{
	uint64_t i = 0;
	while (s->is_float && i < n && isnan(((const float *)(const void *)src)[i * s->inner])) {
		i++;
	}
	return i;
}

static bool is_better(const struct arg_state *s, const char *src, uint64_t best, uint64_t other)
{
	const size_t width = s->element_bytes;
	char pair[2 * sizeof(int32_t)] __attribute__((aligned(4)));
	memcpy(pair, src + best * s->inner * width, width);
	memcpy(pair + width, src + other * s->inner * width, width);
	return s->run(pair, 2, 1) == 1;
}

/* Of elements that are too many for one call. */
static int find_long(const struct arg_state *s, const char *src, uint64_t *ret_found,
	const struct run_control *control)
{
	struct tiles t = {.total = s->depth, .control = control};
	uint64_t best = 0;
	while (tiles_next(&t)) {
		const char *part = src + t.at * s->inner * s->element_bytes;
		const uint64_t skip = count_nans(s, part, t.count);
		if (skip < t.count) {
			uint64_t found = t.at + skip +
				s->run(part + skip * s->inner * s->element_bytes, t.count - skip,
					s->inner);
			/* It may be anything where somebody else writes there meanwhile. */
			best = found < s->depth && is_better(s, src, best, found) ? found : best;
		}
	}
	*ret_found = best;
	return t.result;
}

static int arg_run(const struct op_call *call, struct error *err)
{
	const struct arg_state *s = call->state;
	const struct value *out = op_out(call, 0);
	const char *src = op_in(call, 0)->data;
	struct tiles t = {.total = op_elements(&out->shape),
		.control = call->control,
		.each = tiles_rows(s->depth)};
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			uint64_t at = i / s->inner * s->depth * s->inner + i % s->inner;
			const char *first = src + at * s->element_bytes;
			uint64_t found = 0;
			if (s->depth <= TILE_ROW) {
				found = s->run(first, s->depth, s->inner);
			} else {
				t.result = find_long(s, first, &found, call->control);
			}
			if (s->out64) {
				((int64_t *)out->data)[i] = (int64_t)found;
			} else {
				((int32_t *)out->data)[i] = (int32_t)found;
			}
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_argmax = {.op = OP_ARG_MAX,
	.also = OP_ALSO(OP_ARG_MIN),
	.params = 1u << 1,
	.types_in[0] = COMPARED,
	.types_out = ACCEPT(INT32) | ACCEPT(INT64),
	.state_bytes = sizeof(struct arg_state),
	.prepare = arg_prepare,
	.run = arg_run};
