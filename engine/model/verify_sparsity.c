/* SPDX-License-Identifier: Apache-2.0 */
/* Source of the rules: the comments on sparse tensors in schema.fbs, and tflite::Verify. */
#include <errno.h>

#include "engine/model/schema.h"
#include "engine/model/sparsity.h"
#include "engine/model/verify.h"

struct tree {
	uint32_t rank, levels; /* levels: dimensions of the tensor, then of its blocks */
	struct flat_vector order, block_map, metadata;
	int32_t size[SPARSITY_MAX_LEVELS]; /* by dimension, blocks taken out of what they split */
};

/* order[first .. end) holds each of first .. end - 1 once. */
static bool permutation(const struct flat_vector *order, uint32_t first, uint32_t end)
{
	uint32_t seen = 0;
	for (uint32_t i = first; i < end; i++) {
		int32_t dim = flat_vector_i32(order, i);
		if (dim < (int32_t)first || dim >= (int32_t)end || seen & 1u << dim) {
			return false;
		}
		seen |= 1u << dim;
	}
	return true;
}

static int read_tree(
	struct verify *v, uint32_t sparsity, const struct shape *shape, struct tree *ret_tree)
{
	struct tree t = {
		.rank = shape->rank,
		.order =
			flat_get_vector(v->f, sparsity, SLOT(SPARSITY_PARAMETERS, traversal_order)),
		.block_map = flat_get_vector(v->f, sparsity, SLOT(SPARSITY_PARAMETERS, block_map)),
		.metadata =
			flat_get_vector(v->f, sparsity, SLOT(SPARSITY_PARAMETERS, dim_metadata)),
	};
	t.levels = t.order.count;
	if (t.levels < t.rank || t.levels > SPARSITY_MAX_LEVELS || t.metadata.count != t.levels ||
		t.block_map.count != t.levels - t.rank) {
		return error_set(v->err, -EBADMSG,
			"sparsity: %u levels, %u metadata, %u blocks for a tensor of rank %u",
			t.levels, t.metadata.count, t.block_map.count, t.rank);
	}
	if (!permutation(&t.order, 0, t.rank) || !permutation(&t.order, t.rank, t.levels)) {
		return error_set(v->err, -EBADMSG, "sparsity: traversal order is no permutation");
	}
	memcpy(t.size, shape->dim, sizeof(shape->dim));
	*ret_tree = t;
	return 0;
}

/* Level rank + i goes over the dimension of a block, whose place in the block map says what it
 * splits. A dimension that a block does not divide loses its rest, as in tflite::Verify: converters write
 * blocks of 4 for a dimension of 1, and then no element at all. */
static int split_blocks(struct verify *v, struct tree *t)
{
	for (uint32_t i = 0; i < t->levels - t->rank; i++) {
		uint32_t level = flat_vector_table(v->f, &t->metadata, t->rank + i);
		int32_t block = flat_get_i32(v->f, level, SLOT(DIMENSION_METADATA, dense_size), 0);
		uint32_t dim = (uint32_t)flat_vector_i32(&t->order, t->rank + i);
		int32_t mapped = flat_vector_i32(&t->block_map, dim - t->rank);
		if (flat_get_u8(v->f, level, SLOT(DIMENSION_METADATA, format), 0) != 0 ||
			block <= 0 || mapped < 0 || mapped >= (int32_t)t->rank) {
			return error_set(v->err, -EBADMSG,
				"sparsity: block %u is not dense, empty, or of no dimension", i);
		}
		t->size[dim] = block;
		t->size[mapped] /= block;
	}
	return 0;
}

/* A compressed level: @parents segments over the list of indices below @size. */
static int check_compressed(
	struct verify *v, uint32_t level, uint64_t parents, int32_t size, uint64_t *ret_elements)
{
	struct sparse_list segments = sparsity_segments(v->f, level);
	struct sparse_list indices = sparsity_indices(v->f, level);
	int r = verify_charge(v, (uint64_t)segments.count + indices.count);
	if (r < 0) {
		return r;
	}
	if (segments.count != parents + 1 || sparse_list_get(&segments, 0) != 0 ||
		sparse_list_get(&segments, segments.count - 1) != (int64_t)indices.count) {
		return error_set(v->err, -EBADMSG, "sparsity: segments do not cover the indices");
	}
	for (uint32_t i = 1; i < segments.count; i++) {
		if (sparse_list_get(&segments, i - 1) > sparse_list_get(&segments, i)) {
			return error_set(v->err, -EBADMSG,
				"sparsity: segment %u ends before it "
				"starts",
				i - 1);
		}
	}
	if (size == 0 && indices.count > 0) {
		return error_set(v->err, -EBADMSG,
			"sparsity: %u blocks in a dimension that is shorter than one",
			indices.count);
	}
	for (uint32_t i = 0; i < indices.count; i++) {
		int32_t index = sparse_list_get(&indices, i);
		if (index < 0 || index >= size) {
			return error_set(v->err, -EBADMSG, "sparsity: index %u is %d of %d", i,
				(int)index, (int)size);
		}
	}
	*ret_elements = indices.count;
	return 0;
}

int verify_sparsity(
	struct verify *v, uint32_t sparsity, const struct shape *shape, uint64_t *ret_elements)
{
	struct tree t = {0};
	uint64_t elements = 1;
	int r = read_tree(v, sparsity, shape, &t);
	if (r == 0) {
		r = split_blocks(v, &t);
	}
	for (uint32_t i = 0; r == 0 && i < t.levels; i++) {
		uint32_t level = flat_vector_table(v->f, &t.metadata, i);
		int32_t size = t.size[flat_vector_i32(&t.order, i)];
		if (flat_get_u8(v->f, level, SLOT(DIMENSION_METADATA, format), 0) != 0) {
			r = check_compressed(v, level, elements, size, &elements);
		} else if (flat_get_i32(v->f, level, SLOT(DIMENSION_METADATA, dense_size), 0) !=
			size) {
			r = error_set(v->err, -EBADMSG, "sparsity: level %u has a wrong size", i);
		} else {
			elements *= (uint64_t)size;
		}
		if (r == 0 && elements > INT32_MAX) {
			r = error_set(v->err, -EBADMSG, "sparsity: too many elements");
		}
	}
	if (r == 0) {
		*ret_elements = elements;
	}
	return r;
}
