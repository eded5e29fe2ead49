/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "tests/fakes/op_bench.h"

static void relu6_clamps_codes_and_rescales(void **state)
{
	(void)state;
	const int8_t x[4] = {-50, 10, 20, 127}; /* -5, 1, 2, 12.7 */
	const int8_t want[4] = {-100, -80, -60, 20}; /* steps of 0.05 from -100 */
	int8_t z[4];
	struct op_bench b;
	op_bench_init(&b, OP_RELU6);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(4), x), 0.1f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(4), z), 0.05f, -100);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void int16_limits_follow_the_scale(void **state)
{
	(void)state;
	const int16_t x[3] = {-300, 50, 300}, want[3] = {-100, 50, 100};
	int16_t z[3];
	struct op_bench b;
	op_bench_init(&b, OP_RELU_N1_TO_1);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(3), x), 0.01f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT16, SHAPE(3), z), 0.01f, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void float_relu_passes_nan_and_minus_zero(void **state)
{
	(void)state;
	const float x[4] = {NAN, -0.0f, -1, INFINITY};
	float z[4];
	struct op_bench b;
	op_bench_init(&b, OP_RELU);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(4), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(4), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(isnan(z[0]) && signbit(z[1]) && z[2] == 0 && z[3] == INFINITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relu6_clamps_codes_and_rescales),
		cmocka_unit_test(int16_limits_follow_the_scale),
		cmocka_unit_test(float_relu_passes_nan_and_minus_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
