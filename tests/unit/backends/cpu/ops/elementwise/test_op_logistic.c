/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "tests/fakes/op_bench.h"

/* Codes -128, 0 and 127 of scale 1/16: logistic(-8), 1/2 and logistic(7.9375), times 256. */
static void logistic_goes_by_table(void **state)
{
	(void)state;
	const int8_t x[4] = {-128, 0, 16, 127};
	const int8_t want[4] = {-128, 0, 59, 127};
	int8_t z[4];
	struct op_bench b;
	op_bench_init(&b, OP_LOGISTIC);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(4), x), 0x1p-4f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(4), z), 0x1p-8f, -128);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void int16_functions_reach_their_limits(void **state)
{
	(void)state;
	const int16_t x[3] = {-32768, 0, 32767};
	int16_t z[3];
	struct op_bench b;
	op_bench_init(&b, OP_LOGISTIC);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(3), x), 0x1p-11f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT16, SHAPE(3), z), 0x1p-15f, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z[0], 1); /* the table ends at 1 - 2^-15 */
	assert_int_equal(z[1], 16384);
	assert_int_equal(z[2], 32767);
	b.node.op = OP_TANH;
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z[0], -32767);
	assert_int_equal(z[1], 0);
	assert_int_equal(z[2], 32767);
}

static void float_tanh_is_rounded_once(void **state)
{
	(void)state;
	const float x[3] = {0.5f, -INFINITY, NAN};
	float z[3];
	struct op_bench b;
	op_bench_init(&b, OP_TANH);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(3), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 0x1.d9353ep-2f && z[1] == -1 && isnan(z[2]));
}

static void halves_are_rounded_at_the_end(void **state)
{
	(void)state;
	const uint16_t x[3] = {0, 0x3800, 0xfc00}; /* 0, 0.5, -infinity */
	const uint16_t want[3] = {0x3800, 0x38fb, 0}; /* 0.5, 0.6225, 0 */
	uint16_t z[3];
	struct op_bench b;
	op_bench_init(&b, OP_LOGISTIC);
	op_bench_input(&b, DTYPE_FLOAT16, SHAPE(3), x);
	op_bench_output(&b, DTYPE_FLOAT16, SHAPE(3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logistic_goes_by_table),
		cmocka_unit_test(int16_functions_reach_their_limits),
		cmocka_unit_test(float_tanh_is_rounded_once),
		cmocka_unit_test(halves_are_rounded_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
