/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

/* Exponent -1: divisors 1 + 2 * (sum of the squares of the channel before and the channel). */
static void the_upper_neighbour_does_not_count(void **state)
{
	(void)state;
	const float x[] = {1, 2, 3, 0, 1, 0};
	const float want[] = {1.0f / 3, 2.0f / 11, 3.0f / 27, 0, 1.0f / 3, 0};
	float z[6];
	struct op_bench b;
	op_bench_init(&b, OP_LOCAL_RESPONSE_NORMALIZATION);
	b.node.options.lrn = (struct options_lrn){.radius = 1, .bias = 1, .alpha = 2, .beta = 1};
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 3), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 6; i++) {
		assert_true(fabsf(z[i] - want[i]) < 1e-6f);
	}
}

static void a_radius_beyond_the_pixel_takes_all_of_it(void **state)
{
	(void)state;
	const float x[] = {1, 2, 3};
	float z[3];
	struct op_bench b;
	op_bench_init(&b, OP_LOCAL_RESPONSE_NORMALIZATION);
	b.node.options.lrn =
		(struct options_lrn){.radius = INT32_MAX, .bias = 2, .alpha = 1, .beta = 0.5f};
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 1, 3), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1, 1, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 3; i++) {
		assert_true(fabsf(z[i] - x[i] / 4) < 1e-6f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_upper_neighbour_does_not_count),
		cmocka_unit_test(a_radius_beyond_the_pixel_takes_all_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
