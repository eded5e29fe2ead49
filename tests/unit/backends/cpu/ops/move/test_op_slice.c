/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void slice_cuts_a_box(void **state)
{
	(void)state;
	const int16_t x[6] = {0, 1, 2, 3, 4, 5}, want[2] = {1, 4};
	const int64_t begin[2] = {0, 1}, size[2] = {-1, 1};
	int16_t z[2];
	struct op_bench b;
	op_bench_init(&b, OP_SLICE);
	op_bench_input(&b, DTYPE_INT16, SHAPE(2, 3), x);
	op_bench_constant(&b, DTYPE_INT64, SHAPE(2), begin);
	op_bench_input(&b, DTYPE_INT64, SHAPE(2), size);
	op_bench_output(&b, DTYPE_INT16, SHAPE(2, 1), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void strided_slice_goes_backwards_over_strings(void **state)
{
	(void)state;
	/* "a", "bc", "" of which the last and the first are taken */
	const uint8_t x[] = {
		3, 0, 0, 0, 20, 0, 0, 0, 21, 0, 0, 0, 23, 0, 0, 0, 23, 0, 0, 0, 'a', 'b', 'c'};
	const uint8_t want[] = {2, 0, 0, 0, 16, 0, 0, 0, 16, 0, 0, 0, 17, 0, 0, 0, 'a'};
	const int32_t begin = 2, end = 0, stride = -2;
	struct op_bench b;
	op_bench_init(&b, OP_STRIDED_SLICE);
	b.node.options.strided_slice.end_mask = 1;
	op_bench_strings(&b, SHAPE(3), x, sizeof(x));
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &begin);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &end);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &stride);
	int32_t out = op_bench_given_strings(&b, SHAPE(2));
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(b.values[out].bytes, sizeof(want));
	assert_memory_equal(b.values[out].data, want, sizeof(want));
}

static void broken_tables_of_strings_are_an_error(void **state)
{
	(void)state;
	const uint8_t x[] = {1, 0, 0, 0, 12, 0, 0, 0, 99, 0, 0, 0, 'a'};
	const int32_t zero = 0, all = -1;
	struct op_bench b;
	op_bench_init(&b, OP_SLICE);
	op_bench_strings(&b, SHAPE(1), x, sizeof(x));
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &zero);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &all);
	op_bench_given_strings(&b, SHAPE(1));
	assert_int_equal(op_bench_run(&b), -EINVAL);
	assert_string_equal(b.err.text, "SLICE: input 0: strings: offset 1 is 99");
}

static void strided_slice_drops_and_adds_dimensions(void **state)
{
	(void)state;
	const uint8_t x[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, want[3] = {5, 4, 3};
	const int32_t begin[3] = {1, 0, 5}, end[3] = {0, 0, -4}, stride[3] = {1, 1, -1};
	uint8_t z[3];
	struct op_bench b;
	op_bench_init(&b, OP_STRIDED_SLICE);
	b.node.options.strided_slice = (struct options_strided_slice){
		.shrink_axis_mask = 1, .new_axis_mask = 2, .end_mask = 4};
	op_bench_input(&b, DTYPE_UINT8, SHAPE(4, 3), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(3), begin);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(3), end);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(3), stride);
	op_bench_output(&b, DTYPE_UINT8, SHAPE(1, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void reverse_turns_axes_round(void **state)
{
	(void)state;
	const int32_t x[8] = {0, 1, 2, 3, 4, 5, 6, 7}, want[8] = {3, 2, 1, 0, 7, 6, 5, 4};
	const int32_t axes[2] = {-1, 1};
	int32_t z[8];
	struct op_bench b;
	op_bench_init(&b, OP_REVERSE_V2);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2, 2, 2), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), axes);
	op_bench_output(&b, DTYPE_INT32, SHAPE(2, 2, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void reverse_sequence_turns_as_much_as_its_lengths_say(void **state)
{
	(void)state;
	const int64_t x[8] = {0, 1, 2, 3, 4, 5, 6, 7}, want[8] = {2, 1, 0, 3, 4, 5, 6, 7};
	int32_t lengths[2] = {3, 0};
	int64_t z[8];
	struct op_bench b;
	op_bench_init(&b, OP_REVERSE_SEQUENCE);
	b.node.options.reverse_sequence = (struct options_reverse_sequence){1, 0};
	op_bench_input(&b, DTYPE_INT64, SHAPE(2, 4), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), lengths);
	op_bench_output(&b, DTYPE_INT64, SHAPE(2, 4), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
	lengths[1] = 5;
	assert_int_equal(op_bench_run(&b), -EINVAL);
	assert_string_equal(b.err.text, "REVERSE_SEQUENCE: lengths[1] is 5, must be below 5");
	lengths[1] = -1;
	assert_int_equal(op_bench_run(&b), -EINVAL);
}

static void updates_are_moved_so_far_that_they_fit(void **state)
{
	(void)state;
	const float x[6] = {0, 1, 2, 3, 4, 5}, update[2] = {8, 9};
	const float low[6] = {8, 9, 2, 3, 4, 5}, high[6] = {0, 1, 2, 3, 8, 9};
	int64_t start[2] = {INT64_MIN, -1};
	float z[6];
	struct op_bench b;
	op_bench_init(&b, OP_DYNAMIC_UPDATE_SLICE);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 3), x);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 2), update);
	op_bench_input(&b, DTYPE_INT64, SHAPE(2), start);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, low, sizeof(low));
	start[0] = INT64_MAX;
	start[1] = 2;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, high, sizeof(high));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slice_cuts_a_box),
		cmocka_unit_test(strided_slice_goes_backwards_over_strings),
		cmocka_unit_test(broken_tables_of_strings_are_an_error),
		cmocka_unit_test(strided_slice_drops_and_adds_dimensions),
		cmocka_unit_test(reverse_turns_axes_round),
		cmocka_unit_test(reverse_sequence_turns_as_much_as_its_lengths_say),
		cmocka_unit_test(updates_are_moved_so_far_that_they_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
