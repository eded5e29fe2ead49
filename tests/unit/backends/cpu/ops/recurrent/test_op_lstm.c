/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backends/cpu/ops/recurrent/lstm_operands.h"
#include "tests/fakes/op_bench.h"

/* Three steps of one cell whose state has @cell_scale. */
static void run_cell(float cell_scale, int8_t ret_output[static 3])
{
	static const int8_t input[3] = {90, -70, 127}, weight = 100;
	static const int32_t bias = 50;
	int8_t h = 0;
	int16_t c = 0;
	struct op_bench b;
	op_bench_init(&b, OP_UNIDIRECTIONAL_SEQUENCE_LSTM);
	b.node.options.recurrent.activation = ACTIVATION_TANH;
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, 3, 1), input), 1.0f / 64, 0);
	for (uint32_t i = LSTM_W; i < LSTM_PEEPHOLE; i++) {
		op_bench_scale(
			&b, op_bench_constant(&b, DTYPE_INT8, SHAPE(1, 1), &weight), 1.0f / 64, 0);
	}
	for (uint32_t i = LSTM_PEEPHOLE; i < LSTM_BIAS; i++) {
		op_bench_absent(&b);
	}
	for (uint32_t i = LSTM_BIAS; i < LSTM_PROJECTION; i++) {
		op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &bias);
	}
	op_bench_absent(&b);
	op_bench_absent(&b);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, 1), &h), 1.0f / 128, 0);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(1, 1), &c), cell_scale, 0);
	for (int i = 0; i < 5; i++) {
		op_bench_scale(&b, op_bench_intermediate(&b, i == 4 ? DTYPE_INT8 : DTYPE_INT16),
			1.0f / 128, 0);
	}
	op_bench_scale(
		&b, op_bench_output(&b, DTYPE_INT8, SHAPE(1, 3, 1), ret_output), 1.0f / 128, 0);
	assert_int_equal(op_bench_run(&b), 0);
}

/* The rule lets 2^-15 pass with a thousandth of the exponent to either side. The next lower power
 * would be tanh with -1 integer bits. */
static void cell_scale_is_the_nearest_power_of_two(void **state)
{
	(void)state;
	int8_t exact[3], below[3], above[3];
	run_cell(0x1p-15f, exact);
	run_cell(0x1p-15f * 0.9995f, below);
	run_cell(0x1p-15f * 1.0005f, above);
	assert_memory_equal(below, exact, sizeof(exact));
	assert_memory_equal(above, exact, sizeof(exact));
	assert_true(exact[0] > 0 && exact[2] > exact[0]);
}

/*
 * One step of an 8x8_16 cell whose input weights are 0 and whose peepholes are all alike and large, so that
 * the forget and the output gate show whether they have one: h is what a projection that copies
 * the first cells makes of the two entries.
 */
enum {
	ENTRIES = 2,
	CELLS = 3
};

struct peepholes {
	struct op_bench b;
	int8_t input[ENTRIES], h[ENTRIES * CELLS], output[ENTRIES * CELLS];
	int16_t c[ENTRIES * CELLS];
};

static void peepholes_run(struct peepholes *p, int32_t outputs, bool time_major)
{
	static const int8_t zeros[CELLS * CELLS],
		eye[CELLS * CELLS] = {127, 0, 0, 0, 127, 0, 0, 0, 127};
	static const int16_t peephole[CELLS] = {-32768, -32768, -32768};
	static const int32_t none[CELLS];
	struct op_bench *b = &p->b;
	op_bench_init(b, OP_UNIDIRECTIONAL_SEQUENCE_LSTM);
	b->node.options.recurrent.activation = ACTIVATION_TANH;
	b->node.options.recurrent.time_major = time_major;
	struct shape in = time_major ? SHAPE(1, ENTRIES, 1) : SHAPE(ENTRIES, 1, 1);
	struct shape out = time_major ? SHAPE(1, ENTRIES, outputs) : SHAPE(ENTRIES, 1, outputs);
	op_bench_scale(b, op_bench_input(b, DTYPE_INT8, in, p->input), 1.0f / 64, 0);
	for (int i = 0; i < 8; i++) {
		struct shape w = i < 4 ? SHAPE(CELLS, 1) : SHAPE(CELLS, outputs);
		op_bench_scale(b, op_bench_constant(b, DTYPE_INT8, w, zeros), 1.0f / 64, 0);
	}
	for (int i = 0; i < 3; i++) {
		op_bench_scale(
			b, op_bench_constant(b, DTYPE_INT16, SHAPE(CELLS), peephole), 0x1p-12f, 0);
	}
	for (int i = 0; i < 4; i++) {
		op_bench_constant(b, DTYPE_INT32, SHAPE(CELLS), none);
	}
	/* Rows of eye are CELLS long: the first outputs cells. */
	op_bench_scale(
		b, op_bench_constant(b, DTYPE_INT8, SHAPE(outputs, CELLS), eye), 1.0f / 127, 0);
	op_bench_absent(b);
	for (int i = 0; i < ENTRIES * CELLS; i++) {
		p->h[i] = 0;
		p->c[i] = 32767;
	}
	op_bench_scale(
		b, op_bench_input(b, DTYPE_INT8, SHAPE(ENTRIES, outputs), p->h), 1.0f / 128, 0);
	op_bench_scale(b, op_bench_input(b, DTYPE_INT16, SHAPE(ENTRIES, CELLS), p->c), 0x1p-15f, 0);
	for (int i = 0; i < 5; i++) {
		op_bench_scale(b, op_bench_intermediate(b, i == 4 ? DTYPE_INT8 : DTYPE_INT16),
			1.0f / 128, 0);
	}
	op_bench_scale(b, op_bench_output(b, DTYPE_INT8, out, p->output), 1.0f / 128, 0);
	assert_int_equal(op_bench_run(b), 0);
}

