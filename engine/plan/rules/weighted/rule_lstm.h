/* SPDX-License-Identifier: Apache-2.0 */
/* rule_lstm - one direction of an LSTM node while its rule looks at it */
#ifndef ENGINE_PLAN_RULES_WEIGHTED_RULE_LSTM_H
#define ENGINE_PLAN_RULES_WEIGHTED_RULE_LSTM_H

#include "engine/plan/rules/weighted/rule_recurrent.h"

/* Operands by the numbers they have in LSTM and UNIDIRECTIONAL_SEQUENCE_LSTM; the last five are
 * BIDIRECTIONAL_SEQUENCE_LSTM's alone. Gates in the order input, forget, cell, output. */
enum lstm_operand {
	LSTM_INPUT = 0,
	LSTM_W = 1, /* + gate */
	LSTM_R = 5, /* + gate */
	LSTM_PEEPHOLE = 9, /* of input, forget and output gate */
	LSTM_BIAS = 12, /* + gate */
	LSTM_PROJECTION = 16,
	LSTM_PROJECTION_BIAS = 17,
	LSTM_OUTPUT_STATE = 18,
	LSTM_CELL_STATE = 19,
	LSTM_NORM = 20, /* + gate */
	LSTM_AUX = 24,
	LSTM_AUX_W = 25, /* + gate */
	LSTM_OPERANDS = 29,
};

enum lstm_kernel {
	LSTM_FLOAT,
	LSTM_HYBRID, /* float activations, int8 weights */
	LSTM_INTEGER,
	LSTM_KERNELS
};

/* Which operands a node has: all of a part, or none. */
enum lstm_part {
	LSTM_PART_INPUT_GATE = 1, /* absent: coupled input and forget gate (CIFG) */
	LSTM_PART_PEEPHOLE = 2,
	LSTM_PART_PROJECTION = 4,
	LSTM_PART_NORM = 8,
	LSTM_PART_PROJECTION_BIAS = 16, /* with or without, where there is a projection */
	LSTM_PART_AUX = 32,
};

enum lstm_size {
	LSTM_SIZE_NONE,
	LSTM_SIZE_INPUT,
	LSTM_SIZE_CELL,
	LSTM_SIZE_OUTPUT,
	LSTM_SIZE_AUX,
	LSTM_SIZES
};

struct lstm {
	const struct op_context *ctx;
	enum {
		LSTM_FORWARD,
		LSTM_BACKWARD
	} direction;
	enum lstm_kernel kernel;
	uint8_t parts;
	int32_t size[LSTM_SIZES];
	int32_t batch, steps;
};

/* Where operand @i stands among the node's inputs; -1: the operator has none. */
int32_t rule_lstm_place(const struct lstm *l, uint32_t i);
/* NULL where it is not there. */
const struct tensor *rule_lstm_tensor(const struct lstm *l, uint32_t i);
const char *rule_lstm_name(uint32_t i);

/* All that is quantised: one scale, zero points; with integer activations also intermediates and
 * multipliers. */
int must_check rule_lstm_scales(const struct lstm *l, struct error *err);

/* LSTM with five inputs. */
int must_check rule_lstm_basic(
	const struct op_context *ctx, struct op_result *ret, struct error *err);

#endif
