/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/backends.h"
#include "engine/run/call_frame.h"
#include "engine/run/copy.h"
#include "tests/fakes/session_bench.h"

#define LONG 100000 /* elements: 400,000 bytes */

static uint64_t looks; /* at the control: time goes on by one at each */

uint64_t __wrap_clock_now_ns(void);

uint64_t __wrap_clock_now_ns(void)
{
	return ++looks;
}

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

enum {
	BLOCKS =
		5, /* of COPY_AT_ONCE: a variable that is copied with a look before each but the first */
	BIG = BLOCKS << 18 /* elements */
};

/* Adds x to a variable, and the sum is the answer. */
static struct session_bench *new_sum(void)
{
	struct session_bench *bench = session_bench_new();
	struct graph_builder *b = &bench->parts[0];
	int32_t x = graph_builder_input(b, DTYPE_INT32, SHAPE(1));
	int32_t v = graph_builder_variable(b, DTYPE_INT32, SHAPE(BIG));
	int32_t sum = graph_builder_tensor(b, DTYPE_INT32, SHAPE(BIG));
	graph_builder_node(b, OP_ADD, x, v, sum);
	graph_builder_node(b, OP_ADD, x, sum, v);
	graph_builder_output(b, sum);
	assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
	BENCH_SET_INTS(bench, 0, 1);
	return bench;
}

/* What the last element was before the run. */
static int32_t run_sum(struct session_bench *bench)
{
	uint64_t bytes = 0;
	assert_int_equal(session_run(bench->session, NULL, NULL), 0);
	return ((const int32_t *)session_output(bench->session, 0, &bytes))[BIG - 1] - 1;
}

/* Whatever the look at which it is given up. */
static void a_large_variable_is_as_before_a_run_that_is_given_up(void **state)
{
	(void)state;
	struct session_bench *bench = new_sum();
	struct run_control control = {.deadline_ns = UINT64_MAX};
	struct error err = {0};
	assert_int_equal(run_sum(bench), 0);
	looks = 0;
	assert_int_equal(session_run(bench->session, &control, NULL), 0);
	const uint64_t all = looks;
	assert_in_range(all, BLOCKS - 1 + 2, UINT64_MAX); /* and before each node */
	for (uint64_t last = 2; last <= all; last++) {
		looks = 0;
		control.deadline_ns = last - 1;
		assert_int_equal(session_run(bench->session, &control, &err), -ETIMEDOUT);
		assert_int_equal(looks, last);
	}
	assert_int_equal(run_sum(bench), 4);
	session_bench_finish(bench);
}

/* A frame of one variable, and a run-time tensor. */
struct fixture {
	struct graph_builder builder;
	struct heap heap;
	struct call_frame frame;
};

static struct fixture *new_fixture_of(int32_t elements)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	graph_builder_init(&f->builder);
	int32_t x = graph_builder_input(&f->builder, DTYPE_INT32, SHAPE(elements));
	int32_t times = graph_builder_input(&f->builder, DTYPE_INT32, SHAPE(1));
	int32_t v = graph_builder_variable(&f->builder, DTYPE_INT32, SHAPE(elements));
	int32_t y = graph_builder_tensor(&f->builder, DTYPE_INT32, SHAPE(-1));
	graph_builder_node(&f->builder, OP_ADD, x, x, v);
	graph_builder_node(&f->builder, OP_TILE, x, times, y);
	graph_builder_output(&f->builder, y);
	graph_builder_output(&f->builder, v);
	f->heap.limit = 64 << 20;
	f->frame = (struct call_frame){.heap = &f->heap, .subgraph = &f->builder.subgraph};
	return f;
}

static struct fixture *new_fixture(void)
{
	return new_fixture_of(2);
}

