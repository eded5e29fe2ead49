/* SPDX-License-Identifier: Apache-2.0 */
/* The LSTM with float activations: weights are float, or int8 (hybrid). */
#include <string.h>

#include "backends/cpu/operand/activation.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/recurrent/lstm_operands.h"
#include "backends/cpu/tile_grid.h"
#include "kernels/recurrent/lstm.h"
#include "kernels/recurrent/lstm_f32.h"

struct lstm_state {
	uint32_t n_directions;
	struct lstm_direction direction[2];
	struct recurrent_product product;
	float cell_clip, projection_clip;
	uint8_t activation;
};

/* One direction with the memory of this run. */
struct bound {
	const struct lstm_state *state;
	const struct lstm_direction *d;
	struct ek_lstm_gate_f32 gate[EK_LSTM_GATES];
	struct ek_matvec projection;
	const float *projection_bias;
	const float *x, *aux; /* all rows */
	float *h, *c; /* states of all entries */
	float *output;
	float *sum[EK_LSTM_GATES], *hidden; /* [cells] each */
	int8_t *x_codes, *aux_codes, *h_codes, *hidden_codes;
};

static uint64_t scratch_of(const struct lstm_direction *d)
{
	return (uint64_t)d->cells * (EK_LSTM_GATES + 1) * sizeof(float) + d->way.inputs +
		d->way.aux_inputs + d->way.outputs + d->cells;
}

int lstm_f32_prepare(struct op_setup *setup, struct error *err)
{
	const struct options_recurrent *o = &setup->node->options.recurrent;
	struct lstm_state *state = op_alloc(setup, sizeof(*state));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	setup->state = state;
	state->n_directions = lstm_directions(setup, state->direction);
	state->product = recurrent_product_of(
		setup, op_tensor_in(setup, LSTM_W + EK_LSTM_OUTPUT), o->asymmetric_quantize_inputs);
	state->cell_clip = o->cell_clip;
	state->projection_clip = o->proj_clip;
	state->activation = o->activation;
	setup->detail = state->product.row->variant.name;
	for (uint32_t i = 0; i < state->n_directions; i++) {
		uint64_t bytes = scratch_of(&state->direction[i]);
		setup->scratch_bytes = bytes > setup->scratch_bytes ? bytes : setup->scratch_bytes;
	}
	return 0;
}

static void gate_bind(const struct op_call *call, const struct lstm_operands *at, uint32_t i,
	struct ek_lstm_gate_f32 *g)
{
	uint32_t peephole = lstm_peephole(at, i);
	g->w = recurrent_weights(call, at->w + i);
	g->aux = recurrent_weights(call, lstm_vector(at->aux_w, i));
	g->r = recurrent_weights(call, at->r + i);
	g->bias = recurrent_data(call, at->bias + i);
	g->norm = recurrent_data(call, lstm_vector(at->norm, i));
	g->peephole = recurrent_data(call, peephole);
	if (g->peephole) {
		g->peephole_scale = quant_params_scale(
			&call->subgraph->tensors[call->node->inputs[peephole]], 0);
	}
}

static void scratch_bind(const struct op_call *call, struct bound *b)
{
	const struct lstm_direction *d = b->d;
	float *floats = call->scratch;
	for (uint32_t i = 0; i < EK_LSTM_GATES; i++) {
		b->sum[i] = floats + (size_t)i * d->cells;
	}
	b->hidden = floats + (size_t)EK_LSTM_GATES * d->cells;
	b->x_codes = (int8_t *)(b->hidden + d->cells);
	b->aux_codes = b->x_codes + d->way.inputs;
	b->h_codes = b->aux_codes + d->way.aux_inputs;
	b->hidden_codes = b->h_codes + d->way.outputs;
}

static void bind(const struct op_call *call, const struct lstm_state *state,
	const struct lstm_direction *d, struct bound *b)
{
	*b = (struct bound){.state = state, .d = d};
	for (uint32_t i = 0; i < EK_LSTM_GATES; i++) {
		gate_bind(call, &d->at, i, &b->gate[i]);
	}
	b->projection = recurrent_weights(call, d->at.projection);
	b->projection_bias = recurrent_data(call, d->at.projection_bias);
	b->x = recurrent_data(call, d->way.input);
	b->aux = recurrent_data(call, d->way.aux);
	b->h = recurrent_data(call, d->at.output_state);
	b->c = recurrent_data(call, d->at.cell_state);
	b->output = op_out(call, d->way.output)->data;
	scratch_bind(call, b);
}

/* One gate of one step, or the projection where @gate is NULL. */
struct gemm_job {
	const struct bound *b;
	const struct ek_lstm_gate_f32 *gate;
	const struct ek_lstm_sight *sight;
	struct ek_matvec_x hidden;
	float *sum;
};

static void gemm_tile(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct gemm_job *job = args;
	const struct recurrent_product *product = &job->b->state->product;
	uint32_t first = tile->first_col, end = first + tile->n_cols;
	if (job->gate) {
		ek_lstm_gate_f32(
			job->gate, product->row, product->hybrid, job->sight, first, end, job->sum);
	} else {
		product->row->add(&job->b->projection, &job->hidden, first, end, job->sum);
	}
}

