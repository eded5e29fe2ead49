/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/cost.h"

#include <string.h>

#define NODE_NANOSECONDS 60.0 /* finding the node, its operands and its tables */
#define BYTES_PER_NANOSECOND 12.0 /* of memory that is in some cache */

enum cost_class {
	CLASS_COPY, /* bytes alone */
	CLASS_ELEMENT, /* a few instructions for each element */
	CLASS_FUNCTION, /* exp, tanh, division and such for each element */
	CLASS_MAC, /* products with weights that many outputs share */
	CLASS_WINDOW, /* a window per output: depthwise, pooling, resize */
	CLASS_COUNT
};

/* Nanoseconds for one unit of work, and for finishing one element of the output (requantisation is
 * most of it). */
struct rate {
	double work, finish;
};

static const struct {
	const char *name;
	struct rate integer, real;
} classes[CLASS_COUNT] = {
	[CLASS_COPY] = {"copy", {0, 0}, {0, 0}},
	[CLASS_ELEMENT] = {"element", {1, 4}, {0.3, 0}},
	[CLASS_FUNCTION] = {"function", {4.5, 0}, {6, 0}},
	[CLASS_MAC] = {"multiply-accumulate", {0.06, 8}, {0.08, 0.5}},
	[CLASS_WINDOW] = {"window", {0.6, 2}, {0.3, 0.5}},
};

/* Of vector kernels, in which memory is included; what is left out is as in plain C. */
static const struct {
	const char *isa;
	struct rate integer[CLASS_COUNT], real[CLASS_COUNT];
} vectors[] = {
	{"avx2",
		{[CLASS_MAC] = {0.0114, 0.25},
			[CLASS_WINDOW] = {0.1, 0.01},
			[CLASS_ELEMENT] = {0.05, 0.05}},
		{[CLASS_MAC] = {0.019, 0.024}, [CLASS_WINDOW] = {0.015, 0.25}}},
	{"avxvnni", {[CLASS_MAC] = {0.006, 0.25}}, {{0, 0}}},
	{"avx512vnni",
		{[CLASS_MAC] = {0.0024, 0.044},
			[CLASS_WINDOW] = {0.001, 0.1},
			[CLASS_ELEMENT] = {0.046, 0},
			[CLASS_FUNCTION] = {0.006, 0.006}},
		{[CLASS_MAC] = {0.0092, 0.064}, [CLASS_WINDOW] = {0.026, 0.087}}},
	{"openblas", {{0, 0}}, {[CLASS_MAC] = {0.021, 1.2}}},
};

/* NULL for plain C and what counts as such. */
static const struct rate *vector_rate(const char *kernel, enum cost_class class, bool real)
{
	const char *isa = strstr(kernel, "__");
	for (size_t i = 0; isa && i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct rate *rate =
			real ? &vectors[i].real[class] : &vectors[i].integer[class];
		if (strcmp(isa + 2, vectors[i].isa) == 0 && rate->work > 0) {
			return rate;
		}
	}
	return NULL;
}

static enum cost_class class_of(unsigned int op)
{
	switch (op) {
	case OP_CONV_2D:
	case OP_CONV_3D:
	case OP_CONV_3D_TRANSPOSE:
	case OP_TRANSPOSE_CONV:
	case OP_CONVOLUTION_2D_TRANSPOSE_BIAS:
	case OP_FULLY_CONNECTED:
	case OP_BATCH_MATMUL:
	case OP_LSTM:
	case OP_UNIDIRECTIONAL_SEQUENCE_LSTM:
	case OP_BIDIRECTIONAL_SEQUENCE_LSTM:
	case OP_RNN:
	case OP_UNIDIRECTIONAL_SEQUENCE_RNN:
	case OP_BIDIRECTIONAL_SEQUENCE_RNN:
	case OP_SVDF:
		return CLASS_MAC;
	case OP_DEPTHWISE_CONV_2D:
	case OP_AVERAGE_POOL_2D:
	case OP_MAX_POOL_2D:
	case OP_L2_POOL_2D:
	case OP_RESIZE_BILINEAR:
	case OP_LOCAL_RESPONSE_NORMALIZATION:
	case OP_REDUCE_WINDOW:
	case OP_STABLEHLO_REDUCE_WINDOW:
		return CLASS_WINDOW;
	case OP_SOFTMAX:
	case OP_LOG_SOFTMAX:
	case OP_LOGISTIC:
	case OP_TANH:
	case OP_EXP:
	case OP_LOG:
	case OP_SIN:
	case OP_COS:
	case OP_POW:
	case OP_GELU:
	case OP_ELU:
	case OP_SQRT:
	case OP_RSQRT:
	case OP_DIV:
	case OP_ATAN2:
	case OP_L2_NORMALIZATION:
		return CLASS_FUNCTION;
	case OP_RESHAPE:
	case OP_SQUEEZE:
	case OP_EXPAND_DIMS:
	case OP_CONCATENATION:
	case OP_SPLIT:
	case OP_SPLIT_V:
	case OP_PACK:
	case OP_UNPACK:
	case OP_PAD:
	case OP_PADV2:
	case OP_SLICE:
	case OP_STRIDED_SLICE:
	case OP_GATHER:
	case OP_EMBEDDING_LOOKUP:
	case OP_TILE:
	case OP_BROADCAST_TO:
	case OP_SHAPE:
	case OP_RANK:
	case OP_FILL:
		return CLASS_COPY;
	default:
		return CLASS_ELEMENT;
	}
}

const char *cost_class_name(unsigned int op)
{
	return classes[class_of(op)].name;
}

static bool is_real(unsigned int type)
{
	return type == DTYPE_FLOAT32 || type == DTYPE_FLOAT16 || type == DTYPE_FLOAT64 ||
		type == DTYPE_COMPLEX64;
}

static uint64_t bytes_of(const struct subgraph_plan *plan, const struct node *node)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < node->n_inputs; i++) {
		bytes += node->inputs[i] < 0 ? 0 : plan->tensors[node->inputs[i]].bytes;
	}
	for (uint32_t i = 0; i < node->n_outputs; i++) {
		bytes += plan->tensors[node->outputs[i]].bytes;
	}
	return bytes;
}

struct cost cost_of_node(const struct subgraph_plan *plan, uint32_t node, const char *kernel)
{
	const struct node *n = &plan->subgraph->nodes[node];
	struct cost cost = {.macs = plan->node_macs[node]};
	if (cost.macs == 0) {
		return cost;
	}
	enum cost_class class = class_of(n->op);
	bool real = n->n_inputs > 0 && n->inputs[0] >= 0 &&
		is_real(plan->subgraph->tensors[n->inputs[0]].type);
	const struct rate *vector = vector_rate(kernel, class, real);
	const struct rate *rate = vector ? vector
		: real                   ? &classes[class].real
					 : &classes[class].integer;
	uint64_t outputs = 0;
	if (n->n_outputs > 0 && shape_elements(&plan->shapes[n->outputs[0]], &outputs) < 0) {
		outputs = 0; /* only the run knows */
	}
	cost.bytes = bytes_of(plan, n);
	cost.microseconds = (NODE_NANOSECONDS + (double)cost.macs * rate->work +
				    (double)outputs * rate->finish +
				    (vector ? 0 : (double)cost.bytes / BYTES_PER_NANOSECOND)) /
		1000;
	return cost;
}
