/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/backends.h"
#include "engine/run/frame.h"
#include "tests/fakes/session_bench.h"

#define LONG 100000 /* elements: 400,000 bytes */

/* x -> x + x, its answer in the arena, in each of @n subgraphs. */
static struct session_bench *new_doubles(int n)
{
	struct session_bench *bench = session_bench_new();
	for (int i = 0; i < n; i++) {
		struct graph_builder *b = &bench->parts[i];
		int32_t x = graph_builder_input(b, DTYPE_INT32, SHAPE(LONG));
		int32_t y = graph_builder_tensor(b, DTYPE_INT32, SHAPE(LONG));
		graph_builder_node(b, OP_ADD, x, x, y);
		graph_builder_output(b, y);
	}
	return bench;
}

static void idle_arenas_make_room_for_the_one_that_runs(void **state)
{
	(void)state;
	struct session_bench *bench = new_doubles(3);
	struct error err = {0};
	bench->plans.max_arena_bytes = 900000; /* of an arena and an input, or of two arenas */
	assert_int_equal(session_bench_start(bench, 3, 3, NULL), 0);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 3; i++) {
			uint64_t bytes = 0;
			assert_int_equal(session_enter(bench->session, i, &err), 0);
			int32_t *x = session_input(bench->session, 0, &bytes);
			x[LONG - 1] = (int32_t)i + 1;
			assert_int_equal(session_run(bench->session, NULL, &err), 0);
			const int32_t *y = session_output(bench->session, 0, &bytes);
			assert_int_equal(y[LONG - 1], 2 * (i + 1));
		}
	}
	session_bench_finish(bench);
}

static void another_arena_of_the_same_size_takes_the_place_of_the_first(void **state)
{
	(void)state;
	struct session_bench *bench = new_doubles(1);
	const struct shape other = SHAPE(LONG - 10);
	bench->plans.max_arena_bytes = 900000;
	assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(session_resize(bench->session, 0, &other, NULL), 0);
		assert_int_equal(session_run(bench->session, NULL, NULL), 0);
		assert_int_equal(session_resize(bench->session, 0, &SHAPE(LONG), NULL), 0);
		assert_int_equal(session_run(bench->session, NULL, NULL), 0);
	}
	session_bench_finish(bench);
}

static void what_called_subgraphs_take_counts_when_the_plan_is_made(void **state)
{
	(void)state;
	struct session_bench *bench = new_doubles(2);
	struct error err = {0};
	struct node *node = &bench->parts[0].nodes[0];
	node->op = OP_CALL;
	node->n_inputs = 1;
	node->options.table = OPTIONS_CALL;
	node->options.call.first = 1;
	bench->plans.max_arena_bytes = 900000;
	assert_int_equal(session_bench_start(bench, 2, 1, &err), -EFBIG);
	assert_string_equal(err.text,
		"subgraph 0: a session takes 1200000 bytes of arena, variables and inputs, the "
		"limit is 900000");
	session_bench_finish(bench);
}

/* A frame of one variable of 2 int32, and a run-time tensor. */
struct fixture {
	struct graph_builder builder;
	struct heap heap;
	struct frame frame;
};

static struct fixture *new_fixture(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	graph_builder_init(&f->builder);
	int32_t x = graph_builder_input(&f->builder, DTYPE_INT32, SHAPE(2));
	int32_t times = graph_builder_input(&f->builder, DTYPE_INT32, SHAPE(1));
	int32_t v = graph_builder_variable(&f->builder, DTYPE_INT32, SHAPE(2));
	int32_t y = graph_builder_tensor(&f->builder, DTYPE_INT32, SHAPE(-1));
	graph_builder_node(&f->builder, OP_ADD, x, x, v);
	graph_builder_node(&f->builder, OP_TILE, x, times, y);
	graph_builder_output(&f->builder, y);
	graph_builder_output(&f->builder, v);
	f->heap.limit = 1 << 20;
	f->frame = (struct frame){.heap = &f->heap, .subgraph = &f->builder.subgraph};
	return f;
}

