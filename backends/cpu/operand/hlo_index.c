/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/hlo_index.h"

void hlo_index_init(struct hlo_index *x, const struct shape *indices, int64_t vector,
	const struct options_list *map)
{
	uint64_t steps[SHAPE_MAX_RANK], step = 1;
	*x = (struct hlo_index){.batches = 1, .map_count = map->count};
	for (uint32_t i = indices->rank; i-- > 0;) {
		steps[i] = step;
		step *= (uint64_t)indices->dim[i];
	}
	for (uint32_t i = 0; i < indices->rank; i++) {
		if (i == (uint64_t)vector) {
			x->vector_step = steps[i];
			continue;
		}
		x->size[x->batch_rank] = (uint64_t)indices->dim[i];
		x->step[x->batch_rank++] = steps[i];
		x->batches *= (uint64_t)indices->dim[i];
	}
	for (uint32_t i = 0; i < map->count; i++) {
		x->map[i] = (uint8_t)options_list_get(map, i);
	}
}

uint64_t hlo_index_batch(const struct hlo_index *x, uint64_t i, uint64_t *ret_coordinates)
{
	uint64_t at = 0;
	for (uint32_t d = x->batch_rank; d-- > 0;) {
		ret_coordinates[d] = i % x->size[d];
		i /= x->size[d];
		at += ret_coordinates[d] * x->step[d];
	}
	return at;
}

uint32_t hlo_index_mask(const struct options_list *list)
{
	uint32_t mask = 0;
	for (uint32_t i = 0; i < list->count; i++) {
		mask |= 1u << options_list_get(list, i);
	}
	return mask;
}
