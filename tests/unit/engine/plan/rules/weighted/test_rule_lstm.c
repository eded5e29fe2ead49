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
	node_builder_refuses(&b, -EBADMSG, "cell state has scale 0.0003, must be 2^-30 to 2^-9");
	b.scales[b.inputs[19]][0] = 0x1p-16f;
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, N_OUTPUT));
	/* Coupled gates: no input gate that would stand in for the tanh. */
	b.inputs[1] = b.inputs[5] = b.inputs[9] = b.inputs[12] = b.inputs[20] = TENSOR_NONE;
	node_builder_refuses(
		&b, -EBADMSG, "cell state has scale 1.52588e-05, must be 2^-15 to 2^-9");
}

static void integers_check_intermediates(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, integer, all);
	b.node.n_intermediates = 12;
	node_builder_refuses(&b, -EBADMSG, "12 intermediates, must be 5");
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
	o->activation = ACTIVATION_SIGN_BIT;
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, N_OUTPUT));
	o->activation = 6;
	node_builder_refuses(&b, -EOPNOTSUPP, "with fused activation 6");
	o->activation = ACTIVATION_TANH;
	o->diagonal_recurrent_tensors = true;
	node_builder_refuses(&b, -EOPNOTSUPP, "diagonal recurrent tensors");
}

static void layer_norm_may_be_left_off_at_the_end(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, real, plain);
	b.node.n_inputs = 20;
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, N_CELL));
	b.node.n_inputs = 22;
	node_builder_refuses(&b, -EBADMSG, "22 inputs, must be 20 or 24");
}

static void bytes_of_hybrid_weights_may_be_called_uint8(void **state)
{
	(void)state;
	static const enum dtype old[] = {DTYPE_FLOAT32, DTYPE_UINT8, DTYPE_UINT8, DTYPE_FLOAT32,
		DTYPE_FLOAT32, DTYPE_FLOAT32};
	struct node_builder b;
	build(&b, old, all);
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, N_OUTPUT));
	b.tensors[b.inputs[6]].type = DTYPE_INT8;
	node_builder_refuses(
		&b, -EBADMSG, "input 6 (recurrent to forget weights) is int8, must be uint8");
	b.tensors[b.inputs[6]].type = DTYPE_UINT8;
	b.zeros[b.inputs[6]][0] = 128;
	node_builder_refuses(&b, -EBADMSG, "has zero point 128, must have 0");
}

/* The same operands for LSTM: one step. */
static void build_step(struct node_builder *b, const enum dtype types[6], struct parts p)
{
	build(b, types, p);
	b->node.op = OP_LSTM;
	b->node.options.table = 14;
	b->shapes[0] = SHAPE(N_BATCH, N_INPUT);
}

static void a_step_takes_one_row_per_entry(void **state)
{
	(void)state;
	struct node_builder b;
	build_step(&b, integer, all);
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_OUTPUT));
	node_builder_costs(&b, 2 * (4 * 4 * (5 + 6) + 4 * 6));
	b.shapes[0] = SHAPE(N_BATCH, 1, N_INPUT);
	node_builder_refuses(&b, -EBADMSG, "input has rank 3, must have 2");
	b.shapes[0] = SHAPE(N_BATCH, N_INPUT);
	b.node.options.recurrent.lstm_kernel = 2;
	node_builder_refuses(&b, -EBADMSG, "kernel type 2");
	b.node.options.recurrent.lstm_kernel = 0;
	node_builder_output(&b, DTYPE_INT8);
	node_builder_refuses(&b, -EBADMSG, "2 outputs, must be 1");
}

/* 8x8_8: twelve intermediates, cell state of scale 2^-15. */
static void build_8x8_8(struct node_builder *b)
{
	build_step(b, integer, (struct parts){.projection = true, .norm = true});
	for (int i = 5; i < 12; i++) {
		node_builder_quantise(b, node_builder_intermediate(b, DTYPE_INT8), 1.0f / 4096, 9);
	}
	b->scales[b->inputs[19]][0] = 0x1p-15f;
}

static void twelve_intermediates_are_another_kernel(void **state)
{
	(void)state;
	struct node_builder b;
	build_8x8_8(&b);
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_OUTPUT));
	b.scales[b.inputs[19]][0] = 0x1p-11f;
	node_builder_refuses(&b, -EBADMSG, "cell state has scale 0.000488281, must be 2^-15");
	build_8x8_8(&b);
	b.scales[b.inputs[16]][0] = 1e9f;
	node_builder_refuses(&b, -EBADMSG, "projection is rescaled by");
	build_8x8_8(&b);
	b.zeros[b.intermediates[10]][0] = 128;
	node_builder_refuses(&b, -EBADMSG, "intermediate 10 has zero point 128");
	b.intermediates[10] = TENSOR_NONE;
	node_builder_refuses(&b, -EBADMSG, "intermediate 10 must be there");
	build_step(&b, integer, all);
	b.node.n_intermediates = 12;
	node_builder_refuses(&b, -EOPNOTSUPP, "12 intermediates (8x8_8) but for coupled gates");
}

