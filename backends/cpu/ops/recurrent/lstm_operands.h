/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lstm_operands - what the kernels of LSTM, UNIDIRECTIONAL_SEQUENCE_LSTM and BIDIRECTIONAL_SEQUENCE_LSTM
 * share: which operand is what, and one direction of a sequence
 *
 * Gates stand in the order input, forget, cell, output. Without the input gate's weights it is
 * coupled to the forget gate (CIFG).
 */
#ifndef BACKENDS_CPU_OPS_RECURRENT_LSTM_OPERANDS_H
#define BACKENDS_CPU_OPS_RECURRENT_LSTM_OPERANDS_H

#include "backends/cpu/ops/recurrent/recurrent.h"

/* Where the operands of one direction stand among the node's inputs. */
struct lstm_operands {
	uint8_t w, r; /* + gate */
	uint8_t peephole; /* of input, forget and output gate */
	uint8_t bias; /* + gate */
	uint8_t projection, projection_bias;
	uint8_t output_state, cell_state;
	uint8_t norm, aux_w; /* + gate; RECURRENT_NONE: no such part */
};

/* Operands of LSTM and UNIDIRECTIONAL_SEQUENCE_LSTM. */
enum {
	LSTM_INPUT = 0,
	LSTM_W = 1,
	LSTM_R = 5,
	LSTM_PEEPHOLE = 9,
	LSTM_BIAS = 12,
	LSTM_PROJECTION = 16,
	LSTM_PROJECTION_BIAS = 17,
	LSTM_OUTPUT_STATE = 18,
	LSTM_CELL_STATE = 19,
	LSTM_NORM = 20,
};

struct lstm_direction {
	struct recurrent_direction way;
	struct lstm_operands at;
	uint32_t cells;
};

/* Operand of a gate's vector of a part: @first + gate, RECURRENT_NONE where the part has none. */
uint32_t lstm_vector(uint32_t first, uint32_t gate);
uint32_t lstm_peephole(const struct lstm_operands *at, uint32_t gate);

/* The directions of the node, one or two (forward first). */
uint32_t lstm_directions(const struct op_setup *setup, struct lstm_direction ret[static 2]);

int must_check lstm_f32_prepare(struct op_setup *setup, struct error *err);
int must_check lstm_f32_run(const struct op_call *call, struct error *err);
/* int8 activations and weights, int16 cell state: five intermediates, 8x8_16. */
int must_check lstm_q_prepare(struct op_setup *setup, struct error *err);
int must_check lstm_q_run(const struct op_call *call, struct error *err);
/* The same with twelve intermediates, 8x8_8. */
int must_check lstm_q8_prepare(struct op_setup *setup, struct error *err);
int must_check lstm_q8_run(const struct op_call *call, struct error *err);
/* LSTM with five inputs. */
int must_check lstm_basic_prepare(struct op_setup *setup, struct error *err);
int must_check lstm_basic_run(const struct op_call *call, struct error *err);

#endif
