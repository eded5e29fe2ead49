/* SPDX-License-Identifier: Apache-2.0 */
/* LOG_SOFTMAX and L2_NORMALIZATION: each row on its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "tests/fakes/op_bench.h"

static void equal_floats_share_the_row(void **state)
{
	(void)state;
	const float x[4] = {7, 7, 0, -1000};
	float z[4];
	struct op_bench b;
	op_bench_init(&b, OP_LOG_SOFTMAX);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 2), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(fabsf(z[0] + logf(2)) < 1e-6f && z[1] == z[0]);
	assert_true(z[2] == 0 && z[3] == -1000);
}

static void codes_are_sixteenths_below_127(void **state)
{
	(void)state;
	const int8_t x[4] = {0, 0, 20, -128}; /* tenths; the last is 14.8 below */
	const int8_t want[4] = {116, 116, 127, -110}; /* log 2 = 11.1, 14.8 = 236.8 sixteenths */
	int8_t z[4];
	struct op_bench b;
	op_bench_init(&b, OP_LOG_SOFTMAX);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(2, 2), x), 0.1f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(2, 2), z), 0.0625f, 127);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void a_row_of_floats_gets_length_one(void **state)
{
	(void)state;
	const float x[4] = {3, 4, 0, 0};
	float z[4];
	struct op_bench b;
	op_bench_init(&b, OP_L2_NORMALIZATION);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 2), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 0.6f && z[1] == 0.8f && z[2] == 0 && z[3] == 0);
}

static void a_row_of_codes_gets_length_128(void **state)
{
	(void)state;
	const uint8_t x[4] = {13, 14, 10, 10}; /* 3 and 4 from 10 */
	const uint8_t want[4] = {205, 230, 128, 128}; /* 76.8 and 102.4 from 128 */
	uint8_t z[4];
	struct op_bench b;
	op_bench_init(&b, OP_L2_NORMALIZATION);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_UINT8, SHAPE(2, 2), x), 0.1f, 10);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_UINT8, SHAPE(2, 2), z), 1.0f / 128, 128);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_floats_share_the_row),
		cmocka_unit_test(codes_are_sixteenths_below_127),
		cmocka_unit_test(a_row_of_floats_gets_length_one),
		cmocka_unit_test(a_row_of_codes_gets_length_128),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
