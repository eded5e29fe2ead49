/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "tests/fakes/op_bench.h"

/* Two operands of @n elements. */
static int run2(struct op_bench *b, enum op op, enum dtype type, int n, const void *x,
	const void *y, void *z)
{
	op_bench_init(b, op);
	op_bench_input(b, type, SHAPE(n), x);
	op_bench_input(b, type, SHAPE(n), y);
	op_bench_output(b, type, SHAPE(n), z);
	return op_bench_run(b);
}

#define CHECK(op, dtype, type, x, y, ...)                                                          \
	do {                                                                                       \
		struct op_bench bench;                                                             \
		const type want[] = {__VA_ARGS__};                                                 \
		type got[sizeof(want) / sizeof(type)];                                             \
		int count = (int)(sizeof(want) / sizeof(type));                                    \
		assert_int_equal(run2(&bench, op, dtype, count, x, y, got), 0);                    \
		assert_memory_equal(got, want, sizeof(want));                                      \
	} while (0)

static void nan_gives_the_second_operand_and_in_stablehlo_the_first(void **state)
{
	(void)state;
	const float x[4] = {NAN, 1, -0.0f, 2}, y[4] = {1, NAN, 0.0f, 3};
	float z[4];
	struct op_bench b;
	assert_int_equal(run2(&b, OP_MAXIMUM, DTYPE_FLOAT32, 4, x, y, z), 0);
	assert_true(z[0] == 1 && isnan(z[1]) && !signbit(z[2]) && z[3] == 3);
	assert_int_equal(run2(&b, OP_MINIMUM, DTYPE_FLOAT32, 4, x, y, z), 0);
	assert_true(z[0] == 1 && isnan(z[1]) && !signbit(z[2]) && z[3] == 2);
	assert_int_equal(run2(&b, OP_STABLEHLO_MAXIMUM, DTYPE_FLOAT32, 4, x, y, z), 0);
	assert_true(isnan(z[0]) && z[1] == 1 && signbit(z[2]) && z[3] == 3);
	assert_int_equal(run2(&b, OP_STABLEHLO_MINIMUM, DTYPE_FLOAT32, 4, x, y, z), 0);
	assert_true(isnan(z[0]) && z[1] == 1 && signbit(z[2]) && z[3] == 2);
}

/* -2 against 1, a NaN with bits of its own, the least subnormal against 0. */
static void picked_halves_keep_their_bits(void **state)
{
	(void)state;
	const uint16_t x[3] = {0xc000, 0x3c00, 0x0001}, y[3] = {0x3c00, 0x7d01, 0};
	CHECK(OP_MAXIMUM, DTYPE_FLOAT16, uint16_t, x, y, 0x3c00, 0x7d01, 0x0001);
	CHECK(OP_MINIMUM, DTYPE_FLOAT16, uint16_t, x, y, 0xc000, 0x7d01, 0);
	CHECK(OP_STABLEHLO_MAXIMUM, DTYPE_FLOAT16, uint16_t, y, x, 0x3c00, 0x7d01, 0x0001);
	CHECK(OP_STABLEHLO_MINIMUM, DTYPE_FLOAT16, uint16_t, y, x, 0xc000, 0x7d01, 0);
}

static void quotients_round_down_and_the_minimum_over_minus_one_stays(void **state)
{
	(void)state;
	const int8_t x[6] = {7, -7, 7, -7, -128, 0}, y[6] = {2, 2, -2, -2, -1, -5};
	CHECK(OP_FLOOR_DIV, DTYPE_INT8, int8_t, x, y, 3, -4, -4, 3, -128, 0);
	const int32_t a[3] = {INT32_MIN, INT32_MIN, 9}, b[3] = {-1, 2, -1};
	CHECK(OP_FLOOR_DIV, DTYPE_INT32, int32_t, a, b, INT32_MIN, INT32_MIN / 2, -9);
}

