/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/sparsity.h"

#include "engine/model/schema.h"

static struct sparse_list list_of(const struct flat *f, uint32_t level, uint32_t type_slot)
{
	uint8_t type = flat_get_u8(f, level, type_slot, 0);
	uint8_t width = type == SPARSE_INDEX_INT32 ? 4
		: type == SPARSE_INDEX_UINT16      ? 2
		: type == SPARSE_INDEX_UINT8       ? 1
						   : 0;
	struct flat_vector v = {0};
	if (width) {
		/* Slot 0 of all three tables is the vector of values. */
		v = flat_get_vector(f, flat_get_table(f, level, type_slot + 1), 0);
	}
	return (struct sparse_list){.data = v.data, .count = v.count, .width = width};
}

struct sparse_list sparsity_segments(const struct flat *f, uint32_t level)
{
	return list_of(f, level, SLOT(DIMENSION_METADATA, array_segments_type));
}

struct sparse_list sparsity_indices(const struct flat *f, uint32_t level)
{
	return list_of(f, level, SLOT(DIMENSION_METADATA, array_indices_type));
}
