/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "backends/cpu/activation.h"
#include "backends/cpu/lstm.h"
#include "backends/cpu/tile.h"
#include "kernels/lstm.h"
#include "kernels/lstm_f32.h"

struct lstm_state {
	const struct ek_lstm_f32_row *row;
	struct lstm_walk walk;
	struct ek_lstm_f32 args;
	uint8_t activation;
};

static void gate_prepare(const struct op_setup *setup, uint32_t i, struct ek_lstm_gate_f32 *g)
{
	g->w = op_constant(setup, LSTM_W + i);
	g->r = op_constant(setup, LSTM_R + i);
	g->peephole = op_constant(setup, lstm_peephole(i));
	g->bias = op_constant(setup, LSTM_BIAS + i);
	g->norm = op_constant(setup, LSTM_NORM + i);
}

int lstm_f32_prepare(struct op_setup *setup, struct error *err)
{
	const struct options_recurrent *o = &setup->node->options.recurrent;
	struct lstm_state *state = op_alloc(setup, sizeof(*state));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	setup->state = state;
	state->walk = lstm_walk_of(setup);
	state->activation = o->activation;
	state->row =
		ek_pick(ek_lstm_f32, ek_lstm_f32_count, sizeof(*ek_lstm_f32), setup->cpu_features);
	setup->detail = state->row->variant.name;
	/* four gates and what is projected */
	setup->scratch_bytes = (uint64_t)state->walk.cells * 5 * sizeof(float);
	struct ek_lstm_f32 *a = &state->args;
	a->inputs = state->walk.inputs;
	a->cells = state->walk.cells;
	a->outputs = state->walk.outputs;
	a->cell_clip = o->cell_clip;
	a->projection_clip = o->proj_clip;
	a->projection = op_constant(setup, LSTM_PROJECTION);
	a->projection_bias = op_constant(setup, LSTM_PROJECTION_BIAS);
	for (uint32_t i = 0; i < EK_LSTM_GATES; i++) {
		gate_prepare(setup, i, &a->gate[i]);
	}
	return 0;
}

/* One gate of one step. */
struct gate_job {
	const struct lstm_state *state;
	uint32_t which;
	const float *x, *h, *c;
	float *gate;
};

static void gate_tile(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct gate_job *job = args;
	job->state->row->gate(&job->state->args, job->which, job->x, job->h, job->c,
		tile->first_col, tile->first_col + tile->n_cols, job->gate);
}

static int gate_run(const struct op_call *call, const struct gate_job *args, struct error *err)
{
	const struct ek_lstm_f32 *a = &args->state->args;
	const struct tile_job job = {
		.rows = 1,
		.cols = a->cells,
		.work = (uint64_t)a->inputs + a->outputs,
		.col_step = 1,
		.run = gate_tile,
		.args = args,
	};
	int r = tile_run(call, &job, err);
	if (r < 0) {
		return r;
	}
	ek_lstm_norm_f32(a, args->which, args->gate);
	if (args->which == EK_LSTM_CELL) {
		activation_apply(args->state->activation, args->gate, a->cells);
	} else {
		ek_lstm_logistic_f32(args->gate, a->cells);
	}
	return 0;
}

/* The new output state @h from output gate @o and cell state @c. */
static void output_run(
	const struct lstm_state *state, const float *o, const float *c, float *hidden, float *h)
{
	const struct ek_lstm_f32 *a = &state->args;
	float *to = a->projection ? hidden : h;
	memcpy(to, c, a->cells * sizeof(*to));
	activation_apply(state->activation, to, a->cells);
	for (uint32_t n = 0; n < a->cells; n++) {
		to[n] *= o[n];
	}
	if (a->projection) {
		state->row->project(a, hidden, h);
	}
}

/* One step of one batch entry: states @h float[outputs] and @c float[cells] become the next. */
static int step_run(const struct op_call *call, const struct lstm_state *state, const float *x,
	float *h, float *c, struct error *err)
{
	const struct ek_lstm_f32 *a = &state->args;
	size_t n = a->cells;
	float *i = call->scratch, *f = i + n, *g = f + n, *o = g + n, *hidden = o + n;
	float *const gates[] = {i, f, g, o};
	struct gate_job job = {.state = state, .x = x, .h = h, .c = c};
	int r = 0;
	for (job.which = 0; r == 0 && job.which < EK_LSTM_OUTPUT; job.which++) {
		job.gate = gates[job.which];
		r = a->gate[job.which].w ? gate_run(call, &job, err) : 0;
	}
	if (r < 0) {
		return r;
	}
	for (size_t k = 0; !a->gate[EK_LSTM_INPUT].w && k < n; k++) {
		i[k] = 1 - f[k];
	}
	ek_lstm_cell_f32(a, i, f, g, c);
	job.which = EK_LSTM_OUTPUT; /* sees the new cell state */
	job.gate = o;
	r = gate_run(call, &job, err);
	if (r == 0) {
		output_run(state, o, c, hidden, h);
	}
	return r;
}

int lstm_f32_run(const struct op_call *call, struct error *err)
{
	const struct lstm_state *state = call->state;
	const struct lstm_walk *w = &state->walk;
	const float *input = op_in(call, LSTM_INPUT)->data;
	float *output = op_out(call, 0)->data;
	for (uint32_t b = 0; b < w->batch; b++) {
		float *h = (float *)op_in(call, LSTM_OUTPUT_STATE)->data + (size_t)b * w->outputs;
		float *c = (float *)op_in(call, LSTM_CELL_STATE)->data + (size_t)b * w->cells;
		for (uint32_t t = 0; t < w->steps; t++) {
			size_t row = lstm_row(w, b, t);
			int r = step_run(call, state, input + row * w->inputs, h, c, err);
			if (r < 0) {
				return r;
			}
			memcpy(output + row * w->outputs, h, w->outputs * sizeof(*h));
		}
	}
	return 0;
}
