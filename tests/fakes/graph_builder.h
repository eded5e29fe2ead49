/* SPDX-License-Identifier: Apache-2.0 */
/* graph_builder - a graph of one subgraph, or of several builders', made by hand for a test */
#ifndef TESTS_FAKES_GRAPH_BUILDER_H
#define TESTS_FAKES_GRAPH_BUILDER_H

#include "engine/graph.h"
#include "engine/operators.h"

#define GRAPH_BUILDER_MAX 24

/* The graph points into the builder, which must not move. Zero it, then graph_builder_init(). */
struct graph_builder {
	struct graph graph;
	struct subgraph subgraph;
	struct tensor tensors[GRAPH_BUILDER_MAX];
	struct node nodes[GRAPH_BUILDER_MAX];
	int32_t inputs[GRAPH_BUILDER_MAX], outputs[GRAPH_BUILDER_MAX];
	int32_t operands[GRAPH_BUILDER_MAX][8];
};

/* Operands of graph_builder_wide_node(), at most 4 of each side: OPERANDS(a, b), NO_OPERANDS. */
struct operands {
	uint32_t n;
	int32_t tensors[4];
};
#define OPERANDS(...)                                                                              \
	((struct operands){sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t), {__VA_ARGS__}})
#define NO_OPERANDS ((struct operands){0})

/* SHAPE(1, 2, 3); a scalar is (struct shape){0}. */
#define SHAPE(...)                                                                                 \
	((struct shape){                                                                           \
		.rank = sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t), .dim = {__VA_ARGS__}})

void graph_builder_init(struct graph_builder *builder);
/* Each returns the index of what it added. */
int32_t graph_builder_tensor(struct graph_builder *builder, enum dtype type, struct shape shape);
int32_t graph_builder_constant(
	struct graph_builder *builder, enum dtype type, struct shape shape, const void *data);
int32_t graph_builder_variable(struct graph_builder *builder, enum dtype type, struct shape shape);
int32_t graph_builder_input(struct graph_builder *builder, enum dtype type, struct shape shape);
void graph_builder_output(struct graph_builder *builder, int32_t tensor);
/* A node of version 1 with one output; @second may be TENSOR_NONE for a node of one input. */
uint32_t graph_builder_node(
	struct graph_builder *builder, enum op op, int32_t first, int32_t second, int32_t output);
struct node *graph_builder_wide_node(
	struct graph_builder *builder, enum op op, struct operands inputs, struct operands outputs);

/* Copies the subgraph of each of @n builders into @subgraphs: the graph of all of them. */
struct graph graph_builder_join(
	struct graph_builder *const *builders, uint32_t n, struct subgraph *subgraphs);

#endif
