/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/ops/recurrent/recurrent.h"

#include "backends/cpu/operand/quant_params.h"
#include "kernels/hybrid/hybrid.h"

struct recurrent_walk recurrent_walk_of(const struct shape *input, bool time_major)
{
	if (input->rank == 2) {
		return (struct recurrent_walk){
			.batch = (uint32_t)input->dim[0], .steps = 1, .time_major = true};
	}
	return (struct recurrent_walk){
		.batch = (uint32_t)input->dim[time_major ? 1 : 0],
		.steps = (uint32_t)input->dim[time_major ? 0 : 1],
		.time_major = time_major,
	};
}

int recurrent_walk_run(const struct op_call *call, const struct recurrent_walk *walk,
	recurrent_step_fn *step, const void *args, struct error *err)
{
	for (uint32_t entry = 0; entry < walk->batch; entry++) {
		for (uint32_t i = 0; i < walk->steps; i++) {
			size_t t = walk->backward ? walk->steps - 1 - i : i;
			size_t row = walk->time_major ? t * walk->batch + entry
						      : (size_t)entry * walk->steps + t;
			int r = step(call, args, entry, row, err);
			if (r < 0) {
				return r;
			}
		}
	}
	return 0;
}

static uint32_t width_of(const struct op_setup *setup, uint32_t operand)
{
	const struct shape *shape = op_shape_in(setup, operand);
	return (uint32_t)shape->dim[shape->rank - 1];
}

struct recurrent_direction recurrent_one_way(const struct op_setup *setup, uint32_t outputs)
{
	bool time_major = setup->node->options.recurrent.time_major;
	return (struct recurrent_direction){
		.walk = recurrent_walk_of(op_shape_in(setup, 0), time_major),
		.aux = RECURRENT_NONE,
		.inputs = width_of(setup, 0),
		.outputs = outputs,
		.out_width = outputs,
	};
}

void recurrent_two_ways(const struct op_setup *setup, uint32_t aux, bool weighted,
	const uint32_t outputs[static 2], struct recurrent_direction ret[static 2])
{
	bool merge = setup->node->options.recurrent.merge_outputs;
	for (uint32_t i = 0; i < 2; i++) {
		ret[i] = recurrent_one_way(setup, outputs[i]);
		if (weighted) {
			ret[i].aux = aux;
			ret[i].aux_inputs = width_of(setup, aux);
		}
		ret[i].out_width = merge ? outputs[0] + outputs[1] : outputs[i];
	}
	ret[1].walk.backward = true;
	ret[1].output = merge ? 0 : 1;
	ret[1].out_offset = merge ? outputs[0] : 0;
	if (!weighted && op_tensor_in(setup, aux)) {
		ret[1].input = aux;
		ret[1].inputs = width_of(setup, aux);
	}
}

struct recurrent_product recurrent_product_of(
	const struct op_setup *setup, const struct tensor *weights, bool asymmetric)
{
	bool hybrid = weights->type != DTYPE_FLOAT32;
	const struct ek_matvec_row *list = hybrid ? ek_matvec_hybrid : ek_matvec_f32;
	size_t n = hybrid ? ek_matvec_hybrid_count : ek_matvec_f32_count;
	return (struct recurrent_product){
		.row = ek_pick(list, n, sizeof(*list), setup->cpu_features),
		.hybrid = hybrid,
		.quantise = OP_PICK(ek_hybrid, setup->cpu_features),
		.asymmetric = asymmetric,
	};
}

struct ek_matvec_x recurrent_x(
	const struct recurrent_product *p, const float *x, size_t n, int8_t *codes)
{
	if (!p->hybrid) {
		return (struct ek_matvec_x){.x = x};
	}
	struct ek_matvec_x quantised = {.x = codes};
	quantised.row = ek_hybrid_quantise(p->quantise, x, n, p->asymmetric, codes);
	return quantised;
}

struct ek_matvec recurrent_weights(const struct op_call *call, uint32_t i)
{
	const struct value *v = op_in(call, i);
	if (!v) {
		return (struct ek_matvec){0};
	}
	return (struct ek_matvec){
		.w = v->data,
		.columns = (uint32_t)v->shape.dim[1],
		.scale = quant_params_scale(&call->subgraph->tensors[call->node->inputs[i]], 0),
	};
}
