/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

/* Two planes of two pixels, one tap in depth and width each; SAME keeps the size. */
static void taps_reach_into_the_next_plane(void **state)
{
	(void)state;
	const float x[] = {1, 2, 3, 4}; /* depth 2, height 1, width 2 */
	const float w[] = {1, 100, 10, 1000}; /* two taps in depth, two channels */
	const float bias[] = {0.5f, 0};
	const float want[] = {31.5f, 3100, 42.5f, 4200, 3.5f, 300, 4.5f, 400};
	float z[8];
	struct op_bench b;
	op_bench_init(&b, OP_CONV_3D);
	b.node.options.conv_3d = (struct options_conv_3d){.stride_d = 1,
		.stride_h = 1,
		.stride_w = 1,
		.dilation_d = 1,
		.dilation_h = 1,
		.dilation_w = 1};
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 2, 1, 2, 1), x);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 1, 1, 1, 2), w);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2), bias);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 2, 1, 2, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 8; i++) {
		assert_true(z[i] == want[i]);
	}
}

static void one_channel_is_a_dot_product_and_is_clamped(void **state)
{
	(void)state;
	const float x[] = {1, 2, -3, 4, -5, 6}, w[] = {1, 10, 100};
	float z[2];
	struct op_bench b;
	op_bench_init(&b, OP_CONV_3D);
	b.node.options.conv_3d = (struct options_conv_3d){.stride_d = 1,
		.stride_h = 1,
		.stride_w = 1,
		.dilation_d = 1,
		.dilation_h = 1,
		.dilation_w = 1,
		.padding = PADDING_VALID,
		.activation = ACTIVATION_RELU};
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 2, 1, 1, 3), x);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 1, 3, 1), w);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 2, 1, 1, 1), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 0 && z[1] == 554);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taps_reach_into_the_next_plane),
		cmocka_unit_test(one_channel_is_a_dot_product_and_is_clamped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
