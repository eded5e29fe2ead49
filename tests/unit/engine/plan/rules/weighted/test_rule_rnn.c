/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

enum {
	N_STEPS = 3,
	N_BATCH = 2,
	N_INPUT = 5,
	N_UNITS = 4,
};

static void add(struct node_builder *b, enum dtype type, struct shape shape)
{
	node_builder_quantise(b, node_builder_input(b, type, shape), 0.0078125f, 0);
}

static void add_way(struct node_builder *b, enum dtype weights, int32_t units)
{
	add(b, weights, SHAPE(units, N_INPUT));
	add(b, weights, SHAPE(units, units));
	node_builder_input(b, DTYPE_FLOAT32, SHAPE(units));
	node_builder_variable(b, DTYPE_FLOAT32, SHAPE(N_BATCH, units));
}

static void build(struct node_builder *b, enum dtype weights)
{
	node_builder_init(b, OP_UNIDIRECTIONAL_SEQUENCE_RNN, 31);
	add(b, DTYPE_FLOAT32, SHAPE(N_BATCH, N_STEPS, N_INPUT));
	add_way(b, weights, N_UNITS);
	node_builder_output(b, DTYPE_FLOAT32);
}

/* A second input of width 3 with weights, or of the first one's without. */
static void build_two_ways(struct node_builder *b, enum dtype weights, bool weighted)
{
	node_builder_init(b, OP_BIDIRECTIONAL_SEQUENCE_RNN, 70);
	add(b, DTYPE_FLOAT32, SHAPE(N_BATCH, N_STEPS, N_INPUT));
	add_way(b, weights, N_UNITS);
	add_way(b, weights, N_UNITS + 1);
	add(b, DTYPE_FLOAT32, SHAPE(N_BATCH, N_STEPS, weighted ? 3 : N_INPUT));
	if (weighted) {
		add(b, weights, SHAPE(N_UNITS, 3));
		add(b, weights, SHAPE(N_UNITS + 1, 3));
	} else {
		node_builder_absent(b);
		node_builder_absent(b);
	}
	node_builder_output(b, DTYPE_FLOAT32);
	node_builder_output(b, DTYPE_FLOAT32);
}

static void weights_are_float_or_bytes(void **state)
{
	(void)state;
	static const enum dtype there[] = {DTYPE_FLOAT32, DTYPE_INT8, DTYPE_UINT8};
	struct node_builder b;
	for (size_t i = 0; i < 3; i++) {
		build(&b, there[i]);
		node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, N_UNITS));
		node_builder_costs(&b, 6 * 4 * (5 + 4));
	}
	build(&b, DTYPE_INT16);
	node_builder_refuses(&b, -EOPNOTSUPP, "with int16 weights");
	build(&b, DTYPE_INT8);
	b.tensors[2].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "recurrent weights is float32, must be int8");
	b.tensors[2].type = DTYPE_INT8;
	b.zeros[2][0] = 1;
	node_builder_refuses(&b, -EBADMSG, "has zero point 1, must have 0");
	b.tensors[2].quant.n_scales = 2;
	node_builder_refuses(&b, -EBADMSG, "has 2 scales, must have one");
}

static void a_step_takes_one_row_per_entry(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, DTYPE_FLOAT32);
	b.node.op = OP_RNN;
	b.node.options.table = 7;
	node_builder_refuses(&b, -EBADMSG, "input has rank 3, must have 2");
	b.shapes[0] = SHAPE(N_BATCH, N_INPUT);
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_UNITS));
	node_builder_costs(&b, 2 * 4 * (5 + 4));
}

