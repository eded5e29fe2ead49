/* SPDX-License-Identifier: Apache-2.0 */
/* Long work of one tile of an output looks at the control often enough. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "kernels/math/fingerprint.h"
#include "tests/fakes/looks.h"

#define SLOW_PRODUCTS 131072 /* of kernels in plain C, between two looks */

static uint32_t next(uint32_t *random)
{
	return *random = *random * 1664525u + 1013904223u;
}

/* A picture with a large window in one channel, whose weights are of the run. */
static void depthwise_of_one_channel_looks_at_the_clock(void **state)
{
	(void)state;
	enum {
		SIDE = 128,
		TAPS = 31,
		OUT = SIDE - TAPS + 1
	};
	static int8_t x[SIDE * SIDE], z[OUT * OUT], weights[TAPS * TAPS];
	const int32_t bias = 77;
	const uint64_t products = (uint64_t)OUT * OUT * TAPS * TAPS;
	uint32_t random = 1;
	struct op_bench b;
	for (int i = 0; i < SIDE * SIDE; i++) {
		x[i] = (int8_t)(next(&random) >> 24);
	}
	for (int i = 0; i < TAPS * TAPS; i++) {
		weights[i] = (int8_t)(next(&random) >> 24);
	}
	op_bench_init(&b, OP_DEPTHWISE_CONV_2D);
	b.node.options.conv = (struct options_conv){.padding = PADDING_VALID,
		.stride_h = 1,
		.stride_w = 1,
		.dilation_h = 1,
		.dilation_w = 1,
		.depth_multiplier = 1};
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, SIDE, SIDE, 1), x), 0.5f, 3);
	op_bench_scale(
		&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, TAPS, TAPS, 1), weights), 0.25f, 0);
	op_bench_input(&b, DTYPE_INT32, SHAPE(1), &bias);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(1, OUT, OUT, 1), z), 8192, -5);
	looks_run(&b, products / SLOW_PRODUCTS);
	for (int at = 0; at < OUT * OUT; at += 997) {
		int64_t sum = bias;
		for (int k = 0; k < TAPS * TAPS; k++) {
			sum += weights[k] *
				(x[(at / OUT + k / TAPS) * SIDE + at % OUT + k % TAPS] - 3);
		}
		const double want = (double)sum * 0.125 / 8192 - 5;
		assert_true((double)z[at] - want <= 0.5 && want - (double)z[at] <= 0.5);
	}
}

/* Vector kernels leave such shapes to plain C. */
static void depthwise_with_a_multiplier_looks_at_the_clock(void **state)
{
	(void)state;
	enum {
		SIDE = 128,
		TAPS = 3,
		OUT = SIDE - TAPS + 1,
		CHANNELS = 32
	};
	static int8_t x[SIDE * SIDE * CHANNELS / 2], z[OUT * OUT * CHANNELS];
	static const int8_t weights[TAPS * TAPS * CHANNELS] = {1, 2, 3};
	const int32_t bias[CHANNELS] = {0};
	struct op_bench b;
	memset(x, 10, sizeof(x));
	op_bench_init(&b, OP_DEPTHWISE_CONV_2D);
	b.node.options.conv = (struct options_conv){
		.stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1};
	op_bench_scale(
		&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, SIDE, SIDE, CHANNELS / 2), x), 1, 0);
	op_bench_scale(&b,
		op_bench_constant(&b, DTYPE_INT8, SHAPE(1, TAPS, TAPS, CHANNELS), weights), 1, 0);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(CHANNELS), bias);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(1, OUT, OUT, CHANNELS), z), 1, 0);
	looks_run(&b, sizeof(z) * TAPS * TAPS / SLOW_PRODUCTS);
	for (size_t i = 0; i < sizeof(z); i++) {
		assert_int_equal(z[i], 10 * weights[i % CHANNELS]);
	}
}

/* A picture of 10s, and a filter of 3 x 3 that sees @depth channels. */
static void conv_looks(int32_t side, int32_t in_c, int32_t depth, int32_t out_c, uint64_t work)
{
	static int8_t x[256 * 256 * 16], z[256 * 256 * 16], weights[16 * 9 * 16];
	static const int32_t bias[16] = {0};
	const int32_t out = side - 2;
	const uint64_t products = (uint64_t)(out * out) * (uint64_t)(out_c * 9 * depth);
	struct op_bench b;
	memset(x, 10, sizeof(x));
	memset(weights, 0, sizeof(weights));
	for (int32_t i = 0; i < out_c; i++) {
		weights[i * 9 * depth] = (int8_t)(i % 12);
	}
	op_bench_init(&b, OP_CONV_2D);
	b.node.options.conv = (struct options_conv){
		.stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1};
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, side, side, in_c), x), 1, 0);
	op_bench_scale(
		&b, op_bench_constant(&b, DTYPE_INT8, SHAPE(out_c, 3, 3, depth), weights), 1, 0);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(out_c), bias);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(1, out, out, out_c), z), 1, 0);
	looks_run(&b, products / work);
	for (int32_t i = 0; i < out * out * out_c; i++) {
		assert_int_equal(z[i], 10 * (i % out_c % 12));
	}
}

/* Plain C, whatever the kernel. */
static void conv_of_groups_looks_at_the_clock(void **state)
{
	(void)state;
	conv_looks(128, 16, 2, 16, SLOW_PRODUCTS);
}

/* Vector kernels make more channels than there are. */
static void conv_to_one_channel_looks_at_the_clock(void **state)
{
	(void)state;
	conv_looks(256, 16, 16, 1, 1 << 21);
}

/* One item of 8 MB, which is hashed with two seeds. */
static void projection_of_a_long_item_looks_at_the_clock(void **state)
{
	(void)state;
	const int32_t n = 2 << 20;
	const float seeds[2] = {0.5f, -3};
	int32_t *item = malloc((size_t)n * 4), bits[2] = {7, 7};
	char *key = malloc((size_t)n * 4 + 4);
	uint32_t random = 1;
	struct op_bench b;
	assert_true(item && key);
	for (int32_t i = 0; i < n; i++) {
		item[i] = (int32_t)next(&random);
	}
	op_bench_init(&b, OP_LSH_PROJECTION);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 1), seeds);
	op_bench_input(&b, DTYPE_INT32, SHAPE(1, n), item);
	op_bench_output(&b, DTYPE_INT32, SHAPE(2), bits);
	b.node.options.lsh.type = 2; /* dense */
	looks_run(&b, 50); /* for each seed 8 MB are copied and hashed, at most 640 KB at a time */
	for (int i = 0; i < 2; i++) {
		memcpy(key, &seeds[i], 4);
		memcpy(key + 4, item, (size_t)n * 4);
		const int64_t hash = (int64_t)ek_fingerprint64(key, (size_t)n * 4 + 4);
		assert_int_equal(bits[i], hash > 0);
	}
	free(item);
	free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(depthwise_of_one_channel_looks_at_the_clock),
		cmocka_unit_test(depthwise_with_a_multiplier_looks_at_the_clock),
		cmocka_unit_test(conv_of_groups_looks_at_the_clock),
		cmocka_unit_test(conv_to_one_channel_looks_at_the_clock),
		cmocka_unit_test(projection_of_a_long_item_looks_at_the_clock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
