/* SPDX-License-Identifier: Apache-2.0 */
/* Operands: 0 input, 1 feature weights, 2 time weights, 3 bias, 4 state (a variable). */
#include <string.h>

#include "backends/cpu/operand/activation.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/recurrent/recurrent.h"
#include "backends/cpu/tile_grid.h"
#include "kernels/recurrent/svdf.h"

enum {
	INPUT,
	FEATURE,
	TIME,
	BIAS,
	STATE,
};

/* Arguments as far as they are known before a run; pointers to operands are filled in by run(). */
struct svdf_state {
	struct ek_svdf_shape shape;
	const struct ek_svdf_q_row *row_q; /* NULL: float activations */
	struct ek_svdf_q q;
	struct recurrent_product product;
	struct ek_svdf_f32 f32;
	float time_scale; /* of int8 time weights (hybrid) */
};

static uint64_t filters_memory(const struct ek_svdf_shape *s)
{
	return (uint64_t)s->filters * s->memory;
}

static void scales_prepare(const struct op_setup *setup, struct ek_svdf_q *a)
{
	const struct tensor *in = op_tensor_in(setup, INPUT), *out = op_tensor_out(setup, 0);
	float state = quant_params_scale(op_tensor_in(setup, STATE), 0);
	float feature =
		quant_params_scale(in, 0) * quant_params_scale(op_tensor_in(setup, FEATURE), 0);
	float output = state * quant_params_scale(op_tensor_in(setup, TIME), 0);
	a->feature_scale = quant_params_split((double)(feature / state));
	a->output_scale = quant_params_split((double)(output / quant_params_scale(out, 0)));
	a->input_zero = (int32_t)quant_zero(&in->quant, 0);
	a->output_zero = (int32_t)quant_zero(&out->quant, 0);
}

static void prepare_q(struct op_setup *setup, struct svdf_state *state)
{
	state->row_q = OP_PICK(ek_svdf_s8, setup->cpu_features);
	state->q.shape = state->shape;
	scales_prepare(setup, &state->q);
	setup->detail = state->row_q->variant.name;
}

/* Scratch: the newest features of one row; with int8 weights its codes, and in front of both the
 * time weights as floats. */
static void prepare_float(struct op_setup *setup, struct svdf_state *state)
{
	bool asymmetric = setup->node->options.svdf.asymmetric_quantize_inputs;
	state->product = recurrent_product_of(setup, op_tensor_in(setup, FEATURE), asymmetric);
	state->f32.shape = state->shape;
	state->time_scale = quant_params_scale(op_tensor_in(setup, TIME), 0);
	setup->scratch_bytes = (uint64_t)state->shape.filters * sizeof(float);
	if (state->product.hybrid) {
		setup->scratch_bytes += filters_memory(&state->shape) * sizeof(float);
		setup->scratch_bytes += state->shape.depth;
	}
	setup->detail = state->product.row->variant.name;
}

static void svdf_init(struct op_setup *setup)
{
	struct svdf_state *state = setup->state;
	const struct shape *in = op_shape_in(setup, INPUT);
	state->shape = (struct ek_svdf_shape){
		.batch = (uint32_t)in->dim[0],
		.depth = (uint32_t)in->dim[1],
		.filters = (uint32_t)op_shape_in(setup, FEATURE)->dim[0],
		.rank = (uint32_t)setup->node->options.svdf.rank,
		.memory = (uint32_t)op_shape_in(setup, TIME)->dim[1],
	};
	if (op_tensor_in(setup, INPUT)->type == DTYPE_INT8) {
		prepare_q(setup, state);
	} else {
		prepare_float(setup, state);
	}
}

/* Drops the oldest value of every filter: the newest of the next one, which stands in its last
 * place until its feature is written there, doesn't matter. */
static void move_state(const struct op_call *call, const struct svdf_state *s)
{
	size_t n = (size_t)s->shape.batch * filters_memory(&s->shape);
	size_t element = s->row_q ? sizeof(int16_t) : sizeof(float);
	uint8_t *data = recurrent_data(call, STATE);
	if (n) {
		memmove(data, data + element, (n - 1) * element);
	}
}

static void feature_tile_q(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct svdf_state *s = args;
	s->row_q->feature(&s->q, tile);
}

