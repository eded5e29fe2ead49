/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static struct options_list list_of(const int64_t *values, uint32_t count)
{
	return (struct options_list){(const uint8_t *)values, count};
}

static const int64_t zero[] = {0}, one[] = {1}, slices[] = {1, 2};

static void a_slice_that_would_not_fit_starts_earlier(void **state)
{
	(void)state;
	const uint8_t x[12] = {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23};
	const int64_t starts[6] = {0, 1, 5, INT64_MAX, INT64_MIN, 2}; /* column, row */
	const int64_t map[2] = {1, 0};
	uint8_t z[6];
	struct op_bench b;
	op_bench_init(&b, OP_STABLEHLO_GATHER);
	op_bench_input(&b, DTYPE_UINT8, SHAPE(3, 4), x);
	op_bench_input(&b, DTYPE_INT64, SHAPE(3, 2), starts);
	op_bench_output(&b, DTYPE_UINT8, SHAPE(3, 2), z);
	b.node.options.hlo_gather = (struct options_hlo_gather){.offset_dims = list_of(one, 1),
		.collapsed_slice_dims = list_of(zero, 1),
		.start_index_map = list_of(map, 2),
		.slice_sizes = list_of(slices, 2),
		.index_vector_dim = 1};
	assert_int_equal(op_bench_run(&b), 0);
	const uint8_t rows[6] = {10, 11, 22, 23, 20, 21};
	assert_memory_equal(z, rows, sizeof(z));
	b.node.options.hlo_gather.offset_dims = list_of(zero, 1); /* slices stand in columns */
	b.shapes[2] = b.values[2].shape = SHAPE(2, 3);
	assert_int_equal(op_bench_run(&b), 0);
	const uint8_t columns[6] = {10, 22, 20, 11, 23, 21};
	assert_memory_equal(z, columns, sizeof(z));
}

/* Updates [2, 2] for rows of [3, 2]. */
struct scatter {
	struct op_bench b;
	struct subgraph graphs[2];
	struct node op;
	int16_t x[6], updates[4], z[6];
	int32_t starts[2];
};

static void build_scatter(struct scatter *s, enum op op)
{
	*s = (struct scatter){
		.x = {1, 2, 3, 4, 5, 6}, .updates = {10, 20, -30, 40}, .starts = {1, 1}};
	struct op_bench *b = &s->b;
	op_bench_init(b, OP_STABLEHLO_SCATTER);
	op_bench_input(b, DTYPE_INT16, SHAPE(3, 2), s->x);
	op_bench_input(b, DTYPE_INT32, SHAPE(2, 1), s->starts);
	op_bench_input(b, DTYPE_INT16, SHAPE(2, 2), s->updates);
	op_bench_output(b, DTYPE_INT16, SHAPE(3, 2), s->z);
	b->node.options.hlo_scatter =
		(struct options_hlo_scatter){.update_window_dims = list_of(one, 1),
			.inserted_window_dims = list_of(zero, 1),
			.scatter_dims = list_of(zero, 1),
			.index_vector_dim = 1,
			.body = 1};
	s->op = (struct node){.op = (uint16_t)op};
	s->graphs[0] = b->subgraph;
	s->graphs[1] = (struct subgraph){.nodes = &s->op, .n_nodes = op == OP_CUSTOM ? 0 : 1};
	b->graph = (struct graph){.subgraphs = s->graphs, .n_subgraphs = 2};
}

static void run_scatter(struct scatter *s, enum op op, int16_t left, int16_t right)
{
	build_scatter(s, op);
	assert_int_equal(op_bench_run(&s->b), 0);
	assert_true(s->z[0] == 1 && s->z[1] == 2 && s->z[4] == 5 && s->z[5] == 6);
	assert_int_equal(s->z[2], left);
	assert_int_equal(s->z[3], right);
}

static void updates_are_combined_as_the_body_says(void **state)
{
	(void)state;
	struct scatter s;
	run_scatter(&s, OP_STABLEHLO_ADD, -17, 64);
	run_scatter(&s, OP_STABLEHLO_MULTIPLY, -900, 3200);
	run_scatter(&s, OP_STABLEHLO_MAXIMUM, 10, 40);
	run_scatter(&s, OP_STABLEHLO_MINIMUM, -30, 4);
	run_scatter(&s, OP_CUSTOM, -30, 40);
}

static void updates_that_fall_outside_are_dropped(void **state)
{
	(void)state;
	struct scatter s;
	build_scatter(&s, OP_CUSTOM);
	s.starts[0] = 3;
	s.starts[1] = INT32_MIN;
	assert_int_equal(op_bench_run(&s.b), 0);
	assert_memory_equal(s.z, s.x, sizeof(s.z));
	/* A window that stands over the edge is cut. */
	s.b.node.options.hlo_scatter.scatter_dims = list_of(one, 1);
	s.starts[0] = 1;
	s.starts[1] = -1;
	assert_int_equal(op_bench_run(&s.b), 0);
	assert_true(s.z[0] == 40 && s.z[1] == 10 && s.z[2] == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slice_that_would_not_fit_starts_earlier),
		cmocka_unit_test(updates_are_combined_as_the_body_says),
		cmocka_unit_test(updates_that_fall_outside_are_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
