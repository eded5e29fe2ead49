/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backends/cpu/lstm.h"
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
	for (uint32_t i = LSTM_W; i < LSTM_PEEPHOLE_INPUT; i++) {
		op_bench_scale(
			&b, op_bench_constant(&b, DTYPE_INT8, SHAPE(1, 1), &weight), 1.0f / 64, 0);
	}
	for (uint32_t i = LSTM_PEEPHOLE_INPUT; i < LSTM_BIAS; i++) {
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cell_scale_is_the_nearest_power_of_two),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
