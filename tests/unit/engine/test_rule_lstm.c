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
	N_CELL = 4,
	N_OUTPUT = 6,
};

/* Everything that an LSTM can have; without projection the output is as wide as the cells. */
struct parts {
	bool input_gate, peephole, projection, norm;
};

static void add(struct node_builder *b, bool there, enum dtype type, struct shape shape)
{
	if (there) {
		node_builder_quantise(b, node_builder_input(b, type, shape), 1.0f / 1024, 0);
	} else {
		node_builder_absent(b);
	}
}

static void add_vectors(struct node_builder *b, bool there, bool input_gate, enum dtype type)
{
	add(b, there && input_gate, type, SHAPE(N_CELL));
	for (int i = 0; i < 2; i++) {
		add(b, there, type, SHAPE(N_CELL));
	}
}

/* @types: activations, weights, peephole, bias, norm, cell state. */
static void build(struct node_builder *b, const enum dtype types[6], struct parts p)
{
	int32_t n_output = p.projection ? N_OUTPUT : N_CELL;
	node_builder_init(b, OP_UNIDIRECTIONAL_SEQUENCE_LSTM, 71);
	add(b, true, types[0], SHAPE(N_BATCH, N_STEPS, N_INPUT));
	for (int i = 0; i < 4; i++) {
		add(b, i > 0 || p.input_gate, types[1], SHAPE(N_CELL, N_INPUT));
	}
	for (int i = 0; i < 4; i++) {
		add(b, i > 0 || p.input_gate, types[1], SHAPE(N_CELL, n_output));
	}
	add_vectors(b, p.peephole, p.input_gate, types[2]);
	add_vectors(b, true, p.input_gate, types[3]);
	add(b, true, types[3], SHAPE(N_CELL));
	add(b, p.projection, types[1], SHAPE(n_output, N_CELL));
	add(b, p.projection, types[3], SHAPE(n_output));
	node_builder_quantise(
		b, node_builder_variable(b, types[0], SHAPE(N_BATCH, n_output)), 0.0078125f, 3);
	node_builder_quantise(
		b, node_builder_variable(b, types[5], SHAPE(N_BATCH, N_CELL)), 1.0f / 2048, 0);
	add_vectors(b, p.norm, p.input_gate, types[4]);
	add(b, p.norm, types[4], SHAPE(N_CELL));
	node_builder_quantise(b, node_builder_output(b, types[0]), 0.0078125f, 3);
	for (int i = 0; i < 5; i++) {
		enum dtype type = i < 4 ? DTYPE_INT16 : DTYPE_INT8;
		node_builder_quantise(b, node_builder_intermediate(b, type), 1.0f / 4096, 0);
	}
	b->node.options.recurrent.activation = ACTIVATION_TANH;
}

static const enum dtype real[] = {
	DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32};
static const enum dtype hybrid[] = {
	DTYPE_FLOAT32, DTYPE_INT8, DTYPE_INT8, DTYPE_FLOAT32, DTYPE_FLOAT32, DTYPE_FLOAT32};
static const enum dtype integer[] = {
	DTYPE_INT8, DTYPE_INT8, DTYPE_INT16, DTYPE_INT32, DTYPE_INT16, DTYPE_INT16};
static const struct parts all = {true, true, true, true}, none = {false, false, false, false},
			  plain = {.input_gate = true};

static void every_kernel_takes_every_part(void **state)
{
	(void)state;
	static const enum dtype *const kernels[] = {real, hybrid, integer};
	for (size_t k = 0; k < 3; k++) {
		for (unsigned int bits = 0; bits < 16; bits++) {
			struct node_builder b;
			struct parts p = {bits & 1, bits & 2, bits & 4, bits & 8};
			build(&b, kernels[k], p);
			node_builder_accepts(
				&b, 0, SHAPE(N_BATCH, N_STEPS, p.projection ? N_OUTPUT : N_CELL));
		}
	}
}

static void costs_count_gates_and_projection(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, real, all);
	node_builder_costs(&b, 6 * (4 * 4 * (5 + 6) + 4 * 6));
	build(&b, real, none);
	node_builder_costs(&b, 6 * 3 * 4 * (5 + 4));
}

static void steps_may_come_first(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, integer, plain);
	b.node.options.recurrent.time_major = true;
	node_builder_refuses(&b, -EBADMSG, "input 18 (output state) is 2x4, must have 12 elements");
	b.shapes[0] = SHAPE(N_STEPS, N_BATCH, N_INPUT);
	node_builder_accepts(&b, 0, SHAPE(N_STEPS, N_BATCH, N_CELL));
}

static void parts_are_there_as_a_whole_or_not_at_all(void **state)
{
	(void)state;
	static const struct {
		uint32_t operand;
		const char *text;
	} holes[] = {
		{1, "input 5 (recurrent to input weights) must not be there"},
		{5, "input 5 (recurrent to input weights) must be there"},
		{9, "input 9 (cell to input weights) must be there"},
		{10, "input 9 (cell to input weights) must not be there"},
		{11, "input 11 (cell to output weights) must be there"},
		{12, "input 12 (input gate bias) must be there"},
		{16, "input 17 (projection bias) must not be there"},
		{20, "input 20 (input norm) must be there"},
		{21, "input 20 (input norm) must not be there"},
		{23, "input 23 (output norm) must be there"},
		{2, "input 2 must be there"},
		{15, "input 15 must be there"},
		{19, "input 19 must be there"},
	};
	struct node_builder b;
	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		build(&b, integer, all);
		b.inputs[holes[i].operand] = TENSOR_NONE;
		node_builder_refuses(&b, -EBADMSG, holes[i].text);
	}
	build(&b, integer, all);
	b.inputs[17] = TENSOR_NONE;
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, N_OUTPUT));
}