static void add_way(struct node_builder *b, enum dtype weights, int32_t n_output)
{
	for (int i = 0; i < 4; i++) {
		add(b, true, weights, SHAPE(N_CELL, N_INPUT));
	}
	for (int i = 0; i < 4; i++) {
		add(b, true, weights, SHAPE(N_CELL, n_output));
	}
	for (int i = 0; i < 3; i++) {
		node_builder_absent(b);
	}
	for (int i = 0; i < 4; i++) {
		add(b, true, DTYPE_FLOAT32, SHAPE(N_CELL));
	}
	add(b, n_output != N_CELL, weights, SHAPE(n_output, N_CELL));
	node_builder_absent(b);
}

/* Backward with a projection to N_OUTPUT; a second input, with weights of width 3 or without. */
static void build_two_ways(struct node_builder *b, enum dtype weights, bool aux, bool weighted)
{
	node_builder_init(b, OP_BIDIRECTIONAL_SEQUENCE_LSTM, 69);
	add(b, true, DTYPE_FLOAT32, SHAPE(N_BATCH, N_STEPS, N_INPUT));
	add_way(b, weights, N_CELL);
	add_way(b, weights, N_OUTPUT);
	node_builder_variable(b, DTYPE_FLOAT32, SHAPE(N_BATCH, N_CELL));
	node_builder_variable(b, DTYPE_FLOAT32, SHAPE(N_BATCH, N_CELL));
	node_builder_variable(b, DTYPE_FLOAT32, SHAPE(N_BATCH, N_OUTPUT));
	node_builder_variable(b, DTYPE_FLOAT32, SHAPE(N_BATCH, N_CELL));
	add(b, aux, DTYPE_FLOAT32, SHAPE(N_BATCH, N_STEPS, weighted ? 3 : N_INPUT));
	for (int i = 0; i < 8; i++) {
		add(b, weighted, weights, SHAPE(N_CELL, 3));
	}
	node_builder_output(b, DTYPE_FLOAT32);
	node_builder_output(b, DTYPE_FLOAT32);
	b->node.options.recurrent.activation = ACTIVATION_TANH;
}

static void two_ways_give_two_outputs_or_one(void **state)
{
	(void)state;
	struct node_builder b;
	build_two_ways(&b, DTYPE_INT8, false, false);
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, N_CELL));
	node_builder_accepts(&b, 1, SHAPE(N_BATCH, N_STEPS, N_OUTPUT));
	node_builder_costs(&b, 6 * (4 * 4 * (5 + 4)) + 6 * (4 * 4 * (5 + 6) + 4 * 6));
	b.node.options.recurrent.merge_outputs = true;
	node_builder_refuses(&b, -EBADMSG, "2 outputs, must be 1");
	b.node.n_outputs = 1;
	node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_STEPS, N_CELL + N_OUTPUT));
}

static void a_second_input_has_weights_or_is_the_backward_one(void **state)
{
	(void)state;
	struct node_builder b;
	build_two_ways(&b, DTYPE_FLOAT32, true, true);
	node_builder_accepts(&b, 1, SHAPE(N_BATCH, N_STEPS, N_OUTPUT));
	b.shapes[b.inputs[39]] = SHAPE(N_BATCH, N_STEPS + 1, 3);
	node_builder_refuses(&b, -EBADMSG, "second input is 2x4x3, input is 2x3x5");
	build_two_ways(&b, DTYPE_FLOAT32, true, true);
	b.inputs[47] = TENSOR_NONE;
	node_builder_refuses(
		&b, -EBADMSG, "input 47 (second input to output weights) must be there");
	b.inputs[39] = TENSOR_NONE;
	node_builder_refuses(&b, -EBADMSG, "input 39 (second input) must be there");
	build_two_ways(&b, DTYPE_FLOAT32, true, false);
	node_builder_accepts(&b, 1, SHAPE(N_BATCH, N_STEPS, N_OUTPUT));
	b.shapes[b.inputs[39]] = SHAPE(N_BATCH, N_STEPS, 3);
	node_builder_refuses(&b, -EBADMSG, "second input is 2x3x3, input is 2x3x5");
}

