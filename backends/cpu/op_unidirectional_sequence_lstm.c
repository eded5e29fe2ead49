/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/activation.h"
#include "backends/cpu/lstm.h"

uint32_t lstm_peephole(uint32_t gate)
{
	static const uint8_t operand[] = {
		LSTM_PEEPHOLE_INPUT, LSTM_PEEPHOLE_FORGET, LSTM_OPERANDS, LSTM_PEEPHOLE_OUTPUT};
	return operand[gate];
}

struct lstm_walk lstm_walk_of(const struct op_setup *setup)
{
	const struct shape *in = op_shape_in(setup, LSTM_INPUT);
	bool time_major = setup->node->options.recurrent.time_major;
	return (struct lstm_walk){
		.batch = (uint32_t)in->dim[time_major ? 1 : 0],
		.steps = (uint32_t)in->dim[time_major ? 0 : 1],
		.inputs = (uint32_t)in->dim[2],
		.cells = (uint32_t)op_shape_in(setup, LSTM_W + 3)->dim[0],
		.outputs = (uint32_t)op_shape_in(setup, LSTM_R + 3)->dim[1],
		.time_major = time_major,
	};
}

/* All but the input and the states are constants: zero points are folded in at prepare. */
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
	unsigned int in = op_tensor_in(setup, LSTM_INPUT)->type;
	unsigned int weights = op_tensor_in(setup, LSTM_W + 3)->type;
	unsigned int activation = setup->node->options.recurrent.activation;
	if (in != weights || (in != DTYPE_INT8 && in != DTYPE_FLOAT32)) {
		return error_set(err, -EOPNOTSUPP, "%s input with %s weights is not there yet",
			dtype_name(in), dtype_name(weights));
	}
	if (in == DTYPE_INT8 && setup->node->n_intermediates != 5) {
		return error_set(
			err, -EOPNOTSUPP, "%u intermediates", setup->node->n_intermediates);
	}
	if (in == DTYPE_INT8 ? activation != ACTIVATION_TANH : !activation_is_known(activation)) {
		return error_set(err, -EOPNOTSUPP, "fused activation %u", activation);
	}
	return accept_constants(setup, err);
}

static int lstm_prepare(struct op_setup *setup, struct error *err)
{
	return op_tensor_in(setup, LSTM_INPUT)->type == DTYPE_INT8 ? lstm_q_prepare(setup, err)
								   : lstm_f32_prepare(setup, err);
}

static int lstm_run(const struct op_call *call, struct error *err)
{
	unsigned int type = call->subgraph->tensors[call->node->inputs[LSTM_INPUT]].type;
	return type == DTYPE_INT8 ? lstm_q_run(call, err) : lstm_f32_run(call, err);
}

const struct cpu_op op_unidirectional_sequence_lstm = {
	.op = OP_UNIDIRECTIONAL_SEQUENCE_LSTM,
	.accept = lstm_accept,
	.prepare = lstm_prepare,
	.run = lstm_run,
};
