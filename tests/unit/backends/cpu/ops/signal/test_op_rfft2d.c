/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void run(struct shape in, const float *x, const int32_t *lengths, struct shape out, float *z)
{
	struct op_bench b;
	op_bench_init(&b, OP_RFFT2D);
	op_bench_input(&b, DTYPE_FLOAT32, in, x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), lengths);
	op_bench_output(&b, DTYPE_COMPLEX64, out, z);
	assert_int_equal(op_bench_run(&b), 0);
}

static void pictures_are_cut_and_filled_up(void **state)
{
	(void)state;
	const int32_t lengths[] = {2, 4};
	/* Of each 3x3 picture the first two rows count, and a column of zeros follows. */
	const float x[] = {1, 0, 0, 0, 2, 0, 9, 9, 9, 0, 0, 1, 0, 0, 0, 9, 9, 9};
	const float want[] = {3, 0, 1, -2, -1, 0, -1, 0, 1, 2, 3, 0, /* */
		1, 0, -1, 0, 1, 0, 1, 0, -1, 0, 1, 0};
	float z[24];
	run(SHAPE(2, 3, 3), x, lengths, SHAPE(2, 2, 3), z);
	for (int i = 0; i < 24; i++) {
		assert_true(fabsf(z[i] - want[i]) < 1e-6f);
	}
}

/* What the reference gives, which leaves the columns of such pictures as they are. */
static void width_one_is_mirrored(void **state)
{
	(void)state;
	const int32_t lengths[] = {4, 1};
	const float x[] = {1, 2, 3, 6};
	const float want[] = {1, -1, 4, -4, 3, 0, 4, 4};
	float z[8];
	run(SHAPE(4, 1), x, lengths, SHAPE(4, 1), z);
	for (int i = 0; i < 8; i++) {
		assert_true(z[i] == want[i]);
	}
}

static void no_rows_are_all_zeros(void **state)
{
	(void)state;
	const int32_t lengths[] = {1, 2};
	float z[4] = {7, 7, 7, 7};
	run(SHAPE(0, 5), z, lengths, SHAPE(1, 2), z);
	for (int i = 0; i < 4; i++) {
		assert_true(z[i] == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pictures_are_cut_and_filled_up),
		cmocka_unit_test(width_one_is_mirrored),
		cmocka_unit_test(no_rows_are_all_zeros),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
