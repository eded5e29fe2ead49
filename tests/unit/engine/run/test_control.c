/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fakes/session_bench.h"

static const int32_t ONE[] = {1}, TWO[] = {2}, TEN[] = {10};

static int32_t number_in(struct graph_builder *b)
{
	return graph_builder_input(b, DTYPE_INT32, SHAPE(1));
}

static int32_t number(struct graph_builder *b)
{
	return graph_builder_tensor(b, DTYPE_INT32, SHAPE(1));
}

static int32_t constant(struct graph_builder *b, const int32_t *value)
{
	return graph_builder_constant(b, DTYPE_INT32, SHAPE(1), value);
}

static int32_t sum(struct graph_builder *b, int32_t x, int32_t y)
{
	int32_t out = number(b);
	graph_builder_node(b, OP_ADD, x, y, out);
	return out;
}

static void set_calls(struct node *node, uint16_t table, int32_t first, int32_t second)
{
	node->options.table = table;
	node->options.call.first = first;
	node->options.call.second = second;
}

/* Part 0: WHILE over (i, a, b), of which i is given. Part 1: i < 10. The body is the test's. */
static void build_loop(struct session_bench *bench)
{
	struct graph_builder *main = &bench->parts[0], *cond = &bench->parts[1];
	struct operands in = {3, {number_in(main), number_in(main), number_in(main)}};
	struct operands out = {3, {number(main), number(main), number(main)}};
	set_calls(graph_builder_wide_node(main, OP_WHILE, in, out), OPTIONS_WHILE, 1, 2);
	for (int i = 0; i < 3; i++) {
		graph_builder_output(main, out.tensors[i]);
	}
	int32_t i = number_in(cond), less = graph_builder_tensor(cond, DTYPE_BOOL, SHAPE(1));
	(void)number_in(cond);
	(void)number_in(cond);
	graph_builder_node(cond, OP_LESS, i, constant(cond, TEN), less);
	graph_builder_output(cond, less);
}

/* (i, a, b) becomes (i + 1, b, a + b): what enters a round leaves it in another place. */
static void build_fibonacci(struct session_bench *bench)
{
	build_loop(bench);
	struct graph_builder *body = &bench->parts[2];
	int32_t i = number_in(body), a = number_in(body), b = number_in(body);
	graph_builder_output(body, sum(body, i, constant(body, ONE)));
	graph_builder_output(body, b);
	graph_builder_output(body, sum(body, a, b));
}

static void set_numbers(struct session_bench *bench, int32_t i, int32_t a, int32_t b)
{
	BENCH_SET_INTS(bench, 0, i);
	BENCH_SET_INTS(bench, 1, a);
	BENCH_SET_INTS(bench, 2, b);
}

static void a_loop_carries_what_its_body_gives_in_any_order(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	build_fibonacci(bench);
	assert_int_equal(session_bench_start(bench, 3, 1, NULL), 0);
	for (int run = 0; run < 2; run++) {
		set_numbers(bench, 0, 0, 1);
		assert_int_equal(session_run(bench->session, NULL, NULL), 0);
		BENCH_EXPECT_INTS(bench, 0, 10);
		BENCH_EXPECT_INTS(bench, 1, 55);
		BENCH_EXPECT_INTS(bench, 2, 89);
	}
	set_numbers(bench, 10, 4, 5); /* no round at all */
	assert_int_equal(session_run(bench->session, NULL, NULL), 0);
	BENCH_EXPECT_INTS(bench, 1, 4);
	BENCH_EXPECT_INTS(bench, 2, 5);
	session_bench_finish(bench);
}

static void assert_run_fails(
	struct session_bench *bench, const struct run_control *control, int code, const char *text)
{
	struct error err = {0};
	assert_int_equal(session_run(bench->session, control, &err), code);
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.text, text));
}

static void a_loop_without_end_is_stopped_and_the_session_goes_on(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	const struct run_control late = {.deadline_ns = 1};
	build_fibonacci(bench);
	bench->plans.max_loops = 1000;
	assert_int_equal(session_bench_start(bench, 3, 1, NULL), 0);
	set_numbers(bench, -2000, 0, 0);
	assert_run_fails(bench, NULL, -ETIMEDOUT, "loops have gone round 1000 times");
	set_numbers(bench, 8, 1, 1);
	assert_run_fails(bench, &late, -ETIMEDOUT, "");
	assert_int_equal(session_run(bench->session, NULL, NULL), 0);
	BENCH_EXPECT_INTS(bench, 2, 3);
	session_bench_finish(bench);
}

