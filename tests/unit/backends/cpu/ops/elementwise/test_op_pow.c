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

static int run(struct op_bench *b, enum dtype type, struct shape shape, struct shape exponents,
	const void *x, const void *y, void *z)
{
	op_bench_init(b, OP_POW);
	op_bench_input(b, type, shape, x);
	op_bench_input(b, type, exponents, y);
	op_bench_output(b, type, shape, z);
	return op_bench_run(b);
}

static void integers_beyond_the_type_give_its_minimum(void **state)
{
	(void)state;
	const int32_t x[9] = {2, -2, 10, 3, 0, 46341, -1, -1, 2},
		      y[9] = {30, 31, 10, 4, 0, 2, INT32_MAX, 4, INT32_MAX};
	const int32_t want[9] = {1 << 30, INT32_MIN, INT32_MIN, 81, 1, INT32_MIN, -1, 1, INT32_MIN};
	int32_t z[9];
	struct op_bench b;
	assert_int_equal(run(&b, DTYPE_INT32, SHAPE(9), SHAPE(9), x, y, z), 0);
	assert_memory_equal(z, want, sizeof(want));
}

/* 3^31 and 46341^31 modulo 2^32, as the reference gives them. */
static void one_exponent_for_all_integers_wraps(void **state)
{
	(void)state;
	const int32_t x[4] = {3, 46341, 10, 1}, y = 31,
		      want[4] = {1264544299, -741033651, INT32_MIN, 1};
	int32_t z[4];
	struct op_bench b;
	assert_int_equal(run(&b, DTYPE_INT32, SHAPE(4), SHAPE(1), x, &y, z), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void one_exponent_of_zero_gives_ones(void **state)
{
	(void)state;
	const int32_t x[3] = {3, 0, -7}, y = 0, want[3] = {1, 1, 1};
	int32_t z[3];
	struct op_bench b;
	assert_int_equal(run(&b, DTYPE_INT32, SHAPE(3), (struct shape){0}, x, &y, z), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void one_whole_exponent_multiplies_and_stays_finite(void **state)
{
	(void)state;
	const float x[3] = {1e30f, -INFINITY, 1.1f}, y = 3.000001f;
	float z[3];
	struct op_bench b;
	assert_int_equal(run(&b, DTYPE_FLOAT32, SHAPE(3), SHAPE(1), x, &y, z), 0);
	float square = 1.1f * 1.1f;
	assert_true(z[0] == FLT_MAX && z[1] == -FLT_MAX && z[2] == square * 1.1f);
	const float one = 1;
	assert_int_equal(run(&b, DTYPE_FLOAT32, SHAPE(3), SHAPE(1), x, &one, z), 0);
	assert_memory_equal(z, x, sizeof(x));
}

static void exponents_of_each_element_may_give_infinity(void **state)
{
	(void)state;
	const float x[4] = {1e30f, 4, 2, -8}, y[4] = {3, 0.5f, -1, 0.5f};
	float z[4];
	struct op_bench b;
	assert_int_equal(run(&b, DTYPE_FLOAT32, SHAPE(4), SHAPE(4), x, y, z), 0);
	assert_true(isinf(z[0]) && z[1] == 2 && z[2] == 0.5f && isnan(z[3]));
}

static void exponents_that_are_no_int32_are_not_multiplied(void **state)
{
	(void)state;
	const float x[2] = {2, -1}, huge = 3e9f, nan = NAN;
	float z[2];
	struct op_bench b;
	assert_int_equal(run(&b, DTYPE_FLOAT32, SHAPE(2), SHAPE(1), x, &huge, z), 0);
	assert_true(isinf(z[0]) && z[1] == 1);
	assert_int_equal(run(&b, DTYPE_FLOAT32, SHAPE(2), SHAPE(1), x, &nan, z), 0);
	assert_true(isnan(z[0]) && isnan(z[1]));
}

static void negative_exponents_of_integers_are_refused(void **state)
{
	(void)state;
	const int32_t x[2] = {2, 2}, y[2] = {1, -1};
	int32_t z[2];
	struct op_bench b;
	assert_int_equal(run(&b, DTYPE_INT32, SHAPE(2), SHAPE(2), x, y, z), -EINVAL);
	assert_non_null(strstr(b.err.text, "input 1: element 1 is a negative exponent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_beyond_the_type_give_its_minimum),
		cmocka_unit_test(one_exponent_for_all_integers_wraps),
		cmocka_unit_test(one_exponent_of_zero_gives_ones),
		cmocka_unit_test(one_whole_exponent_multiplies_and_stays_finite),
		cmocka_unit_test(exponents_of_each_element_may_give_infinity),
		cmocka_unit_test(exponents_that_are_no_int32_are_not_multiplied),
		cmocka_unit_test(negative_exponents_of_integers_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
