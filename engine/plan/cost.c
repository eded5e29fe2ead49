/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/cost.h"

#include <string.h>

#include "engine/plan/opinfo.h"

#define NODE_NANOSECONDS 60.0 /* finding the node, its operands and its tables */
#define BYTES_PER_NANOSECOND 12.0 /* of memory that is in some cache */

/* Nanoseconds for one unit of work, and for finishing one element of the output (requantisation is
 * most of it). */
struct rate {
	double work, finish;
};

static const struct {
	const char *name;
	struct rate integer, real;
} classes[COST_CLASSES] = {
	[COST_COPY] = {"copy", {0, 0}, {0, 0}},
	[COST_ELEMENT] = {"element", {1, 4}, {0.3, 0}},
	[COST_FUNCTION] = {"function", {4.5, 0}, {6, 0}},
	[COST_PRODUCTS] = {"multiply-accumulate", {0.06, 8}, {0.08, 0.5}},
	[COST_WINDOW] = {"window", {0.6, 2}, {0.3, 0.5}},
};

/* Of vector kernels, in which memory is included; what is left out is as in plain C. x86 was measured. Arm is what
 * tests/kernels/count counts, in products per instruction, over instructions per nanosecond: 2 for neon (a Cortex-A72 at
 * 1.5 GHz), 6 for dotprod and i8mm (an A76 at 2.4 GHz). */
static const struct {
	const char *isa;
	struct rate integer[COST_CLASSES], real[COST_CLASSES];
} vectors[] = {
	{"avx2",
		{[COST_PRODUCTS] = {0.0114, 0.25},
			[COST_WINDOW] = {0.1, 0.01},
			[COST_ELEMENT] = {0.05, 0.05}},
		{[COST_PRODUCTS] = {0.019, 0.024}, [COST_WINDOW] = {0.015, 0.25}}},
	{"avxvnni", {[COST_PRODUCTS] = {0.006, 0.25}}, {{0, 0}}},
	{"avx512vnni",
		{[COST_PRODUCTS] = {0.0024, 0.044},
			[COST_WINDOW] = {0.001, 0.1},
			[COST_ELEMENT] = {0.046, 0},
			[COST_FUNCTION] = {0.006, 0.006}},
		{[COST_PRODUCTS] = {0.0092, 0.064}, [COST_WINDOW] = {0.026, 0.087}}},
	{"neon",
		{[COST_PRODUCTS] = {0.12, 1.5},
			[COST_WINDOW] = {0.26, 1},
			[COST_ELEMENT] = {0.6, 0.6},
			[COST_FUNCTION] = {0.6, 0.6}},
		{[COST_PRODUCTS] = {0.18, 0.3}, [COST_WINDOW] = {0.25, 0.5}}},
	{"inorder", {[COST_PRODUCTS] = {0.2, 2.5}, [COST_WINDOW] = {0.4, 2}}, {{0, 0}}},
	{"dotprod", {[COST_PRODUCTS] = {0.015, 0.3}, [COST_WINDOW] = {0.06, 0.3}}, {{0, 0}}},
	{"i8mm", {[COST_PRODUCTS] = {0.009, 0.3}}, {{0, 0}}},
	{"openblas", {{0, 0}}, {[COST_PRODUCTS] = {0.021, 1.2}}},
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

const char *cost_class_name(unsigned int op)
{
	const struct op_row *row = opinfo_find(&(struct node){.op = (uint16_t)op});
	return row ? classes[row->cost].name : "";
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
	const enum cost_class class = opinfo_find(n)->cost;
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
