/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/plan/arena.h"
#include "engine/plan/constant_folding.h"
#include "engine/plan/plan.h"
#include "tests/fakes/fake_backend.h"
#include "tests/fakes/graph_builder.h"

static const struct backend *const one_backend[] = {&fake_backend_one, NULL};
static const struct backend *const both_backends[] = {&fake_backend_two, &fake_backend_one, NULL};

static struct plan_request request_of(const struct graph_builder *builder)
{
	return (struct plan_request){
		.graph = &builder->graph,
		.backends = one_backend,
		.rewrites = REWRITES_ALL,
		.max_arena_bytes = 1 << 20,
		.max_prepared_bytes = 1 << 20,
		.max_macs = 1000000,
	};
}

static int reset_fakes(void **state)
{
	(void)state;
	fake_backend_reset();
	return 0;
}

static int programs_are_all_freed(void **state)
{
	(void)state;
	return fake_backend()->compiled == fake_backend()->freed ? 0 : -1;
}

/* x -> x + x -> * x -> ..., @n nodes in all. The last one is the output. */
static void build_chain(struct graph_builder *b, uint32_t n)
{
	graph_builder_init(b);
	int32_t x = graph_builder_input(b, DTYPE_FLOAT32, SHAPE(2, 50)), last = x;
	for (uint32_t i = 0; i < n; i++) {
		int32_t y = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(2, 50));
		graph_builder_node(b, i % 2 ? OP_MUL : OP_ADD, last, x, y);
		last = y;
	}
	graph_builder_output(b, last);
}

static void assert_refused(const struct plan_request *request, int code, const char *text)
{
	struct plan *plan = NULL;
	struct error err = {0};
	assert_int_equal(plan_build(request, &plan, &err), code);
	assert_null(plan);
	assert_int_equal(err.code, code);
	assert_string_equal(err.text, text);
}

static void a_chain_of_one_backend_is_one_step(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	build_chain(&b, 5);
	struct plan_request request = request_of(&b);
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	const struct subgraph_plan *part = plan_entered(plan);
	assert_int_equal(part->n_order, 5);
	assert_int_equal(part->n_steps, 1);
	assert_int_equal(part->steps[0].n_nodes, 5);
	assert_int_equal(plan->macs, 500);
	assert_int_equal(part->node_macs[4], 100);
	/* Two neighbours of 400 bytes, in 64-byte units. */
	assert_int_equal(part->arena_bytes, 2 * 448);
	assert_int_equal(plan->session_bytes, 3 * 448);
	assert_int_equal(part->tensors[0].place, PLACE_INPUT);
	assert_int_equal(part->tensors[1].place, PLACE_ARENA);
	assert_true(part->tensors[1].offset != part->tensors[2].offset);
}

static void consecutive_nodes_of_a_backend_are_one_step(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	build_chain(&b, 5);
	b.nodes[0].op = OP_MUL;
	struct plan_request request = request_of(&b);
	request.backends = both_backends;
	owned(plan_unref) struct plan *plan = NULL;
	struct error err = {0};
	assert_int_equal(plan_build(&request, &plan, &err), 0);
	assert_int_equal(err.code, 0);
	const struct subgraph_plan *part = plan_entered(plan);
	assert_int_equal(part->n_steps, 4);
	assert_ptr_equal(part->steps[0].backend, &fake_backend_two);
	assert_int_equal(part->steps[0].n_nodes, 2);
	assert_ptr_equal(part->steps[1].backend, &fake_backend_one);
	assert_int_equal(part->steps[1].first_node, 2);
	assert_int_equal(part->steps[3].first_node, 4);
}

static void a_node_that_nobody_accepts_is_named_with_its_place(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	build_chain(&b, 4);
	struct plan_request request = request_of(&b);
	fake_backend()->refuse_op = OP_MUL;
	assert_refused(&request, -EOPNOTSUPP, "subgraph 0, node 1 (MUL v1): not for the fake");
}

