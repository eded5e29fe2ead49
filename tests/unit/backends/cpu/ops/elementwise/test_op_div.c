/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
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

static void float_division_by_zero_stays_finite(void **state)
{
	(void)state;
	const float x[4] = {1, -1, 0, 7}, y[4] = {0, 0, 0, 2};
	float z[4];
	struct op_bench b;
	assert_int_equal(run2(&b, OP_DIV, DTYPE_FLOAT32, 4, x, y, z), 0);
	assert_true(z[0] == FLT_MAX && z[1] == -FLT_MAX && isnan(z[2]) && z[3] == 3.5f);
}

static void integers_truncate_and_saturate(void **state)
{
	(void)state;
	const int32_t x[4] = {7, -7, INT32_MIN, 5}, y[4] = {-2, 2, -1, -1};
	const int32_t want[4] = {-3, -3, INT32_MAX, -5};
	int32_t z[4];
	struct op_bench b;
	assert_int_equal(run2(&b, OP_DIV, DTYPE_INT32, 4, x, y, z), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static int run_codes(struct op_bench *b, int n, const int8_t *x, const int8_t *y, int8_t *z)
{
	op_bench_init(b, OP_DIV);
	op_bench_scale(b, op_bench_input(b, DTYPE_INT8, SHAPE(n), x), 0.5f, 0);
	op_bench_scale(b, op_bench_input(b, DTYPE_INT8, SHAPE(n), y), 0.5f, -10);
	op_bench_scale(b, op_bench_output(b, DTYPE_INT8, SHAPE(n), z), 0.25f, 20);
	return op_bench_run(b);
}

/* 4 * x / (y + 10) + 20, rounded and clamped; 0 and what is next to it give the zero point. */
static void codes_divide_by_what_they_stand_for(void **state)
{
	(void)state;
	const int8_t x[6] = {100, -100, 127, 0, 1, 3}, y[6] = {-6, -5, -11, 90, 100, -14};
	const int8_t want[6] = {120, -60, -128, 20, 20, 17};
	int8_t z[6];
	struct op_bench b;
	assert_int_equal(run_codes(&b, 6, x, y, z), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void divisors_that_stand_for_zero_are_refused_by_place(void **state)
{
	(void)state;
	const int8_t x[3] = {1, 2, 3}, y[3] = {0, -10, -10};
	int8_t z[3];
	struct op_bench b;
	assert_int_equal(run_codes(&b, 3, x, y, z), -EINVAL);
	assert_non_null(strstr(b.err.text, "input 1: element 1 is a divisor of zero"));
	const int32_t one = 1, zero = 0;
	int32_t wide;
	assert_int_equal(run2(&b, OP_DIV, DTYPE_INT32, 1, &one, &zero, &wide), -EINVAL);
	assert_non_null(strstr(b.err.text, "input 1: element 0 is a divisor of zero"));
}

/* An output so fine that the quotient is shifted up: it saturates with its sign. */
static void quotients_far_above_the_range_saturate(void **state)
{
	(void)state;
	const int8_t x[3] = {1, -1, 0}, y[3] = {1, 1, 1};
	const int8_t want[3] = {127, -128, 3};
	int8_t z[3];
	struct op_bench b;
	op_bench_init(&b, OP_DIV);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(3), x), 1, 0);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(3), y), 1, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(3), z), 1e-9f, 3);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

/* 0.5 * (x - y) squared is 25 and 100, over 0.5. */
static void squared_differences_of_codes_rescale(void **state)
{
	(void)state;
	const int8_t x[3] = {10, -10, 127}, y[3] = {0, 10, -128}, want[3] = {-50, 100, 127};
	int8_t z[3];
	struct op_bench b;
	op_bench_init(&b, OP_SQUARED_DIFFERENCE);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(3), x), 0.5f, 0);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(3), y), 0.5f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(3), z), 0.5f, -100);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void squared_differences_of_integers_wrap(void **state)
{
	(void)state;
	const int32_t x[3] = {3, 65536, INT32_MAX}, y[3] = {7, 0, INT32_MIN};
	const int32_t want[3] = {16, 0, 1};
	int32_t z[3];
	struct op_bench b;
	assert_int_equal(run2(&b, OP_SQUARED_DIFFERENCE, DTYPE_INT32, 3, x, y, z), 0);
	assert_memory_equal(z, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(float_division_by_zero_stays_finite),
		cmocka_unit_test(integers_truncate_and_saturate),
		cmocka_unit_test(codes_divide_by_what_they_stand_for),
		cmocka_unit_test(divisors_that_stand_for_zero_are_refused_by_place),
		cmocka_unit_test(quotients_far_above_the_range_saturate),
		cmocka_unit_test(squared_differences_of_codes_rescale),
		cmocka_unit_test(squared_differences_of_integers_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
