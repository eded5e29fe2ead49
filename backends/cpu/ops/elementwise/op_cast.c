/* SPDX-License-Identifier: Apache-2.0 */
/* CAST, and BITCAST, which only moves. Source: tflite kernels/cast.cc, bitcast.cc. */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/elementwise/cast.h"
#include "kernels/requant/requant.h"

struct cast_state {
	ek_dequantize_fn *to_f32; /* from small integers in one step; else NULL */
	const struct ek_cast *from, *to; /* NULL where it is int4 */
	uint64_t wide_bytes; /* of a tile of scratch */
};

static const struct ek_cast *find(unsigned int dtype)
{
	static const struct ek_cast *const casts[DTYPE_COUNT] = {
		[DTYPE_BOOL] = &ek_cast_b,
		[DTYPE_INT8] = &ek_cast_s8,
		[DTYPE_UINT8] = &ek_cast_u8,
		[DTYPE_INT16] = &ek_cast_s16,
		[DTYPE_UINT16] = &ek_cast_u16,
		[DTYPE_INT32] = &ek_cast_s32,
		[DTYPE_UINT32] = &ek_cast_u32,
		[DTYPE_INT64] = &ek_cast_s64,
		[DTYPE_FLOAT16] = &ek_cast_f16,
		[DTYPE_FLOAT32] = &ek_cast_f32,
		[DTYPE_FLOAT64] = &ek_cast_f64,
		[DTYPE_COMPLEX64] = &ek_cast_c64,
	};
	return dtype < DTYPE_COUNT ? casts[dtype] : NULL;
}

static int cast_accept(const struct op_setup *setup, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	if (in->type == DTYPE_INT4 || out->type == DTYPE_INT4) {
		const struct tensor *other = in->type == DTYPE_INT4 ? out : in;
		return op_accept_type(other, ACCEPT(FLOAT32), err);
	}
	return op_accept_type(find(in->type) ? out : in, find(out->type) ? ~0u : 0, err);
}

/* Codes of scale 1 and zero point 0 are integers of up to 16 bits. */
static ek_dequantize_fn *pick_to_f32(const struct op_setup *setup)
{
	unsigned int from = op_tensor_in(setup, 0)->type;
	if (op_tensor_out(setup, 0)->type != DTYPE_FLOAT32) {
		return NULL;
	}
	return from == DTYPE_INT8     ? ek_dequantize_s8
		: from == DTYPE_UINT8 ? ek_dequantize_u8
		: from == DTYPE_INT16 ? ek_dequantize_s16
				      : NULL;
}

static void cast_init(struct op_setup *setup)
{
	struct cast_state *state = setup->state;
	const uint64_t n = op_elements(op_shape_in(setup, 0));
	state->from = find(op_tensor_in(setup, 0)->type);
	state->to = find(op_tensor_out(setup, 0)->type);
	state->to_f32 = pick_to_f32(setup);
	setup->detail = state->from == state->to ? "copy" : "cast__c";
	setup->scratch_bytes = !state->from || !state->to
		? n
		: sizeof(int64_t) * (n < TILE_ELEMENTS ? n : TILE_ELEMENTS);
}

/* int4: packed on one side, a byte for each in between. */
static void run_s4(const struct op_call *call, const struct cast_state *state, uint64_t n)
{
	const void *src = op_in(call, 0)->data;
	if (state->to) {
		ek_unpack_s4(call->scratch, src, n);
		ek_dequantize_s8(op_out(call, 0)->data, call->scratch, n, 1, 0);
	} else {
		ek_cast_f32_s4(call->scratch, src, n);
		ek_pack_s4(op_out(call, 0)->data, call->scratch, n);
	}
}

static void run_tile(const struct op_call *call, const struct cast_state *s, const struct tiles *t)
{
	const char *src = (const char *)op_in(call, 0)->data + t->at * s->from->bytes;
	char *dst = (char *)op_out(call, 0)->data + t->at * s->to->bytes;
	if (s->from == s->to) {
		memcpy(dst, src, t->count * s->to->bytes);
		return;
	}
	if (s->to_f32) {
		s->to_f32((float *)dst, src, t->count, 1, 0);
		return;
	}
	s->from->widen(call->scratch, src, t->count);
	if (s->from->is_real) {
		s->to->from_f64(dst, call->scratch, t->count);
	} else {
		s->to->from_s64(dst, call->scratch, t->count);
	}
}

static int cast_run(const struct op_call *call, struct error *err)
{
	const struct cast_state *state = call->state;
	struct tiles t = {.total = op_elements(&op_out(call, 0)->shape), .control = call->control};
	if (!state->from || !state->to) {
		run_s4(call, state, t.total);
		return 0;
	}
	while (tiles_next(&t)) {
		run_tile(call, state, &t);
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_cast = {.op = OP_CAST,
	.accept = cast_accept,
	.state_bytes = sizeof(struct cast_state),
	.init = cast_init,
	.run = cast_run};

static int bitcast_run(const struct op_call *call, struct error *err)
{
	const struct value *in = op_in(call, 0), *out = op_out(call, 0);
	if (in->bytes != out->bytes) {
		return error_set(err, -EINVAL, "%llu bytes do not become %llu",
			(unsigned long long)in->bytes, (unsigned long long)out->bytes);
	}
	return in->data == out->data
		? 0
		: tiles_result(tiles_copy(out->data, in->data, out->bytes, call->control), err);
}

const struct cpu_op op_bitcast = {.op = OP_BITCAST,
	.types_in[0] = ACCEPT_FIXED,
	.types_out = ACCEPT_FIXED,
	.run = bitcast_run};