static void a_declared_shape_must_have_the_rank_of_the_computed_one(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	build_chain(&b, 2);
	b.tensors[1].shape = SHAPE(2, 25, 2);
	struct plan_request request = request_of(&b);
	assert_refused(&request, -EBADMSG,
		"subgraph 0, node 0 (ADD v1): output 0: declared 2x25x2, computed 2x50");
}

static void declared_dimensions_of_one_may_be_too_many_or_missing(void **state)
{
	(void)state;
	const struct shape declared[] = {SHAPE(1, 2, 50), SHAPE(2, 1, 50, 1)};
	for (size_t i = 0; i < 2; i++) {
		struct graph_builder b = {0};
		build_chain(&b, 2);
		b.tensors[1].shape = declared[i];
		struct plan_request request = request_of(&b);
		owned(plan_unref) struct plan *plan = NULL;
		assert_int_equal(plan_build(&request, &plan, NULL), 0);
		assert_true(shape_equal(&plan_entered(plan)->shapes[1], &SHAPE(2, 50)));
	}
	struct graph_builder b = {0};
	build_chain(&b, 2);
	b.tensors[1].shape = SHAPE(2, 1, 51);
	struct plan_request request = request_of(&b);
	assert_refused(&request, -EBADMSG,
		"subgraph 0, node 0 (ADD v1): output 0: declared 2x1x51, computed 2x50");
}

static void a_free_dimension_counts_as_one_and_is_not_compared(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	build_chain(&b, 2);
	b.tensors[0].shape = SHAPE(-1, 50);
	b.tensors[0].shape_is_signature = true;
	struct plan_request request = request_of(&b);
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	assert_true(shape_equal(&plan_entered(plan)->shapes[2], &SHAPE(1, 50)));
}

static void requested_shapes_replace_declared_ones(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	build_chain(&b, 2);
	struct plan_request request = request_of(&b);
	request.inputs = &SHAPE(3, 7);
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	assert_true(shape_equal(&plan_entered(plan)->shapes[2], &SHAPE(3, 7)));
	assert_int_equal(plan_entered(plan)->tensors[2].bytes, 84);
}

static void a_requested_shape_that_breaks_a_rule_is_the_callers_fault(void **state)
{
	(void)state;
	const int32_t target[] = {100};
	struct graph_builder b = {0};
	graph_builder_init(&b);
	int32_t x = graph_builder_input(&b, DTYPE_FLOAT32, SHAPE(2, 50));
	int32_t shape = graph_builder_constant(&b, DTYPE_INT32, SHAPE(1), target);
	int32_t y = graph_builder_tensor(&b, DTYPE_FLOAT32, SHAPE(100));
	graph_builder_node(&b, OP_RESHAPE, x, shape, y);
	graph_builder_output(&b, y);
	struct plan_request request = request_of(&b);
	request.inputs = &SHAPE(2, 51);
	struct plan *plan = NULL;
	struct error err = {0};
	assert_int_equal(plan_build(&request, &plan, &err), -EINVAL);
	assert_int_equal(err.status, EDGE_INVALID);
}

static void budgets_are_refused_with_figure_and_limit(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	build_chain(&b, 5);
	struct plan_request request = request_of(&b);
	request.max_macs = 350;
	assert_refused(&request, -EFBIG,
		"subgraph 0, node 3 (MUL v1): with this node a run takes 400 "
		"multiply-accumulates, the limit is 350");
	request = request_of(&b);
	request.max_arena_bytes = 1343;
	assert_refused(&request, -EFBIG,
		"subgraph 0: a session takes 1344 bytes of arena, variables and inputs, the limit "
		"is 1343");
	request = request_of(&b);
	fake_backend()->program_bytes = (1 << 20) + 1;
	assert_refused(&request, -EFBIG,
		"subgraph 0, nodes 0 to 4 on one: a program of 1048577 bytes, the limit leaves "
		"1048576");
}

static void scratch_is_counted_and_lives_for_its_node_only(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	build_chain(&b, 5);
	struct plan_request request = request_of(&b);
	fake_backend()->scratch_bytes = 1000;
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	assert_in_range(plan->arena_bytes, 2 * 448 + 1024, 4 * 448 + 1024);
	fake_backend()->scratch_bytes = UINT64_MAX;
	assert_refused(&request, -EFBIG,
		"subgraph 0, node 0 (ADD v1): scratch of 18446744073709551615 bytes, the limit is "
		"1048576");
}

