/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static struct options_list list(const int64_t *values, uint32_t n)
{
	return (struct options_list){(const uint8_t *)values, n};
}

/* A graph beside the bench's own, of one operator. */
struct with_body {
	struct op_bench b;
	struct subgraph graphs[2];
	struct node body;
};

static void init(struct with_body *w, enum op body, const int64_t *window, uint32_t rank)
{
	op_bench_init(&w->b, OP_STABLEHLO_REDUCE_WINDOW);
	w->body = (struct node){.op = (uint16_t)body, .n_inputs = 2};
	w->graphs[1] = (struct subgraph){.nodes = &w->body, .n_nodes = 1};
	w->b.graph = (struct graph){.subgraphs = w->graphs, .n_subgraphs = 2};
	w->b.node.options.hlo_reduce_window.window = list(window, rank);
	w->b.node.options.hlo_reduce_window.body = 1;
}

/* The init value lies between the elements and around them. */
static void gaps_and_padding_hold_the_init_value(void **state)
{
	(void)state;
	const int64_t window[] = {2}, base[] = {2}, padding[] = {1, 0};
	const int32_t x[] = {1, 2, 3}, init_value = 100;
	int32_t z[5];
	struct with_body w;
	init(&w, OP_ADD, window, 1);
	w.b.node.options.hlo_reduce_window.base_dilations = list(base, 1);
	w.b.node.options.hlo_reduce_window.padding = list(padding, 2);
	op_bench_input(&w.b, DTYPE_INT32, SHAPE(3), x);
	op_bench_input(&w.b, DTYPE_INT32, (struct shape){0}, &init_value);
	op_bench_output(&w.b, DTYPE_INT32, SHAPE(5), z);
	/* Padded and dilated: 100 1 100 2 100 3, of which two each on top of 100. */
	const int32_t want[] = {201, 201, 202, 202, 203};
	assert_int_equal(op_bench_run(&w.b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

/* The last dimension is not slid along: its rows are folded at once. */
static void rows_that_stand_still_are_folded_together(void **state)
{
	(void)state;
	const int64_t window[] = {2, 1}, strides[] = {2, 1}, dilations[] = {3, 1};
	const int8_t x[] = {1, -2, 3, 4, 5, -6, 7, 8, -9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
	const int8_t init_value = 0;
	int8_t z[6];
	struct with_body w;
	init(&w, OP_STABLEHLO_MINIMUM, window, 2);
	w.b.node.options.hlo_reduce_window.strides = list(strides, 2);
	w.b.node.options.hlo_reduce_window.window_dilations = list(dilations, 2);
	op_bench_input(&w.b, DTYPE_INT8, SHAPE(6, 3), x);
	op_bench_input(&w.b, DTYPE_INT8, (struct shape){0}, &init_value);
	op_bench_output(&w.b, DTYPE_INT8, SHAPE(2, 3), z);
	const int8_t want[] = {0, -2, 0, 0, 0, -9};
	assert_int_equal(op_bench_run(&w.b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

/* Where one of the two is NaN, the element wins over what was there. */
static void nan_is_the_last_word_until_a_number_follows(void **state)
{
	(void)state;
	const int64_t window[] = {2};
	const float x[] = {1, NAN, 2, 0}, init_value = 0;
	float z[3];
	struct with_body w;
	init(&w, OP_STABLEHLO_MAXIMUM, window, 1);
	op_bench_input(&w.b, DTYPE_FLOAT32, SHAPE(4), x);
	op_bench_input(&w.b, DTYPE_FLOAT32, (struct shape){0}, &init_value);
	op_bench_output(&w.b, DTYPE_FLOAT32, SHAPE(3), z);
	assert_int_equal(op_bench_run(&w.b), 0);
	assert_true(isnan(z[0]) && z[1] == 2 && z[2] == 2);
}

static void functions_of_reduce_window_by_number(void **state)
{
	(void)state;
	static const uint16_t want[][2] = {{0}, {10, 9}, {24, 18}, {1, 1}, {4, 3}, {1, 1}, {1, 1}};
	const int64_t window[] = {2}, strides[] = {1}, dilations[] = {1};
	const uint16_t x[] = {4, 3, 3}, one[] = {1};
	for (int32_t f = 1; f <= 6; f++) {
		const uint16_t three[] = {3}, *init_value = f == 1 ? three : one;
		uint16_t z[2];
		struct op_bench b;
		op_bench_init(&b, OP_REDUCE_WINDOW);
		b.node.options.reduce_window.function = f;
		op_bench_input(&b, DTYPE_UINT16, SHAPE(3), x);
		op_bench_input(&b, DTYPE_UINT16, (struct shape){0},
			f == 2 ? (const uint16_t[]){2} : init_value);
		op_bench_constant(&b, DTYPE_INT64, SHAPE(1), window);
		op_bench_constant(&b, DTYPE_INT64, SHAPE(1), strides);
		op_bench_constant(&b, DTYPE_INT64, SHAPE(1), dilations);
		op_bench_output(&b, DTYPE_UINT16, SHAPE(2), z);
		assert_int_equal(op_bench_run(&b), 0);
		assert_memory_equal(z, want[f], sizeof(z));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gaps_and_padding_hold_the_init_value),
		cmocka_unit_test(rows_that_stand_still_are_folded_together),
		cmocka_unit_test(nan_is_the_last_word_until_a_number_follows),
		cmocka_unit_test(functions_of_reduce_window_by_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
