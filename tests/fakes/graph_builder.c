/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/graph_builder.h"

#include <assert.h>

void graph_builder_init(struct graph_builder *builder)
{
	builder->subgraph.tensors = builder->tensors;
	builder->subgraph.nodes = builder->nodes;
	builder->subgraph.inputs = builder->inputs;
	builder->subgraph.outputs = builder->outputs;
	builder->graph.subgraphs = &builder->subgraph;
	builder->graph.n_subgraphs = 1;
}

int32_t graph_builder_tensor(struct graph_builder *builder, enum dtype type, struct shape shape)
{
	assert(builder->subgraph.n_tensors < GRAPH_BUILDER_MAX);
	builder->tensors[builder->subgraph.n_tensors] = (struct tensor){
		.type = type, .shape = shape, .shape_is_signature = !shape_known(&shape)};
	return (int32_t)builder->subgraph.n_tensors++;
}

int32_t graph_builder_constant(
	struct graph_builder *builder, enum dtype type, struct shape shape, const void *data)
{
	int32_t t = graph_builder_tensor(builder, type, shape);
	int r = shape_bytes(&shape, type, &builder->tensors[t].data_bytes);
	assert(r == 0);
	(void)r;
	builder->tensors[t].data = data;
	return t;
}

int32_t graph_builder_variable(struct graph_builder *builder, enum dtype type, struct shape shape)
{
	int32_t t = graph_builder_tensor(builder, type, shape);
	builder->tensors[t].is_variable = true;
	return t;
}

int32_t graph_builder_input(struct graph_builder *builder, enum dtype type, struct shape shape)
{
	int32_t t = graph_builder_tensor(builder, type, shape);
	builder->inputs[builder->subgraph.n_inputs++] = t;
	return t;
}

void graph_builder_output(struct graph_builder *builder, int32_t tensor)
{
	builder->outputs[builder->subgraph.n_outputs++] = tensor;
}

uint32_t graph_builder_node(
	struct graph_builder *builder, enum op op, int32_t first, int32_t second, int32_t output)
{
	uint32_t n = builder->subgraph.n_nodes++;
	assert(n < GRAPH_BUILDER_MAX);
	int32_t *operands = builder->operands[n];
	operands[0] = first;
	operands[1] = second;
	operands[2] = output;
	builder->nodes[n] = (struct node){.op = (uint16_t)op,
		.version = 1,
		.n_inputs = second == TENSOR_NONE ? 1 : 2,
		.n_outputs = 1,
		.inputs = operands,
		.outputs = operands + 2};
	return n;
}

struct node *graph_builder_wide_node(
	struct graph_builder *builder, enum op op, struct operands inputs, struct operands outputs)
{
	uint32_t n = builder->subgraph.n_nodes++;
	assert(n < GRAPH_BUILDER_MAX);
	int32_t *operands = builder->operands[n];
	for (int i = 0; i < 4; i++) {
		operands[i] = inputs.tensors[i];
		operands[4 + i] = outputs.tensors[i];
	}
	builder->nodes[n] = (struct node){.op = (uint16_t)op,
		.version = 1,
		.n_inputs = inputs.n,
		.n_outputs = outputs.n,
		.inputs = operands,
		.outputs = operands + 4};
	return &builder->nodes[n];
}

struct graph graph_builder_join(
	struct graph_builder *const *builders, uint32_t n, struct subgraph *subgraphs)
{
	for (uint32_t i = 0; i < n; i++) {
		subgraphs[i] = builders[i]->subgraph;
	}
	return (struct graph){.subgraphs = subgraphs, .n_subgraphs = n};
}