static void a_reshape_lies_in_the_memory_of_its_input(void **state)
{
	(void)state;
	const int32_t target[] = {100};
	struct graph_builder b = {0};
	build_chain(&b, 1);
	int32_t shape = graph_builder_constant(&b, DTYPE_INT32, SHAPE(1), target);
	int32_t y = graph_builder_tensor(&b, DTYPE_FLOAT32, SHAPE(100));
	int32_t z = graph_builder_tensor(&b, DTYPE_FLOAT32, SHAPE(100));
	graph_builder_node(&b, OP_RESHAPE, 1, shape, y);
	graph_builder_node(&b, OP_ADD, y, y, z);
	b.outputs[0] = z;
	struct plan_request request = request_of(&b);
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	const struct subgraph_plan *part = plan_entered(plan);
	assert_int_equal(part->tensors[y].root, 1);
	assert_int_equal(part->tensors[y].offset, part->tensors[1].offset);
	assert_true(part->tensors[z].offset != part->tensors[y].offset);
	assert_int_equal(part->arena_bytes, 2 * 448);
}

static void what_is_computed_in_place_takes_the_memory_of_its_operand(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	build_chain(&b, 5);
	struct plan_request request = request_of(&b);
	fake_backend()->in_place = 1;
	owned(plan_unref) struct plan *plan = NULL, *without = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	const struct subgraph_plan *part = plan_entered(plan);
	assert_int_equal(part->arena_bytes, 448);
	assert_int_equal(part->tensors[1].root, 1); /* its operand is the caller's */
	for (uint32_t t = 2; t <= 5; t++) {
		assert_int_equal(part->tensors[t].root, 1);
		assert_int_equal(part->tensors[t].offset, part->tensors[1].offset);
	}
	request.rewrites &= ~(uint32_t)REWRITE_IN_PLACE;
	assert_int_equal(plan_build(&request, &without, NULL), 0);
	assert_int_equal(without->arena_bytes, 2 * 448);
}

/* a = x + x, b = a + x, c = a * b: b is made while a is still wanted, c is not. */
static void nothing_is_computed_in_place_of_what_is_read_later(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	build_chain(&b, 3);
	b.operands[2][0] = 1;
	b.operands[2][1] = 2;
	struct plan_request request = request_of(&b);
	fake_backend()->in_place = 3;
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	const struct subgraph_plan *part = plan_entered(plan);
	assert_int_equal(part->tensors[2].root, 2);
	assert_int_equal(part->tensors[3].root, 1);
	assert_int_equal(part->arena_bytes, 2 * 448);
}

/* The same, but it is a view of the operand that is read later, or an output of the graph. */
static void nothing_is_computed_in_place_of_a_view_or_an_output(void **state)
{
	(void)state;
	const int32_t target[] = {2, 50};
	struct graph_builder b = {0};
	build_chain(&b, 1);
	int32_t shape = graph_builder_constant(&b, DTYPE_INT32, SHAPE(2), target);
	int32_t view = graph_builder_tensor(&b, DTYPE_FLOAT32, SHAPE(2, 50));
	int32_t y = graph_builder_tensor(&b, DTYPE_FLOAT32, SHAPE(2, 50));
	int32_t z = graph_builder_tensor(&b, DTYPE_FLOAT32, SHAPE(2, 50));
	graph_builder_node(&b, OP_RESHAPE, 1, shape, view);
	graph_builder_node(&b, OP_ADD, 1, 1, y);
	graph_builder_node(&b, OP_MUL, y, view, z);
	b.outputs[0] = z;
	struct plan_request request = request_of(&b);
	fake_backend()->in_place = 1;
	owned(plan_unref) struct plan *plan = NULL, *other = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	assert_int_equal(plan_entered(plan)->tensors[y].root, y);
	assert_int_equal(plan_entered(plan)->tensors[z].root, y);
	graph_builder_output(&b, y);
	assert_int_equal(plan_build(&request, &other, NULL), 0);
	assert_int_equal(plan_entered(other)->tensors[z].root, z);
}