static void every_operand_has_its_type_and_shape(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, integer, all);
	for (uint32_t i = 0; i < 24; i++) {
		int32_t t = b.inputs[i];
		enum dtype type = (enum dtype)b.tensors[t].type;
		struct shape shape = b.shapes[t];
		b.tensors[t].type = DTYPE_BOOL;
		node_builder_refuses(&b, i == 0 || i == 2 ? -EOPNOTSUPP : -EBADMSG, "bool");
		b.tensors[t].type = (uint8_t)type;
		b.shapes[t].dim[b.shapes[t].rank - 1]++;
		node_builder_refuses(&b, -EBADMSG, "must");
		b.shapes[t] = shape;
	}
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, N_OUTPUT));
	build(&b, real, plain);
	b.shapes[b.inputs[8]] = SHAPE(N_CELL, N_OUTPUT);
	node_builder_refuses(&b, -EBADMSG, "4 cells and 6 outputs without a projection");
	b.shapes[0] = SHAPE(N_BATCH, 0, N_INPUT);
	node_builder_refuses(&b, -EBADMSG, "input of shape 2x0x5 is empty");
}

static void states_are_two_variables(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, real, plain);
	b.inputs[19] = b.inputs[18];
	node_builder_refuses(&b, -EBADMSG, "input 18 (output state) is input 19 as well");
	build(&b, real, plain);
	b.tensors[b.inputs[19]].is_variable = false;
	node_builder_refuses(&b, -EBADMSG, "input 19 (cell state) must be a variable");
}

static void integers_check_every_scale(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, integer, all);
	for (uint32_t i = 1; i < 24; i++) {
		int32_t t = b.inputs[i];
		if (b.tensors[t].type == DTYPE_INT32) {
			continue;
		}
		float scale = b.scales[t][0];
		b.scales[t][0] = 1e30f;
		node_builder_refuses(&b, -EBADMSG, i == 19 ? "cell state has scale" : "rescaled");
		b.scales[t][0] = scale;
		b.tensors[t].quant.n_scales = 2;
		node_builder_refuses(&b, -EBADMSG, "has 2 scales, must have one");
		b.tensors[t].quant.n_scales = 1;
		b.zeros[t][0] += 9;
		if (i == 18) {
			node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, N_OUTPUT));
		} else {
			node_builder_refuses(&b, -EBADMSG, "has zero point 9, must have 0");
		}
		b.zeros[t][0] -= 9;
	}
	b.scales[b.inputs[19]][0] = 0.0003f;
	node_builder_refuses(&b, -EBADMSG, "cell state has scale 0.0003, must be 2^-15 to 2^-9");
}

static void integers_check_intermediates(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, integer, all);
	b.node.n_intermediates = 12;
	node_builder_refuses(&b, -EOPNOTSUPP, "12 intermediates (8x8_8) is not there yet");
	b.node.n_intermediates = 4;
	node_builder_refuses(&b, -EBADMSG, "4 intermediates, must be 5");
	b.node.n_intermediates = 5;
	b.tensors[b.intermediates[1]].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "1: intermediate is float32, must be int16");
	b.tensors[b.intermediates[1]].type = DTYPE_INT16;
	b.scales[b.intermediates[4]][0] = 1e-30f;
	node_builder_refuses(&b, -EBADMSG, "hidden is rescaled by");
	b.intermediates[4] = TENSOR_NONE;
	node_builder_refuses(&b, -EBADMSG, "intermediate 4 must be there");
	build(&b, integer, plain);
	b.tensors[b.intermediates[1]].type = DTYPE_FLOAT32;
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, N_CELL));
}

static void options_are_checked(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, integer, all);
	struct options_recurrent *o = &b.node.options.recurrent;
	o->cell_clip = -1;
	node_builder_refuses(&b, -EBADMSG, "cell_clip -1, proj_clip 0");
	o->cell_clip = 1e20f;
	node_builder_refuses(&b, -EBADMSG, "cell_clip is rescaled by");
	o->cell_clip = 10;
	o->proj_clip = 1e20f;
	node_builder_refuses(&b, -EBADMSG, "proj_clip is rescaled by");
	o->proj_clip = 0;
	o->activation = ACTIVATION_RELU;
	node_builder_refuses(&b, -EOPNOTSUPP, "of int8 with fused activation 1");
	o->activation = ACTIVATION_TANH;
	o->diagonal_recurrent_tensors = true;
	node_builder_refuses(&b, -EOPNOTSUPP, "diagonal recurrent tensors");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kernel_takes_every_part),
		cmocka_unit_test(costs_count_gates_and_projection),
		cmocka_unit_test(steps_may_come_first),
		cmocka_unit_test(parts_are_there_as_a_whole_or_not_at_all),
		cmocka_unit_test(every_operand_has_its_type_and_shape),
		cmocka_unit_test(states_are_two_variables),
		cmocka_unit_test(integers_check_every_scale),
		cmocka_unit_test(integers_check_intermediates),
		cmocka_unit_test(options_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
