/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void near(float is, float should)
{
	assert_true(is > should - 0.02f && is < should + 0.02f);
}

/* Two filters of memory 2, one unit of rank 2: y = bias + x + 10 * x before + 2 * x + 20 * x before. */
static void float_filters_remember_what_came_before(void **state)
{
	(void)state;
	static const float feature[2] = {1, 2}, time[4] = {10, 1, 10, 1}, bias[1] = {0.5f};
	float x[1] = {1}, memory[4] = {0}, y[1];
	struct op_bench b;
	op_bench_init(&b, OP_SVDF);
	b.node.options.svdf.rank = 2;
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1), x);
	op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(2, 1), feature);
	op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(2, 2), time);
	op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(1), bias);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 4), memory);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1), y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] == 3.5f);
	x[0] = -2;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] == 24.5f); /* 0.5 - 2 * 3 + 10 * 3 */
	assert_memory_equal(memory, ((float[]){1, -2, 2, -4}), sizeof(memory));
	b.node.options.svdf.activation = ACTIVATION_SIGN_BIT;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] == 1); /* 0.5 - 6 - 60 is below zero */
}

/* The same with weights of 1/127 and 1/10 a code, two batch entries, no bias. */
static void hybrid_filters_quantise_each_row(void **state)
{
	(void)state;
	static const int8_t feature[2] = {63, 127}, time[4] = {100, 10, 100, 10};
	static const float x[2] = {1, 100};
	float memory[8] = {0}, y[2];
	struct op_bench b;
	op_bench_init(&b, OP_SVDF);
	b.node.options.svdf.rank = 2;
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 1), x);
	op_bench_scale(&b, op_bench_constant(&b, DTYPE_INT8, SHAPE(2, 1), feature), 2.0f / 127, 0);
	op_bench_scale(&b, op_bench_constant(&b, DTYPE_INT8, SHAPE(2, 2), time), 0.1f, 0);
	op_bench_absent(&b);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 4), memory);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 1), y);
	for (int asymmetric = 0; asymmetric < 2; asymmetric++) {
		b.node.options.svdf.asymmetric_quantize_inputs = asymmetric;
		for (int i = 0; i < 8; i++) {
			memory[i] = 0;
		}
		assert_int_equal(op_bench_run(&b), 0);
		near(y[0], 2.992f);
		near(y[1] / 100, 2.992f);
		assert_int_equal(op_bench_run(&b), 0);
		near(y[0] / 10, 3.291f);
		near(memory[0], 0.992f);
		near(memory[7] / 100, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(float_filters_remember_what_came_before),
		cmocka_unit_test(hybrid_filters_quantise_each_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