/* y = x + x and z = x * x, one behind the other along @axis in w, and w in parts again. */
enum {
	JOINED_X,
	JOINED_Y,
	JOINED_Z,
	JOINED_W,
	JOINED_AXIS,
	JOINED_FIRST,
	JOINED_SECOND
};

static void build_joined(struct graph_builder *b, const int32_t *axis)
{
	struct shape part = SHAPE(1, 4, 8), whole = part;
	whole.dim[*axis] *= 2;
	graph_builder_init(b);
	graph_builder_input(b, DTYPE_FLOAT32, part);
	graph_builder_tensor(b, DTYPE_FLOAT32, part);
	graph_builder_tensor(b, DTYPE_FLOAT32, part);
	graph_builder_tensor(b, DTYPE_FLOAT32, whole);
	graph_builder_constant(b, DTYPE_INT32, SHAPE(1), axis);
	graph_builder_tensor(b, DTYPE_FLOAT32, part);
	graph_builder_tensor(b, DTYPE_FLOAT32, part);
	graph_builder_node(b, OP_ADD, JOINED_X, JOINED_X, JOINED_Y);
	graph_builder_node(b, OP_MUL, JOINED_X, JOINED_X, JOINED_Z);
	uint32_t n = graph_builder_node(b, OP_CONCATENATION, JOINED_Y, JOINED_Z, JOINED_W);
	b->nodes[n].options.table = OPTIONS_CONCATENATION;
	b->nodes[n].options.axis.axis = *axis;
	struct node *split = graph_builder_wide_node(b, OP_SPLIT, OPERANDS(JOINED_AXIS, JOINED_W),
		OPERANDS(JOINED_FIRST, JOINED_SECOND));
	split->options.table = OPTIONS_SPLIT;
	split->options.axis.count = 2;
	graph_builder_output(b, JOINED_FIRST);
	graph_builder_output(b, JOINED_SECOND);
}

static void parts_of_a_tensor_lie_in_it(void **state)
{
	(void)state;
	static const int32_t rows = 1;
	struct graph_builder b = {0};
	build_joined(&b, &rows);
	struct plan_request request = request_of(&b);
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	const struct tensor_plan *t = plan_entered(plan)->tensors;
	assert_int_equal(plan->arena_bytes, 256);
	assert_int_equal(t[JOINED_Y].offset, t[JOINED_W].offset);
	assert_int_equal(t[JOINED_Z].offset, t[JOINED_W].offset + 128);
	assert_int_equal(t[JOINED_FIRST].offset, t[JOINED_W].offset);
	assert_int_equal(t[JOINED_SECOND].offset, t[JOINED_W].offset + 128);
}

static void parts_that_are_not_one_behind_the_other_have_their_own_memory(void **state)
{
	(void)state;
	static const int32_t columns = 2;
	struct graph_builder b = {0};
	build_joined(&b, &columns);
	struct plan_request request = request_of(&b);
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	assert_int_equal(plan_entered(plan)->tensors[JOINED_Z].root, JOINED_Z);
	assert_int_equal(plan->arena_bytes, 512);
}

static void without_views_each_tensor_has_its_own_memory(void **state)
{
	(void)state;
	static const int32_t rows = 1;
	struct graph_builder b = {0};
	build_joined(&b, &rows);
	struct plan_request request = request_of(&b);
	request.rewrites &= ~(uint32_t)REWRITE_VIEWS;
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	assert_int_equal(plan->arena_bytes, 512);
}

