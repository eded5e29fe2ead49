/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static const int32_t size[2] = {3, 3};

static void int8_weights_have_10_bits(void **state)
{
	(void)state;
	const int8_t x[4] = {0, 100, -100, 120};
	/* scale (2 * 1024 + 1) / 3 = 683: 0, 0.667, 1.334 of two pixels */
	const int8_t want[9] = {0, 67, 100, -67, 53, 113, -100, 47, 120};
	int8_t z[9];
	struct op_bench b;
	op_bench_init(&b, OP_RESIZE_BILINEAR);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, 2, 2, 1), x), 1, 0);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), size);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(1, 3, 3, 1), z), 1, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void corners_align(void **state)
{
	(void)state;
	const float x[4] = {0, 4, 8, 12};
	const float want[9] = {0, 2, 4, 4, 6, 8, 8, 10, 12};
	float z[9];
	struct op_bench b;
	op_bench_init(&b, OP_RESIZE_BILINEAR);
	b.node.options.resize.align_corners = true;
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 2, 2, 1), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), size);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 3, 3, 1), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

/* The rounded scale of a much larger result leads beyond the last row; nothing is read there (the
 * sanitizers would tell) and the last row is continued. */
static void large_result_stays_inside_the_source(void **state)
{
	(void)state;
	const int8_t x[2] = {10, 10};
	static int8_t z[3000];
	struct op_bench b;
	op_bench_init(&b, OP_RESIZE_BILINEAR);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, 2, 1, 1), x), 1, 0);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), size);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(1, 3000, 1, 1), z), 1, 0);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(z[i], 10);
	}
}

/* Rows that are cut into tiles; both rows of the source are the same. */
static void long_rows_are_computed_in_pieces(void **state)
{
	(void)state;
	static float z[2 * 12000];
	const float x[4] = {0, 12000, 0, 12000};
	const int32_t target[2] = {2, 12000};
	struct op_bench b;
	op_bench_init(&b, OP_RESIZE_BILINEAR);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 2, 2, 1), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), target);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 2, 12000, 1), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 12000; i++) {
		float want = i < 6000 ? 2.0f * (float)i : 12000;
		assert_true(fabsf(z[i] - want) < 1 && z[12000 + i] == z[i]);
	}
}

/* A row of 3 pixels of one int16 and one more value to @n columns. */
static void resized(struct options_resize options, int32_t n, const int16_t *want)
{
	const int16_t x[6] = {0, 10, 1, 11, 2, 12};
	const int32_t target[2] = {1, n};
	int16_t z[16];
	struct op_bench b;
	op_bench_init(&b, OP_RESIZE_NEAREST_NEIGHBOR);
	b.node.options.resize = options;
	op_bench_input(&b, DTYPE_INT16, SHAPE(1, 1, 3, 2), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), target);
	op_bench_output(&b, DTYPE_INT16, SHAPE(1, 1, n, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int32_t i = 0; i < n; i++) {
		assert_int_equal(z[2 * i], want[i]);
		assert_int_equal(z[2 * i + 1], want[i] + 10);
	}
}

static void nearest_neighbours_are_found_in_three_ways(void **state)
{
	(void)state;
	resized((struct options_resize){0}, 5, (const int16_t[]){0, 0, 1, 1, 2});
	resized((struct options_resize){.align_corners = true}, 5,
		(const int16_t[]){0, 1, 1, 2, 2}); /* 0.5 and 1.5 away from zero */
	resized((struct options_resize){.half_pixel_centers = true}, 2, (const int16_t[]){0, 2});
	resized((struct options_resize){.align_corners = true}, 1, (const int16_t[]){0});
}

static void nearest_neighbours_of_rows_stay_in_their_image(void **state)
{
	(void)state;
	const uint8_t x[4] = {1, 2, 3, 4}, want[6] = {1, 1, 2, 3, 3, 4};
	const int32_t target[2] = {3, 1};
	uint8_t z[6];
	struct op_bench b;
	op_bench_init(&b, OP_RESIZE_NEAREST_NEIGHBOR);
	op_bench_input(&b, DTYPE_UINT8, SHAPE(2, 2, 1, 1), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), target);
	op_bench_output(&b, DTYPE_UINT8, SHAPE(2, 3, 1, 1), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(int8_weights_have_10_bits),
		cmocka_unit_test(corners_align),
		cmocka_unit_test(large_result_stays_inside_the_source),
		cmocka_unit_test(long_rows_are_computed_in_pieces),
		cmocka_unit_test(nearest_neighbours_are_found_in_three_ways),
		cmocka_unit_test(nearest_neighbours_of_rows_stay_in_their_image),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
