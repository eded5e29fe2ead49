/* SPDX-License-Identifier: Apache-2.0 */
/* The integer LSTM, 8x8_8: for each gate three intermediates tell the scales of the whole, of what
 * comes from the input and of what comes from the state. */
#include <math.h>
#include <string.h>

#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/recurrent/lstm_operands.h"
#include "backends/cpu/tile_grid.h"
#include "kernels/recurrent/lstm.h"
#include "kernels/recurrent/lstm_q8.h"

struct lstm_state {
	struct lstm_direction d;
	struct ek_lstm_q8_gate gate[EK_LSTM_GATES]; /* but the input gate */
	struct ek_lstm_q8_projection projection;
	int16_t cell_clip;
};

static float scale_in(const struct op_setup *s, uint32_t operand)
{
	return quant_params_scale(op_tensor_in(s, operand), 0);
}

static int32_t zero_in(const struct op_setup *s, uint32_t operand)
{
	return (int32_t)quant_zero(&op_tensor_in(s, operand)->quant, 0);
}

/* The part of gate @which that weights @w make of operand @v; @part: 1 from x, 2 from h. */
static void part_prepare(const struct op_setup *setup, uint32_t which, uint32_t part, uint32_t w,
	uint32_t v, struct ek_lstm_q8_part *p)
{
	const int32_t *intermediates = setup->node->intermediates + 3 * which;
	const struct tensor *tensors = setup->subgraph->tensors;
	const struct tensor *whole = &tensors[intermediates[0]],
			    *own = &tensors[intermediates[part]];
	float own_scale = quant_params_scale(own, 0);
	p->w = op_constant(setup, w);
	p->columns = (uint32_t)op_shape_in(setup, w)->dim[1];
	p->v_zero = zero_in(setup, v);
	p->scale =
		quant_params_split((double)(scale_in(setup, w) * scale_in(setup, v) / own_scale));
	p->zero = (int32_t)quant_zero(&own->quant, 0);
	p->whole = quant_params_split((double)(own_scale / quant_params_scale(whole, 0)));
}

static void projection_prepare(const struct op_setup *setup, struct ek_lstm_q8_projection *p)
{
	float output = scale_in(setup, LSTM_OUTPUT_STATE);
	float product =
		(float)(ldexp((double)scale_in(setup, LSTM_PROJECTION), -15) / (double)output);
	float clip = setup->node->options.recurrent.proj_clip;
	double limit = trunc((double)(clip / quant_params_scale(op_tensor_out(setup, 0), 0)));
	p->w = op_constant(setup, LSTM_PROJECTION);
	p->bias = op_constant(setup, LSTM_PROJECTION_BIAS);
	p->scale = quant_params_split((double)product);
	p->zero = zero_in(setup, LSTM_OUTPUT_STATE);
	p->clip = (int8_t)ek_clamp32(ek_round32(limit), 0, INT8_MAX);
}

int lstm_q8_prepare(struct op_setup *setup, struct error *err)
{
	float clip = setup->node->options.recurrent.cell_clip;
	struct lstm_state *state = op_alloc(setup, sizeof(*state));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	setup->state = state;
	struct lstm_direction directions[2];
	lstm_directions(setup, directions);
	state->d = directions[0];
	for (uint32_t i = EK_LSTM_FORGET; i < EK_LSTM_GATES; i++) {
		struct ek_lstm_q8_gate *g = &state->gate[i];
		part_prepare(setup, i, 1, LSTM_W + i, LSTM_INPUT, &g->x);
		part_prepare(setup, i, 2, LSTM_R + i, LSTM_OUTPUT_STATE, &g->h);
		g->norm = op_constant(setup, LSTM_NORM + i);
		g->bias = op_constant(setup, LSTM_BIAS + i);
		g->norm_scale = scale_in(setup, LSTM_NORM + i);
	}
	projection_prepare(setup, &state->projection);
	/* The cell state has scale 2^-15: from 1 on a limit does not bind. */
	state->cell_clip = clip < 1 ? (int16_t)(clip * 32768) : 0;
	setup->scratch_bytes = (uint64_t)state->d.cells * EK_LSTM_GATES * sizeof(int16_t);
	return 0;
}