static int gemm_run(const struct op_call *call, const struct gemm_job *args, uint32_t rows,
	uint64_t work, struct error *err)
{
	const struct tile_grid_job job = {
		.rows = 1,
		.cols = rows,
		.work = work,
		.col_step = 1,
		.look_work = 8 * DENORMAL_LOOK_WORK, /* in vectors */
		.run = gemm_tile,
		.args = args,
	};
	return tile_grid_run(call, &job, err);
}

static int gate_run(const struct op_call *call, const struct bound *b, uint32_t which,
	const struct ek_lstm_sight *sight, struct error *err)
{
	const struct lstm_direction *d = b->d;
	struct gemm_job job = {
		.b = b, .gate = &b->gate[which], .sight = sight, .sum = b->sum[which]};
	uint64_t work = (uint64_t)d->way.inputs + d->way.aux_inputs + d->way.outputs;
	int r = gemm_run(call, &job, d->cells, work, err);
	if (r < 0) {
		return r;
	}
	ek_lstm_norm_f32(job.gate, d->cells, job.sum);
	if (which == EK_LSTM_CELL) {
		activation_apply(b->state->activation, job.sum, d->cells);
	} else {
		ek_lstm_logistic_f32(job.sum, d->cells);
	}
	return 0;
}

static void couple(const struct bound *b)
{
	for (size_t k = 0; k < b->d->cells; k++) {
		b->sum[EK_LSTM_INPUT][k] = 1 - b->sum[EK_LSTM_FORGET][k];
	}
}

/* @h float[outputs] from what the cells give. */
static int project(const struct op_call *call, const struct bound *b, float *h, struct error *err)
{
	const struct lstm_direction *d = b->d;
	size_t bytes = d->way.outputs * sizeof(*h);
	struct gemm_job job = {.b = b, .sum = h};
	job.hidden = recurrent_x(&b->state->product, b->hidden, d->cells, b->hidden_codes);
	if (b->projection_bias) {
		memcpy(h, b->projection_bias, bytes);
	} else {
		memset(h, 0, bytes);
	}
	int r = gemm_run(call, &job, d->way.outputs, d->cells, err);
	ek_lstm_clip_f32(b->state->projection_clip, d->way.outputs, h);
	return r;
}

/* The new output state @h from output gate and cell state @c. Without an activation the reference
 * leaves its buffer as it is, and there the cell gate stands. */
static int output_run(const struct op_call *call, const struct bound *b, const float *c, float *h,
	struct error *err)
{
	size_t cells = b->d->cells;
	float *to = b->projection.w ? b->hidden : h;
	bool none = b->state->activation == ACTIVATION_NONE;
	memcpy(to, none ? b->sum[EK_LSTM_CELL] : c, cells * sizeof(*to));
	activation_apply(b->state->activation, to, cells);
	for (size_t n = 0; n < cells; n++) {
		to[n] *= b->sum[EK_LSTM_OUTPUT][n];
	}
	return b->projection.w ? project(call, b, h, err) : 0;
}

/* Both states become the next. The output gate's peephole sees the new cell state. */
static int cell_run(const struct op_call *call, const struct bound *b,
	const struct ek_lstm_sight *sight, float *h, float *c, struct error *err)
{
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < EK_LSTM_OUTPUT; i++) {
		r = b->gate[i].w.w ? gate_run(call, b, i, sight, err) : 0;
	}
	if (r < 0) {
		return r;
	}
	if (!b->gate[EK_LSTM_INPUT].w.w) {
		couple(b);
	}
	ek_lstm_cell_f32(b->sum[EK_LSTM_INPUT], b->sum[EK_LSTM_FORGET], b->sum[EK_LSTM_CELL],
		b->state->cell_clip, b->d->cells, c);
	r = gate_run(call, b, EK_LSTM_OUTPUT, sight, err);
	return r < 0 ? r : output_run(call, b, c, h, err);
}

static int step_run(
	const struct op_call *call, const void *args, uint32_t entry, size_t row, struct error *err)
{
	const struct bound *b = args;
	const struct lstm_direction *d = b->d;
	const struct recurrent_product *product = &b->state->product;
	float *h = b->h + (size_t)entry * d->way.outputs, *c = b->c + (size_t)entry * d->cells;
	struct ek_lstm_sight sight = {.c = c};
	sight.x = recurrent_x(product, b->x + row * d->way.inputs, d->way.inputs, b->x_codes);
	sight.h = recurrent_x(product, h, d->way.outputs, b->h_codes);
	if (b->aux) {
		sight.aux = recurrent_x(
			product, b->aux + row * d->way.aux_inputs, d->way.aux_inputs, b->aux_codes);
	}
	int r = cell_run(call, b, &sight, h, c, err);
	if (r == 0) {
		memcpy(b->output + row * d->way.out_width + d->way.out_offset, h,
			d->way.outputs * sizeof(*h));
	}
	return r;
}

int lstm_f32_run(const struct op_call *call, struct error *err)
{
	const struct lstm_state *state = call->state;
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < state->n_directions; i++) {
		struct bound b;
		bind(call, state, &state->direction[i], &b);
		r = recurrent_walk_run(call, &state->direction[i].way.walk, step_run, &b, err);
	}
	return r;
}
