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

static void elements_are_repeated_inside_and_outside(void **state)
{
	(void)state;
	const uint16_t x[2] = {7, 9};
	const int32_t target[3] = {2, 2, 3};
	const uint16_t want[12] = {7, 7, 7, 9, 9, 9, 7, 7, 7, 9, 9, 9};
	uint16_t z[12];
	struct op_bench b;
	op_bench_init(&b, OP_BROADCAST_TO);
	op_bench_input(&b, DTYPE_UINT16, SHAPE(2, 1), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(3), target);
	op_bench_output(&b, DTYPE_UINT16, SHAPE(2, 2, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void sixteen_byte_elements_fill(void **state)
{
	(void)state;
	const double x[2] = {1, -2};
	const int64_t target = 3;
	const double want[6] = {1, -2, 1, -2, 1, -2};
	double z[6];
	struct op_bench b;
	op_bench_init(&b, OP_BROADCAST_TO);
	op_bench_input(&b, DTYPE_COMPLEX128, SHAPE(1), x);
	op_bench_constant(&b, DTYPE_INT64, SHAPE(1), &target);
	op_bench_output(&b, DTYPE_COMPLEX128, SHAPE(3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void empty_target_writes_nothing(void **state)
{
	(void)state;
	const int8_t x = 5;
	const int32_t target[2] = {0, 3};
	int8_t z = 77;
	struct op_bench b;
	op_bench_init(&b, OP_BROADCAST_TO);
	op_bench_input(&b, DTYPE_INT8, SHAPE(1), &x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), target);
	op_bench_output(&b, DTYPE_INT8, SHAPE(0, 3), &z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z, 77);
}

static int run_args(struct op_bench *b, struct shape first, const int32_t *x, struct shape second,
	const int32_t *y, struct shape out, int32_t *z)
{
	op_bench_init(b, OP_BROADCAST_ARGS);
	op_bench_input(b, DTYPE_INT32, first, x);
	op_bench_input(b, DTYPE_INT32, second, y);
	op_bench_output(b, DTYPE_INT32, out, z);
	return op_bench_run(b);
}

static void shapes_meet_at_their_ends(void **state)
{
	(void)state;
	const int32_t x[3] = {5, 1, 1}, y[2] = {0, 4}, want[3] = {5, 0, 4};
	int32_t z[3];
	struct op_bench b;
	assert_int_equal(run_args(&b, SHAPE(3), x, SHAPE(2), y, SHAPE(3), z), 0);
	assert_memory_equal(z, want, sizeof(want));
	assert_int_equal(run_args(&b, SHAPE(0), y, SHAPE(3), x, SHAPE(3), z), 0);
	assert_memory_equal(z, x, sizeof(x));
}

static void shapes_that_do_not_meet_are_refused(void **state)
{
	(void)state;
	const int32_t x[2] = {3, 2}, y[2] = {4, 2};
	int32_t z[2];
	struct op_bench b;
	assert_int_equal(run_args(&b, SHAPE(2), x, SHAPE(2), y, SHAPE(2), z), -EINVAL);
	assert_non_null(strstr(b.err.text, "dimensions 3 and 4, 1 from the end, do not broadcast"));
}

static void shapes_of_eight_bytes_meet(void **state)
{
	(void)state;
	const int64_t x[1] = {INT64_C(1) << 40}, y[1] = {1};
	int64_t z[1];
	struct op_bench b;
	op_bench_init(&b, OP_BROADCAST_ARGS);
	op_bench_input(&b, DTYPE_INT64, SHAPE(1), x);
	op_bench_input(&b, DTYPE_INT64, SHAPE(1), y);
	op_bench_output(&b, DTYPE_INT64, SHAPE(1), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == x[0]);
}

/* Clamped after each step: 3e38 + 3e38 - 3e38. */
static void many_are_summed_from_the_first_to_the_last(void **state)
{
	(void)state;
	const float x[3] = {3e38f, -INFINITY, -0.0f}, y[3] = {3e38f, 1, -0.0f};
	const float w[3] = {-3e38f, INFINITY, -0.0f};
	const float want[3] = {FLT_MAX - 3e38f, FLT_MAX, -0.0f};
	float z[3];
	struct op_bench b;
	op_bench_init(&b, OP_ADD_N);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(3), x);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(3), y);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(3), w);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void many_integers_wrap(void **state)
{
	(void)state;
	static int32_t x[40000], z[40000];
	for (int i = 0; i < 40000; i++) {
		x[i] = i % 2 ? INT32_MAX : i;
	}
	struct op_bench b;
	op_bench_init(&b, OP_ADD_N);
	op_bench_input(&b, DTYPE_INT32, SHAPE(200, 200), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(200, 200), x);
	op_bench_output(&b, DTYPE_INT32, SHAPE(200, 200), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 40000; i++) {
		assert_int_equal(z[i], i % 2 ? -2 : 2 * i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_repeated_inside_and_outside),
		cmocka_unit_test(sixteen_byte_elements_fill),
		cmocka_unit_test(empty_target_writes_nothing),
		cmocka_unit_test(shapes_meet_at_their_ends),
		cmocka_unit_test(shapes_that_do_not_meet_are_refused),
		cmocka_unit_test(shapes_of_eight_bytes_meet),
		cmocka_unit_test(many_are_summed_from_the_first_to_the_last),
		cmocka_unit_test(many_integers_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