/* One gate of one step, or the projection where @gate is NULL. */
struct sum_job {
	const struct lstm_state *state;
	const struct ek_lstm_q8_gate *gate;
	const int8_t *x, *h;
	const int16_t *hidden;
	int16_t *s;
	int8_t *y;
};

static void sum_tile(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct sum_job *job = args;
	uint32_t first = tile->first_col, end = first + tile->n_cols;
	if (job->gate) {
		ek_lstm_q8_sum(job->gate, job->x, job->h, first, end, job->s);
	} else {
		ek_lstm_q8_project(&job->state->projection, job->hidden, job->state->d.cells, first,
			end, job->y);
	}
}

static int sum_run(const struct op_call *call, const struct sum_job *args, uint32_t n,
	uint64_t work, struct error *err)
{
	const struct tile_grid_job job = {
		.rows = 1,
		.cols = n,
		.work = work,
		.col_step = 1,
		.run = sum_tile,
		.args = args,
	};
	return tile_grid_run(call, &job, err);
}

static int gate_run(const struct op_call *call, struct sum_job *job, enum ek_lstm_gate which,
	int16_t *s, struct error *err)
{
	const struct lstm_direction *d = &job->state->d;
	job->gate = &job->state->gate[which];
	job->s = s;
	int r = sum_run(call, job, d->cells, (uint64_t)d->way.inputs + d->way.outputs, err);
	if (r < 0) {
		return r;
	}
	ek_lstm_q8_norm(job->gate, d->cells, s);
	if (which == EK_LSTM_CELL) {
		ek_lstm_q8_tanh(s, -12, d->cells, s);
	} else {
		ek_lstm_q8_logistic(s, d->cells);
	}
	return 0;
}

/* States @h int8[outputs], which @job sees, and @c int16[cells] become the next. */
static int cell_run(
	const struct op_call *call, struct sum_job *job, int8_t *h, int16_t *c, struct error *err)
{
	const struct lstm_state *state = job->state;
	size_t n = state->d.cells;
	int16_t *i = call->scratch, *f = i + n, *g = f + n, *o = g + n;
	int r = gate_run(call, job, EK_LSTM_FORGET, f, err);
	r = r < 0 ? r : gate_run(call, job, EK_LSTM_CELL, g, err);
	r = r < 0 ? r : gate_run(call, job, EK_LSTM_OUTPUT, o, err);
	if (r < 0) {
		return r;
	}
	ek_lstm_couple(f, n, i);
	ek_lstm_cell(i, f, g, -15, state->cell_clip, n, c);
	ek_lstm_q8_tanh(c, -15, n, i);
	ek_lstm_q8_hidden(o, n, i);
	job->gate = NULL;
	job->hidden = i;
	job->y = h;
	return sum_run(call, job, state->d.way.outputs, n, err);
}

static int step_run(
	const struct op_call *call, const void *args, uint32_t entry, size_t row, struct error *err)
{
	const struct lstm_state *state = args;
	const struct recurrent_direction *way = &state->d.way;
	int8_t *h = recurrent_data(call, LSTM_OUTPUT_STATE);
	int16_t *c = recurrent_data(call, LSTM_CELL_STATE);
	h += (size_t)entry * way->outputs;
	c += (size_t)entry * state->d.cells;
	struct sum_job job = {.state = state, .h = h};
	job.x = (const int8_t *)recurrent_data(call, LSTM_INPUT) + row * way->inputs;
	int r = cell_run(call, &job, h, c, err);
	if (r == 0) {
		memcpy((int8_t *)op_out(call, 0)->data + row * way->outputs, h, way->outputs);
	}
	return r;
}

int lstm_q8_run(const struct op_call *call, struct error *err)
{
	const struct lstm_state *state = call->state;
	return recurrent_walk_run(call, &state->d.way.walk, step_run, state, err);
}