/* 1 / 0.1f is 10 in float; the quotient of doubles is just below. */
static void float_quotients_are_those_of_doubles(void **state)
{
	(void)state;
	const float x[4] = {1, -1, 5, 1e30f}, y[4] = {0.1f, 0.1f, -INFINITY, 1e-30f};
	CHECK(OP_FLOOR_DIV, DTYPE_FLOAT32, float, x, y, 9, -10, -1 * 0.0f, INFINITY);
}

static void remainders_have_the_sign_of_the_divisor(void **state)
{
	(void)state;
	const int64_t x[5] = {7, -7, 7, -7, INT64_MIN}, y[5] = {3, 3, -3, -3, -1};
	CHECK(OP_FLOOR_MOD, DTYPE_INT64, int64_t, x, y, 1, 2, -2, -1, 0);
	const float a[4] = {5, -5, 1, 6}, b[4] = {-3, 3, -INFINITY, -3};
	CHECK(OP_FLOOR_MOD, DTYPE_FLOAT32, float, a, b, -1, 1, -INFINITY, 0);
	const float zero = 0, one = 1;
	float z;
	struct op_bench nan;
	assert_int_equal(run2(&nan, OP_FLOOR_MOD, DTYPE_FLOAT32, 1, &one, &zero, &z), 0);
	assert_true(isnan(z));
}

static void divisors_of_zero_are_refused_by_place(void **state)
{
	(void)state;
	const int16_t x[3] = {1, 2, 3}, y[3] = {1, 2, 0};
	int16_t z[3];
	struct op_bench b;
	assert_int_equal(run2(&b, OP_FLOOR_DIV, DTYPE_INT16, 3, x, y, z), -EINVAL);
	assert_non_null(strstr(b.err.text, "input 1: element 2 is a divisor of zero"));
	assert_int_equal(run2(&b, OP_FLOOR_MOD, DTYPE_INT16, 3, x, y, z), -EINVAL);
	const float one = 1, minus_zero = -0.0f;
	float f;
	assert_int_equal(run2(&b, OP_FLOOR_DIV, DTYPE_FLOAT32, 1, &one, &minus_zero, &f), -EINVAL);
	assert_non_null(strstr(b.err.text, "input 1: element 0 is a divisor of zero"));
}

static void shifts_stay_within_the_width(void **state)
{
	(void)state;
	const int8_t x[5] = {-128, -128, 100, 100, -1}, y[5] = {1, 100, -5, 3, 7};
	CHECK(OP_RIGHT_SHIFT, DTYPE_INT8, int8_t, x, y, -64, -1, 100, 12, -1);
	const uint32_t a[3] = {UINT32_MAX, UINT32_MAX, 8}, b[3] = {UINT32_MAX, 4, 0};
	CHECK(OP_RIGHT_SHIFT, DTYPE_UINT32, uint32_t, a, b, 1, UINT32_MAX >> 4, 8);
	const int32_t c[4] = {1, 1, -1, 3}, d[4] = {31, 33, 40, 64};
	CHECK(OP_STABLEHLO_SHIFT_LEFT, DTYPE_INT32, int32_t, c, d, INT32_MIN, 2, -256, 3);
	const int8_t e[3] = {1, 3, -1}, f[3] = {7, 31, -1};
	CHECK(OP_STABLEHLO_SHIFT_LEFT, DTYPE_INT8, int8_t, e, f, -128, 0, 0);
}

static void bits_are_combined(void **state)
{
	(void)state;
	const uint16_t x[2] = {0xff00, 0x1234}, y[2] = {0x0ff0, 0x1234};
	CHECK(OP_BITWISE_XOR, DTYPE_UINT16, uint16_t, x, y, 0xf0f0, 0);
	CHECK(OP_STABLEHLO_AND, DTYPE_UINT16, uint16_t, x, y, 0x0f00, 0x1234);
}

