/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "tests/fakes/op_bench.h"

static int cast(enum dtype from, enum dtype to, int32_t n, const void *x, void *z)
{
	struct op_bench b;
	op_bench_init(&b, OP_CAST);
	op_bench_input(&b, from, SHAPE(n), x);
	op_bench_output(&b, to, SHAPE(n), z);
	return op_bench_run(&b);
}

static void integers_wrap(void **state)
{
	(void)state;
	const int32_t x[3] = {-1, 300, INT32_MIN};
	const uint8_t want[3] = {255, 44, 0};
	uint8_t z[3];
	uint32_t w[3];
	assert_int_equal(cast(DTYPE_INT32, DTYPE_UINT8, 3, x, z), 0);
	assert_memory_equal(z, want, sizeof(want));
	assert_int_equal(cast(DTYPE_INT32, DTYPE_UINT32, 3, x, w), 0);
	assert_memory_equal(w, x, sizeof(w));
}

static void floats_are_cut_and_kept_in_range(void **state)
{
	(void)state;
	const float x[6] = {1.9f, -1.9f, 1e20f, -INFINITY, NAN, -0.5f};
	const int8_t want[6] = {1, -1, 127, -128, 0, 0};
	const int64_t wide_want[6] = {1, -1, INT64_MAX, INT64_MIN, 0, 0};
	const uint32_t unsigned_want[6] = {1, 0, UINT32_MAX, 0, 0, 0};
	int8_t z[6];
	int64_t w[6];
	uint32_t u[6];
	assert_int_equal(cast(DTYPE_FLOAT32, DTYPE_INT8, 6, x, z), 0);
	assert_memory_equal(z, want, sizeof(want));
	assert_int_equal(cast(DTYPE_FLOAT32, DTYPE_INT64, 6, x, w), 0);
	assert_memory_equal(w, wide_want, sizeof(w));
	assert_int_equal(cast(DTYPE_FLOAT32, DTYPE_UINT32, 6, x, u), 0);
	assert_memory_equal(u, unsigned_want, sizeof(u));
}

static void a_wide_integer_is_rounded_once(void **state)
{
	(void)state;
	/* By way of double the second would be a tie and become 2^62. */
	const int64_t x[2] = {INT64_MAX, ((int64_t)1 << 62) + ((int64_t)1 << 38) + 1};
	float z[2];
	assert_int_equal(cast(DTYPE_INT64, DTYPE_FLOAT32, 2, x, z), 0);
	assert_true(z[0] == 0x1p63f && z[1] == 0x1p62f + 0x1p39f);
}

static void what_is_not_zero_is_true(void **state)
{
	(void)state;
	const float x[6] = {0, -0.0f, 1e-40f, NAN, -3, INFINITY};
	const uint8_t want[6] = {0, 0, 1, 1, 1, 1};
	uint8_t z[6];
	assert_int_equal(cast(DTYPE_FLOAT32, DTYPE_BOOL, 6, x, z), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void complex_numbers_give_and_get_their_real_part(void **state)
{
	(void)state;
	const float x[4] = {2.5f, 9, -3, 1};
	int16_t z[2];
	float w[4];
	assert_int_equal(cast(DTYPE_COMPLEX64, DTYPE_INT16, 2, x, z), 0);
	assert_true(z[0] == 2 && z[1] == -3);
	assert_int_equal(cast(DTYPE_INT16, DTYPE_COMPLEX64, 2, z, w), 0);
	assert_true(w[0] == 2 && w[1] == 0 && w[2] == -3 && w[3] == 0);
	assert_int_equal(cast(DTYPE_COMPLEX64, DTYPE_COMPLEX64, 2, x, w), 0);
	assert_memory_equal(w, x, sizeof(w));
}

static void a_double_becomes_a_half_by_way_of_a_float(void **state)
{
	(void)state;
	/* Just above a tie of halves; the float is the tie, which goes to the even half. */
	const double x[2] = {1 + 0x1p-11 + 0x1p-40, 1e9};
	uint16_t z[2];
	double w[2];
	assert_int_equal(cast(DTYPE_FLOAT64, DTYPE_FLOAT16, 2, x, z), 0);
	assert_true(z[0] == 0x3c00 && z[1] == 0x7c00);
	assert_int_equal(cast(DTYPE_FLOAT16, DTYPE_FLOAT64, 2, z, w), 0);
	assert_true(w[0] == 1 && isinf(w[1]));
}

static void nibbles_become_floats_and_back(void **state)
{
	(void)state;
	const uint8_t x[2] = {0x8f, 0x07}; /* -1, -8, 7 */
	const float y[3] = {-100, 7.9f, -1.5f};
	float z[3];
	uint8_t w[2];
	assert_int_equal(cast(DTYPE_INT4, DTYPE_FLOAT32, 3, x, z), 0);
	assert_true(z[0] == -1 && z[1] == -8 && z[2] == 7);
	assert_int_equal(cast(DTYPE_FLOAT32, DTYPE_INT4, 3, y, w), 0);
	assert_true(w[0] == 0x78 && w[1] == 0x0f);
}

static void bitcast_moves_bytes(void **state)
{
	(void)state;
	const uint32_t x[2] = {0x3f800000, 0x80000000};
	float z[2];
	uint8_t w[8];
	struct op_bench b;
	op_bench_init(&b, OP_BITCAST);
	op_bench_input(&b, DTYPE_UINT32, SHAPE(2), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 1 && z[1] == 0 && signbit(z[1]));
	op_bench_init(&b, OP_BITCAST);
	op_bench_input(&b, DTYPE_UINT32, SHAPE(2), x);
	op_bench_output(&b, DTYPE_UINT8, SHAPE(2, 4), w);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(w, x, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_wrap),
		cmocka_unit_test(floats_are_cut_and_kept_in_range),
		cmocka_unit_test(a_wide_integer_is_rounded_once),
		cmocka_unit_test(what_is_not_zero_is_true),
		cmocka_unit_test(complex_numbers_give_and_get_their_real_part),
		cmocka_unit_test(a_double_becomes_a_half_by_way_of_a_float),
		cmocka_unit_test(nibbles_become_floats_and_back),
		cmocka_unit_test(bitcast_moves_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
