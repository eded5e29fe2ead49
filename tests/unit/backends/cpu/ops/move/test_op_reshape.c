/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/fakes/op_bench.h"

static void transpose_moves_elements_of_every_width(void **state)
{
	(void)state;
	static const enum dtype types[5] = {
		DTYPE_INT8, DTYPE_FLOAT16, DTYPE_INT32, DTYPE_COMPLEX64, DTYPE_COMPLEX128};
	const int32_t perm[3] = {2, 0, 1};
	for (int k = 0; k < 5; k++) {
		size_t width = (size_t)1 << k;
		uint8_t x[24 * 16] = {0}, z[24 * 16] = {0};
		for (uint8_t i = 0; i < 24; i++) {
			x[i * width] = i;
		}
		struct op_bench b;
		op_bench_init(&b, OP_TRANSPOSE);
		op_bench_input(&b, types[k], SHAPE(2, 3, 4), x);
		op_bench_constant(&b, DTYPE_INT32, SHAPE(3), perm);
		op_bench_output(&b, types[k], SHAPE(4, 2, 3), z);
		assert_int_equal(op_bench_run(&b), 0);
		for (int i = 0; i < 24; i++) { /* z[c][a][b] = x[a][b][c] */
			int c = i / 6, ab = i % 6;
			assert_int_equal(z[(size_t)i * width], ab * 4 + c);
		}
	}
}

static void transpose_moves_nibbles(void **state)
{
	(void)state;
	const int32_t perm[2] = {1, 0};
	const uint8_t x[3] = {0x21, 0x43, 0x65}, want[3] = {0x41, 0x52, 0x63};
	uint8_t z[3];
	struct op_bench b;
	op_bench_init(&b, OP_TRANSPOSE);
	op_bench_input(&b, DTYPE_INT4, SHAPE(2, 3), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), perm);
	op_bench_output(&b, DTYPE_INT4, SHAPE(3, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void axis_that_is_there_twice_is_an_error(void **state)
{
	(void)state;
	const int32_t perm[2] = {0, 0};
	const int8_t x[4] = {0};
	int8_t z[4];
	struct op_bench b;
	op_bench_init(&b, OP_TRANSPOSE);
	op_bench_input(&b, DTYPE_INT8, SHAPE(2, 2), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), perm);
	op_bench_output(&b, DTYPE_INT8, SHAPE(2, 2), z);
	assert_int_equal(op_bench_run(&b), -EINVAL);
}

static void reshape_copies_or_stays_in_place(void **state)
{
	(void)state;
	double x[4] = {1, 2, 3, 4}, z[4] = {0};
	struct op_bench b;
	op_bench_init(&b, OP_RESHAPE);
	op_bench_input(&b, DTYPE_FLOAT64, SHAPE(4), x);
	int32_t out = op_bench_output(&b, DTYPE_FLOAT64, SHAPE(2, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, x, sizeof(x));
	b.values[out].data = x;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(x[3] == 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transpose_moves_elements_of_every_width),
		cmocka_unit_test(transpose_moves_nibbles),
		cmocka_unit_test(axis_that_is_there_twice_is_an_error),
		cmocka_unit_test(reshape_copies_or_stays_in_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