static int features_q(const struct op_call *call, struct svdf_state *s, struct error *err)
{
	s->q.input = recurrent_data(call, INPUT);
	s->q.feature_weights = recurrent_data(call, FEATURE);
	s->q.time_weights = recurrent_data(call, TIME);
	s->q.bias = recurrent_data(call, BIAS);
	s->q.state = recurrent_data(call, STATE);
	s->q.output = op_out(call, 0)->data;
	const struct tile_grid_job job = {
		.rows = s->shape.batch,
		.cols = s->shape.filters,
		.work = s->shape.depth,
		.col_step = 1,
		.run = feature_tile_q,
		.args = s,
	};
	return tile_grid_run(call, &job, err);
}

/* Features of one row of the input. */
struct feature_job {
	const struct ek_matvec_row *product;
	struct ek_matvec w;
	struct ek_matvec_x x;
	float *feature; /* [filters] */
	float *newest; /* in the state: of the first filter, @memory elements apart */
	size_t memory;
};

static void feature_tile(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct feature_job *job = args;
	uint32_t first = tile->first_col, end = first + tile->n_cols;
	memset(job->feature + first, 0, tile->n_cols * sizeof(float));
	job->product->add(&job->w, &job->x, first, end, job->feature);
	for (uint32_t f = first; f < end; f++) {
		job->newest[f * job->memory] = job->feature[f];
	}
}

static int features_row(const struct op_call *call, const struct svdf_state *s,
	struct feature_job *feature, struct error *err)
{
	const struct tile_grid_job job = {
		.rows = 1,
		.cols = s->shape.filters,
		.work = s->shape.depth,
		.col_step = 1,
		.look_work = DENORMAL_LOOK_WORK,
		.run = feature_tile,
		.args = feature,
	};
	return tile_grid_run(call, &job, err);
}

static const float *real_time_weights(
	const struct op_call *call, const struct svdf_state *s, float *memory)
{
	const int8_t *codes = recurrent_data(call, TIME);
	for (size_t i = 0; i < filters_memory(&s->shape); i++) {
		memory[i] = (float)codes[i] * s->time_scale;
	}
	return memory;
}

static int features_float(const struct op_call *call, struct svdf_state *s, struct error *err)
{
	const struct ek_svdf_shape *shape = &s->shape;
	const float *input = recurrent_data(call, INPUT);
	float *scratch = call->scratch, *state = recurrent_data(call, STATE);
	s->f32.time_weights = recurrent_data(call, TIME);
	if (s->product.hybrid) {
		s->f32.time_weights = real_time_weights(call, s, scratch);
		scratch += filters_memory(shape);
	}
	s->f32.bias = recurrent_data(call, BIAS);
	s->f32.state = state;
	s->f32.output = op_out(call, 0)->data;
	struct feature_job job = {.product = s->product.row, .feature = scratch};
	job.w = recurrent_weights(call, FEATURE);
	job.memory = shape->memory;
	int r = 0;
	for (size_t b = 0; r == 0 && b < shape->batch; b++) {
		job.newest = state + b * filters_memory(shape) + shape->memory - 1;
		job.x = recurrent_x(&s->product, input + b * shape->depth, shape->depth,
			(int8_t *)(scratch + shape->filters));
		r = features_row(call, s, &job, err);
	}
	return r;
}

static void output_tile(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct svdf_state *s = args;
	if (s->row_q) {
		s->row_q->output(&s->q, tile);
	} else {
		ek_svdf_output_f32(&s->f32, tile);
	}
}

static int svdf_run(const struct op_call *call, struct error *err)
{
	struct svdf_state s = *(const struct svdf_state *)call->state;
	move_state(call, &s);
	int r = s.row_q ? features_q(call, &s, err) : features_float(call, &s, err);
	if (r < 0) {
		return r;
	}
	const struct tile_grid_job job = {
		.rows = s.shape.batch,
		.cols = s.shape.filters / s.shape.rank,
		.work = (uint64_t)s.shape.rank * s.shape.memory,
		.col_step = 1,
		.look_work = s.row_q ? 0 : DENORMAL_LOOK_WORK,
		.run = output_tile,
		.args = &s,
	};
	r = tile_grid_run(call, &job, err);
	if (r == 0 && !s.row_q) {
		activation_apply(call->node->options.svdf.activation, s.f32.output,
			s.shape.batch * (size_t)job.cols);
	}
	return r;
}

const struct cpu_op op_svdf = {.op = OP_SVDF,
	.state_bytes = sizeof(struct svdf_state),
	.init = svdf_init,
	.run = svdf_run};
