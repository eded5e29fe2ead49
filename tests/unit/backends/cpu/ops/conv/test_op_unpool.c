/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "backends/cpu/op.h"
#include "backends/cpu/tiles.h"
#include "kernels/conv/window.h"
#include "tests/fakes/op_bench.h"

extern const struct cpu_op op_max_unpooling_2d;

static struct options_pool pool_2x2(uint8_t padding)
{
	return (struct options_pool){
		.stride_h = 2, .stride_w = 2, .filter_h = 2, .filter_w = 2, .padding = padding};
}

static void pooling_tells_the_place_in_the_window(void **state)
{
	(void)state;
	const float x[12] = {1, 2, 9, 3, 8, 4, 7, 5, 0, 0, 0, 6};
	float y[4], places[4];
	struct op_bench b;
	op_bench_init(&b, OP_MAX_POOLING_WITH_ARGMAX_2D);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 3, 4, 1), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 2, 2, 1), y);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 2, 2, 1), places);
	b.node.options.pool = pool_2x2(PADDING_SAME);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((float[]){8, 9, 0, 6}), sizeof(y));
	assert_memory_equal(places, ((float[]){2.1f, 0.1f, 0.1f, 1.1f}), sizeof(places));
	b.node.options.pool.activation = ACTIVATION_RELU6;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((float[]){6, 6, 0, 6}), sizeof(y));
}

static void pooling_tells_the_place_in_the_picture(void **state)
{
	(void)state;
	const float x[16] = {1, 5, 2, 6, 3, 7, NAN, 8, 9, 1, NAN, 2, 4, 3, NAN, 4};
	float y[4];
	int32_t places[4];
	struct op_bench b;
	op_bench_init(&b, OP_MAX_POOLING_WITH_ARGMAX_2D);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 2, 4, 2), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 2), y);
	op_bench_output(&b, DTYPE_INT32, SHAPE(1, 1, 2, 2), places);
	b.node.options.pool = pool_2x2(PADDING_VALID);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((float[]){9, 6, 4, 8}), sizeof(y));
	assert_memory_equal(places, ((int32_t[]){8, 3, 12, 7}), sizeof(places));
}

static void unpooling_puts_elements_back_into_their_windows(void **state)
{
	(void)state;
	const float x[2] = {5, 7};
	float places[2] = {2.1f, 1.1f}, y[8];
	struct op_bench b;
	op_bench_init(&b, OP_MAX_UNPOOLING_2D);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 1), x);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 1), places);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 2, 4, 1), y);
	b.node.options.pool = pool_2x2(PADDING_SAME);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((float[]){0, 0, 0, 7, 5, 0, 0, 0}), sizeof(y));
	places[0] = 99; /* what falls outside goes nowhere, as in the source */
	places[1] = NAN;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((float[8]){0}), sizeof(y));
	places[0] = -5;
	places[1] = INFINITY;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((float[8]){0}), sizeof(y));
}

static void unpooling_by_picture_checks_every_place(void **state)
{
	(void)state;
	const float x[4] = {1, 2, 3, 4};
	int32_t places[4] = {1, 7, 4, 4};
	float y[16];
	struct op_bench b;
	op_bench_init(&b, OP_MAX_UNPOOLING_2D);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 1, 1, 2), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2, 1, 1, 2), places);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 2, 2, 2), y);
	b.node.options.pool = pool_2x2(PADDING_SAME);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(
		y, ((float[16]){[1] = 1, [7] = 2, [12] = 4}), sizeof(y)); /* the later one stays */
	places[2] = 8;
	assert_int_equal(op_bench_run(&b), -EINVAL);
	assert_non_null(strstr(b.err.text, "element 0 is 8, must be below 8"));
	places[2] = -1;
	assert_int_equal(op_bench_run(&b), -EINVAL);
}

/* The backend looks at the control before it runs an operator: this is the operator alone. */
static void unpooling_is_cancelled_between_tiles(void **state)
{
	(void)state;
	enum {
		N = TILE_ELEMENTS + 1,
		TAIL = 4 * N - 1
	};
	static float x[N], y[4 * N];
	static int32_t places[N];
	const atomic_bool cancelled = true;
	const struct run_control control = {.cancelled = &cancelled};
	struct ek_window window = {.batch = 1};
	struct op_bench b;
	op_bench_init(&b, OP_MAX_UNPOOLING_2D);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, N, 1), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(1, 1, N, 1), places);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 2, 2 * N, 1), y);
	b.node.options.pool = pool_2x2(PADDING_SAME);
	x[0] = 5;
	x[N - 1] = 6;
	for (int32_t i = 0; i < N; i++) {
		places[i] = i;
	}
	places[N - 1] = TAIL;
	const struct op_call call = {.node = &b.node,
		.subgraph = &b.subgraph,
		.values = b.values,
		.control = &control,
		.state = &window};
	assert_int_equal(op_max_unpooling_2d.run(&call, &b.err), -ECANCELED);
	assert_true(y[0] == 5 && y[TAIL] == 0); /* the last element is the second tile */
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] == 5 && y[TAIL] == 6);
}

static void transposed_convolution_adds_its_bias(void **state)
{
	(void)state;
	const float x[2] = {1, 10}, weights[3] = {1, 2, 3}, bias[1] = {0.5f};
	float y[5];
	struct op_bench b;
	op_bench_init(&b, OP_CONVOLUTION_2D_TRANSPOSE_BIAS);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 1), x);
	op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(1, 1, 3, 1), weights);
	op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(1), bias);
	int32_t out = op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1, 5, 1), y);
	b.node.options.conv = (struct options_conv){
		.stride_h = 1, .stride_w = 2, .padding = PADDING_VALID, .dilation_h = 1};
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((float[]){1.5f, 2.5f, 13.5f, 20.5f, 30.5f}), sizeof(y));
	b.node.options.conv.padding = PADDING_SAME; /* one column less, at the end */
	b.shapes[out] = b.values[out].shape = SHAPE(1, 1, 4, 1);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((float[]){1.5f, 2.5f, 13.5f, 20.5f}), 4 * sizeof(y[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pooling_tells_the_place_in_the_window),
		cmocka_unit_test(pooling_tells_the_place_in_the_picture),
		cmocka_unit_test(unpooling_puts_elements_back_into_their_windows),
		cmocka_unit_test(unpooling_by_picture_checks_every_place),
		cmocka_unit_test(unpooling_is_cancelled_between_tiles),
		cmocka_unit_test(transposed_convolution_adds_its_bias),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
