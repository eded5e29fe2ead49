/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "tests/fakes/op_bench.h"

/* The first numbers of a case of the reference. */
static void int16_product_rescales(void **state)
{
	(void)state;
	const int16_t x[5] = {-6406, 21162, -18599, -32768, 8879};
	const int16_t y[5] = {-14975, 30682, 15015, 28516, 1124};
	const int16_t want[5] = {1307, 8846, -3805, -12730, 136};
	int16_t z[5];
	struct op_bench b;
	op_bench_init(&b, OP_MUL);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(5), x), 0x1p-10f, 0);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(5), y), 0x1p-10f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT16, SHAPE(5), z), 0x1.1eb852p-4f, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void zero_points_are_taken_off_and_put_on(void **state)
{
	(void)state;
	const uint8_t x[3] = {130, 128, 126}, y[3] = {13, 13, 13};
	const uint8_t want[3] = {106, 100, 94}; /* (x - 128) * (y - 10) + 100, all scales 1 */
	uint8_t z[3];
	struct op_bench b;
	op_bench_init(&b, OP_MUL);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_UINT8, SHAPE(3), x), 1, 128);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_UINT8, SHAPE(3), y), 1, 10);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_UINT8, SHAPE(3), z), 1, 100);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

/* srdhm16(16384, 16384) = 8192; rdbpot(8192, 8) = 32; -8224 / 256 = -32.125 */
static void int16_operands_may_give_8_bits(void **state)
{
	(void)state;
	const int16_t x[2] = {16384, -16448}, y[2] = {16384, 16384};
	int8_t z[2];
	struct op_bench b;
	op_bench_init(&b, OP_MUL);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(2), x), 1, 0);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(2), y), 1, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(2), z), 1, 5);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z[0], 37);
	assert_int_equal(z[1], -27);
}

/* (inf + NaN i)(1 + i): both parts come out as NaN by the formula, and are infinite by C's rules. */
static void complex_infinities_stay_infinite(void **state)
{
	(void)state;
	const float x[2] = {INFINITY, NAN}, y[2] = {1, 1};
	float z[2];
	struct op_bench b;
	op_bench_init(&b, OP_MUL);
	op_bench_input(&b, DTYPE_COMPLEX64, SHAPE(1), x);
	op_bench_input(&b, DTYPE_COMPLEX64, SHAPE(1), y);
	op_bench_output(&b, DTYPE_COMPLEX64, SHAPE(1), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(isinf(z[0]) && isinf(z[1]));
}

static void complex_numbers_multiply(void **state)
{
	(void)state;
	const float x[2] = {1, 2}, y[2] = {3, -1};
	float z[2];
	struct op_bench b;
	op_bench_init(&b, OP_MUL);
	op_bench_input(&b, DTYPE_COMPLEX64, SHAPE(1), x);
	op_bench_input(&b, DTYPE_COMPLEX64, SHAPE(1), y);
	op_bench_output(&b, DTYPE_COMPLEX64, SHAPE(1), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 5 && z[1] == 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(int16_product_rescales),
		cmocka_unit_test(zero_points_are_taken_off_and_put_on),
		cmocka_unit_test(int16_operands_may_give_8_bits),
		cmocka_unit_test(complex_numbers_multiply),
		cmocka_unit_test(complex_infinities_stay_infinite),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
