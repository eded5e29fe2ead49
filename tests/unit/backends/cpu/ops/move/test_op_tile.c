/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void tile_repeats_every_dimension(void **state)
{
	(void)state;
	const int8_t x[2] = {1, 2}, want[8] = {1, 2, 1, 2, 1, 2, 1, 2};
	const int8_t down[8] = {1, 1, 2, 2, 1, 1, 2, 2};
	const int32_t times[2] = {2, 2};
	int8_t z[8];
	struct op_bench b;
	op_bench_init(&b, OP_TILE);
	op_bench_input(&b, DTYPE_INT8, SHAPE(1, 2), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), times);
	op_bench_output(&b, DTYPE_INT8, SHAPE(2, 4), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
	b.shapes[0] = SHAPE(2, 1);
	b.shapes[2] = SHAPE(4, 2);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, down, sizeof(down));
}

static void tile_of_eight_dimensions_works(void **state)
{
	(void)state;
	const int32_t times[8] = {2, 2, 2, 2, 2, 2, 2, 2};
	const uint8_t x = 7;
	uint8_t z[256] = {0};
	struct op_bench b;
	op_bench_init(&b, OP_TILE);
	op_bench_input(&b, DTYPE_UINT8, SHAPE(1, 1, 1, 1, 1, 1, 1, 1), &x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(8), times);
	op_bench_output(&b, DTYPE_UINT8, SHAPE(2, 2, 2, 2, 2, 2, 2, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z[0], 7);
	assert_int_equal(z[255], 7);
}

static void tile_repeats_strings(void **state)
{
	(void)state;
	const uint8_t x[] = {2, 0, 0, 0, 16, 0, 0, 0, 17, 0, 0, 0, 19, 0, 0, 0, 'a', 'b', 'c'};
	const uint8_t want[] = {4, 0, 0, 0, 24, 0, 0, 0, 25, 0, 0, 0, 27, 0, 0, 0, 28, 0, 0, 0, 30,
		0, 0, 0, 'a', 'b', 'c', 'a', 'b', 'c'};
	const int64_t times = 2;
	struct op_bench b;
	op_bench_init(&b, OP_TILE);
	op_bench_strings(&b, SHAPE(2), x, sizeof(x));
	op_bench_constant(&b, DTYPE_INT64, SHAPE(1), &times);
	int32_t out = op_bench_given_strings(&b, SHAPE(4));
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(b.values[out].bytes, sizeof(want));
	assert_memory_equal(b.values[out].data, want, sizeof(want));
}

static void fill_repeats_one_string_or_none(void **state)
{
	(void)state;
	const uint8_t x[] = {1, 0, 0, 0, 12, 0, 0, 0, 14, 0, 0, 0, 'h', 'i'};
	const uint8_t want[] = {
		2, 0, 0, 0, 16, 0, 0, 0, 18, 0, 0, 0, 20, 0, 0, 0, 'h', 'i', 'h', 'i'};
	const uint8_t none[] = {0, 0, 0, 0, 8, 0, 0, 0};
	const int32_t dims[2] = {1, 2};
	struct op_bench b;
	op_bench_init(&b, OP_FILL);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), dims);
	op_bench_strings(&b, (struct shape){0}, x, sizeof(x));
	int32_t out = op_bench_given_strings(&b, SHAPE(1, 2));
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(b.values[out].data, want, sizeof(want));
	b.shapes[out] = SHAPE(1, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(b.values[out].bytes, sizeof(none));
	assert_memory_equal(b.values[out].data, none, sizeof(none));
}

static void fill_repeats_numbers(void **state)
{
	(void)state;
	const int32_t dims[2] = {1, 3};
	const double x = 1.5;
	double z[3] = {0};
	struct op_bench b;
	op_bench_init(&b, OP_FILL);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), dims);
	op_bench_input(&b, DTYPE_FLOAT64, (struct shape){0}, &x);
	op_bench_output(&b, DTYPE_FLOAT64, SHAPE(1, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 1.5 && z[1] == 1.5 && z[2] == 1.5);
}

static void reshape_copies_strings(void **state)
{
	(void)state;
	const uint8_t x[] = {2, 0, 0, 0, 16, 0, 0, 0, 17, 0, 0, 0, 17, 0, 0, 0, 'a'};
	struct op_bench b;
	op_bench_init(&b, OP_RESHAPE);
	op_bench_strings(&b, SHAPE(2), x, sizeof(x));
	int32_t out = op_bench_given_strings(&b, SHAPE(2, 1));
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(b.values[out].shape.rank, 2);
	assert_int_equal(b.values[out].bytes, sizeof(x));
	assert_memory_equal(b.values[out].data, x, sizeof(x));
	b.values[0].bytes--;
	assert_int_equal(op_bench_run(&b), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tile_repeats_every_dimension),
		cmocka_unit_test(tile_of_eight_dimensions_works),
		cmocka_unit_test(tile_repeats_strings),
		cmocka_unit_test(fill_repeats_one_string_or_none),
		cmocka_unit_test(fill_repeats_numbers),
		cmocka_unit_test(reshape_copies_strings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
