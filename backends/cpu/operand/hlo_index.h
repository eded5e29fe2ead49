/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hlo_index - where STABLEHLO_GATHER and _SCATTER find their starts
 *
 * The indices are batches of vectors: one dimension holds the vector's elements, each of which is a
 * start in the operand's dimension that the map names; all others are the batch's. A vector
 * dimension that is the indices' rank means vectors of one element.
 */
#ifndef BACKENDS_CPU_OPERAND_HLO_INDEX_H
#define BACKENDS_CPU_OPERAND_HLO_INDEX_H

#include "base/dtype.h"
#include "engine/op_options.h"

struct hlo_index {
	uint64_t batches;
	uint32_t batch_rank;
	uint64_t size[SHAPE_MAX_RANK], step[SHAPE_MAX_RANK]; /* of the batch's dimensions */
	uint64_t vector_step; /* elements from one of a vector to the next */
	uint32_t map_count;
	uint8_t map[SHAPE_MAX_RANK]; /* dimensions of the operand */
};

/* @indices, @vector, @map: as the rules have found them right. */
void hlo_index_init(struct hlo_index *x, const struct shape *indices, int64_t vector,
	const struct options_list *map);

/* Coordinates of batch @i, and the element of the indices that is the first of its vector. */
uint64_t hlo_index_batch(const struct hlo_index *x, uint64_t i, uint64_t *ret_coordinates);

/* Bit d: dimension d is in the list. */
uint32_t hlo_index_mask(const struct options_list *list);

#endif
