/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/plan/cost.h"
#include "tests/fakes/session_bench.h"

static const int32_t shape_of_ten[] = {10};

/* x + x, reshaped; a sum of constants; as long as what @times says. */
static struct session_bench *new_bench(void)
{
	static const float numbers[10] = {1};
	struct session_bench *bench = session_bench_new();
	struct graph_builder *b = &bench->parts[0];
	int32_t x = graph_builder_input(b, DTYPE_FLOAT32, SHAPE(2, 5));
	int32_t times = graph_builder_input(b, DTYPE_INT32, SHAPE(1));
	int32_t sum = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(2, 5));
	int32_t row = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(10));
	int32_t c = graph_builder_constant(b, DTYPE_FLOAT32, SHAPE(10), numbers);
	int32_t folded = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(10));
	int32_t tiled = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(-1));
	graph_builder_node(b, OP_ADD, x, x, sum);
	graph_builder_node(b, OP_RESHAPE, sum,
		graph_builder_constant(b, DTYPE_INT32, SHAPE(1), shape_of_ten), row);
	graph_builder_node(b, OP_ADD, c, c, folded);
	graph_builder_node(b, OP_TILE, row, times, tiled);
	graph_builder_output(b, tiled);
	graph_builder_output(b, folded);
	assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
	return bench;
}

static void work_bytes_and_time_of_a_node(void **state)
{
	(void)state;
	struct session_bench *bench = new_bench();
	const struct subgraph_plan *part = plan_entered(bench->plans.declared[0]);
	struct cost sum = cost_of_node(part, 0, "add_f32__c"),
		    reshape = cost_of_node(part, 1, "cpu");
	assert_int_equal(sum.macs, 10);
	assert_int_equal(sum.bytes, 3 * 40);
	assert_true(sum.microseconds > 0.06 && sum.microseconds < 0.1);
	assert_int_equal(reshape.bytes, 40 + 4 + 40);
	assert_true(reshape.microseconds < sum.microseconds);
	session_bench_finish(bench);
}

/* A vector kernel takes a part of plain C's time; one that nobody has measured counts as plain C. */
static void the_kernel_decides_the_time(void **state)
{
	(void)state;
	static const float weights[64 * 64];
	struct session_bench *bench = session_bench_new();
	struct graph_builder *b = &bench->parts[0];
	int32_t x = graph_builder_input(b, DTYPE_FLOAT32, SHAPE(64, 64));
	int32_t y = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(64, 64));
	graph_builder_node(b, OP_FULLY_CONNECTED, x,
		graph_builder_constant(b, DTYPE_FLOAT32, SHAPE(64, 64), weights), y);
	graph_builder_output(b, y);
	assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
	const struct subgraph_plan *part = plan_entered(bench->plans.declared[0]);
	double plain = cost_of_node(part, 0, "matmul_f32__c").microseconds;
	double avx2 = cost_of_node(part, 0, "matmul_f32__avx2").microseconds;
	double avx512 = cost_of_node(part, 0, "matmul_f32__avx512vnni").microseconds;
	assert_true(avx512 < 0.7 * avx2 && avx2 < 0.5 * plain && avx512 > 0);
	assert_true(cost_of_node(part, 0, "matmul_f32__other").microseconds == plain);
	assert_true(cost_of_node(part, 0, "matmul_f32__neon").microseconds > avx2);
	session_bench_finish(bench);
}

static void what_was_folded_costs_nothing(void **state)
{
	(void)state;
	struct session_bench *bench = new_bench();
	struct cost folded = cost_of_node(plan_entered(bench->plans.declared[0]), 2, "folded");
	assert_true(folded.macs == 0 && folded.bytes == 0 && folded.microseconds == 0);
	session_bench_finish(bench);
}

static void each_operator_has_a_class(void **state)
{
	(void)state;
	assert_string_equal(cost_class_name(OP_CONV_2D), "multiply-accumulate");
	assert_string_equal(cost_class_name(OP_RESHAPE), "copy");
	assert_string_equal(cost_class_name(OP_TANH), "function");
	assert_string_equal(cost_class_name(OP_MAX_POOL_2D), "window");
	assert_string_equal(cost_class_name(OP_ADD), "element");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_bytes_and_time_of_a_node),
		cmocka_unit_test(the_kernel_decides_the_time),
		cmocka_unit_test(what_was_folded_costs_nothing),
		cmocka_unit_test(each_operator_has_a_class),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