static void shapes_fit_each_other(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, DTYPE_FLOAT32);
	b.shapes[1] = SHAPE(N_UNITS, N_INPUT + 2);
	node_builder_refuses(&b, -EBADMSG, "input 1 (weights) is 4x7, must be 4x5");
	b.shapes[1] = SHAPE(N_UNITS, N_INPUT);
	b.shapes[2] = SHAPE(N_UNITS, N_UNITS - 1);
	node_builder_refuses(&b, -EBADMSG, "input 2 (recurrent weights) is 4x3, must be 4x4");
	b.shapes[2] = SHAPE(N_UNITS, N_UNITS);
	b.shapes[3] = SHAPE(N_UNITS - 1);
	node_builder_refuses(&b, -EBADMSG, "bias has 3 elements for 4 units");
	b.shapes[3] = SHAPE(N_UNITS);
	b.shapes[4] = SHAPE(N_BATCH, N_UNITS + 1);
	node_builder_refuses(&b, -EBADMSG, "state is 2x5 for batch 2 and 4 units");
	b.shapes[4] = SHAPE(N_BATCH, N_UNITS);
	b.tensors[4].is_variable = false;
	node_builder_refuses(&b, -EBADMSG, "input 4 (state) must be a variable");
	b.tensors[4].is_variable = true;
	b.node.options.recurrent.time_major = true;
	node_builder_refuses(&b, -EBADMSG, "state is 2x4 for batch 3 and 4 units");
	b.shapes[0] = SHAPE(N_STEPS, 0, N_INPUT);
	node_builder_refuses(&b, -EBADMSG, "input of shape 3x0x5 is empty");
}

static void any_activation_is_there(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, DTYPE_FLOAT32);
	for (uint8_t a = ACTIVATION_NONE; a <= ACTIVATION_SIGN_BIT; a++) {
		b.node.options.recurrent.activation = a;
		node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, N_UNITS));
	}
	b.node.options.recurrent.activation = 6;
	node_builder_refuses(&b, -EOPNOTSUPP, "with fused activation 6");
}

static void two_ways_give_two_outputs_or_one(void **state)
{
	(void)state;
	struct node_builder b;
	build_two_ways(&b, DTYPE_INT8, true);
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, N_UNITS));
	node_builder_accepts(&b, 1, SHAPE(N_BATCH, N_STEPS, N_UNITS + 1));
	node_builder_costs(&b, 6 * 4 * (5 + 3 + 4) + 6 * 5 * (5 + 3 + 5));
	b.node.options.recurrent.merge_outputs = true;
	node_builder_refuses(&b, -EBADMSG, "2 outputs, must be 1");
	b.node.n_outputs = 1;
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, 2 * N_UNITS + 1));
}

static void int8_steps_first_cost_a_round_for_each_step(void **state)
{
	(void)state;
	struct node_builder b;
	build_two_ways(&b, DTYPE_INT8, true);
	b.node.options.recurrent.time_major = true;
	b.shapes[0] = SHAPE(N_STEPS, N_BATCH, N_INPUT);
	b.shapes[9] = SHAPE(N_STEPS, N_BATCH, 3);
	node_builder_accepts(&b, 0, SHAPE(N_STEPS, N_BATCH, N_UNITS));
	node_builder_costs(&b, 3 * (6 * 4 * (5 + 3 + 4) + 6 * 5 * (5 + 3 + 5)));
}

static void a_second_input_has_weights_or_is_as_the_first(void **state)
{
	(void)state;
	struct node_builder b;
	build_two_ways(&b, DTYPE_FLOAT32, false);
	node_builder_accepts(&b, 1, SHAPE(N_BATCH, N_STEPS, N_UNITS + 1));
	b.shapes[9] = SHAPE(N_BATCH, N_STEPS, 3);
	node_builder_refuses(&b, -EBADMSG, "second input is 2x3x3, input is 2x3x5");
	build_two_ways(&b, DTYPE_FLOAT32, true);
	b.shapes[11] = SHAPE(N_UNITS, 3);
	node_builder_refuses(
		&b, -EBADMSG, "input 11 (weights of the second input) is 4x3, must be 5x3");
	b.inputs[11] = TENSOR_NONE;
	node_builder_refuses(&b, -EBADMSG, "must be there, or none");
	b.inputs[10] = b.inputs[9] = TENSOR_NONE;
	node_builder_accepts(&b, 1, SHAPE(N_BATCH, N_STEPS, N_UNITS + 1));
	b.inputs[8] = b.inputs[4];
	node_builder_refuses(&b, -EBADMSG, "is input 8 as well");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_are_float_or_bytes),
		cmocka_unit_test(a_step_takes_one_row_per_entry),
		cmocka_unit_test(shapes_fit_each_other),
		cmocka_unit_test(any_activation_is_there),
		cmocka_unit_test(two_ways_give_two_outputs_or_one),
		cmocka_unit_test(int8_steps_first_cost_a_round_for_each_step),
		cmocka_unit_test(a_second_input_has_weights_or_is_as_the_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
