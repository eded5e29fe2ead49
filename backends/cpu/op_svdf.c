/* SPDX-License-Identifier: Apache-2.0 */
/* Operands: 0 input, 1 feature weights, 2 time weights, 3 bias, 4 state (a variable). */
#include <string.h>

#include "backends/cpu/activation.h"
#include "backends/cpu/quant.h"
#include "backends/cpu/tile.h"
#include "kernels/svdf.h"

/* Arguments as far as they are known before a run; pointers to operands are filled in by run(). */
struct svdf_state {
	const struct ek_svdf_q_row *row_q; /* one of the two */
	const struct ek_svdf_f32_row *row_f32;
	struct ek_svdf_q q;
	struct ek_svdf_f32 f32;
	struct ek_svdf_shape shape;
};

/* -1 where operand @i was left out. */
static int type_of(const struct op_setup *setup, uint32_t i)
{
	const struct tensor *t = op_tensor_in(setup, i);
	return t ? t->type : -1;
}

static bool types_are(const struct op_setup *setup, int x, int time, int bias)
{
	return type_of(setup, 0) == x && type_of(setup, 1) == x && type_of(setup, 2) == time &&
		(type_of(setup, 3) == bias || type_of(setup, 3) < 0) && type_of(setup, 4) == time &&
		op_tensor_out(setup, 0)->type == x;
}

static int svdf_accept(const struct op_setup *setup, struct error *err)
{
	unsigned int activation = setup->node->options.svdf.activation;
	bool is_q = types_are(setup, DTYPE_INT8, DTYPE_INT16, DTYPE_INT32);
	bool is_float = types_are(setup, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32);
	if (!is_q && !is_float) {
		return error_set(err, -EOPNOTSUPP,
			"%s input with %s weights and %s time weights is not there yet",
			dtype_name((unsigned int)type_of(setup, 0)),
			dtype_name((unsigned int)type_of(setup, 1)),
			dtype_name((unsigned int)type_of(setup, 2)));
	}
	if (is_q ? activation != ACTIVATION_RELU : !activation_is_known(activation)) {
		return error_set(err, -EOPNOTSUPP, "fused activation %u", activation);
	}
	return 0;
}

static void scales_prepare(const struct op_setup *setup, struct ek_svdf_q *a)
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	float state = quant_scale(op_tensor_in(setup, 4), 0);
	float feature = quant_scale(in, 0) * quant_scale(op_tensor_in(setup, 1), 0);
	float output = state * quant_scale(op_tensor_in(setup, 2), 0);
	a->feature_scale = quant_split((double)(feature / state));
	a->output_scale = quant_split((double)(output / quant_scale(out, 0)));
	a->input_zero = (int32_t)quant_zero(&in->quant, 0);
	a->output_zero = (int32_t)quant_zero(&out->quant, 0);
}

static int svdf_prepare(struct op_setup *setup, struct error *err)
{
	struct svdf_state *state = op_alloc(setup, sizeof(*state));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	setup->state = state;
	const struct shape *in = op_shape_in(setup, 0);
	state->shape = (struct ek_svdf_shape){
		.batch = (uint32_t)in->dim[0],
		.depth = (uint32_t)in->dim[1],
		.filters = (uint32_t)op_shape_in(setup, 1)->dim[0],
		.rank = (uint32_t)setup->node->options.svdf.rank,
		.memory = (uint32_t)op_shape_in(setup, 2)->dim[1],
	};
	if (op_tensor_in(setup, 0)->type == DTYPE_INT8) {
		state->row_q = ek_pick(
			ek_svdf_s8, ek_svdf_s8_count, sizeof(*ek_svdf_s8), setup->cpu_features);
		state->q.shape = state->shape;
		scales_prepare(setup, &state->q);
		setup->detail = state->row_q->variant.name;
		return 0;
	}
	state->row_f32 =
		ek_pick(ek_svdf_f32, ek_svdf_f32_count, sizeof(*ek_svdf_f32), setup->cpu_features);
	state->f32.shape = state->shape;
	setup->detail = state->row_f32->variant.name;
	return 0;
}

static void feature_tile(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct svdf_state *s = args;
	if (s->row_q) {
		s->row_q->feature(&s->q, tile);
	} else {
		s->row_f32->feature(&s->f32, tile);
	}
}

static void output_tile(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct svdf_state *s = args;
	if (s->row_q) {
		s->row_q->output(&s->q, tile);
	} else {
		s->row_f32->output(&s->f32, tile);
	}
}

static void bind_q(const struct op_call *call, struct ek_svdf_q *a)
{
	a->input = op_in(call, 0)->data;
	a->feature_weights = op_in(call, 1)->data;
	a->time_weights = op_in(call, 2)->data;
	a->bias = op_in(call, 3) ? op_in(call, 3)->data : NULL;
	a->state = op_in(call, 4)->data;
	a->output = op_out(call, 0)->data;
}

static void bind_f32(const struct op_call *call, struct ek_svdf_f32 *a)
{
	a->input = op_in(call, 0)->data;
	a->feature_weights = op_in(call, 1)->data;
	a->time_weights = op_in(call, 2)->data;
	a->bias = op_in(call, 3) ? op_in(call, 3)->data : NULL;
	a->state = op_in(call, 4)->data;
	a->output = op_out(call, 0)->data;
}

/* Drops the oldest value of every filter: the newest of the next one, which stands in its last
 * place until feature() writes it, doesn't matter. */
static void move_state(const struct op_call *call, const struct svdf_state *s)
{
	size_t n = (size_t)s->shape.batch * s->shape.filters * s->shape.memory;
	size_t element = s->row_q ? sizeof(int16_t) : sizeof(float);
	uint8_t *data = op_in(call, 4)->data;
	if (n) {
		memmove(data, data + element, (n - 1) * element);
	}
}

static int svdf_run(const struct op_call *call, struct error *err)
{
	struct svdf_state s = *(const struct svdf_state *)call->state;
	if (s.row_q) {
		bind_q(call, &s.q);
	} else {
		bind_f32(call, &s.f32);
	}
	move_state(call, &s);
	struct tile_job job = {
		.rows = s.shape.batch,
		.cols = s.shape.filters,
		.work = s.shape.depth,
		.col_step = 1,
		.run = feature_tile,
		.args = &s,
	};
	int r = tile_run(call, &job, err);
	if (r < 0) {
		return r;
	}
	job.cols = s.shape.filters / s.shape.rank;
	job.work = (uint64_t)s.shape.rank * s.shape.memory;
	job.run = output_tile;
	r = tile_run(call, &job, err);
	if (r == 0 && s.row_f32) {
		activation_apply(call->node->options.svdf.activation, s.f32.output,
			s.shape.batch * (size_t)job.cols);
	}
	return r;
}

const struct cpu_op op_svdf = {
	.op = OP_SVDF,
	.accept = svdf_accept,
	.prepare = svdf_prepare,
	.run = svdf_run,
};
