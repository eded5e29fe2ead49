/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/plan/constant_folding.h"
#include "engine/plan/plan.h"
#include "tests/fakes/fake_backend.h"
#include "tests/fakes/graph_builder.h"

static const struct backend *const one_backend[] = {&fake_backend_one, NULL};

static struct plan_request request_of(const struct graph_builder *builder)
{
	return (struct plan_request){
		.graph = &builder->graph,
		.backends = one_backend,
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

/* x reshaped to (a + b) * b, all computed: [1 2] + [1 8], times [1 8], is [2 80]. */
static const int32_t a_values[] = {1, 2}, b_values[] = {1, 8};
struct computed_shape {
	struct graph_builder builder;
	int32_t x, sum, shape, y;
};

static void build_computed_shape(struct computed_shape *g)
{
	struct graph_builder *b = &g->builder;
	memset(g, 0, sizeof(*g));
	graph_builder_init(b);
	g->x = graph_builder_input(b, DTYPE_FLOAT32, SHAPE(160));
	int32_t first = graph_builder_constant(b, DTYPE_INT32, SHAPE(2), a_values);
	int32_t second = graph_builder_constant(b, DTYPE_INT32, SHAPE(2), b_values);
	g->sum = graph_builder_tensor(b, DTYPE_INT32, SHAPE(2));
	g->shape = graph_builder_tensor(b, DTYPE_INT32, SHAPE(2));
	g->y = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(2, 80));
	graph_builder_node(b, OP_ADD, first, second, g->sum);
	graph_builder_node(b, OP_MUL, g->sum, second, g->shape);
	graph_builder_node(b, OP_RESHAPE, g->x, g->shape, g->y);
	graph_builder_output(b, g->y);
}

static void a_computed_target_of_reshape_is_known_at_load(void **state)
{
	(void)state;
	struct computed_shape g;
	build_computed_shape(&g);
	struct plan_request request = request_of(&g.builder);
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	const struct subgraph_plan *part = plan_entered(plan);
	assert_int_equal(part->n_order, 1);
	assert_int_equal(part->order[0], 2);
	assert_int_equal(fake_backend()->nodes_run, 2);
	assert_int_equal(part->tensors[g.shape].place, PLACE_FOLDED);
	const int32_t target[] = {2, 80};
	assert_memory_equal(part->constants[g.shape], target, sizeof(target));
	assert_int_equal(part->node_macs[0], 0);
}

static void what_only_folded_nodes_read_is_freed(void **state)
{
	(void)state;
	struct computed_shape g;
	build_computed_shape(&g);
	struct plan_request request = request_of(&g.builder);
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	const struct subgraph_plan *part = plan_entered(plan);
	assert_int_equal(part->tensors[g.sum].place, PLACE_NONE);
	assert_null(part->constants[g.sum]);
	assert_int_equal(plan->prepared_bytes, 64);
}

static void a_folded_output_of_the_graph_stays(void **state)
{
	(void)state;
	struct computed_shape g;
	build_computed_shape(&g);
	graph_builder_output(&g.builder, g.sum);
	struct plan_request request = request_of(&g.builder);
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	const struct subgraph_plan *part = plan_entered(plan);
	const int32_t sum[] = {2, 10};
	assert_int_equal(part->tensors[g.sum].place, PLACE_FOLDED);
	assert_memory_equal(part->constants[g.sum], sum, sizeof(sum));
}

/* y = x + (c + c), c of 1000 floats. */
static void build_folded_weights(struct graph_builder *b, const float *weights)
{
	graph_builder_init(b);
	int32_t x = graph_builder_input(b, DTYPE_FLOAT32, SHAPE(1000));
	int32_t c = graph_builder_constant(b, DTYPE_FLOAT32, SHAPE(1000), weights);
	int32_t twice = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(1000));
	int32_t y = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(1000));
	graph_builder_node(b, OP_ADD, c, c, twice);
	graph_builder_node(b, OP_ADD, x, twice, y);
	graph_builder_output(b, y);
}

static const float weights[1000] = {1, 2, 3};

static void what_passes_the_budget_is_left_to_run(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	build_folded_weights(&b, weights);
	struct plan_request request = request_of(&b);
	request.max_prepared_bytes = 4000;
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	assert_int_equal(plan_entered(plan)->n_order, 2);
	assert_int_equal(plan->prepared_bytes, 0);
	assert_int_equal(fake_backend()->nodes_run, 0);
}

static void what_fails_when_folded_is_left_to_run(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	build_folded_weights(&b, weights);
	struct plan_request request = request_of(&b);
	fake_backend()->fail_run_op = OP_ADD;
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	assert_int_equal(fake_backend()->nodes_run, 1);
	assert_int_equal(plan_entered(plan)->n_order, 2);
	assert_int_equal(plan_entered(plan)->tensors[2].place, PLACE_ARENA);
}

static void a_variable_is_no_constant(void **state)
{
	(void)state;
	struct graph_builder b = {0};
	graph_builder_init(&b);
	int32_t c = graph_builder_constant(&b, DTYPE_FLOAT32, SHAPE(1000), weights);
	int32_t v = graph_builder_variable(&b, DTYPE_FLOAT32, SHAPE(1000));
	int32_t y = graph_builder_tensor(&b, DTYPE_FLOAT32, SHAPE(1000));
	graph_builder_node(&b, OP_ADD, c, v, y);
	graph_builder_output(&b, y);
	struct plan_request request = request_of(&b);
	owned(plan_unref) struct plan *plan = NULL;
	assert_int_equal(plan_build(&request, &plan, NULL), 0);
	assert_int_equal(plan_entered(plan)->n_order, 1);
	assert_int_equal(fake_backend()->nodes_run, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_computed_target_of_reshape_is_known_at_load, reset_fakes),
		cmocka_unit_test_setup(what_only_folded_nodes_read_is_freed, reset_fakes),
		cmocka_unit_test_setup(a_folded_output_of_the_graph_stays, reset_fakes),
		cmocka_unit_test_setup(what_passes_the_budget_is_left_to_run, reset_fakes),
		cmocka_unit_test_setup(what_fails_when_folded_is_left_to_run, reset_fakes),
		cmocka_unit_test_setup(a_variable_is_no_constant, reset_fakes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
