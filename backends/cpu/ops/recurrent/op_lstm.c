/* SPDX-License-Identifier: Apache-2.0 */
/* LSTM, UNIDIRECTIONAL_SEQUENCE_LSTM, BIDIRECTIONAL_SEQUENCE_LSTM: which kernel runs a node. */
#include "backends/cpu/ops/recurrent/lstm_operands.h"
#include "kernels/recurrent/lstm.h"

enum {
	BASIC_INPUTS = 5, /* of LSTM's basic kernel */
	INTERMEDIATES_8X8_16 = 5,
	BIDIRECTIONAL_AUX = 39,
};

static const struct lstm_operands one_way = {
	.w = LSTM_W,
	.r = LSTM_R,
	.peephole = LSTM_PEEPHOLE,
	.bias = LSTM_BIAS,
	.projection = LSTM_PROJECTION,
	.projection_bias = LSTM_PROJECTION_BIAS,
	.output_state = LSTM_OUTPUT_STATE,
	.cell_state = LSTM_CELL_STATE,
	.norm = LSTM_NORM,
	.aux_w = RECURRENT_NONE,
};

/* Forward and backward. */
static const struct lstm_operands two_ways[2] = {
	{1, 5, 9, 12, 16, 17, 35, 36, RECURRENT_NONE, 40},
	{18, 22, 26, 29, 33, 34, 37, 38, RECURRENT_NONE, 44},
};

uint32_t lstm_vector(uint32_t first, uint32_t gate)
{
	return first == RECURRENT_NONE ? RECURRENT_NONE : first + gate;
}

uint32_t lstm_peephole(const struct lstm_operands *at, uint32_t gate)
{
	return gate == EK_LSTM_CELL ? RECURRENT_NONE
				    : at->peephole + (gate == EK_LSTM_OUTPUT ? 2 : gate);
}

static uint32_t outputs_of(const struct op_setup *setup, const struct lstm_operands *at)
{
	return (uint32_t)op_shape_in(setup, at->r + EK_LSTM_OUTPUT)->dim[1];
}

static void both_ways(const struct op_setup *setup, struct recurrent_direction ret[static 2])
{
	bool weighted = op_tensor_in(setup, two_ways[0].aux_w + EK_LSTM_OUTPUT);
	const uint32_t outputs[2] = {
		outputs_of(setup, &two_ways[0]), outputs_of(setup, &two_ways[1])};
	recurrent_two_ways(setup, BIDIRECTIONAL_AUX, weighted, outputs, ret);
}

uint32_t lstm_directions(const struct op_setup *setup, struct lstm_direction ret[static 2])
{
	bool both = setup->node->op == OP_BIDIRECTIONAL_SEQUENCE_LSTM;
	struct recurrent_direction ways[2];
	if (both) {
		both_ways(setup, ways);
	} else {
		ways[0] = recurrent_one_way(setup, outputs_of(setup, &one_way));
	}
	uint32_t n = both ? 2 : 1;
	for (uint32_t i = 0; i < n; i++) {
		ret[i] =
			(struct lstm_direction){.way = ways[i], .at = both ? two_ways[i] : one_way};
		ret[i].cells = (uint32_t)op_shape_in(setup, ret[i].at.w + EK_LSTM_OUTPUT)->dim[0];
	}
	return n;
}

/* Integer kernels fold zero points into biases at prepare: all but the input and the states are
 * constants. */
static int accept_constants(const struct op_setup *setup, struct error *err)
{
	for (uint32_t i = 0; i < setup->node->n_inputs; i++) {
		bool changes = i == LSTM_INPUT || i == LSTM_OUTPUT_STATE || i == LSTM_CELL_STATE;
		if (!changes && op_tensor_in(setup, i) && !op_constant(setup, i)) {
			return error_set(err, -EOPNOTSUPP, "input %u that is computed", i);
		}
	}
	return 0;
}

static int lstm_accept(const struct op_setup *setup, struct error *err)
{
	if (setup->node->n_inputs == BASIC_INPUTS) {
		return 0;
	}
	if (op_tensor_in(setup, LSTM_INPUT)->type == DTYPE_INT8) {
		return accept_constants(setup, err);
	}
	return 0;
}

static int lstm_prepare(struct op_setup *setup, struct error *err)
{
	if (setup->node->n_inputs == BASIC_INPUTS) {
		return lstm_basic_prepare(setup, err);
	}
	if (op_tensor_in(setup, LSTM_INPUT)->type == DTYPE_FLOAT32) {
		return lstm_f32_prepare(setup, err);
	}
	return setup->node->n_intermediates == INTERMEDIATES_8X8_16 ? lstm_q_prepare(setup, err)
								    : lstm_q8_prepare(setup, err);
}

static int lstm_run(const struct op_call *call, struct error *err)
{
	const struct node *node = call->node;
	if (node->n_inputs == BASIC_INPUTS) {
		return lstm_basic_run(call, err);
	}
	if (call->subgraph->tensors[node->inputs[LSTM_INPUT]].type == DTYPE_FLOAT32) {
		return lstm_f32_run(call, err);
	}
	return node->n_intermediates == INTERMEDIATES_8X8_16 ? lstm_q_run(call, err)
							     : lstm_q8_run(call, err);
}

const struct cpu_op op_lstm = {
	.op = OP_LSTM,
	.also = OP_ALSO(OP_UNIDIRECTIONAL_SEQUENCE_LSTM, OP_BIDIRECTIONAL_SEQUENCE_LSTM),
	.accept = lstm_accept,
	.prepare = lstm_prepare,
	.run = lstm_run,
};
