/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/blockwise.h"

#include "kernels/math/f16.h"

static float scale_at(const struct tensor *t, uint64_t i)
{
	float scale = 0;
	if (t->type == DTYPE_FLOAT32) {
		memcpy(&scale, t->data + i * sizeof(scale), sizeof(scale));
		return scale;
	}
	uint16_t half = 0;
	memcpy(&half, t->data + i * sizeof(half), sizeof(half));
	return ek_f16_get(half);
}

/* Of 1 to 8 bytes, or two int4 to a byte; in int4 range. */
static int8_t zero_at(const struct tensor *t, uint64_t i)
{
	unsigned int bits = dtype_bits(t->type);
	if (bits < 8) {
		unsigned int v = t->data[i / 2] >> (i % 2 ? 4 : 0) & 15;
		return (int8_t)((int)(v ^ 8) - 8);
	}
	return (int8_t)t->data[i * (bits / 8)];
}

int blockwise_prepare(struct op_setup *setup, uint64_t rows, uint64_t depth, int8_t *weights,
	const float **ret_scales, struct error *err)
{
	const struct quant *q = &op_tensor_in(setup, 1)->quant;
	const struct tensor *scales = &setup->subgraph->tensors[q->block_scales];
	uint64_t n = rows * (depth / q->block_size);
	float *scale = op_alloc(setup, n * sizeof(*scale));
	if (!scale) {
		return op_alloc_failed(setup, err);
	}
	for (uint64_t i = 0; i < n; i++) {
		scale[i] = scale_at(scales, i);
	}
	for (uint64_t i = 0; q->block_zeros >= 0 && i < rows * depth; i++) {
		const struct tensor *zeros = &setup->subgraph->tensors[q->block_zeros];
		weights[i] = (int8_t)(weights[i] - zero_at(zeros, i / q->block_size));
	}
	*ret_scales = scale;
	return 0;
}
