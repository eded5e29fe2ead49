/* SPDX-License-Identifier: Apache-2.0 */
/* LOGISTIC and TANH. Source: tflite kernels/activations.cc (SigmoidPrepare, TanhPrepare) and
 * sigmoid_table_uint16 of kernels/internal/common.h. */
#include <math.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/lookup_table.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/ops/elementwise/unary_tiles.h"
#include "backends/cpu/tiles.h"
#include "kernels/elementwise/sigmoid.h"

struct sigmoid_state {
	struct lookup_table table; /* int8, uint8; first, as lookup_table_run_rows() wants it */
	ek_unary_fn *real; /* of floats */
	struct ek_sigmoid_s16_params params; /* int16 */
	uint16_t points[256];
};

static double logistic(double x)
{
	return 1 / (1 + exp(-x));
}

/* logistic(i / 24), shifted by half of what linear interpolation errs in the middle; this gives the
 * 256 values of the reference's table. */
static void fill_points(uint16_t points[static 256])
{
	for (int i = 0; i < 255; i++) {
		double left = logistic(i / 24.0), right = logistic((i + 1) / 24.0);
		double bend = logistic((i + 0.5) / 24.0) - (left + right) / 2;
		points[i] = (uint16_t)round(65536 * (left + bend / 2));
	}
	points[255] = 65535;
}

/* How codes become numbers with 12 fraction bits, times 3. */
static void scale_s16(const struct op_setup *setup, struct ek_sigmoid_s16_params *p)
{
	float scale = quant_params_scale(op_tensor_in(setup, 0), 0);
	int exponent;
	bool is_pot = frexp((double)scale, &exponent) == 0.5;
	int n = 12 + exponent - 1;
	if (is_pot && (n == 0 || (n == 1 && setup->node->op == OP_TANH))) {
		p->multiplier = 3 << n;
		return;
	}
	double d = 12288 * (double)scale;
	while (d <= 32767 / 2.0 && p->shift <= 30) {
		d *= 2;
		p->shift++;
	}
	p->multiplier = ek_round32(trunc(d));
}

static const struct ek_unary *pick_real(bool is_tanh, uint64_t mask)
{
	return is_tanh ? OP_PICK(ek_tanh_list, mask) : OP_PICK(ek_logistic_list, mask);
}

static void sigmoid_init(struct op_setup *setup)
{
	unsigned int type = op_tensor_in(setup, 0)->type;
	bool is_tanh = setup->node->op == OP_TANH;
	struct sigmoid_state *state = setup->state;
	if (type == DTYPE_FLOAT32 || type == DTYPE_FLOAT16) {
		const struct ek_unary *row = pick_real(is_tanh, setup->cpu_features);
		setup->detail = row->variant.name;
		state->real = row->run;
		setup->scratch_bytes = type == DTYPE_FLOAT16 ? unary_tiles_f16_scratch(setup) : 0;
		return;
	}
	if (type != DTYPE_INT16) {
		lookup_table_init(setup, 1, &state->table);
		lookup_table_fill_curve(
			setup, is_tanh ? ek_curve_tanh : ek_curve_logistic, 0, &state->table);
		return;
	}
	fill_points(state->points);
	state->params.table = state->points;
	scale_s16(setup, &state->params);
	setup->detail = is_tanh ? "tanh_s16__c" : "logistic_s16__c";
}

static int run_s16(const struct op_call *call, ek_sigmoid_s16_fn *run, struct error *err)
{
	const struct sigmoid_state *state = call->state;
	const struct value *out = op_out(call, 0);
	const int16_t *src = op_in(call, 0)->data;
	struct tiles t = {.total = op_elements(&out->shape), .control = call->control};
	while (tiles_next(&t)) {
		run((int16_t *)out->data + t.at, src + t.at, t.count, &state->params);
	}
	return tiles_end(&t, err);
}

static int sigmoid_run(const struct op_call *call, struct error *err)
{
	bool is_tanh = call->node->op == OP_TANH;
	ek_unary_fn *real = ((const struct sigmoid_state *)call->state)->real;
	switch (call->subgraph->tensors[call->node->inputs[0]].type) {
	case DTYPE_FLOAT32:
		return unary_tiles_run(call, real, NULL, err);
	case DTYPE_FLOAT16:
		return unary_tiles_run_f16(call, real, NULL, err);
	case DTYPE_INT16:
		return run_s16(call, is_tanh ? ek_tanh_s16 : ek_logistic_s16, err);
	default:
		return lookup_table_run(
			&((const struct sigmoid_state *)call->state)->table, call, err);
	}
}

const struct cpu_op op_logistic = {
	.op = OP_LOGISTIC,
	.also = OP_ALSO(OP_TANH),
	.types = ACCEPT_QUANTISED | ACCEPT(FLOAT32) | ACCEPT(FLOAT16),
	.state_bytes = sizeof(struct sigmoid_state),
	.init = sigmoid_init,
	.run = sigmoid_run,
	.row_shape = lookup_table_row_shape,
	.run_rows = lookup_table_run_rows,
	.in_place = 1,
};