static void each_round_counts_as_work_of_the_run(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	build_fibonacci(bench);
	bench->plans.max_macs = 100000;
	assert_int_equal(session_bench_start(bench, 3, 1, NULL), 0);
	set_numbers(bench, 0, 0, 1);
	assert_int_equal(session_run(bench->session, NULL, NULL), 0);
	set_numbers(bench, -10000, 0, 1);
	assert_run_fails(bench, NULL, -ETIMEDOUT, "the run takes more than 100000");
	set_numbers(bench, 9, 0, 1);
	assert_int_equal(session_run(bench->session, NULL, NULL), 0);
	session_bench_finish(bench);
}

/* What comes out as bytes must not go in as numbers of four bytes in the next round. */
static void a_loop_that_changes_a_type_is_refused(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct error err = {0};
	build_loop(bench);
	struct graph_builder *body = &bench->parts[2];
	int32_t i = number_in(body), a = number_in(body), b = number_in(body);
	int32_t narrow = graph_builder_tensor(body, DTYPE_INT8, SHAPE(1));
	graph_builder_node(body, OP_CAST, a, TENSOR_NONE, narrow);
	graph_builder_output(body, sum(body, i, constant(body, ONE)));
	graph_builder_output(body, narrow);
	graph_builder_output(body, b);
	bench->parts[0].tensors[4].type = DTYPE_INT8;
	assert_int_equal(session_bench_start(bench, 3, 1, &err), -EBADMSG);
	assert_string_equal(
		err.text, "subgraph 0, node 0 (WHILE v1): input 1 is int32, output 1 is int8");
	session_bench_finish(bench);
}

/* Part 2 gives a tensor twice as long in each round: no shape is known before the run. */
static void a_loop_may_change_shapes(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	build_loop(bench);
	struct graph_builder *body = &bench->parts[2];
	int32_t i = number_in(body), a = number_in(body), b = number_in(body);
	int32_t twice = graph_builder_tensor(body, DTYPE_INT32, SHAPE(2));
	graph_builder_node(body, OP_TILE, a, constant(body, TWO), twice);
	graph_builder_output(body, sum(body, i, constant(body, ONE)));
	graph_builder_output(body, twice);
	graph_builder_output(body, b);
	assert_int_equal(session_bench_start(bench, 3, 1, NULL), 0);
	set_numbers(bench, 8, 7, 9);
	for (int run = 0; run < 2; run++) {
		assert_int_equal(session_run(bench->session, NULL, NULL), 0);
		BENCH_EXPECT_INTS(bench, 0, 10);
		BENCH_EXPECT_INTS(bench, 1, 7, 7, 7, 7);
		BENCH_EXPECT_INTS(bench, 2, 9);
	}
	session_bench_finish(bench);
}

/* Part 0: IF over (condition, x). Part 1: x twice. Part 2: x as it came. */
static void build_if(struct session_bench *bench)
{
	struct graph_builder *main = &bench->parts[0];
	int32_t condition = graph_builder_input(main, DTYPE_BOOL, SHAPE(1));
	int32_t x = number_in(main), y = number(main);
	set_calls(graph_builder_wide_node(main, OP_IF, OPERANDS(condition, x), OPERANDS(y)),
		OPTIONS_IF, 1, 2);
	graph_builder_output(main, y);
	struct graph_builder *then = &bench->parts[1], *otherwise = &bench->parts[2];
	int32_t twice = graph_builder_tensor(then, DTYPE_INT32, SHAPE(2));
	graph_builder_node(then, OP_TILE, number_in(then), constant(then, TWO), twice);
	graph_builder_output(then, twice);
	graph_builder_output(otherwise, number_in(otherwise));
}

static void set_condition(struct session_bench *bench, bool condition)
{
	uint64_t bytes = 0;
	bool *data = session_input(bench->session, 0, &bytes);
	assert_non_null(data);
	assert_int_equal(bytes, 1);
	*data = condition;
}

static void branches_may_give_other_shapes(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	build_if(bench);
	assert_int_equal(session_bench_start(bench, 3, 1, NULL), 0);
	assert_int_equal(plan_entered(bench->plans.declared[0])->tensors[2].place, PLACE_RUN_TIME);
	BENCH_SET_INTS(bench, 1, 6);
	set_condition(bench, true);
	assert_int_equal(session_run(bench->session, NULL, NULL), 0);
	BENCH_EXPECT_INTS(bench, 0, 6, 6);
	set_condition(bench, false);
	assert_int_equal(session_run(bench->session, NULL, NULL), 0);
	BENCH_EXPECT_INTS(bench, 0, 6);
	session_bench_finish(bench);
}

