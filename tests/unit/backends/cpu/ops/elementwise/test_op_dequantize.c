/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "tests/fakes/op_bench.h"

static void each_channel_has_its_scale_and_zero_point(void **state)
{
	(void)state;
	static const float scales[2] = {2, 0.5f};
	static const int64_t zeros[2] = {0, 10};
	const int8_t x[4] = {1, 12, -3, 8};
	float z[4];
	struct op_bench b;
	op_bench_init(&b, OP_DEQUANTIZE);
	int32_t in = op_bench_input(&b, DTYPE_INT8, SHAPE(2, 2), x);
	b.tensors[in].quant = (struct quant){.scale = scales,
		.n_scales = 2,
		.zero_point = (const uint8_t *)zeros,
		.n_zero_points = 2,
		.dimension = 1};
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 2 && z[1] == 1 && z[2] == -6 && z[3] == -1);
}

/* Channels that start and end within a tile. */
static void channels_take_turns_in_long_tensors(void **state)
{
	(void)state;
	static int8_t x[4000 * 3 * 5];
	static float z[4000 * 3 * 5];
	const float scales[3] = {1, 2, 4};
	for (int i = 0; i < 60000; i++) {
		x[i] = (int8_t)(i % 100);
	}
	struct op_bench b;
	op_bench_init(&b, OP_DEQUANTIZE);
	int32_t in = op_bench_input(&b, DTYPE_INT8, SHAPE(4000, 3, 5), x);
	b.tensors[in].quant = (struct quant){.scale = scales, .n_scales = 3, .dimension = 1};
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(4000, 3, 5), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 60000; i++) {
		assert_true(z[i] == (float)(i % 100) * scales[i / 5 % 3]);
	}
}

static void int4_is_unpacked(void **state)
{
	(void)state;
	const uint8_t x[2] = {0x8f, 0x07}; /* -1, -8, 7 */
	float z[3];
	struct op_bench b;
	op_bench_init(&b, OP_DEQUANTIZE);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT4, SHAPE(3), x), 0.5f, 0);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == -0.5f && z[1] == -4 && z[2] == 3.5f);
}

static void half_precision_is_widened_exactly(void **state)
{
	(void)state;
	/* 1, the smallest subnormal, the largest one, -infinity, NaN, -0 */
	const uint16_t x[6] = {0x3c00, 0x0001, 0x03ff, 0xfc00, 0x7e01, 0x8000};
	float z[6];
	struct op_bench b;
	op_bench_init(&b, OP_DEQUANTIZE);
	op_bench_input(&b, DTYPE_FLOAT16, SHAPE(6), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(6), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 1 && z[1] == 0x1p-24f && z[2] == 0x1.ff8p-15f);
	assert_true(z[3] == -INFINITY && isnan(z[4]) && z[5] == 0 && signbit(z[5]));
}

static int verify(struct op_bench *b, float tolerance, bool strict, float *z)
{
	static const uint8_t x[3] = {10, 12, 30};
	static const float reference[3] = {0, 1.25f, 9};
	op_bench_init(b, OP_NUMERIC_VERIFY);
	b->node.options.numeric_verify.tolerance = tolerance;
	b->node.options.numeric_verify.log_if_failed = strict;
	op_bench_scale(b, op_bench_input(b, DTYPE_UINT8, SHAPE(3), x), 0.5f, 10);
	op_bench_input(b, DTYPE_FLOAT32, SHAPE(3), reference);
	op_bench_output(b, DTYPE_FLOAT32, SHAPE(3), z);
	return op_bench_run(b);
}

static void verification_gives_the_difference(void **state)
{
	(void)state;
	float z[3];
	struct op_bench b;
	assert_int_equal(verify(&b, 0.5f, false, z), 0);
	assert_true(z[0] == 0 && z[1] == -0.25f && z[2] == 1);
	assert_int_equal(verify(&b, 2, true, z), 0);
	assert_true(z[2] == 1);
}

static void verification_ends_a_run_that_is_too_far_off(void **state)
{
	(void)state;
	float z[3];
	struct op_bench b;
	assert_int_equal(verify(&b, 1, true, z), -EINVAL);
	assert_non_null(strstr(b.err.text, "element 2 is 1 off, at most 0.5"));
	assert_int_equal(verify(&b, 0.05f, true, z), 0); /* so small a tolerance is not meant */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_channel_has_its_scale_and_zero_point),
		cmocka_unit_test(channels_take_turns_in_long_tensors),
		cmocka_unit_test(int4_is_unpacked),
		cmocka_unit_test(half_precision_is_widened_exactly),
		cmocka_unit_test(verification_gives_the_difference),
		cmocka_unit_test(verification_ends_a_run_that_is_too_far_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