/* A cell with a peephole forgets all (logistic(-8) of 1), one without keeps half. */
static void assert_kept(const struct peepholes *p, const bool kept[static ENTRIES * CELLS])
{
	for (int i = 0; i < ENTRIES * CELLS; i++) {
		assert_int_equal(p->c[i] > 10000, kept[i]);
	}
}

static void a_projection_leaves_cells_without_peephole_as_the_reference_does(void **state)
{
	(void)state;
	struct peepholes p;
	/* Entry by entry: the first output of each. */
	peepholes_run(&p, 1, false);
	assert_kept(&p, (const bool[]){false, true, true, false, true, true});
	/* Together: the first 2 * 1 of all. */
	peepholes_run(&p, 1, true);
	assert_kept(&p, (const bool[]){false, false, true, true, true, true});
	peepholes_run(&p, CELLS, true);
	assert_kept(&p, (const bool[]){false, false, false, false, false, false});
}

/* Without an activation the output gate meets the cell gate, not the cell. */
static void no_activation_gives_the_cell_gate(void **state)
{
	(void)state;
	static const float x[1] = {0}, zero = 0, one = 1;
	float h = 0, c = 0.5f, y = 0;
	struct op_bench b;
	op_bench_init(&b, OP_LSTM);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1), x);
	for (uint32_t i = LSTM_W; i < LSTM_PEEPHOLE; i++) {
		op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(1, 1), &zero);
	}
	for (uint32_t i = LSTM_PEEPHOLE; i < LSTM_BIAS; i++) {
		op_bench_absent(&b);
	}
	for (uint32_t i = 0; i < 4; i++) {
		op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(1), i == 2 ? &one : &zero);
	}
	op_bench_absent(&b);
	op_bench_absent(&b);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1), &h);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1), &c);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1), &y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(c == 0.75f); /* 0.5 * 0.5 + 0.5 * 1 */
	assert_true(h == 0.5f && y == 0.5f);
	b.node.options.recurrent.activation = ACTIVATION_RELU;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(c == 0.875f && y == 0.4375f);
}

/* All gates at 0.5 and tanh(0): the state halves, in float and in 8 and 16 bits. */
static void five_inputs_join_and_halve_the_state(void **state)
{
	(void)state;
	static const uint8_t x[2] = {1, 2}, before[1] = {3}, weights[12];
	static const int32_t bias[4];
	static const int16_t before_state[1] = {2048};
	uint8_t y[1], joined[3];
	int16_t now[1], gates[4];
	struct op_bench b;
	op_bench_init(&b, OP_LSTM);
	op_bench_input(&b, DTYPE_UINT8, SHAPE(1, 2), x);
	op_bench_input(&b, DTYPE_UINT8, SHAPE(1, 1), before);
	op_bench_scale(&b, op_bench_constant(&b, DTYPE_UINT8, SHAPE(4, 3), weights), 0.02f, 0);
	op_bench_scale(&b, op_bench_constant(&b, DTYPE_INT32, SHAPE(4), bias), 0.001f, 0);
	op_bench_input(&b, DTYPE_INT16, SHAPE(1, 1), before_state);
	op_bench_output(&b, DTYPE_UINT8, SHAPE(1, 1), y);
	op_bench_output(&b, DTYPE_INT16, SHAPE(1, 1), now);
	op_bench_output(&b, DTYPE_UINT8, SHAPE(1, 3), joined);
	op_bench_output(&b, DTYPE_INT16, SHAPE(1, 4), gates);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(joined, ((uint8_t[]){1, 2, 3}), 3);
	assert_memory_equal(gates, ((int16_t[]){0, 0, 0, 0}), 8);
	assert_int_equal(now[0], 1024); /* 1.0 becomes 0.5 */
	assert_int_equal(y[0], 128 + 30); /* 0.5 * tanh(0.5) * 128 = 29.6 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cell_scale_is_the_nearest_power_of_two),
		cmocka_unit_test(a_projection_leaves_cells_without_peephole_as_the_reference_does),
		cmocka_unit_test(no_activation_gives_the_cell_gate),
		cmocka_unit_test(five_inputs_join_and_halve_the_state),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
