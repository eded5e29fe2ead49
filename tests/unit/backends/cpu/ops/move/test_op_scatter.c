/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void what_meets_in_one_place_is_added(void **state)
{
	(void)state;
	int32_t places[4] = {1, 0, 1, 1};
	const int32_t dims[2] = {2, 2};
	const int8_t updates[4] = {100, 7, 100, 1};
	int8_t z[4];
	struct op_bench b;
	op_bench_init(&b, OP_SCATTER_ND);
	int32_t in = op_bench_input(&b, DTYPE_INT32, SHAPE(2, 2), places);
	int32_t values = op_bench_input(&b, DTYPE_INT8, SHAPE(2), updates);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), dims);
	op_bench_output(&b, DTYPE_INT8, SHAPE(2, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 0 && z[1] == 0 && z[2] == 100 && z[3] == 7);
	/* Rows: 100 + 100 wraps. */
	places[1] = 1;
	b.shapes[in] = SHAPE(2, 1);
	b.shapes[values] = SHAPE(2, 2);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 0 && z[1] == 0 && z[2] == -56 && z[3] == 8);
	places[0] = 2;
	assert_int_equal(op_bench_run(&b), -EINVAL);
	assert_non_null(strstr(b.err.text, "indices[0] is 2, must be below 2"));
}

static void the_last_of_two_values_stays(void **state)
{
	(void)state;
	const int64_t places[3] = {3, 1, 3};
	const int32_t dims[1] = {4};
	const float values[3] = {1, 2, 3}, fill = -1;
	float z[4];
	struct op_bench b;
	op_bench_init(&b, OP_SPARSE_TO_DENSE);
	op_bench_input(&b, DTYPE_INT64, SHAPE(3), places);
	op_bench_input(&b, DTYPE_INT32, SHAPE(1), dims);
	int32_t t = op_bench_input(&b, DTYPE_FLOAT32, SHAPE(3), values);
	op_bench_input(&b, DTYPE_FLOAT32, (struct shape){0}, &fill);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(4), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == -1 && z[1] == 2 && z[2] == -1 && z[3] == 3);
	b.shapes[t] = (struct shape){0}; /* one for all */
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[1] == 1 && z[3] == 1);
}

static void one_hot_writes_along_its_axis(void **state)
{
	(void)state;
	const int32_t hot[2] = {2, -1}, depth = 3;
	const int64_t on = 5, off = 4;
	int64_t z[6];
	struct op_bench b;
	op_bench_init(&b, OP_ONE_HOT);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), hot);
	op_bench_constant(&b, DTYPE_INT32, (struct shape){0}, &depth);
	op_bench_input(&b, DTYPE_INT64, (struct shape){0}, &on);
	op_bench_input(&b, DTYPE_INT64, (struct shape){0}, &off);
	int32_t out = op_bench_output(&b, DTYPE_INT64, SHAPE(3, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	const int64_t columns[6] = {4, 4, 4, 4, 5, 4};
	assert_memory_equal(z, columns, sizeof(z));
	b.node.options.axis.axis = -1;
	b.shapes[out] = b.values[out].shape = SHAPE(2, 3);
	assert_int_equal(op_bench_run(&b), 0);
	const int64_t rows[6] = {4, 4, 5, 4, 4, 4};
	assert_memory_equal(z, rows, sizeof(z));
}

static void run_segments(enum op op, enum dtype type, const void *data, const int32_t *ids, void *z)
{
	const int32_t count = 3;
	struct op_bench b;
	op_bench_init(&b, op);
	op_bench_input(&b, type, SHAPE(4), data);
	op_bench_input(&b, DTYPE_INT32, SHAPE(4), ids);
	op_bench_constant(&b, DTYPE_INT32, (struct shape){0}, &count);
	op_bench_output(&b, type, SHAPE(3), z);
	assert_int_equal(op_bench_run(&b), 0);
}

static void segments_are_combined_and_empty_ones_are_neutral(void **state)
{
	(void)state;
	const int32_t x[4] = {3, -4, 5, 6}, ids[4] = {2, 0, -7, 2};
	const float y[4] = {3, -4, 5, 6};
	int32_t z[3];
	float f[3];
	run_segments(OP_UNSORTED_SEGMENT_SUM, DTYPE_INT32, x, ids, z);
	assert_true(z[0] == -4 && z[1] == 0 && z[2] == 9);
	run_segments(OP_UNSORTED_SEGMENT_PROD, DTYPE_FLOAT32, y, ids, f);
	assert_true(f[0] == -4 && f[1] == 1 && f[2] == 18);
	run_segments(OP_UNSORTED_SEGMENT_MAX, DTYPE_FLOAT32, y, ids, f);
	assert_true(f[0] == -4 && f[1] == -3.40282346638528859812e38f && f[2] == 6);
	run_segments(OP_UNSORTED_SEGMENT_MIN, DTYPE_INT32, x, ids, z);
	assert_true(z[0] == -4 && z[1] == INT32_MAX && z[2] == 3);
}

static void sorted_segments_are_counted(void **state)
{
	(void)state;
	const float x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	int32_t ids[4] = {0, 0, 1, 2};
	struct op_bench b;
	op_bench_init(&b, OP_SEGMENT_SUM);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(4, 2), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(4), ids);
	int32_t out = op_bench_given(&b, DTYPE_FLOAT32);
	assert_int_equal(op_bench_run(&b), 0);
	const float sums[6] = {4, 6, 5, 6, 7, 8};
	assert_true(shape_equal(&b.values[out].shape, &SHAPE(3, 2)));
	assert_memory_equal(b.values[out].data, sums, sizeof(sums));
	ids[3] = 3;
	assert_int_equal(op_bench_run(&b), -EINVAL);
	assert_non_null(strstr(b.err.text, "segment_ids[3] is 3 after 1"));
	ids[0] = -1;
	assert_int_equal(op_bench_run(&b), -EINVAL);
	assert_non_null(strstr(b.err.text, "segment_ids[0] is -1 after -1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_meets_in_one_place_is_added),
		cmocka_unit_test(the_last_of_two_values_stays),
		cmocka_unit_test(one_hot_writes_along_its_axis),
		cmocka_unit_test(segments_are_combined_and_empty_ones_are_neutral),
		cmocka_unit_test(sorted_segments_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
