/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void pack_puts_inputs_side_by_side(void **state)
{
	(void)state;
	const uint32_t x[2] = {1, 2}, y[2] = {3, 4}, rows[4] = {1, 2, 3, 4},
		       columns[4] = {1, 3, 2, 4};
	uint32_t z[4];
	struct op_bench b;
	op_bench_init(&b, OP_PACK);
	op_bench_input(&b, DTYPE_UINT32, SHAPE(2), x);
	op_bench_input(&b, DTYPE_UINT32, SHAPE(2), y);
	op_bench_output(&b, DTYPE_UINT32, SHAPE(2, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, rows, sizeof(rows));
	b.node.options.axis.axis = -1;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, columns, sizeof(columns));
}

static void unpack_takes_them_apart(void **state)
{
	(void)state;
	const bool x[6] = {true, false, true, false, false, true};
	bool y[2], z[2], w[2];
	struct op_bench b;
	op_bench_init(&b, OP_UNPACK);
	b.node.options.axis.axis = 1;
	op_bench_input(&b, DTYPE_BOOL, SHAPE(2, 3), x);
	op_bench_output(&b, DTYPE_BOOL, SHAPE(2), y);
	op_bench_output(&b, DTYPE_BOOL, SHAPE(2), z);
	op_bench_output(&b, DTYPE_BOOL, SHAPE(2), w);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] && !y[1] && !z[0] && !z[1] && w[0] && w[1]);
}

static void shape_and_rank_look_at_no_element(void **state)
{
	(void)state;
	int64_t shape[3] = {0};
	int32_t narrow[3] = {0}, rank = 0;
	struct op_bench b;
	op_bench_init(&b, OP_SHAPE);
	op_bench_strings(&b, SHAPE(5, 0, 7), NULL, 0);
	op_bench_output(&b, DTYPE_INT64, SHAPE(3), shape);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(shape[0] == 5 && shape[1] == 0 && shape[2] == 7);
	b.tensors[1].type = DTYPE_INT32;
	b.values[1].data = narrow;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(narrow[0] == 5 && narrow[1] == 0 && narrow[2] == 7);
	b.node.op = OP_RANK;
	b.values[1].data = &rank;
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(rank, 3);
}

/* A row of 3 pixels of one int16 and one more value to @n columns. */
static void resized(struct options_resize options, int32_t n, const int16_t *want)
{
	const int16_t x[6] = {0, 10, 1, 11, 2, 12};
	const int32_t size[2] = {1, n};
	int16_t z[16];
	struct op_bench b;
	op_bench_init(&b, OP_RESIZE_NEAREST_NEIGHBOR);
	b.node.options.resize = options;
	op_bench_input(&b, DTYPE_INT16, SHAPE(1, 1, 3, 2), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), size);
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
	const int32_t size[2] = {3, 1};
	uint8_t z[6];
	struct op_bench b;
	op_bench_init(&b, OP_RESIZE_NEAREST_NEIGHBOR);
	op_bench_input(&b, DTYPE_UINT8, SHAPE(2, 2, 1, 1), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), size);
	op_bench_output(&b, DTYPE_UINT8, SHAPE(2, 3, 1, 1), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pack_puts_inputs_side_by_side),
		cmocka_unit_test(unpack_takes_them_apart),
		cmocka_unit_test(shape_and_rank_look_at_no_element),
		cmocka_unit_test(nearest_neighbours_are_found_in_three_ways),
		cmocka_unit_test(nearest_neighbours_of_rows_stay_in_their_image),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