static void a_condition_of_two_elements_is_refused(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct error err = {0};
	const struct shape two = SHAPE(2);
	build_if(bench);
	assert_int_equal(session_bench_start(bench, 3, 1, NULL), 0);
	assert_int_equal(session_resize(bench->session, 0, &two, NULL), 0);
	assert_int_equal(session_run(bench->session, NULL, &err), -EINVAL);
	assert_string_equal(
		err.text, "subgraph 0, node 0 (IF v1): condition of shape 2, must be one element");
	session_bench_finish(bench);
}

/* A callee may conclude from any operand: the caller's inputs, which somebody else may write to, are
 * copied. */
static void operands_of_a_call_are_copied(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct graph_builder *main = &bench->parts[0], *callee = &bench->parts[1];
	struct operands in = {2, {number_in(main), number_in(main)}};
	int32_t y = graph_builder_tensor(main, DTYPE_INT32, SHAPE(-1));
	set_calls(graph_builder_wide_node(main, OP_CALL, in, OPERANDS(y)), OPTIONS_CALL, 1, 0);
	graph_builder_output(main, y);
	int32_t x = number_in(callee), times = number_in(callee);
	int32_t tiled = graph_builder_tensor(callee, DTYPE_INT32, SHAPE(-1));
	graph_builder_node(callee, OP_TILE, x, times, tiled);
	graph_builder_output(callee, tiled);
	assert_int_equal(session_bench_start(bench, 2, 1, NULL), 0);
	const struct subgraph_plan *part = plan_entered(bench->plans.declared[0]);
	assert_true(part->tensors[0].is_copied);
	assert_true(part->tensors[1].is_copied);
	_Alignas(16) int32_t bound[1] = {3};
	assert_int_equal(session_bind_input(bench->session, 1, bound, 4, NULL), 0);
	BENCH_SET_INTS(bench, 0, 4);
	assert_int_equal(session_run(bench->session, NULL, NULL), 0);
	BENCH_EXPECT_INTS(bench, 0, 4, 4, 4);
	session_bench_finish(bench);
}

/* Part 0 calls part 1 (x + x) with tensors of 1, 2, ... @n elements. */
static void build_many_shapes(struct session_bench *bench, int32_t n)
{
	struct graph_builder *main = &bench->parts[0], *callee = &bench->parts[1];
	for (int32_t i = 1; i <= n; i++) {
		int32_t x = graph_builder_input(main, DTYPE_INT32, SHAPE(i));
		int32_t y = graph_builder_tensor(main, DTYPE_INT32, SHAPE(i));
		set_calls(graph_builder_wide_node(main, OP_CALL, OPERANDS(x), OPERANDS(y)),
			OPTIONS_CALL, 1, 0);
		graph_builder_output(main, y);
	}
	int32_t x = number_in(callee);
	graph_builder_output(callee, sum(callee, x, x));
}

static void one_subgraph_serves_calls_of_several_shapes(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	build_many_shapes(bench, 3);
	assert_int_equal(session_bench_start(bench, 2, 1, NULL), 0);
	BENCH_SET_INTS(bench, 0, 1);
	BENCH_SET_INTS(bench, 1, 2, 3);
	BENCH_SET_INTS(bench, 2, 4, 5, 6);
	for (int run = 0; run < 2; run++) {
		assert_int_equal(session_run(bench->session, NULL, NULL), 0);
		BENCH_EXPECT_INTS(bench, 0, 2);
		BENCH_EXPECT_INTS(bench, 1, 4, 6);
		BENCH_EXPECT_INTS(bench, 2, 8, 10, 12);
	}
	session_bench_finish(bench);
}

/* The first eight sets of shapes have plans of their own, the others share one that leaves all to
 * the run: what a file may make a plan hold is bounded. */
static void beyond_eight_shapes_one_plan_serves_all(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	int32_t numbers[GRAPH_BUILDER_MAX];
	build_many_shapes(bench, 12);
	assert_int_equal(session_bench_start(bench, 2, 1, NULL), 0);
	struct plan *const *calls = plan_entered(bench->plans.declared[0])->calls;
	assert_int_equal(plan_entered(calls[7 * PLAN_CALLS])->steps[0].kind, STEP_BACKEND);
	assert_int_equal(plan_entered(calls[8 * PLAN_CALLS])->steps[0].kind, STEP_NODE);
	assert_ptr_equal(calls[8 * PLAN_CALLS], calls[11 * PLAN_CALLS]);
	for (uint32_t i = 0; i < 12; i++) {
		numbers[i] = (int32_t)i;
		session_bench_set(bench, i, numbers, i + 1);
	}
	assert_int_equal(session_run(bench->session, NULL, NULL), 0);
	BENCH_EXPECT_INTS(bench, 3, 0, 2, 4, 6);
	for (int32_t i = 0; i < 12; i++) {
		numbers[i] = 2 * i;
	}
	session_bench_expect(bench, 11, numbers, 12);
	session_bench_finish(bench);
}

