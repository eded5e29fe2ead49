/* SPDX-License-Identifier: Apache-2.0 */
/* node_builder - a graph of one node, made in a few lines and judged by the operator table */
#ifndef TESTS_FAKES_NODE_BUILDER_H
#define TESTS_FAKES_NODE_BUILDER_H

#include "engine/plan/opinfo.h"
#include "tests/fakes/graph_builder.h" /* SHAPE() */

#define NODE_BUILDER_TENSORS 44
#define NODE_BUILDER_CHANNELS 8

/* Points into itself: it must not move. All fields may be changed between two checks. */
struct node_builder {
	struct graph graph;
	struct subgraph subgraph;
	struct node node;
	struct tensor tensors[NODE_BUILDER_TENSORS];
	struct shape shapes[NODE_BUILDER_TENSORS];
	const uint8_t *constants[NODE_BUILDER_TENSORS];
	float scales[NODE_BUILDER_TENSORS][NODE_BUILDER_CHANNELS];
	int64_t zeros[NODE_BUILDER_TENSORS][NODE_BUILDER_CHANNELS];
	int32_t inputs[48], outputs[16], intermediates[16];
	struct shape results[16];
	struct op_result result;
	struct error err;
};

/* Version 1, options table @table, no operands. */
void node_builder_init(struct node_builder *b, enum op op, uint16_t table);
/* Each adds an operand and returns the index of its tensor. @data of a constant is not copied; NULL
 * makes a tensor that a run computes. */
int32_t node_builder_input(struct node_builder *b, enum dtype type, struct shape shape);
int32_t node_builder_constant(
	struct node_builder *b, enum dtype type, struct shape shape, const void *data);
int32_t node_builder_variable(struct node_builder *b, enum dtype type, struct shape shape);
void node_builder_absent(struct node_builder *b);
int32_t node_builder_output(struct node_builder *b, enum dtype type);
int32_t node_builder_intermediate(struct node_builder *b, enum dtype type);
/* One scale and zero point for the tensor. */
void node_builder_quantise(struct node_builder *b, int32_t tensor, float scale, int64_t zero);
/* @n equal scales along @dimension, zero points 0. */
void node_builder_channels(
	struct node_builder *b, int32_t tensor, uint32_t dimension, uint32_t n, float scale);

/* Output @i has this shape; fails the test when the node is refused. */
void node_builder_accepts(struct node_builder *b, uint32_t i, struct shape shape);
void node_builder_costs(struct node_builder *b, uint64_t macs);
/* Refused with this code and a text that has @text in it. */
void node_builder_refuses(struct node_builder *b, int code, const char *text);

#endif
