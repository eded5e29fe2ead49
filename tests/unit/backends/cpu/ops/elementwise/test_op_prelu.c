/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void alpha_stretches_over_the_rows(void **state)
{
	(void)state;
	const float x[6] = {-1, -1, 3, -2, 4, -2}, alpha[3] = {0.5f, 2, -1};
	const float want[6] = {-0.5f, -2, 3, -1, 4, 2};
	float z[6];
	struct op_bench b;
	op_bench_init(&b, OP_PRELU);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 3), x);
	op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(3), alpha);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 6; i++) {
		assert_true(z[i] == want[i]);
	}
}

static void codes_below_the_zero_point_are_multiplied(void **state)
{
	(void)state;
	const int8_t x[4] = {10, 14, 6, -128}; /* 0, 2, -2, -69 */
	const int8_t alpha[2] = {4, -4}; /* 0.5 and -0.5 from 0 */
	const int8_t want[4] = {-20, -12, -24, 118}; /* 0, 2, -1, 34.5 in quarters from -20 */
	int8_t z[4];
	struct op_bench b;
	op_bench_init(&b, OP_PRELU);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(2, 2), x), 0.5f, 10);
	op_bench_scale(&b, op_bench_constant(&b, DTYPE_INT8, SHAPE(1, 2), alpha), 0.125f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(2, 2), z), 0.25f, -20);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void int16_takes_an_alpha_of_int16(void **state)
{
	(void)state;
	const int16_t x[2] = {-1000, 1000}, alpha[1] = {2048}, want[2] = {-500, 1000};
	int16_t z[2];
	struct op_bench b;
	op_bench_init(&b, OP_PRELU);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(2), x), 0.001f, 0);
	op_bench_scale(&b, op_bench_constant(&b, DTYPE_INT16, SHAPE(1), alpha), 0x1p-12f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT16, SHAPE(2), z), 0.001f, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alpha_stretches_over_the_rows),
		cmocka_unit_test(codes_below_the_zero_point_are_multiplied),
		cmocka_unit_test(int16_takes_an_alpha_of_int16),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
