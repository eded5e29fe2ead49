/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/node_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

void node_builder_init(struct node_builder *b, enum op op, uint16_t table)
{
	memset(b, 0, sizeof(*b));
	b->node = (struct node){.op = (uint16_t)op,
		.version = 1,
		.inputs = b->inputs,
		.outputs = b->outputs,
		.intermediates = b->intermediates,
		.options = {.table = table}};
	b->subgraph = (struct subgraph){.tensors = b->tensors, .nodes = &b->node, .n_nodes = 1};
	b->graph = (struct graph){.subgraphs = &b->subgraph, .n_subgraphs = 1};
	b->result.shapes = b->results;
}

static int32_t add_tensor(struct node_builder *b, enum dtype type, struct shape shape)
{
	int32_t t = (int32_t)b->subgraph.n_tensors++;
	assert_true(t < NODE_BUILDER_TENSORS);
	b->tensors[t] = (struct tensor){.type = (uint8_t)type, .shape = shape};
	b->shapes[t] = shape;
	return t;
}

int32_t node_builder_input(struct node_builder *b, enum dtype type, struct shape shape)
{
	int32_t t = add_tensor(b, type, shape);
	b->inputs[b->node.n_inputs++] = t;
	return t;
}

int32_t node_builder_constant(
	struct node_builder *b, enum dtype type, struct shape shape, const void *data)
{
	int32_t t = node_builder_input(b, type, shape);
	b->tensors[t].data = data;
	b->constants[t] = data;
	return t;
}

int32_t node_builder_variable(struct node_builder *b, enum dtype type, struct shape shape)
{
	int32_t t = node_builder_input(b, type, shape);
	b->tensors[t].is_variable = true;
	return t;
}

void node_builder_absent(struct node_builder *b)
{
	b->inputs[b->node.n_inputs++] = TENSOR_NONE;
}

int32_t node_builder_output(struct node_builder *b, enum dtype type)
{
	int32_t t = add_tensor(b, type, (struct shape){0});
	b->outputs[b->node.n_outputs++] = t;
	return t;
}

int32_t node_builder_intermediate(struct node_builder *b, enum dtype type)
{
	int32_t t = add_tensor(b, type, (struct shape){0});
	b->intermediates[b->node.n_intermediates++] = t;
	return t;
}

void node_builder_quantise(struct node_builder *b, int32_t tensor, float scale, int64_t zero)
{
	node_builder_channels(b, tensor, 0, 1, scale);
	b->zeros[tensor][0] = zero;
}

void node_builder_channels(
	struct node_builder *b, int32_t tensor, uint32_t dimension, uint32_t n, float scale)
{
	assert_true(n <= NODE_BUILDER_CHANNELS);
	for (uint32_t i = 0; i < n; i++) {
		b->scales[tensor][i] = scale;
		b->zeros[tensor][i] = 0;
	}
	b->tensors[tensor].quant = (struct quant){.scale = b->scales[tensor],
		.zero_point = (const uint8_t *)b->zeros[tensor],
		.n_scales = n,
		.n_zero_points = n,
		.dimension = dimension};
}

static int check(struct node_builder *b)
{
	const struct op_context context = {.graph = &b->graph,
		.subgraph = &b->subgraph,
		.node = &b->node,
		.shapes = b->shapes,
		.constants = b->constants};
	memset(&b->err, 0, sizeof(b->err));
	return opinfo_check(&context, &b->result, &b->err);
}

void node_builder_accepts(struct node_builder *b, uint32_t i, struct shape shape)
{
	char is[SHAPE_TEXT_SIZE], must[SHAPE_TEXT_SIZE];
	int r = check(b);
	assert_string_equal(b->err.text, "");
	assert_int_equal(r, 0);
	assert_string_equal(shape_format(is, sizeof(is), &b->results[i]),
		shape_format(must, sizeof(must), &shape));
}

void node_builder_costs(struct node_builder *b, uint64_t macs)
{
	assert_int_equal(check(b), 0);
	assert_int_equal(b->result.macs, macs);
}

void node_builder_refuses(struct node_builder *b, int code, const char *text)
{
	int r = check(b);
	if (!strstr(b->err.text, text)) {
		assert_string_equal(b->err.text, text);
	}
	assert_int_equal(r, code);
}
