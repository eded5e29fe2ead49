/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph - a model as plain data
 *
 * Built once from a verified file (engine/model/graph_build.c), immutable from then on, shared by all
 * threads. Names, constants and scales point into the file's mapping, which lives as long as the
 * graph, or to copies that do (engine/model/texts.c); everything else lives in one allocation of the
 * graph. Every index in here is in range and every constant has exactly the bytes that its shape asks
 * for: engine/model/verify.c has proved it.
 */
#ifndef ENGINE_GRAPH_H
#define ENGINE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"
#include "engine/op_options.h"

/*
 * real = scale * (q - zero_point). n_scales is 0 (not quantised), 1, or the size of the shape's
 * dimension @dimension. Zero points are in the type's range; scales are finite and positive.
 *
 * Blockwise: n_scales is 0 and block_size is not. Every block_size elements of a row of the last
 * dimension have a scale and a zero point of their own, which are elements of two other tensors of
 * the subgraph: these are in range, nothing else is proved.
 */
struct quant {
	const float *scale; /* 4-byte aligned in the mapping */
	const uint8_t
		*zero_point; /* int64 little endian each, any alignment: read by quant_zero() */
	uint32_t n_scales;
	uint32_t n_zero_points; /* 0 (all zero), 1 or n_scales */
	uint32_t dimension;
	uint32_t block_size;
	int32_t block_scales, block_zeros; /* block_zeros: TENSOR_NONE where all are zero */
};

#define SPARSITY_MAX_LEVELS (2 * SHAPE_MAX_RANK)

/* Numbers of 1, 2 (unsigned) or 4 (signed) bytes in the mapping, aligned to their width. */
struct sparse_list {
	const uint8_t *data;
	uint32_t count;
	uint8_t width;
};

/*
 * Sparsity of a constant, as the schema has it; NULL for dense tensors. Level i goes over dimension
 * order[i]; dimensions from the tensor's rank on are those of blocks, of which block_map[k] says
 * which dimension the k-th splits. A dense level has @size indices under each index of the level
 * above; a compressed one has indices[segments[p]] .. indices[segments[p + 1] - 1] under index p,
 * each below @size. A dimension that a block does not divide loses the rest. All of it has been
 * verified, and the stored elements are as many as the last level has.
 */
struct sparsity {
	uint32_t n_levels, n_blocks;
	const int32_t *order, *block_map;
	struct sparse_level {
		bool compressed;
		int32_t size;
		struct sparse_list segments, indices;
	} * levels;
};

struct tensor {
	struct text name;
	uint8_t type; /* enum dtype */
	bool is_variable;
	bool shape_is_signature; /* the file declares -1 somewhere: @shape has -1 there */
	struct shape shape;
	struct shape initial; /* before any resize: @shape with the file's own sizes for -1 */
	struct quant quant;
	/* A constant's bytes in the mapping, aligned to its elements (what the file has 4-aligned
	 * of 8-byte numbers is a copy); NULL for all others. Not NULL for a constant of no
	 * elements.
	 */
	const uint8_t *data;
	uint64_t data_bytes;
	const struct sparsity *sparsity;
};

#define TENSOR_NONE (-1) /* an optional operand that was left out */

struct node {
	/* Number in engine/operators.h: BuiltinOperator of the schema, or a known custom operator's;
	 * OP_CUSTOM for those that edged does not know. */
	uint16_t op;
	uint16_t version; /* of the operator, from its operator code */
	uint32_t n_inputs, n_outputs, n_intermediates;
	const int32_t *inputs; /* indices into subgraph.tensors, TENSOR_NONE allowed */
	const int32_t *outputs;
	const int32_t *intermediates;
	struct text custom_name; /* custom operators only, as the two below */
	const uint8_t *custom_options; /* any alignment; FlexBuffers by convention */
	uint32_t custom_options_bytes;
	struct op_options options;
};

struct subgraph {
	struct text name;
	struct tensor *tensors;
	struct node *nodes; /* in an order in which every input is produced before it is used */
	int32_t *inputs, *outputs;
	uint32_t n_tensors, n_nodes, n_inputs, n_outputs;
};

/* A named entry point: the signature's own names for a subgraph's inputs and outputs, sorted by
 * name as LiteRT lists them. */
struct signature {
	struct text key;
	uint32_t subgraph;
	uint32_t n_inputs, n_outputs;
	struct signature_tensor {
		struct text name;
		int32_t tensor;
	} * inputs, *outputs;
};

struct graph {
	struct subgraph *subgraphs;
	struct signature *signatures;
	uint32_t n_subgraphs, n_signatures;
	struct text description;
	/* LiteRT's reference resolver lacks an operator of it, so what a user sees of the whole model
	 * is what the default kernels answer. Where those round otherwise, so does edged
	 * (docs/operators.md). */
	bool beyond_reference;
};

static inline int32_t sparse_list_get(const struct sparse_list *list, uint32_t i)
{
	int32_t v = 0;
	if (list->width == 1) {
		v = list->data[i];
	} else if (list->width == 2) {
		uint16_t v16;
		__builtin_memcpy(&v16, list->data + 2 * (size_t)i, 2);
		v = v16;
	} else {
		__builtin_memcpy(&v, list->data + 4 * (size_t)i, 4);
	}
	return v;
}

static inline int64_t quant_zero(const struct quant *q, uint32_t channel)
{
	int64_t v = 0;
	if (q->n_zero_points) {
		__builtin_memcpy(&v, q->zero_point + 8 * (q->n_zero_points > 1 ? channel : 0), 8);
	}
	return v;
}

#endif
