/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

#define SCALAR ((struct shape){0})

static void sums_run_along_the_axis(void **state)
{
	(void)state;
	const int32_t x[6] = {1, 2, 3, INT32_MAX, 5, 6};
	int32_t axis = 1, z[6];
	struct op_bench b;
	op_bench_init(&b, OP_CUMSUM);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2, 3), x);
	op_bench_constant(&b, DTYPE_INT32, SCALAR, &axis);
	op_bench_output(&b, DTYPE_INT32, SHAPE(2, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	const int32_t rows[6] = {1, 3, 6, INT32_MAX, INT32_MIN + 4, INT32_MIN + 10};
	assert_memory_equal(z, rows, sizeof(z));
	axis = -2;
	b.node.options.cumsum.reverse = true;
	b.node.options.cumsum.exclusive = true;
	assert_int_equal(op_bench_run(&b), 0);
	const int32_t columns[6] = {INT32_MAX, 5, 6, 0, 0, 0};
	assert_memory_equal(z, columns, sizeof(z));
}

static void a_range_goes_on_over_tiles(void **state)
{
	(void)state;
	static int64_t z[40000];
	const int64_t start = -5, limit = 119995, step = 3;
	struct op_bench b;
	op_bench_init(&b, OP_RANGE);
	op_bench_constant(&b, DTYPE_INT64, SCALAR, &start);
	op_bench_constant(&b, DTYPE_INT64, SCALAR, &limit);
	op_bench_constant(&b, DTYPE_INT64, SCALAR, &step);
	op_bench_output(&b, DTYPE_INT64, SHAPE(40000), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == -5 && z[16384] == 49147 && z[39999] == 119992);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_run_along_the_axis),
		cmocka_unit_test(a_range_goes_on_over_tiles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
