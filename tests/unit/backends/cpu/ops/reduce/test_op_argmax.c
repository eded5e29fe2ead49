/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "tests/fakes/op_bench.h"

static void first_of_equals_wins(void **state)
{
	(void)state;
	const int32_t axis = -1;
	const int8_t x[6] = {1, 5, 5, -7, -7, 0};
	int64_t z[2];
	struct op_bench b;
	op_bench_init(&b, OP_ARG_MAX);
	op_bench_input(&b, DTYPE_INT8, SHAPE(2, 3), x);
	op_bench_constant(&b, DTYPE_INT32, (struct shape){0}, &axis);
	op_bench_output(&b, DTYPE_INT64, SHAPE(2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 1 && z[1] == 2);
	b.node.op = OP_ARG_MIN;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 0 && z[1] == 0);
}

static void axis_in_front_compares_columns(void **state)
{
	(void)state;
	const int64_t axis = 0;
	const uint8_t x[6] = {1, 200, 3, 2, 100, 3};
	int32_t z[3];
	struct op_bench b;
	op_bench_init(&b, OP_ARG_MAX);
	op_bench_input(&b, DTYPE_UINT8, SHAPE(2, 3), x);
	op_bench_input(&b, DTYPE_INT64, SHAPE(1), &axis);
	op_bench_output(&b, DTYPE_INT32, SHAPE(3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 1 && z[1] == 0 && z[2] == 0);
}

static void nan_is_never_moved_to(void **state)
{
	(void)state;
	const int32_t axis = 1;
	const float x[4] = {1, NAN, NAN, 1};
	int32_t z[2];
	struct op_bench b;
	op_bench_init(&b, OP_ARG_MAX);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 2), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
	op_bench_output(&b, DTYPE_INT32, SHAPE(2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 0 && z[1] == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_of_equals_wins),
		cmocka_unit_test(axis_in_front_compares_columns),
		cmocka_unit_test(nan_is_never_moved_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
