/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static struct options_list list_of(const int64_t *values, uint32_t count)
{
	return (struct options_list){(const uint8_t *)values, count};
}

static const int64_t zero[] = {0}, one[] = {1}, zero_two[] = {0, 2}, two_one[] = {2, 1},
		     slices[] = {2, 1, 1}, minus[] = {-1}, twice[] = {1, 1};

static void build_gather(struct node_builder *b)
{
	node_builder_init(b, OP_STABLEHLO_GATHER, OPTIONS_STABLEHLO_GATHER);
	node_builder_input(b, DTYPE_FLOAT16, SHAPE(3, 4, 2));
	node_builder_input(b, DTYPE_INT64, SHAPE(5, 2));
	node_builder_output(b, DTYPE_FLOAT16);
	b->node.options.hlo_gather =
		(struct options_hlo_gather){.offset_dims = list_of(zero_two, 2),
			.collapsed_slice_dims = list_of(one, 1),
			.start_index_map = list_of(two_one, 2),
			.slice_sizes = list_of(slices, 3),
			.index_vector_dim = 1};
}

static void gather_mixes_batch_and_slice(void **state)
{
	(void)state;
	struct node_builder b;
	build_gather(&b);
	node_builder_accepts(&b, 0, SHAPE(2, 5, 1));
	b.node.options.hlo_gather.index_vector_dim = 0;
	b.shapes[1] = SHAPE(2, 5, 7);
	b.node.options.hlo_gather.offset_dims = list_of(two_one, 2);
	node_builder_accepts(&b, 0, SHAPE(5, 2, 1, 7));
	/* Behind the last dimension there are vectors of one. */
	b.node.options.hlo_gather.index_vector_dim = 3;
	b.node.options.hlo_gather.start_index_map = list_of(one, 1);
	node_builder_accepts(&b, 0, SHAPE(2, 2, 1, 5, 7));
}

static void gather_refuses_dimensions_that_are_not_there(void **state)
{
	(void)state;
	struct node_builder b;
	build_gather(&b);
	b.node.options.hlo_gather.start_index_map = list_of(minus, 1);
	node_builder_refuses(&b, -EBADMSG, "start index map: dimension -1 of a tensor of rank 3");
	b.node.options.hlo_gather.start_index_map = list_of(one, 1);
	node_builder_refuses(&b, -EBADMSG, "index vectors of 2 for 1 dimensions");
	b.node.options.hlo_gather.start_index_map = list_of(twice, 2);
	node_builder_refuses(&b, -EBADMSG, "start index map: dimension 1");
	build_gather(&b);
	b.node.options.hlo_gather.index_vector_dim = 3;
	node_builder_refuses(&b, -EBADMSG, "index vector dimension 3 of indices of rank 2");
	build_gather(&b);
	b.node.options.hlo_gather.collapsed_slice_dims = list_of(zero, 1);
	node_builder_refuses(&b, -EBADMSG, "slice of 2 in dimension 0 of 3");
	b.shapes[0] = SHAPE(1, 4, 2);
	b.node.options.hlo_gather.collapsed_slice_dims = list_of(one, 1);
	node_builder_refuses(&b, -EBADMSG, "slice of 2 in dimension 0 of 1");
	build_gather(&b);
	b.node.options.hlo_gather.offset_dims = list_of(zero, 1);
	node_builder_refuses(&b, -EBADMSG, "1 offset dims and 1 collapsed ones of rank 3");
	b.tensors[1].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EOPNOTSUPP, "STABLEHLO_GATHER v1 with float32 indices");
}

/* A scatter of rows, and a body of two scalars. */
struct scatter {
	struct node_builder b;
	struct subgraph graphs[2];
	struct node op;
	int32_t ends[2], result, inputs[2];
};

static void build_scatter(struct scatter *s)
{
	struct node_builder *b = &s->b;
	node_builder_init(b, OP_STABLEHLO_SCATTER, OPTIONS_STABLEHLO_SCATTER);
	node_builder_input(b, DTYPE_INT8, SHAPE(4, 3));
	node_builder_input(b, DTYPE_INT32, SHAPE(5, 1));
	node_builder_input(b, DTYPE_INT8, SHAPE(5, 3));
	node_builder_output(b, DTYPE_INT8);
	b->node.options.hlo_scatter =
		(struct options_hlo_scatter){.update_window_dims = list_of(one, 1),
			.inserted_window_dims = list_of(zero, 1),
			.scatter_dims = list_of(zero, 1),
			.index_vector_dim = 1,
			.body = 1};
	s->ends[0] = s->inputs[0] = 0;
	s->ends[1] = s->inputs[1] = 1;
	s->result = 2;
	s->op = (struct node){.op = OP_STABLEHLO_ADD,
		.n_inputs = 2,
		.n_outputs = 1,
		.inputs = s->inputs,
		.outputs = &s->result};
	s->graphs[1] = (struct subgraph){.nodes = &s->op,
		.inputs = s->ends,
		.outputs = &s->result,
		.n_nodes = 1,
		.n_inputs = 2,
		.n_outputs = 1};
	s->graphs[0] = b->subgraph;
	b->graph = (struct graph){.subgraphs = s->graphs, .n_subgraphs = 2};
}

static void scatter_fits_updates_to_batches_and_window(void **state)
{
	(void)state;
	struct scatter s;
	build_scatter(&s);
	node_builder_accepts(&s.b, 0, SHAPE(4, 3));
	node_builder_costs(&s.b, 27);
	s.b.shapes[2] = SHAPE(4, 3);
	node_builder_refuses(&s.b, -EBADMSG, "updates 4x3 for indices 5x1");
	build_scatter(&s);
	s.b.node.options.hlo_scatter.inserted_window_dims.count = 0;
	node_builder_refuses(&s.b, -EBADMSG, "1 window dims and 0 inserted ones of rank 2");
	s.b.node.options.hlo_scatter.update_window_dims = list_of(minus, 1);
	node_builder_refuses(&s.b, -EBADMSG, "update window dims: dimension -1");
	s.b.tensors[2].type = DTYPE_UINT8;
	node_builder_refuses(&s.b, -EBADMSG, "input 2 (updates) is uint8, must be int8");
}

static void scatter_knows_what_its_body_does(void **state)
{
	(void)state;
	static const char refusal[] = "a body that is not the sum, product, maximum or minimum";
	struct scatter s;
	build_scatter(&s);
	s.inputs[0] = 1;
	s.inputs[1] = 0;
	node_builder_accepts(&s.b, 0, SHAPE(4, 3));
	s.inputs[1] = 1;
	node_builder_refuses(&s.b, -EOPNOTSUPP, refusal);
	build_scatter(&s);
	s.op.op = OP_SUB;
	node_builder_refuses(&s.b, -EOPNOTSUPP, refusal);
	s.graphs[1].n_nodes = 0;
	node_builder_refuses(&s.b, -EOPNOTSUPP, refusal);
	s.result = 1;
	node_builder_accepts(&s.b, 0, SHAPE(4, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gather_mixes_batch_and_slice),
		cmocka_unit_test(gather_refuses_dimensions_that_are_not_there),
		cmocka_unit_test(scatter_fits_updates_to_batches_and_window),
		cmocka_unit_test(scatter_knows_what_its_body_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
