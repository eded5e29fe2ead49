/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

/* Numbers of cases of the reference. */
static void int8_row_equals_the_reference(void **state)
{
	(void)state;
	const int8_t x[10] = {47, 10, 127, -3, 1, 121, -1, 0, -6, -36};
	const int8_t want[10] = {-128, -128, 127, -128, -128, -127, -128, -128, -128, -128};
	int8_t z[10];
	struct op_bench b;
	op_bench_init(&b, OP_SOFTMAX);
	b.node.options.softmax.beta = 1;
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, 10), x), 1, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(1, 10), z), 0x1p-8f, -128);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void int16_row_equals_the_reference(void **state)
{
	(void)state;
	const int16_t x[10] = {31882, -1764, 16987, 27426, -20604, -32768, 32767, 1, -1, 21909};
	const int16_t want[10] = {33, 2, 2, 2, 2, 2, 32719, 2, 2, 2};
	int16_t z[10];
	struct op_bench b;
	op_bench_init(&b, OP_SOFTMAX);
	b.node.options.softmax.beta = 1;
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(1, 10), x), 0x1p-7f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT16, SHAPE(1, 10), z), 0x1p-15f, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void uint8_row_to_int16_equals_the_reference(void **state)
{
	(void)state;
	const uint8_t x[10] = {133, 0, 217, 10, 242, 0, 255, 0, 98, 230};
	const int16_t want[10] = {
		-26252, -28396, -24385, -28263, -23732, -28396, -23372, -28396, -26902, -24051};
	int16_t z[10];
	struct op_bench b;
	op_bench_init(&b, OP_SOFTMAX);
	b.node.options.softmax.beta = 1;
	op_bench_scale(&b, op_bench_input(&b, DTYPE_UINT8, SHAPE(1, 10), x), 0x1.89374cp-9f, 129);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT16, SHAPE(1, 10), z), 0x1p-16f, -32768);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void each_float_row_adds_up_to_1(void **state)
{
	(void)state;
	const float x[4] = {0, 0, 1000, 0};
	float z[4];
	struct op_bench b;
	op_bench_init(&b, OP_SOFTMAX);
	b.node.options.softmax.beta = 1;
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 2), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 0.5f && z[1] == 0.5f && z[2] == 1 && z[3] == 0);
}

static void halves_share_a_row_as_floats_do(void **state)
{
	(void)state;
	const uint16_t x[4] = {0, 0, 0x4900, 0}, want[4] = {0x3800, 0x3800, 0x3c00, 0x02fa};
	uint16_t z[4]; /* 1/2, 1/2; exp(-10) is 762 of the least halves */
	struct op_bench b;
	op_bench_init(&b, OP_SOFTMAX);
	b.node.options.softmax.beta = 1;
	op_bench_input(&b, DTYPE_FLOAT16, SHAPE(2, 2), x);
	op_bench_output(&b, DTYPE_FLOAT16, SHAPE(2, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

/* The reciprocal's shift is above 31, each share below half a code; the sum of 8192 equal
 * exponentials does not fit in 32 bits. */
static void long_row_of_equals_gives_the_lowest_code(void **state)
{
	(void)state;
	static uint8_t x[8192], z[8192];
	struct op_bench b;
	op_bench_init(&b, OP_SOFTMAX);
	b.node.options.softmax.beta = 1;
	op_bench_scale(&b, op_bench_input(&b, DTYPE_UINT8, SHAPE(8192), x), 1, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_UINT8, SHAPE(8192), z), 0x1p-8f, 0);
	z[0] = z[8191] = 9;
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z[0], 0);
	assert_int_equal(z[8191], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(int8_row_equals_the_reference),
		cmocka_unit_test(int16_row_equals_the_reference),
		cmocka_unit_test(uint8_row_to_int16_equals_the_reference),
		cmocka_unit_test(each_float_row_adds_up_to_1),
		cmocka_unit_test(halves_share_a_row_as_floats_do),
		cmocka_unit_test(long_row_of_equals_gives_the_lowest_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