static void tensors_without_origin_or_with_two_are_refused(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	build_chain(&b, 3);
	struct plan_request request = request_of(&b);
	int32_t nobodys = graph_builder_tensor(&b, DTYPE_FLOAT32, SHAPE(2, 50));
	b.operands[2][0] = nobodys;
	assert_refused(&request, -EBADMSG,
		"subgraph 0, node 2 (ADD v1): input 0: tensor 4 has no bytes and nobody computes "
		"it before");
	b.operands[2][0] = 2;
	b.operands[2][2] = 1;
	assert_refused(&request, -EBADMSG,
		"subgraph 0, node 2 (ADD v1): output 0: tensor 1 is a constant, an input, computed "
		"twice or none");
	b.operands[2][2] = 3;
	b.outputs[0] = nobodys;
	assert_refused(&request, -EBADMSG, "subgraph 0, output 0: nobody computes it");
	b.outputs[0] = 3;
	b.inputs[b.subgraph.n_inputs++] = 0;
	assert_refused(&request, -EBADMSG,
		"subgraph 0, input 1: is a constant, a variable, another input or no tensor");
}

static void a_sparse_constant_is_no_output(void **state)
{
	(void)state;
	static const float bytes[1] = {1};
	static const struct sparsity sparsity = {.n_levels = 1};
	struct graph_builder b = {0};
	build_chain(&b, 1);
	int32_t t = graph_builder_constant(&b, DTYPE_FLOAT32, SHAPE(4, 4), bytes);
	b.tensors[t].sparsity = &sparsity;
	graph_builder_output(&b, t);
	struct plan_request request = request_of(&b);
	assert_refused(&request, -EOPNOTSUPP, "subgraph 0, output 1: a sparse constant");
}

/* A file may have hundreds of entry points: all plans together have one budget of time. */
static void what_other_plans_took_is_not_there_any_more(void **state)
{
	(void)state;
	static const float ones[100] = {0};
	struct graph_builder b = {0};
	build_chain(&b, 3);
	int32_t c = graph_builder_constant(&b, DTYPE_FLOAT32, SHAPE(2, 50), ones);
	int32_t sum = graph_builder_tensor(&b, DTYPE_FLOAT32, SHAPE(2, 50));
	graph_builder_node(&b, OP_ADD, c, c, sum);
	graph_builder_output(&b, sum);
	struct plan_request request = request_of(&b);
	owned(plan_unref) struct plan *first = NULL, *second = NULL;
	assert_int_equal(plan_build(&request, &first, NULL), 0);
	assert_int_equal(plan_entered(first)->n_order, 3);
	assert_true(first->work.fold > 100 && first->work.layout == 9);
	request.work_done = (struct plan_work){FOLD_WORK - 10, ARENA_WORK - 10};
	assert_int_equal(plan_build(&request, &second, NULL), 0);
	assert_int_equal(plan_entered(second)->n_order, 4);
	assert_true(second->work.fold == 0 && second->work.layout == 0);
	assert_true(second->arena_bytes >= first->arena_bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, reset_fakes, programs_are_all_freed)
		TEST(a_chain_of_one_backend_is_one_step),
		TEST(consecutive_nodes_of_a_backend_are_one_step),
		TEST(a_node_that_nobody_accepts_is_named_with_its_place),
		TEST(a_declared_shape_must_have_the_rank_of_the_computed_one),
		TEST(declared_dimensions_of_one_may_be_too_many_or_missing),
		TEST(a_free_dimension_counts_as_one_and_is_not_compared),
		TEST(requested_shapes_replace_declared_ones),
		TEST(a_requested_shape_that_breaks_a_rule_is_the_callers_fault),
		TEST(budgets_are_refused_with_figure_and_limit),
		TEST(scratch_is_counted_and_lives_for_its_node_only),
		TEST(a_reshape_lies_in_the_memory_of_its_input),
		TEST(parts_of_a_tensor_lie_in_it),
		TEST(parts_that_are_not_one_behind_the_other_have_their_own_memory),
		TEST(without_views_each_tensor_has_its_own_memory),
		TEST(what_is_computed_in_place_takes_the_memory_of_its_operand),
		TEST(nothing_is_computed_in_place_of_what_is_read_later),
		TEST(nothing_is_computed_in_place_of_a_view_or_an_output),
		TEST(tensors_without_origin_or_with_two_are_refused),
		TEST(a_sparse_constant_is_no_output),
		TEST(what_other_plans_took_is_not_there_any_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
