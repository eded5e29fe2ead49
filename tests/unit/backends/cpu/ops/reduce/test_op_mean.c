/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

/* Numbers of a case of the reference, with the axis as a constant and as a run's own value. */
static const int8_t codes[42] = {48, -8, 87, 1, -1, -98, 13, -31, 126, 122, -70, 49, -47, 8, -58,
	54, -26, 116, 35, 42, -97, 125, 38, 0, 0, 38, 103, -20, 65, 127, -108, -33, 66, 87, 15, 89,
	94, -34, 57, -72, -91, -128};
static const int8_t means[6] = {6, 22, 9, 40, 31, -12};

static void int8_mean_equals_the_reference(void **state)
{
	(void)state;
	const int32_t axis = -1;
	for (int constant = 0; constant < 2; constant++) {
		int8_t z[6] = {0};
		struct op_bench b;
		op_bench_init(&b, OP_MEAN);
		b.node.options.reduce.keep_dims = true;
		op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(2, 3, 7), codes),
			0x1.d74224p-5f, 65);
		(constant ? op_bench_constant : op_bench_input)(&b, DTYPE_INT32, SHAPE(1), &axis);
		op_bench_scale(
			&b, op_bench_output(&b, DTYPE_INT8, SHAPE(2, 3, 1), z), 0x1.d74224p-5f, 65);
		assert_int_equal(op_bench_run(&b), 0);
		assert_memory_equal(z, means, sizeof(means));
	}
}

static void sum_over_outer_and_inner_dimension(void **state)
{
	(void)state;
	const int32_t axes[2] = {0, 2}, want[3] = {14, 22, 30}; /* 0+1+6+7, 2+3+8+9, ... */
	int32_t x[12], z[3];
	for (int i = 0; i < 12; i++) {
		x[i] = i;
	}
	struct op_bench b;
	op_bench_init(&b, OP_SUM);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2, 3, 2), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), axes);
	op_bench_output(&b, DTYPE_INT32, SHAPE(3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void integer_mean_is_cut_towards_zero(void **state)
{
	(void)state;
	const int32_t axis = 1, x[4] = {1, 2, -1, -2};
	int32_t z[2];
	struct op_bench b;
	op_bench_init(&b, OP_MEAN);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2, 2), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
	op_bench_output(&b, DTYPE_INT32, SHAPE(2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z[0], 1);
	assert_int_equal(z[1], -1);
}

/* Nobody checked the axes at load; 24 sums would not fit the scalar's memory. */
static void axes_of_a_run_must_leave_the_planned_result(void **state)
{
	(void)state;
	const int32_t right[3] = {2, 0, 1}, wrong[3] = {0, 0, 0};
	int32_t x[24], z[1] = {0};
	for (int i = 0; i < 24; i++) {
		x[i] = i;
	}
	for (int i = 0; i < 2; i++) {
		struct op_bench b;
		op_bench_init(&b, OP_SUM);
		op_bench_input(&b, DTYPE_INT32, SHAPE(2, 3, 4), x);
		op_bench_input(&b, DTYPE_INT32, SHAPE(3), i == 0 ? right : wrong);
		op_bench_output(&b, DTYPE_INT32, (struct shape){0}, z);
		assert_int_equal(op_bench_run(&b), i == 0 ? 0 : -EINVAL);
		assert_int_equal(z[0], 276);
	}
}

static void mean_of_nothing_is_code_0(void **state)
{
	(void)state;
	const int32_t axis = 0;
	int8_t z[3] = {7, 7, 7};
	const int8_t want[3] = {0};
	struct op_bench b;
	op_bench_init(&b, OP_MEAN);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(0, 3), codes), 1, 5);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(3), z), 1, 5);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void mean_of_no_floats_is_nan_without_a_sign(void **state)
{
	(void)state;
	const int32_t axis = 0;
	const uint32_t want[2] = {0x7fc00000, 0x7fc00000};
	uint32_t z[2] = {0};
	struct op_bench b;
	op_bench_init(&b, OP_MEAN);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(0, 2), z);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void axis_out_of_range_is_an_error_of_the_run(void **state)
{
	(void)state;
	const int32_t axis = 3;
	int32_t x[2] = {0}, z[2];
	struct op_bench b;
	op_bench_init(&b, OP_SUM);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(1), &axis);
	op_bench_output(&b, DTYPE_INT32, SHAPE(2), z);
	assert_int_equal(op_bench_run(&b), -EINVAL);
	assert_string_equal(b.err.text, "SUM: axis 3 of 1 dimensions");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(int8_mean_equals_the_reference),
		cmocka_unit_test(sum_over_outer_and_inner_dimension),
		cmocka_unit_test(integer_mean_is_cut_towards_zero),
		cmocka_unit_test(axes_of_a_run_must_leave_the_planned_result),
		cmocka_unit_test(mean_of_nothing_is_code_0),
		cmocka_unit_test(mean_of_no_floats_is_nan_without_a_sign),
		cmocka_unit_test(axis_out_of_range_is_an_error_of_the_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