static struct plan *new_plan(struct fixture *f)
{
	const struct plan_request request = {
		.graph = &f->builder.graph,
		.backends = backends_builtin(),
		.max_arena_bytes = 1 << 20,
		.max_prepared_bytes = 1 << 20,
		.max_macs = 1000000,
	};
	struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	return plan;
}

static void a_value_goes_where_its_tensor_lies_or_is_refused(void **state)
{
	(void)state;
	struct fixture *f = new_fixture();
	struct error err = {0};
	int32_t numbers[] = {1, 2, 3};
	assert_int_equal(frame_attach(&f->frame, new_plan(f), NULL), 0);
	const struct value two = {numbers, 8, SHAPE(2)}, three = {numbers, 12, SHAPE(3)};
	assert_int_equal(frame_put(&f->frame, 2, &two, NULL), 0);
	assert_memory_equal(f->frame.variables.data, numbers, 8);
	assert_int_equal(frame_put(&f->frame, 2, &three, &err), -EINVAL);
	assert_string_equal(err.text, "tensor 2: came out in the shape 3");
	assert_int_equal(frame_put(&f->frame, 3, &three, NULL), 0);
	assert_memory_equal(f->frame.values[3].data, numbers, 12);
	assert_int_equal(f->frame.values[3].shape.dim[0], 3);
	assert_int_equal(frame_put(&f->frame, 3, &two, NULL), 0); /* the first is released */
	assert_int_equal(f->heap.n_cells, 1);
	frame_clear(&f->frame);
	assert_int_equal(f->heap.n_cells, 0);
	assert_null(f->frame.values[3].data);
	frame_deinit(&f->frame);
	heap_deinit(&f->heap);
	free(f);
}

static void a_run_that_failed_gives_variables_back(void **state)
{
	(void)state;
	struct fixture *f = new_fixture();
	int32_t *v;
	assert_int_equal(frame_attach(&f->frame, new_plan(f), NULL), 0);
	v = (int32_t *)f->frame.variables.data;
	v[0] = 5;
	frame_save(&f->frame);
	v[0] = 6;
	frame_save(&f->frame); /* the run comes here again: nothing new */
	frame_settle(&f->frame, false);
	assert_int_equal(v[0], 5);
	frame_save(&f->frame);
	v[0] = 7;
	frame_settle(&f->frame, true);
	frame_settle(&f->frame, false); /* of a run that has not come here */
	assert_int_equal(v[0], 7);
	frame_reset(&f->frame);
	assert_int_equal(v[0], 0);
	frame_deinit(&f->frame);
	heap_deinit(&f->heap);
	free(f);
}

static void another_plan_leaves_variables_and_the_charge_is_exact(void **state)
{
	(void)state;
	struct fixture *f = new_fixture();
	assert_int_equal(frame_attach(&f->frame, new_plan(f), NULL), 0);
	uint64_t charged = f->heap.charged;
	((int32_t *)f->frame.variables.data)[1] = 9;
	assert_int_equal(frame_attach(&f->frame, new_plan(f), NULL), 0);
	assert_int_equal(((int32_t *)f->frame.variables.data)[1], 9);
	assert_int_equal(f->heap.charged, charged);
	f->heap.limit = charged - 1;
	assert_int_equal(frame_attach(&f->frame, new_plan(f), NULL), -EFBIG);
	assert_int_equal(f->heap.charged, charged);
	frame_rest(&f->frame);
	assert_int_equal(((int32_t *)f->frame.variables.data)[1], 9);
	assert_true(f->heap.charged < charged);
	frame_deinit(&f->frame);
	assert_int_equal(f->heap.charged, 0);
	heap_deinit(&f->heap);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_arenas_make_room_for_the_one_that_runs),
		cmocka_unit_test(another_arena_of_the_same_size_takes_the_place_of_the_first),
		cmocka_unit_test(what_called_subgraphs_take_counts_when_the_plan_is_made),
		cmocka_unit_test(a_value_goes_where_its_tensor_lies_or_is_refused),
		cmocka_unit_test(a_run_that_failed_gives_variables_back),
		cmocka_unit_test(another_plan_leaves_variables_and_the_charge_is_exact),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