/* Plans of called subgraphs are counted as what they prepare: a small file cannot make them fill the
 * memory. */
static void plans_of_called_subgraphs_count_as_prepared(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct error err = {0};
	build_many_shapes(bench, 12);
	bench->plans.max_prepared_bytes = 3000;
	assert_int_equal(session_bench_start(bench, 2, 1, &err), -EFBIG);
	assert_non_null(strstr(err.text, "subgraph 1"));
	session_bench_finish(bench);
}

/* Part 0: CALL_ONCE of part 1, then y = 10 / x, which fails where x is 0. Part 1 assigns 1 to a
 * variable of part 0's choice: what it does is seen by READ_VARIABLE. */
static struct node *handle(struct graph_builder *b, int32_t out)
{
	struct node *node = graph_builder_wide_node(b, OP_VAR_HANDLE, NO_OPERANDS, OPERANDS(out));
	node->options.table = OPTIONS_VAR_HANDLE;
	node->options.var_handle.shared_name = (struct text){"v", 1};
	return node;
}

static void build_once(struct session_bench *bench)
{
	struct graph_builder *main = &bench->parts[0], *init_part = &bench->parts[1];
	int32_t x = number_in(main), quotient = number(main), read = number(main);
	int32_t v = graph_builder_tensor(main, DTYPE_RESOURCE, SHAPE(1));
	int32_t next = number(main);
	set_calls(graph_builder_wide_node(main, OP_CALL_ONCE, NO_OPERANDS, NO_OPERANDS),
		OPTIONS_CALL_ONCE, 1, 0);
	handle(main, v);
	graph_builder_node(main, OP_READ_VARIABLE, v, TENSOR_NONE, read);
	graph_builder_node(main, OP_ADD, read, constant(main, ONE), next);
	graph_builder_wide_node(main, OP_ASSIGN_VARIABLE, OPERANDS(v, next), NO_OPERANDS);
	graph_builder_node(main, OP_DIV, constant(main, TEN), x, quotient);
	graph_builder_output(main, read);
	graph_builder_output(main, quotient);
	int32_t w = graph_builder_tensor(init_part, DTYPE_RESOURCE, SHAPE(1));
	handle(init_part, w);
	graph_builder_wide_node(
		init_part, OP_ASSIGN_VARIABLE, OPERANDS(w, constant(init_part, TEN)), NO_OPERANDS);
}

static void what_is_called_once_is_called_again_after_a_run_that_failed(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct error err = {0};
	build_once(bench);
	assert_int_equal(session_bench_start(bench, 2, 1, &err), 0);
	for (int round = 0; round < 2; round++) {
		BENCH_SET_INTS(bench, 0, 0);
		assert_run_fails(bench, NULL, -EINVAL, "DIV");
		BENCH_SET_INTS(bench, 0, 5);
		assert_int_equal(session_run(bench->session, NULL, NULL), 0);
		BENCH_EXPECT_INTS(bench, 0, 10);
		BENCH_EXPECT_INTS(bench, 1, 2);
		BENCH_SET_INTS(bench, 0, 0); /* what it assigned is taken back */
		assert_run_fails(bench, NULL, -EINVAL, "DIV");
		BENCH_SET_INTS(bench, 0, 5);
		assert_int_equal(session_run(bench->session, NULL, NULL), 0);
		BENCH_EXPECT_INTS(bench, 0, 11);
		session_reset(bench->session);
	}
	session_bench_finish(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loop_carries_what_its_body_gives_in_any_order),
		cmocka_unit_test(a_loop_without_end_is_stopped_and_the_session_goes_on),
		cmocka_unit_test(each_round_counts_as_work_of_the_run),
		cmocka_unit_test(a_loop_that_changes_a_type_is_refused),
		cmocka_unit_test(a_loop_may_change_shapes),
		cmocka_unit_test(branches_may_give_other_shapes),
		cmocka_unit_test(a_condition_of_two_elements_is_refused),
		cmocka_unit_test(operands_of_a_call_are_copied),
		cmocka_unit_test(one_subgraph_serves_calls_of_several_shapes),
		cmocka_unit_test(beyond_eight_shapes_one_plan_serves_all),
		cmocka_unit_test(plans_of_called_subgraphs_count_as_prepared),
		cmocka_unit_test(what_is_called_once_is_called_again_after_a_run_that_failed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
