/* SPDX-License-Identifier: Apache-2.0 */
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

static void split_cuts_along_the_axis(void **state)
{
	(void)state;
	const int32_t axis = 1;
	const uint16_t x[8] = {0, 1, 2, 3, 4, 5, 6, 7};
	const uint16_t left[4] = {0, 1, 4, 5}, right[4] = {2, 3, 6, 7};
	uint16_t y[4], z[4];
	struct op_bench b;
	op_bench_init(&b, OP_SPLIT);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
	op_bench_input(&b, DTYPE_UINT16, SHAPE(2, 4), x);
	op_bench_output(&b, DTYPE_UINT16, SHAPE(2, 2), y);
	op_bench_output(&b, DTYPE_UINT16, SHAPE(2, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, left, sizeof(left));
	assert_memory_equal(z, right, sizeof(right));
}

static void split_v_has_parts_of_any_size(void **state)
{
	(void)state;
	const int32_t axis = -1, sizes[3] = {1, 0, 2};
	const int64_t x[6] = {1, 2, 3, 4, 5, 6}, last[4] = {2, 3, 5, 6};
	int64_t first[2], none[1], rest[4];
	struct op_bench b;
	op_bench_init(&b, OP_SPLIT_V);
	op_bench_input(&b, DTYPE_INT64, SHAPE(2, 3), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(3), sizes);
	op_bench_constant(&b, DTYPE_INT32, (struct shape){0}, &axis);
	op_bench_output(&b, DTYPE_INT64, SHAPE(2, 1), first);
	op_bench_output(&b, DTYPE_INT64, SHAPE(2, 0), none);
	op_bench_output(&b, DTYPE_INT64, SHAPE(2, 2), rest);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(first[0] == 1 && first[1] == 4);
	assert_memory_equal(rest, last, sizeof(last));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pack_puts_inputs_side_by_side),
		cmocka_unit_test(unpack_takes_them_apart),
		cmocka_unit_test(shape_and_rank_look_at_no_element),
		cmocka_unit_test(split_cuts_along_the_axis),
		cmocka_unit_test(split_v_has_parts_of_any_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
