/* SPDX-License-Identifier: Apache-2.0 */
/* RELU, RELU6, RELU_N1_TO_1, RELU_0_TO_1. Source: tflite kernels/activations.cc (ReluPrepare,
 * QuantizedReluX). */
#include <math.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/lookup_table.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/elementwise/unary_tiles.h"
#include "backends/cpu/tiles.h"

struct relu_state {
	struct lookup_table table; /* int8, uint8; first, as lookup_table_run_rows() wants it */
	float limits[2]; /* float */
	struct ek_requant_params params; /* int16 */
	ek_requant_fn *run;
};

static void set_limits(unsigned int op, float *ret_limits)
{
	ret_limits[0] = op == OP_RELU_N1_TO_1 ? -1 : 0;
	ret_limits[1] = op == OP_RELU ? INFINITY : op == OP_RELU6 ? 6 : 1;
}

static void prepare_quantised(const struct op_setup *setup, struct relu_state *state)
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	struct ek_requant_params *p = &state->params;
	int32_t lo, hi;
	quant_params_type_range(out->type, &lo, &hi);
	p->src_zero = (int32_t)quant_zero(&in->quant, 0);
	p->zero = (int32_t)quant_zero(&out->quant, 0);
	float scale =
		quant_params_scale(in, 0) / quant_params_scale(out, 0); /* float in the reference */
	p->scale = quant_params_split((double)scale);
	p->lo = ek_clamp32(quant_params_code(out, state->limits[0]), lo, hi);
	p->hi = isinf(state->limits[1])
		? hi
		: ek_clamp32(quant_params_code(out, state->limits[1]), lo, hi);
}

static void relu_init(struct op_setup *setup)
{
	struct relu_state *state = setup->state;
	unsigned int type = op_tensor_in(setup, 0)->type;
	set_limits(setup->node->op, state->limits);
	if (type == DTYPE_FLOAT32) {
		setup->detail = "clip_f32__c";
		return;
	}
	prepare_quantised(setup, state);
	if (type == DTYPE_INT16) {
		const struct ek_requant *kernel = OP_PICK(ek_requant_s16s16, setup->cpu_features);
		state->run = kernel->run;
		setup->detail = kernel->variant.name;
	} else {
		lookup_table_init(setup, 1, &state->table);
		lookup_table_fill_requant(setup, &state->params, &state->table);
	}
}

static int relu_run(const struct op_call *call, struct error *err)
{
	const struct relu_state *state = call->state;
	const struct value *out = op_out(call, 0);
	unsigned int type = call->subgraph->tensors[call->node->inputs[0]].type;
	if (type == DTYPE_FLOAT32) {
		return unary_tiles_run(call, ek_clip_f32, state->limits, err);
	}
	if (type != DTYPE_INT16) {
		return lookup_table_run(&state->table, call, err);
	}
	struct tiles t = {.total = op_elements(&out->shape), .control = call->control};
	while (tiles_next(&t)) {
		state->run((int16_t *)out->data + t.at,
			(const int16_t *)op_in(call, 0)->data + t.at, t.count, &state->params);
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_relu = {
	.op = OP_RELU,
	.also = OP_ALSO(OP_RELU6, OP_RELU_N1_TO_1, OP_RELU_0_TO_1),
	.types = ACCEPT_QUANTISED | ACCEPT(FLOAT32),
	.state_bytes = sizeof(struct relu_state),
	.init = relu_init,
	.run = relu_run,
	.row_shape = lookup_table_row_shape,
	.run_rows = lookup_table_run_rows,
	.in_place = 1,
};
