/* SPDX-License-Identifier: Apache-2.0 */
/* The integer LSTM, 8x8_16: five intermediates tell the scales of the gates before normalisation
 * and of what is projected. */
#include <math.h>
#include <string.h>

#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/recurrent/lstm_operands.h"
#include "backends/cpu/tile_grid.h"
#include "kernels/recurrent/lstm.h"

#define HIDDEN 4 /* intermediate */

struct lstm_state {
	const struct ek_lstm_q_row *row;
	struct lstm_direction d;
	struct ek_lstm_q args;
	bool together; /* the entries of a step, in the reference: its peephole's fault shows it */
};

static float scale_in(const struct op_setup *s, uint32_t operand)
{
	return quant_params_scale(op_tensor_in(s, operand), 0);
}

static const struct tensor *intermediate(const struct op_setup *s, uint32_t i)
{
	return &s->subgraph->tensors[s->node->intermediates[i]];
}

/*
 * bias[n] + zero * sum over k of w[n][k], wrapping, in program memory: what an input's zero point
 * adds to every product. @bias may be NULL. NULL when memory is out.
 */
static const int32_t *fold_zero(struct op_setup *setup, const int8_t *w, uint32_t rows,
	uint32_t columns, int32_t zero, const int32_t *bias)
{
	int32_t *folded = op_alloc(setup, rows * sizeof(*folded));
	for (uint32_t n = 0; folded && n < rows; n++) {
		int32_t sum = 0;
		for (uint32_t k = 0; k < columns; k++) {
			sum = ek_add32(sum, w[(size_t)n * columns + k]);
		}
		folded[n] = ek_add32(ek_mul32(sum, zero), bias ? bias[n] : 0);
	}
	return folded;
}

/* Scales of gate @i; expressions round to float where the reference's do. */
static void gate_scales(
	const struct op_setup *setup, uint32_t i, uint32_t peephole, struct ek_lstm_gate_q *g)
{
	float gate = g->norm ? quant_params_scale(intermediate(setup, i), 0) : ldexpf(1, -12);
	float x = scale_in(setup, LSTM_W + i) * scale_in(setup, LSTM_INPUT);
	float h = scale_in(setup, LSTM_R + i) * scale_in(setup, LSTM_OUTPUT_STATE);
	g->w_scale = quant_params_split((double)(x / gate));
	g->r_scale = quant_params_split((double)(h / gate));
	if (g->peephole) {
		float c = scale_in(setup, LSTM_CELL_STATE) * scale_in(setup, peephole);
		g->peephole_scale = quant_params_split((double)(c / gate));
	}
	if (g->norm) {
		float norm = scale_in(setup, LSTM_NORM + i);
		int32_t limit = ek_round32(trunc(10000.0 * (double)norm));
		g->norm_scale = quant_params_split((double)norm);
		g->norm_scale.shift += 12;
		g->norm_limit = limit > 1 ? limit : 1;
	}
}

static int gate_prepare(
	struct op_setup *setup, struct lstm_state *state, uint32_t i, struct error *err)
{
	const struct lstm_direction *d = &state->d;
	uint32_t peephole = lstm_peephole(&d->at, i);
	struct ek_lstm_gate_q *g = &state->args.gate[i];
	int32_t x_zero = (int32_t)quant_zero(&op_tensor_in(setup, LSTM_INPUT)->quant, 0);
	int32_t h_zero = (int32_t)quant_zero(&op_tensor_in(setup, LSTM_OUTPUT_STATE)->quant, 0);
	const int32_t *bias = op_constant(setup, LSTM_BIAS + i);
	g->w = op_constant(setup, LSTM_W + i);
	g->r = op_constant(setup, LSTM_R + i);
	g->norm = op_constant(setup, LSTM_NORM + i);
	g->norm_bias = bias;
	g->peephole = op_constant(setup, peephole);
	g->w_bias = fold_zero(setup, g->w, d->cells, d->way.inputs, -x_zero, g->norm ? NULL : bias);
	g->r_bias = fold_zero(setup, g->r, d->cells, d->way.outputs, -h_zero, NULL);
	if (!g->w_bias || !g->r_bias) {
		return op_alloc_failed(setup, err);
	}
	gate_scales(setup, i, peephole, g);
	return 0;
}

static int projection_prepare(struct op_setup *setup, struct lstm_state *state, struct error *err)
{
	struct ek_lstm_q *a = &state->args;
	const struct tensor *hidden = intermediate(setup, HIDDEN);
	float clip = setup->node->options.recurrent.proj_clip;
	a->projection = op_constant(setup, LSTM_PROJECTION);
	a->projection_bias = fold_zero(setup, a->projection, a->outputs, a->cells,
		(int32_t)quant_zero(&hidden->quant, 0), op_constant(setup, LSTM_PROJECTION_BIAS));
	if (!a->projection_bias) {
		return op_alloc_failed(setup, err);
	}
	float product = scale_in(setup, LSTM_PROJECTION) * quant_params_scale(hidden, 0);
	a->projection_scale =
		quant_params_split((double)(product / scale_in(setup, LSTM_OUTPUT_STATE)));
	double limit = (double)(clip / quant_params_scale(op_tensor_out(setup, 0), 0));
	a->projection_clip = (int8_t)ek_clamp32(ek_round32(trunc(limit)), 0, INT8_MAX);
	return 0;
}

