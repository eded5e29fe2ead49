/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/sparse.h"

#include <string.h>

struct walk {
	const struct sparsity *sparsity;
	size_t element_bytes;
	uint64_t stride[SPARSITY_MAX_LEVELS]; /* bytes from one index of a level to the next */
	const uint8_t *stored; /* moves on */
	uint8_t *dense;
};

/*
 * An index of a dimension that blocks split is ((outer * block) + index in block) and so on through
 * its blocks, in the order of their levels: from the innermost out, each block multiplies what is
 * above it.
 */
static void set_strides(const struct tensor *tensor, struct walk *walk)
{
	const struct sparsity *s = walk->sparsity;
	uint32_t rank = tensor->shape.rank;
	uint64_t stride[SHAPE_MAX_RANK] = {0}, bytes = walk->element_bytes;
	for (uint32_t d = rank; d-- > 0;) {
		stride[d] = bytes;
		bytes *= (uint32_t)tensor->shape.dim[d];
	}
	for (uint32_t level = s->n_levels; level-- > 0;) {
		uint32_t at = (uint32_t)s->order[level];
		uint32_t d = at < rank ? at : (uint32_t)s->block_map[at - rank];
		walk->stride[level] = stride[d];
		stride[d] *= (uint32_t)s->levels[level].size;
	}
}

/* Everything under index @parent of the level above, the part of the dense tensor at @offset. No
 * deeper than SPARSITY_MAX_LEVELS. */
static void fill(struct walk *walk, uint32_t level, uint64_t parent, uint64_t offset)
{
	if (level == walk->sparsity->n_levels) {
		memcpy(walk->dense + offset, walk->stored, walk->element_bytes);
		walk->stored += walk->element_bytes;
		return;
	}
	const struct sparse_level *l = &walk->sparsity->levels[level];
	uint64_t stride = walk->stride[level];
	if (!l->compressed) {
		uint64_t n = (uint32_t)l->size;
		for (uint64_t i = 0; i < n; i++) {
			fill(walk, level + 1, parent * n + i, offset + i * stride);
		}
		return;
	}
	uint32_t first = (uint32_t)sparse_list_get(&l->segments, (uint32_t)parent);
	uint32_t end = (uint32_t)sparse_list_get(&l->segments, (uint32_t)parent + 1);
	for (uint32_t i = first; i < end; i++) {
		uint64_t index = (uint32_t)sparse_list_get(&l->indices, i);
		fill(walk, level + 1, i, offset + index * stride);
	}
}

void sparse_densify(const struct tensor *tensor, const void *stored, void *ret_dense)
{
	struct walk walk = {
		.sparsity = tensor->sparsity,
		.element_bytes = dtype_bits(tensor->type) / 8,
		.stored = stored,
		.dense = ret_dense,
	};
	uint64_t bytes = 0;
	if (shape_bytes(&tensor->shape, tensor->type, &bytes) < 0 || bytes == 0) {
		return;
	}
	memset(ret_dense, 0, bytes);
	set_strides(tensor, &walk);
	fill(&walk, 0, 0, 0);
}
