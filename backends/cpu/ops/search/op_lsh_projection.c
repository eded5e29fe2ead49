/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LSH_PROJECTION: bits of hashes that are likely to be the same for inputs that are alike. A bit is
 * the sign of the weighted sum, over the items, of the hash of seed and item.
 * Source: tflite kernels/lsh_projection.cc.
 */
#include <string.h>

#include "backends/cpu/accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/fingerprint.h"

#define LSH_SPARSE 1

/* Bytes of one item. */
static size_t item_bytes(const struct tensor *t, const struct shape *shape)
{
	return (size_t)op_product(shape, 1, shape->rank) * accept_element_bytes(t);
}

static int lsh_prepare(struct op_setup *setup, struct error *err)
{
	(void)err;
	setup->scratch_bytes =
		sizeof(float) + item_bytes(op_tensor_in(setup, 1), op_shape_in(setup, 1));
	return 0;
}

static uint32_t bit_of(const struct op_call *call, float seed)
{
	const struct value *items = op_in(call, 1), *weights = op_in(call, 2);
	size_t bytes = item_bytes(&call->subgraph->tensors[call->node->inputs[1]], &items->shape);
	const char *item = items->data;
	char *key = call->scratch;
	double score = 0;
	memcpy(key, &seed, sizeof(seed));
	for (int32_t i = 0; i < items->shape.dim[0]; i++, item += bytes) {
		memcpy(key + sizeof(seed), item, bytes);
		double value = (double)(int64_t)ek_fingerprint64(key, sizeof(seed) + bytes);
		score += weights ? (double)((const float *)weights->data)[i] * value : value;
	}
	return score > 0;
}

/* Sparse: the bits of a hash as one number, and the hash's place above them. */
static int lsh_run(const struct op_call *call, struct error *err)
{
	const struct value *hash = op_in(call, 0), *out = op_out(call, 0);
	const float *seeds = hash->data;
	uint32_t *dst = out->data;
	uint64_t bits = (uint64_t)hash->shape.dim[1];
	bool sparse = call->node->options.lsh.type == LSH_SPARSE;
	struct tiles t = {.total = op_elements(&hash->shape),
		.control = call->control,
		.each = tiles_rows(op_elements(&op_in(call, 1)->shape))};
	for (uint64_t i = 0; sparse && i < (uint64_t)hash->shape.dim[0]; i++) {
		dst[i] = bits == 0 ? (uint32_t)i : 0;
	}
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			uint32_t bit = bit_of(call, seeds[i]);
			if (!sparse) {
				dst[i] = bit;
				continue;
			}
			uint32_t *sum = &dst[i / bits];
			*sum = *sum << 1 | bit;
			if (i % bits == bits - 1 && bits < 32) {
				*sum += (uint32_t)(i / bits) << bits;
			}
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_lsh_projection = {
	.op = OP_LSH_PROJECTION, .prepare = lsh_prepare, .run = lsh_run};
