/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lstm - what the integer and the float LSTM share: operands, and the walk over time and batch
 *
 * Batch entries are independent of each other, so a sequence is taken entry by entry: for each, its
 * steps in order, each from one row of the input to one row of the output.
 */
#ifndef BACKENDS_CPU_LSTM_H
#define BACKENDS_CPU_LSTM_H

#include "backends/cpu/op.h"

/* Operands of UNIDIRECTIONAL_SEQUENCE_LSTM; gates in the order input, forget, cell, output. */
enum lstm_operand {
	LSTM_INPUT = 0,
	LSTM_W = 1, /* + gate */
	LSTM_R = 5, /* + gate */
	LSTM_PEEPHOLE_INPUT = 9,
	LSTM_PEEPHOLE_FORGET = 10,
	LSTM_PEEPHOLE_OUTPUT = 11,
	LSTM_BIAS = 12, /* + gate */
	LSTM_PROJECTION = 16,
	LSTM_PROJECTION_BIAS = 17,
	LSTM_OUTPUT_STATE = 18,
	LSTM_CELL_STATE = 19,
	LSTM_NORM = 20, /* + gate */
	LSTM_OPERANDS = 24,
};

/* Operand of a gate's peephole; LSTM_OPERANDS, where there never is one, for the cell gate. */
uint32_t lstm_peephole(uint32_t gate);

struct lstm_walk {
	uint32_t batch, steps;
	uint32_t inputs, cells, outputs;
	bool time_major;
};

struct lstm_walk lstm_walk_of(const struct op_setup *setup);

/* Row of [steps][batch] or [batch][steps]. */
static inline size_t lstm_row(const struct lstm_walk *w, uint32_t entry, uint32_t step)
{
	return w->time_major ? (size_t)step * w->batch + entry : (size_t)entry * w->steps + step;
}

int must_check lstm_q_prepare(struct op_setup *setup, struct error *err);
int must_check lstm_q_run(const struct op_call *call, struct error *err);
int must_check lstm_f32_prepare(struct op_setup *setup, struct error *err);
int must_check lstm_f32_run(const struct op_call *call, struct error *err);

#endif
