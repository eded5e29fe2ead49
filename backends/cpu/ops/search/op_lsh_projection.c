/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LSH_PROJECTION: bits of hashes that are likely to be the same for inputs that are alike. A bit is
 * the sign of the weighted sum, over the items, of the hash of seed and item.
 * Source: tflite kernels/lsh_projection.cc.
 */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/math/fingerprint.h"

#define LSH_SPARSE 1
/* Blocks of 64 bytes between two looks at the clock: some 100 us. */
#define HASHED_BLOCKS 8192

/* Bytes of one item. */
static size_t item_bytes(const struct tensor *t, const struct shape *shape)
{
	return (size_t)op_gemm(shape, 1, shape->rank) * op_accept_element_bytes(t);
}

static int lsh_prepare(struct op_setup *setup, struct error *err)
{
	(void)err;
	setup->scratch_bytes =
		sizeof(float) + item_bytes(op_tensor_in(setup, 1), op_shape_in(setup, 1));
	return 0;
}

/* ek_fingerprint64() of any size. 0, -ETIMEDOUT or -ECANCELED. */
static int fingerprint(
	const struct run_control *control, const void *data, size_t size, uint64_t *ret)
{
	struct ek_fingerprint f;
	if (size <= EK_FINGERPRINT_SHORT) {
		*ret = ek_fingerprint64(data, size);
		return 0;
	}
	struct tiles t = {
		.total = ek_fingerprint_blocks(size), .control = control, .each = HASHED_BLOCKS};
	ek_fingerprint_start(&f, data);
	while (tiles_next(&t)) {
		ek_fingerprint_add(&f, data, (size_t)t.at, (size_t)(t.at + t.count));
	}
	*ret = ek_fingerprint_end(&f, data, size);
	return t.result;
}

/* The hash of seed and item. @key begins with the seed and has room for the item. */
static int hash_item(
	const struct op_call *call, char *key, const char *item, size_t bytes, uint64_t *ret)
{
	int r = tiles_copy(key + sizeof(float), item, bytes, call->control);
	return r < 0 ? r : fingerprint(call->control, key, sizeof(float) + bytes, ret);
}

/* 1 where the sum is above 0, 0 where it is not; -ETIMEDOUT or -ECANCELED. */
static int bit_of(const struct op_call *call, float seed)
{
	const struct value *items = op_in(call, 1), *weights = op_in(call, 2);
	size_t bytes = item_bytes(&call->subgraph->tensors[call->node->inputs[1]], &items->shape);
	const char *item = items->data;
	char *key = call->scratch;
	double score = 0;
	memcpy(key, &seed, sizeof(seed));
	struct tiles t = {.total = (uint64_t)items->shape.dim[0],
		.control = call->control,
		.each = tiles_rows(bytes)};
	int r = 0;
	while (r == 0 && tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count && r == 0; i++, item += bytes) {
			uint64_t hash = 0;
			r = hash_item(call, key, item, bytes, &hash);
			double value = (double)(int64_t)hash;
			score +=
				weights ? (double)((const float *)weights->data)[i] * value : value;
		}
	}
	return r < 0 ? r : t.result < 0 ? t.result : score > 0;
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
			int bit = bit_of(call, seeds[i]);
			if (bit < 0) {
				t.result = bit;
				return tiles_end(&t, err);
			}
			if (!sparse) {
				dst[i] = (uint32_t)bit;
				continue;
			}
			uint32_t *sum = &dst[i / bits];
			*sum = *sum << 1 | (uint32_t)bit;
			if (i % bits == bits - 1 && bits < 32) {
				*sum += (uint32_t)(i / bits) << bits;
			}
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_lsh_projection = {
	.op = OP_LSH_PROJECTION, .prepare = lsh_prepare, .run = lsh_run};