static void two_ways_check_both_directions(void **state)
{
	(void)state;
	struct node_builder b;
	build_two_ways(&b, DTYPE_FLOAT32, false, false);
	b.shapes[b.inputs[19]] = SHAPE(N_CELL, N_INPUT + 1);
	node_builder_refuses(
		&b, -EBADMSG, "input 19 (input to forget weights) is 4x6, must be 4x5");
	build_two_ways(&b, DTYPE_FLOAT32, false, false);
	b.inputs[37] = b.inputs[35];
	node_builder_refuses(&b, -EBADMSG, "is input 37 as well");
	build_two_ways(&b, DTYPE_FLOAT32, false, false);
	for (int i = 18; i <= 33; i++) {
		if (b.inputs[i] >= 0 && (i < 29 || i > 32)) {
			b.tensors[b.inputs[i]].type = DTYPE_INT8;
		}
	}
	node_builder_refuses(&b, -EBADMSG, "the two directions have different weights");
	build_two_ways(&b, DTYPE_INT16, false, false);
	node_builder_refuses(&b, -EOPNOTSUPP, "float32 input and int16 weights");
}

static void build_basic(struct node_builder *b, bool codes)
{
	enum dtype a = codes ? DTYPE_UINT8 : DTYPE_FLOAT32, s = codes ? DTYPE_INT16 : DTYPE_FLOAT32;
	node_builder_init(b, OP_LSTM, 14);
	add(b, true, a, SHAPE(N_BATCH, N_INPUT));
	add(b, true, a, SHAPE(N_BATCH, N_CELL));
	add(b, true, a, SHAPE(4 * N_CELL, N_INPUT + N_CELL));
	add(b, true, codes ? DTYPE_INT32 : DTYPE_FLOAT32, SHAPE(4 * N_CELL));
	add(b, true, s, SHAPE(N_BATCH, N_CELL));
	node_builder_output(b, a);
	node_builder_quantise(b, node_builder_output(b, s), 0x1p-11f, 0);
	node_builder_output(b, a);
	node_builder_output(b, s);
	b->node.options.recurrent.lstm_kernel = 1;
	b->node.options.recurrent.activation = ACTIVATION_TANH;
}

static void five_inputs_give_four_outputs(void **state)
{
	(void)state;
	struct node_builder b;
	for (int codes = 0; codes < 2; codes++) {
		build_basic(&b, codes);
		node_builder_accepts(&b, 0, SHAPE(N_BATCH, N_CELL));
		node_builder_accepts(&b, 1, SHAPE(N_BATCH, N_CELL));
		node_builder_accepts(&b, 2, SHAPE(N_BATCH, N_INPUT + N_CELL));
		node_builder_accepts(&b, 3, SHAPE(N_BATCH, 4 * N_CELL));
		node_builder_costs(&b, 2 * 16 * 9);
	}
	b.scales[b.outputs[1]][0] = 0x1p-10f;
	node_builder_refuses(&b, -EBADMSG, "state has scale 0.000976562, must be 2^-11");
	b.scales[b.outputs[1]][0] = 0x1p-11f;
	b.scales[b.inputs[3]][0] = 1e30f;
	node_builder_refuses(&b, -EBADMSG, "gates is rescaled by");
}

static void five_inputs_fit_each_other(void **state)
{
	(void)state;
	struct node_builder b;
	build_basic(&b, false);
	b.shapes[2] = SHAPE(4 * N_CELL, N_INPUT);
	node_builder_refuses(&b, -EBADMSG, "input 2 (weights) is 16x5, must be 16x9");
	build_basic(&b, false);
	b.shapes[3] = SHAPE(N_CELL);
	node_builder_refuses(&b, -EBADMSG, "input 3 (bias) is 4, must be 16");
	build_basic(&b, false);
	b.shapes[4] = SHAPE(1, N_CELL);
	node_builder_refuses(&b, -EBADMSG, "input 4 (previous state) is 1x4, must be 2x4");
	b.inputs[1] = TENSOR_NONE;
	node_builder_refuses(&b, -EBADMSG, "input 1 (previous output) must be there");
	b.node.n_inputs = 4;
	node_builder_refuses(&b, -EBADMSG, "4 inputs, must be 5 to 24");
	b.node.n_inputs = 5;
	b.node.options.recurrent.lstm_kernel = 0;
	node_builder_refuses(&b, -EBADMSG, "5 inputs, must be 20 or 24");
	build_basic(&b, true);
	b.tensors[4].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "previous state is int8, must be int16");
	b.tensors[0].type = DTYPE_INT8;
	node_builder_refuses(&b, -EOPNOTSUPP, "LSTM v1 with int8 input");
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
		cmocka_unit_test(layer_norm_may_be_left_off_at_the_end),
		cmocka_unit_test(bytes_of_hybrid_weights_may_be_called_uint8),
		cmocka_unit_test(a_step_takes_one_row_per_entry),
		cmocka_unit_test(twelve_intermediates_are_another_kernel),
		cmocka_unit_test(two_ways_give_two_outputs_or_one),
		cmocka_unit_test(a_second_input_has_weights_or_is_the_backward_one),
		cmocka_unit_test(two_ways_check_both_directions),
		cmocka_unit_test(five_inputs_give_four_outputs),
		cmocka_unit_test(five_inputs_fit_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
