/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/steps.h"
#include "tests/fakes/session_bench.h"

#define MOST 8

struct told {
	struct edge_step steps[MOST];
	int n, stop_at; /* 0: never */
};

static int note(void *context, const struct edge_step *step)
{
	struct told *told = context;
	assert_in_range(told->n, 0, MOST - 1);
	told->steps[told->n++] = *step;
	return told->n == told->stop_at ? -ECANCELED : 0;
}

/* Subgraph 0 calls 1 twice; 1 doubles x as often as it likes and adds a folded constant. */
static struct session_bench *new_bench(void)
{
	static const int32_t one[] = {1};
	struct session_bench *bench = session_bench_new();
	struct graph_builder *main = &bench->parts[0], *called = &bench->parts[1];
	int32_t last = graph_builder_input(main, DTYPE_INT32, SHAPE(1));
	for (int i = 0; i < 2; i++) {
		int32_t y = graph_builder_tensor(main, DTYPE_INT32, SHAPE(1));
		struct node *node =
			graph_builder_wide_node(main, OP_CALL, OPERANDS(last), OPERANDS(y));
		node->options.table = OPTIONS_CALL;
		node->options.call.first = 1;
		last = y;
	}
	graph_builder_output(main, last);
	int32_t x = graph_builder_input(called, DTYPE_INT32, SHAPE(1));
	int32_t c = graph_builder_constant(called, DTYPE_INT32, SHAPE(1), one);
	int32_t two = graph_builder_tensor(called, DTYPE_INT32, SHAPE(1));
	int32_t sum = graph_builder_tensor(called, DTYPE_INT32, SHAPE(1));
	graph_builder_node(called, OP_ADD, c, c, two);
	graph_builder_node(called, OP_ADD, x, two, sum);
	graph_builder_output(called, sum);
	assert_int_equal(session_bench_start(bench, 2, 1, NULL), 0);
	return bench;
}

static void a_called_subgraph_follows_its_first_call(void **state)
{
	(void)state;
	static const char *const expected[] = {
		"0 0.0 CALL session", "1 1.0 ADD folded", "1 1.1 ADD cpu", "0 0.1 CALL session"};
	struct session_bench *bench = new_bench();
	struct told told = {0};
	assert_int_equal(steps_walk(bench->plans.declared[0], note, &told), 0);
	assert_int_equal(told.n, 4);
	for (int i = 0; i < told.n; i++) {
		const struct edge_step *s = &told.steps[i];
		char line[60];
		snprintf(line, sizeof(line), "%u %u.%u %s %s", s->depth, s->subgraph, s->node,
			s->op, s->detail);
		assert_string_equal(line, expected[i]);
	}
	assert_int_equal(told.steps[1].place, EDGE_PLACE_CONSTANT);
	assert_int_equal(told.steps[2].place, EDGE_PLACE_ARENA);
	assert_int_equal(told.steps[0].macs, 1); /* the callee's are told with the callee */
	session_bench_finish(bench);
}

static void whoever_is_told_may_end_it(void **state)
{
	(void)state;
	struct session_bench *bench = new_bench();
	struct told told = {.stop_at = 2};
	assert_int_equal(steps_walk(bench->plans.declared[0], note, &told), -ECANCELED);
	assert_int_equal(told.n, 2);
	session_bench_finish(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_called_subgraph_follows_its_first_call),
		cmocka_unit_test(whoever_is_told_may_end_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
