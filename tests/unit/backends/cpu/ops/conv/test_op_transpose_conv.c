/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

/* Stride 2 puts the filter 1 10 100 down at every other output. */
static void filters_are_put_down_by_strides_and_add_up(void **state)
{
	(void)state;
	const int32_t shape[] = {1, 1, 5, 1};
	const float w[] = {1, 10, 100}, x[] = {1, 2}, bias[] = {0.5f};
	const float want[] = {1.5f, 10.5f, 102.5f, 20.5f, 200.5f};
	float z[5];
	struct op_bench b;
	op_bench_init(&b, OP_TRANSPOSE_CONV);
	b.node.options.conv =
		(struct options_conv){.stride_h = 1, .stride_w = 2, .padding = PADDING_VALID};
	op_bench_constant(&b, DTYPE_INT32, SHAPE(4), shape);
	op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(1, 1, 3, 1), w);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 1), x);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1), bias);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1, 5, 1), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 5; i++) {
		assert_true(z[i] == want[i]);
	}
}

/* SAME padding of one at each end cuts the first and the last tap. */
static void padding_cuts_at_both_ends(void **state)
{
	(void)state;
	const int32_t shape[] = {1, 3, 1, 2};
	const int8_t w[] = {1, 2, 3, 0, 0, 5}; /* two channels, three taps */
	const int8_t x[] = {11, 12, 13};
	int8_t z[6];
	struct op_bench b;
	op_bench_init(&b, OP_TRANSPOSE_CONV);
	b.node.options.conv = (struct options_conv){.stride_h = 1, .stride_w = 1};
	op_bench_constant(&b, DTYPE_INT32, SHAPE(4), shape);
	op_bench_scale(&b, op_bench_constant(&b, DTYPE_INT8, SHAPE(2, 3, 1, 1), w), 1, 0);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, 3, 1, 1), x), 1, 10);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(1, 3, 1, 2), z), 1, -1);
	/* Values 1 2 3: channel 0 gives 2+2, 3+4+3, 6+6; channel 1 gives 0, 5, 10. */
	const int8_t want[] = {3, -1, 9, 4, 11, 9};
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void int16_with_the_bias_that_the_option_says(void **state)
{
	(void)state;
	const int32_t shape[] = {1, 1, 1, 1}, bias32 = 1000;
	const int64_t bias64 = (int64_t)1 << 33;
	const int8_t w[] = {100};
	const int16_t x[] = {300};
	for (int wide = 0; wide < 2; wide++) {
		int16_t z[1] = {0};
		struct op_bench b;
		op_bench_init(&b, OP_TRANSPOSE_CONV);
		b.node.options.conv = (struct options_conv){.stride_h = 1,
			.stride_w = 1,
			.quantized_bias_type = wide ? DTYPE_INT64 : DTYPE_INT32};
		op_bench_constant(&b, DTYPE_INT32, SHAPE(4), shape);
		op_bench_scale(&b, op_bench_constant(&b, DTYPE_INT8, SHAPE(1, 1, 1, 1), w), 1, 0);
		op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(1, 1, 1, 1), x), 1, 0);
		op_bench_constant(&b, wide ? DTYPE_INT64 : DTYPE_INT32, SHAPE(1),
			wide ? (const void *)&bias64 : &bias32);
		op_bench_scale(&b, op_bench_output(&b, DTYPE_INT16, SHAPE(1, 1, 1, 1), z),
			wide ? 1048576.0f : 2.0f, 0);
		assert_int_equal(op_bench_run(&b), 0);
		assert_int_equal(z[0], wide ? 8192 : 15500);
	}
}

static void uint8_weights_have_a_zero_point(void **state)
{
	(void)state;
	const int32_t shape[] = {1, 1, 1, 1};
	const uint8_t w[] = {7, 9}, x[] = {130, 120};
	uint8_t z[1];
	struct op_bench b;
	op_bench_init(&b, OP_TRANSPOSE_CONV);
	b.node.options.conv = (struct options_conv){.stride_h = 1, .stride_w = 1};
	op_bench_constant(&b, DTYPE_INT32, SHAPE(4), shape);
	op_bench_scale(&b, op_bench_constant(&b, DTYPE_UINT8, SHAPE(1, 1, 1, 2), w), 1, 10);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_UINT8, SHAPE(1, 1, 1, 2), x), 1, 125);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_UINT8, SHAPE(1, 1, 1, 1), z), 1, 100);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z[0], 100 - 3 * 5 + 1 * 5);
}

/* A plane apart in depth by dilation 2: output plane 1 is reached by no tap. */
static void three_dimensions_with_dilation(void **state)
{
	(void)state;
	const int32_t shape[] = {1, 3, 1, 1, 2};
	const float w[] = {1, 2, 10, 20}; /* two taps of two channels */
	const float x[] = {3};
	const float want[] = {3, 6, 0, 0, 30, 60};
	float z[6];
	struct op_bench b;
	op_bench_init(&b, OP_CONV_3D_TRANSPOSE);
	b.node.options.conv_3d = (struct options_conv_3d){.stride_d = 1,
		.stride_h = 1,
		.stride_w = 1,
		.dilation_d = 2,
		.dilation_h = 1,
		.dilation_w = 1,
		.padding = PADDING_VALID};
	op_bench_constant(&b, DTYPE_INT32, SHAPE(5), shape);
	op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(2, 1, 1, 2, 1), w);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 1, 1, 1), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 3, 1, 1, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 6; i++) {
		assert_true(z[i] == want[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_are_put_down_by_strides_and_add_up),
		cmocka_unit_test(padding_cuts_at_both_ends),
		cmocka_unit_test(int16_with_the_bias_that_the_option_says),
		cmocka_unit_test(uint8_weights_have_a_zero_point),
		cmocka_unit_test(three_dimensions_with_dilation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
