/* SPDX-License-Identifier: Apache-2.0 */
/* real - operands that may be float32 or uint8 with a scale, as float */
#ifndef BACKENDS_CPU_OPERAND_REAL_H
#define BACKENDS_CPU_OPERAND_REAL_H

#include "backends/cpu/op.h"

struct real {
	const uint8_t *codes; /* one of the two */
	const float *numbers;
	float zero, scale;
};

/* Operand @i of a running node; all its numbers are multiplied by @factor (codes: their scale). */
static inline struct real real_of(const struct op_call *call, uint32_t i, float factor)
{
	const struct tensor *t = &call->subgraph->tensors[call->node->inputs[i]];
	if (t->type == DTYPE_FLOAT32) {
		return (struct real){.numbers = op_in(call, i)->data, .scale = factor};
	}
	return (struct real){.codes = op_in(call, i)->data,
		.zero = (float)quant_zero(&t->quant, 0),
		.scale = t->quant.scale[0] * factor};
}

static inline float real_at(const struct real *r, size_t i)
{
	return r->codes ? ((float)r->codes[i] - r->zero) * r->scale : r->numbers[i] * r->scale;
}

#endif
