/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

/* 65538 * 32767 is just below 2^31; the half that rounds it leaves int32, and wraps. */
static void average_of_a_window_beyond_2_to_16_wraps(void **state)
{
	(void)state;
	static int16_t x[198 * 331];
	int16_t z = 0;
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++) {
		x[i] = INT16_MAX;
	}
	struct op_bench b;
	op_bench_init(&b, OP_AVERAGE_POOL_2D);
	b.node.options.pool = (struct options_pool){
		.stride_h = 1, .stride_w = 1, .filter_h = 198, .filter_w = 331};
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(1, 198, 331, 1), x), 1, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT16, SHAPE(1, 1, 1, 1), &z), 1, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z, -32766);
}

/* Roots of (9 + 16) / 2 and, where only one lies inside, of 16. */
static void l2_pool_leaves_padding_out(void **state)
{
	(void)state;
	const float x[] = {3, -4};
	float z[2];
	struct op_bench b;
	op_bench_init(&b, OP_L2_POOL_2D);
	b.node.options.pool =
		(struct options_pool){.stride_h = 1, .stride_w = 1, .filter_h = 1, .filter_w = 2};
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 1), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 1), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] > 3.535533f && z[0] < 3.535535f);
	assert_true(z[1] == 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(l2_pool_leaves_padding_out),
		cmocka_unit_test(average_of_a_window_beyond_2_to_16_wraps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