/* Any byte but 0 is true, and what comes out is 0 or 1. */
static void bools_are_any_byte_but_zero(void **state)
{
	(void)state;
	const uint8_t x[4] = {0, 2, 0, 255}, y[4] = {0, 0, 4, 8};
	CHECK(OP_LOGICAL_OR, DTYPE_BOOL, uint8_t, x, y, 0, 1, 1, 1);
	CHECK(OP_LOGICAL_AND, DTYPE_BOOL, uint8_t, x, y, 0, 0, 0, 1);
	CHECK(OP_STABLEHLO_ADD, DTYPE_BOOL, uint8_t, x, y, 0, 1, 1, 1);
	CHECK(OP_STABLEHLO_MULTIPLY, DTYPE_BOOL, uint8_t, x, y, 0, 0, 0, 1);
	CHECK(OP_STABLEHLO_MAXIMUM, DTYPE_BOOL, uint8_t, x, y, 0, 1, 1, 1);
	CHECK(OP_STABLEHLO_MINIMUM, DTYPE_BOOL, uint8_t, x, y, 0, 0, 0, 1);
	CHECK(OP_STABLEHLO_AND, DTYPE_BOOL, uint8_t, x, y, 0, 0, 0, 1);
}

static void stablehlo_wraps_and_clamps_nothing(void **state)
{
	(void)state;
	const int16_t x[2] = {INT16_MAX, INT16_MIN}, y[2] = {1, -1};
	CHECK(OP_STABLEHLO_ADD, DTYPE_INT16, int16_t, x, y, INT16_MIN, INT16_MAX);
	CHECK(OP_STABLEHLO_MULTIPLY, DTYPE_INT16, int16_t, x, y, INT16_MAX, INT16_MIN);
	const uint64_t a = UINT64_MAX, b = 3;
	CHECK(OP_STABLEHLO_MULTIPLY, DTYPE_UINT64, uint64_t, &a, &b, UINT64_MAX - 2);
	const float f = 3e38f, g = 3e38f;
	CHECK(OP_STABLEHLO_ADD, DTYPE_FLOAT32, float, &f, &g, INFINITY);
}

static void angles_are_in_all_four_quadrants(void **state)
{
	(void)state;
	const double y[4] = {1, 1, -1, -0.0}, x[4] = {1, -1, -1, -1};
	CHECK(OP_ATAN2, DTYPE_FLOAT64, double, y, x, M_PI / 4, 3 * M_PI / 4, -3 * M_PI / 4, -M_PI);
	const uint16_t a = 0x3c00, b = 0x3c00;
	CHECK(OP_ATAN2, DTYPE_FLOAT16, uint16_t, &a, &b, 0x3a48); /* 0.78515625 */
}

static void cancelled_search_for_zeros_gives_up(void **state)
{
	(void)state;
	static int8_t x[40000], z[40000];
	const atomic_bool cancelled = true;
	const struct run_control control = {.cancelled = &cancelled};
	memset(x, 1, sizeof(x));
	struct op_bench b;
	op_bench_init(&b, OP_FLOOR_MOD);
	op_bench_input(&b, DTYPE_INT8, SHAPE(40000), x);
	op_bench_input(&b, DTYPE_INT8, SHAPE(40000), x);
	op_bench_output(&b, DTYPE_INT8, SHAPE(40000), z);
	b.control = &control;
	assert_int_equal(op_bench_run(&b), -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nan_gives_the_second_operand_and_in_stablehlo_the_first),
		cmocka_unit_test(picked_halves_keep_their_bits),
		cmocka_unit_test(quotients_round_down_and_the_minimum_over_minus_one_stays),
		cmocka_unit_test(float_quotients_are_those_of_doubles),
		cmocka_unit_test(remainders_have_the_sign_of_the_divisor),
		cmocka_unit_test(divisors_of_zero_are_refused_by_place),
		cmocka_unit_test(shifts_stay_within_the_width),
		cmocka_unit_test(bits_are_combined),
		cmocka_unit_test(bools_are_any_byte_but_zero),
		cmocka_unit_test(stablehlo_wraps_and_clamps_nothing),
		cmocka_unit_test(angles_are_in_all_four_quadrants),
		cmocka_unit_test(cancelled_search_for_zeros_gives_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