static struct plan *new_plan(struct fixture *f)
{
	const struct plan_request request = {
		.graph = &f->builder.graph,
		.backends = backends_builtin(),
		.max_arena_bytes = 64 << 20,
		.max_prepared_bytes = 1 << 20,
		.max_macs = 10000000,
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
	assert_int_equal(call_frame_attach(&f->frame, new_plan(f), NULL), 0);
	const struct value two = {numbers, 8, SHAPE(2)}, three = {numbers, 12, SHAPE(3)};
	assert_int_equal(call_frame_put(&f->frame, 2, &two, NULL), 0);
	assert_memory_equal(f->frame.variables.data, numbers, 8);
	assert_int_equal(call_frame_put(&f->frame, 2, &three, &err), -EINVAL);
	assert_string_equal(err.text, "tensor 2: came out in the shape 3");
	assert_int_equal(call_frame_put(&f->frame, 3, &three, NULL), 0);
	assert_memory_equal(f->frame.values[3].data, numbers, 12);
	assert_int_equal(f->frame.values[3].shape.dim[0], 3);
	assert_int_equal(call_frame_put(&f->frame, 3, &two, NULL), 0); /* the first is released */
	assert_int_equal(f->heap.n_cells, 1);
	call_frame_clear(&f->frame);
	assert_int_equal(f->heap.n_cells, 0);
	assert_null(f->frame.values[3].data);
	call_frame_deinit(&f->frame);
	heap_deinit(&f->heap);
	free(f);
}

static void filling_reaches_all_but_variables(void **state)
{
	(void)state;
	struct fixture *f = new_fixture();
	int32_t numbers[] = {1, 2, 3};
	const struct value two = {numbers, 8, SHAPE(2)}, three = {numbers, 12, SHAPE(3)};
	assert_int_equal(call_frame_attach(&f->frame, new_plan(f), NULL), 0);
	memset(f->frame.arena.data, 7, f->frame.arena.bytes);
	assert_int_equal(call_frame_put(&f->frame, 2, &two, NULL), 0);
	assert_int_equal(call_frame_put(&f->frame, 3, &three, NULL), 0);
	assert_int_equal(call_frame_save(&f->frame, NULL, NULL), 0);
	call_frame_settle(&f->frame, true);
	call_frame_fill(&f->frame, 0);
	assert_int_equal(f->heap.n_cells, 0);
	assert_null(f->frame.values[3].data);
	for (size_t i = 0; i < f->frame.arena.bytes; i++) {
		assert_int_equal(f->frame.arena.data[i], 0);
	}
	for (size_t i = 0; i < f->frame.saved.bytes; i++) {
		assert_int_equal(f->frame.saved.data[i], 0);
	}
	assert_memory_equal(f->frame.variables.data, numbers, 8);
	call_frame_deinit(&f->frame);
	heap_deinit(&f->heap);
	free(f);
}

/* Where nodes find the variable: a run that failed moves it. */
static int32_t *variable(struct fixture *f)
{
	assert_ptr_equal(f->frame.values[2].data, f->frame.variables.data);
	return f->frame.values[2].data;
}

static void a_run_that_failed_gives_variables_back(void **state)
{
	(void)state;
	struct fixture *f = new_fixture();
	assert_int_equal(call_frame_attach(&f->frame, new_plan(f), NULL), 0);
	*variable(f) = 5;
	assert_int_equal(call_frame_save(&f->frame, NULL, NULL), 0);
	*variable(f) = 6;
	/* The run comes here again: nothing new. */
	assert_int_equal(call_frame_save(&f->frame, NULL, NULL), 0);
	call_frame_settle(&f->frame, false);
	assert_int_equal(*variable(f), 5);
	assert_int_equal(call_frame_save(&f->frame, NULL, NULL), 0);
	*variable(f) = 7;
	call_frame_settle(&f->frame, true);
	call_frame_settle(&f->frame, false); /* of a run that has not come here */
	assert_int_equal(*variable(f), 7);
	assert_int_equal(call_frame_reset(&f->frame, NULL, NULL), 0);
	assert_int_equal(*variable(f), 0);
	call_frame_deinit(&f->frame);
	heap_deinit(&f->heap);
	free(f);
}

static void saving_a_large_variable_looks_between_blocks(void **state)
{
	(void)state;
	struct fixture *f = new_fixture_of(BIG);
	struct run_control control = {.deadline_ns = 2};
	assert_int_equal(call_frame_attach(&f->frame, new_plan(f), NULL), 0);
	const uint64_t between = (f->frame.variables.bytes - 1) / COPY_AT_ONCE;
	assert_in_range(between, BLOCKS - 1, BLOCKS);
	variable(f)[BIG - 1] = 5;
	looks = 0;
	assert_int_equal(call_frame_save(&f->frame, &control, NULL), -ETIMEDOUT);
	assert_int_equal(looks, 3);
	call_frame_settle(&f->frame, false); /* nothing was saved */
	assert_int_equal(variable(f)[BIG - 1], 5);
	looks = 0;
	control.deadline_ns = UINT64_MAX;
	assert_int_equal(call_frame_save(&f->frame, &control, NULL), 0);
	assert_int_equal(looks, between);
	variable(f)[BIG - 1] = 6;
	call_frame_settle(&f->frame, false);
	assert_int_equal(looks, between);
	assert_int_equal(variable(f)[BIG - 1], 5);
	call_frame_deinit(&f->frame);
	heap_deinit(&f->heap);
	free(f);
}

static void resetting_a_large_variable_looks_between_blocks(void **state)
{
	(void)state;
	struct fixture *f = new_fixture_of(BIG);
	struct run_control control = {.deadline_ns = 2};
	struct error err = {0};
	assert_int_equal(call_frame_attach(&f->frame, new_plan(f), NULL), 0);
	const uint64_t between = (f->frame.variables.bytes - 1) / COPY_AT_ONCE;
	variable(f)[BIG - 1] = 5;
	looks = 0;
	assert_int_equal(call_frame_reset(&f->frame, &control, &err), -ETIMEDOUT);
	assert_int_equal(looks, 3);
	assert_string_equal(err.text, "given up while a tensor was set");
	assert_int_equal(variable(f)[BIG - 1], 5);
	looks = 0;
	control.deadline_ns = UINT64_MAX;
	assert_int_equal(call_frame_reset(&f->frame, &control, NULL), 0);
	assert_in_range(looks, between, UINT64_MAX);
	assert_int_equal(variable(f)[BIG - 1], 0);
	call_frame_deinit(&f->frame);
	heap_deinit(&f->heap);
	free(f);
}

static void a_large_value_is_put_with_looks_between_blocks(void **state)
{
	(void)state;
	struct fixture *f = new_fixture_of(BIG);
	struct run_control control = {.deadline_ns = 1};
	int32_t *numbers = calloc(BIG, sizeof(*numbers));
	const struct value value = {numbers, 4 * (uint64_t)BIG, SHAPE(BIG)};
	assert_non_null(numbers);
	numbers[BIG - 1] = 8;
	assert_int_equal(call_frame_attach(&f->frame, new_plan(f), NULL), 0);
	assert_int_equal(call_frame_save(&f->frame, &control, NULL), -ETIMEDOUT);
	looks = 0;
	assert_int_equal(call_frame_put(&f->frame, 2, &value, NULL), -ETIMEDOUT);
	assert_int_equal(looks, 2);
	call_frame_settle(&f->frame, false);
	assert_int_equal(call_frame_put(&f->frame, 2, &value, NULL), 0); /* of no run */
	assert_int_equal(looks, 2);
	assert_int_equal(variable(f)[BIG - 1], 8);
	call_frame_deinit(&f->frame);
	heap_deinit(&f->heap);
	free(numbers);
	free(f);
}

static void another_plan_leaves_variables_and_the_charge_is_exact(void **state)
{
	(void)state;
	struct fixture *f = new_fixture();
	assert_int_equal(call_frame_attach(&f->frame, new_plan(f), NULL), 0);
	uint64_t charged = f->heap.charged;
	((int32_t *)f->frame.variables.data)[1] = 9;
	assert_int_equal(call_frame_attach(&f->frame, new_plan(f), NULL), 0);
	assert_int_equal(((int32_t *)f->frame.variables.data)[1], 9);
	assert_int_equal(f->heap.charged, charged);
	f->heap.limit = charged - 1;
	assert_int_equal(call_frame_attach(&f->frame, new_plan(f), NULL), -EFBIG);
	assert_int_equal(f->heap.charged, charged);
	call_frame_rest(&f->frame);
	assert_int_equal(((int32_t *)f->frame.variables.data)[1], 9);
	assert_true(f->heap.charged < charged);
	call_frame_deinit(&f->frame);
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
		cmocka_unit_test(filling_reaches_all_but_variables),
		cmocka_unit_test(a_large_variable_is_as_before_a_run_that_is_given_up),
		cmocka_unit_test(a_run_that_failed_gives_variables_back),
		cmocka_unit_test(saving_a_large_variable_looks_between_blocks),
		cmocka_unit_test(resetting_a_large_variable_looks_between_blocks),
		cmocka_unit_test(a_large_value_is_put_with_looks_between_blocks),
		cmocka_unit_test(another_plan_leaves_variables_and_the_charge_is_exact),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