static void args_prepare(const struct op_setup *setup, struct lstm_state *state)
{
	struct ek_lstm_q *a = &state->args;
	const struct tensor *hidden = intermediate(setup, HIDDEN);
	float cell = scale_in(setup, LSTM_CELL_STATE);
	double clip = (double)(setup->node->options.recurrent.cell_clip / cell);
	a->inputs = state->d.way.inputs;
	a->cells = state->d.cells;
	a->outputs = state->d.way.outputs;
	a->peephole_wrap = a->outputs < a->cells ? a->outputs : a->cells;
	a->peephole_end = a->peephole_wrap * (state->together ? state->d.way.walk.batch : 1);
	/* A power of two up to rounding (rule_lstm.c), which may lie below the true one. */
	a->cell_shift = (int32_t)lround(log2((double)cell));
	a->cell_clip = (int16_t)ek_clamp32(ek_round32(trunc(clip)), 0, INT16_MAX);
	a->hidden_scale =
		quant_params_split((double)(ldexpf(1, -30) / quant_params_scale(hidden, 0)));
	a->hidden_zero = (int32_t)quant_zero(&hidden->quant, 0);
	a->output_zero = (int32_t)quant_zero(&op_tensor_in(setup, LSTM_OUTPUT_STATE)->quant, 0);
}

int lstm_q_prepare(struct op_setup *setup, struct error *err)
{
	struct lstm_state *state = op_alloc(setup, sizeof(*state));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	setup->state = state;
	struct lstm_direction directions[2];
	lstm_directions(setup, directions);
	state->d = directions[0];
	state->together = state->d.way.walk.time_major;
	state->row = OP_PICK(ek_lstm_s8, setup->cpu_features);
	setup->detail = state->row->variant.name;
	/* four gates and what is projected */
	setup->scratch_bytes = (uint64_t)state->d.cells * (4 * sizeof(int16_t) + 1);
	args_prepare(setup, state);
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < EK_LSTM_GATES; i++) {
		r = op_tensor_in(setup, LSTM_W + i) ? gate_prepare(setup, state, i, err) : 0;
	}
	return r == 0 && op_tensor_in(setup, LSTM_PROJECTION)
		? projection_prepare(setup, state, err)
		: r;
}

/* One gate of one step. */
struct gate_job {
	const struct lstm_state *state;
	enum ek_lstm_gate which;
	struct ek_lstm_q_sight sight;
	int16_t *gate;
};

static void gate_tile(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct gate_job *job = args;
	job->state->row->gate(&job->state->args, job->which, &job->sight, tile->first_col,
		tile->first_col + tile->n_cols, job->gate);
}

static int gate_run(const struct op_call *call, const struct gate_job *args, struct error *err)
{
	const struct ek_lstm_q *a = &args->state->args;
	const struct tile_grid_job job = {
		.rows = 1,
		.cols = a->cells,
		.work = (uint64_t)a->inputs + a->outputs,
		.col_step = 1,
		.run = gate_tile,
		.args = args,
	};
	int r = tile_grid_run(call, &job, err);
	if (r == 0) {
		ek_lstm_finish(args->state->row, a, args->which, args->gate);
	}
	return r;
}

/* The states @h int8[outputs] and @c int16[cells], which @job sees, become the next. */
static int cell_run(
	const struct op_call *call, struct gate_job *job, int8_t *h, int16_t *c, struct error *err)
{
	const struct ek_lstm_q *a = &job->state->args;
	size_t n = a->cells;
	int16_t *i = call->scratch, *f = i + n, *g = f + n, *o = g + n;
	int8_t *hidden = (int8_t *)(o + n);
	int16_t *const gates[] = {i, f, g, o};
	int r = 0;
	for (uint32_t k = 0; r == 0 && k < EK_LSTM_OUTPUT; k++) {
		job->which = (enum ek_lstm_gate)k;
		job->gate = gates[k];
		r = a->gate[k].w ? gate_run(call, job, err) : 0;
	}
	if (r < 0) {
		return r;
	}
	if (!a->gate[EK_LSTM_INPUT].w) {
		ek_lstm_couple(f, n, i);
	}
	ek_lstm_cell(i, f, g, a->cell_shift, a->cell_clip, n, c);
	job->which = EK_LSTM_OUTPUT; /* sees the new cell state */
	job->gate = o;
	r = gate_run(call, job, err);
	if (r == 0) {
		ek_lstm_hidden(job->state->row, a, i, o, c, a->projection ? hidden : h);
	}
	if (r == 0 && a->projection) {
		job->state->row->project(a, hidden, h);
	}
	return r;
}

static int step_run(
	const struct op_call *call, const void *args, uint32_t entry, size_t row, struct error *err)
{
	const struct lstm_state *state = args;
	const struct lstm_direction *d = &state->d;
	int8_t *h = recurrent_data(call, LSTM_OUTPUT_STATE);
	int16_t *c = recurrent_data(call, LSTM_CELL_STATE);
	h += (size_t)entry * d->way.outputs;
	c += (size_t)entry * d->cells;
	struct gate_job job = {.state = state, .sight = {.h = h, .c = c}};
	job.sight.x = (const int8_t *)recurrent_data(call, LSTM_INPUT) + row * d->way.inputs;
	job.sight.position = state->together ? entry * d->cells : 0;
	int r = cell_run(call, &job, h, c, err);
	if (r == 0) {
		memcpy((int8_t *)op_out(call, 0)->data + row * d->way.outputs, h, d->way.outputs);
	}
	return r;
}

int lstm_q_run(const struct op_call *call, struct error *err)
{
	const struct lstm_state *state = call->state;
	return recurrent_walk_run(call, &state->d.way.walk, step_run, state, err);
}
