/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/read_in_place.h"

#include "engine/operators.h"

#define TYPE(name) (UINT32_C(1) << DTYPE_##name)
#define BYTES (TYPE(INT8) | TYPE(UINT8))
#define CODES (BYTES | TYPE(INT16))
#define NUMBERS (CODES | TYPE(INT32) | TYPE(FLOAT32))

/*
 * The list, and why. In each variant of each kernel behind a row (plain, x86, Arm, OpenBLAS), what
 * is read, how much of it and where the result goes follow from shapes and options alone. An
 * element is a number that is added, multiplied, compared for a maximum, or converted; a change
 * between two reads of it gives another number in the result, and nothing else. No element is an
 * address, a count, a size, a divisor, a shift, or the condition of a loop or a return. None is an
 * index either, but for a byte in a table of 256 entries, where any byte is inside.
 *
 * Plain C branches on a number where it clamps, rounds or keeps the larger one: each way ends in the
 * same store. An element may be read more than once: by windows that overlap, by panels of weights, by
 * two bands of rows or two threads, and by a sum that stands for a zero point beside the sum of
 * products. Sums of different readings may leave the range for which a line of floats was proven
 * (kernels/requant/float_requant.h): its conversion gives some integer, which is clamped as any other.
 *
 * - CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED: sums of products of operand 0 with weights, then a
 *   scale and a clamp. Weights and bias are not on the list: they are unpacked, packed and summed
 *   before. Neither are hybrid ones (float input, weights of codes): they read the input once for
 *   its range and once for its values. Nor sparse weights, whose runs are indices.
 * - ADD, SUB, MUL: one result from one element of each operand. Sums and products of integers wrap.
 * - AVERAGE_POOL_2D, MAX_POOL_2D: sums, and the larger of two. The divisor is the window's size.
 * - QUANTIZE: float32 by a division, a conversion and a clamp; codes of 8 bits through a table.
 *   A conversion of a float that is out of range gives some integer, which is then clamped or cut
 *   to the result's width.
 * - DEQUANTIZE: codes of 8 bits less their zero point, times a scale.
 *
 * Beside the list, for all operators: a node that is prepared anew in each run, since prepare() may
 * look at any operand; a node of the session (control flow, variables, tables, checkpoints), which
 * passes its operands on; an output of the graph, which is read after the run.
 *
 * Who adds a row has read each variant of its kernel, and changes docs/threat-model.md and the test
 * that states the list (tests/unit/engine/plan/test_read_in_place.c).
 */
static const struct read_in_place_row rows[] = {
	{OP_ADD, 3, NUMBERS},
	{OP_AVERAGE_POOL_2D, 1, CODES | TYPE(FLOAT32)},
	{OP_CONV_2D, 1, CODES | TYPE(FLOAT32)},
	{OP_DEPTHWISE_CONV_2D, 1, CODES | TYPE(FLOAT32)},
	{OP_DEQUANTIZE, 1, BYTES},
	{OP_FULLY_CONNECTED, 1, CODES | TYPE(FLOAT32)},
	{OP_MAX_POOL_2D, 1, CODES | TYPE(FLOAT32)},
	{OP_MUL, 3, NUMBERS},
	{OP_QUANTIZE, 1, BYTES | TYPE(FLOAT32)},
	{OP_SUB, 3, NUMBERS},
};

const struct read_in_place_row *read_in_place_rows(uint32_t *ret_count)
{
	*ret_count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

static const struct read_in_place_row *find(unsigned int op)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].op == op) {
			return &rows[i];
		}
	}
	return NULL;
}

/* Neither hybrid nor sparse: see above. True for operators without weights. */
static bool weights_allow(const struct subgraph *subgraph, const struct node *node)
{
	if (node->op != OP_CONV_2D && node->op != OP_DEPTHWISE_CONV_2D &&
		node->op != OP_FULLY_CONNECTED) {
		return true;
	}
	const struct tensor *input = &subgraph->tensors[node->inputs[0]];
	const struct tensor *weights = &subgraph->tensors[node->inputs[1]];
	return !weights->sparsity &&
		(input->type == DTYPE_FLOAT32) == (weights->type == DTYPE_FLOAT32);
}

bool read_in_place_allowed(
	const struct subgraph *subgraph, const struct node *node, uint32_t operand)
{
	const struct read_in_place_row *row = find(node->op);
	const unsigned int type = subgraph->tensors[node->inputs[operand]].type;
	return row && operand < 32 && row->operands >> operand & 1 && type < 32 &&
		row->types >> type & 1 && weights_allow(subgraph, node);
}
