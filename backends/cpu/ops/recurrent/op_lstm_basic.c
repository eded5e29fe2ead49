/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LSTM with five inputs, in float or in 8 and 16 bits: input, previous output, weights, bias,
 * previous state, which are ordinary tensors. Outputs: output, state, input and previous output
 * joined, gates before their functions.
 */
#include <float.h>
#include <string.h>

#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/recurrent/lstm_operands.h"
#include "backends/cpu/tile_grid.h"
#include "backends/cpu/tiles.h"
#include "kernels/gemm/matmul.h"
#include "kernels/recurrent/lstm_basic.h"

enum {
	INPUT,
	BEFORE, /* previous output */
	WEIGHTS,
	BIAS,
	STATE,
};

enum {
	OUT,
	OUT_STATE,
	OUT_JOINED,
	OUT_GATES,
};

struct lstm_state {
	const struct ek_matmul_f32_row *row_f32; /* NULL: 8 and 16 bits */
	uint32_t batch, inputs, cells;
	int32_t weights_zero;
	struct ek_scale scale;
};

int lstm_basic_prepare(struct op_setup *setup, struct error *err)
{
	struct lstm_state *state = op_alloc(setup, sizeof(*state));
	if (!state) {
		return op_alloc_failed(setup, err);
	}
	setup->state = state;
	state->batch = (uint32_t)op_shape_in(setup, INPUT)->dim[0];
	state->inputs = (uint32_t)op_shape_in(setup, INPUT)->dim[1];
	state->cells = (uint32_t)op_shape_in(setup, BEFORE)->dim[1];
	if (op_tensor_in(setup, INPUT)->type == DTYPE_FLOAT32) {
		state->row_f32 = &ek_matmul_f32[0]; /* which packs nothing */
		setup->detail = state->row_f32->variant.name;
		return 0;
	}
	/* The bias has the scale of the products; gates have twelve fraction bits. */
	state->scale =
		quant_params_split(4096 * (double)quant_params_scale(op_tensor_in(setup, BIAS), 0));
	state->weights_zero = (int32_t)quant_zero(&op_tensor_in(setup, WEIGHTS)->quant, 0);
	return 0;
}

/* Input and previous output of @n rows, row by row, side by side. */
static void join(const struct op_call *call, const struct lstm_state *s, size_t element,
	size_t first, size_t n)
{
	const uint8_t *x = op_in(call, INPUT)->data, *h = op_in(call, BEFORE)->data;
	uint8_t *to = op_out(call, OUT_JOINED)->data;
	size_t x_bytes = s->inputs * element, h_bytes = s->cells * element;
	to += first * (x_bytes + h_bytes);
	for (size_t b = first; b < first + n; b++) {
		memcpy(to, x + b * x_bytes, x_bytes);
		memcpy(to + x_bytes, h + b * h_bytes, h_bytes);
		to += x_bytes + h_bytes;
	}
}

struct gates_job {
	const struct ek_matmul_f32_row *row_f32;
	struct ek_matmul_f32 f32;
	struct ek_lstm_basic_q q;
};

static void gates_tile(const void *args, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	const struct gates_job *job = args;
	if (job->row_f32) {
		job->row_f32->run(&job->f32, tile);
	} else {
		ek_lstm_basic_gates_u8(&job->q, tile);
	}
}

static int gates_run(const struct op_call *call, const struct lstm_state *s, struct error *err)
{
	uint32_t depth = s->inputs + s->cells, cols = 4 * s->cells;
	const struct gates_job args = {
		.row_f32 = s->row_f32,
		.f32 = {.shape = {s->batch, cols, depth},
			.a = op_out(call, OUT_JOINED)->data,
			.w = op_in(call, WEIGHTS)->data,
			.bias = op_in(call, BIAS)->data,
			.lo = -FLT_MAX,
			.hi = FLT_MAX,
			.output = op_out(call, OUT_GATES)->data},
		.q = {.x = op_out(call, OUT_JOINED)->data,
			.w = op_in(call, WEIGHTS)->data,
			.bias = op_in(call, BIAS)->data,
			.gates = op_out(call, OUT_GATES)->data,
			.cols = cols,
			.depth = depth,
			.weights_zero = s->weights_zero,
			.scale = s->scale},
	};
	const struct tile_grid_job job = {
		.rows = s->batch,
		.cols = cols,
		.work = depth,
		.col_step = s->row_f32 ? s->row_f32->col_step : 1,
		.look_work = s->row_f32 ? tile_grid_float_look_work(&s->row_f32->variant, cols) : 0,
		.run = gates_tile,
		.args = &args,
	};
	return tile_grid_run(call, &job, err);
}

static void cell_run(const struct op_call *call, const struct lstm_state *s, size_t b)
{
	size_t n = s->cells, at = b * n;
	const void *gates = op_out(call, OUT_GATES)->data, *before = op_in(call, STATE)->data;
	void *state = op_out(call, OUT_STATE)->data, *h = op_out(call, OUT)->data;
	if (s->row_f32) {
		ek_lstm_basic_f32((const float *)gates + 4 * at, (const float *)before + at, n,
			(float *)state + at, (float *)h + at);
	} else {
		ek_lstm_basic_q((const int16_t *)gates + 4 * at, (const int16_t *)before + at, n,
			(int16_t *)state + at, (uint8_t *)h + at);
	}
}

int lstm_basic_run(const struct op_call *call, struct error *err)
{
	const struct lstm_state *s = call->state;
	const struct tiles batches = {.total = s->batch,
		.control = call->control,
		.each = tiles_rows((uint64_t)s->inputs + 4 * (uint64_t)s->cells)};
	struct tiles t = batches;
	while (tiles_next(&t)) {
		join(call, s, s->row_f32 ? sizeof(float) : 1, (size_t)t.at, (size_t)t.count);
	}
	int r = tiles_end(&t, err);
	r = r < 0 ? r : gates_run(call, s, err);
	t = batches;
	while (r == 0 && tiles_next(&t)) {
		for (size_t b = (size_t)t.at; b < t.at + t.count; b++) {
			cell_run(call, s, b);
		}
	}
	return r < 0 ? r : tiles_end(&t, err);
}
