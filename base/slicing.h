/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slicing - resolves begin, end, strides and masks of STRIDED_SLICE for a shape
 *
 * The operator's rule uses the shape, its kernel the ranges. Entry i of the indices belongs to the
 * next dimension, with two exceptions: an entry in the ellipsis mask takes as many dimensions as
 * the others leave, and an entry in the new-axis mask adds a dimension of 1. Dimensions after the
 * last entry are taken whole. Source: TFLite kernels/strided_slice.cc; where it reads outside the
 * tensor or ignores entries, TensorFlow's definition (docs of tf.strided_slice).
 */
#ifndef BASE_SLICING_H
#define BASE_SLICING_H

#include "base/dtype.h"
#include "base/error.h"

#define SLICING_MAX_ENTRIES 16

struct slicing {
	uint32_t count; /* entries, at most SLICING_MAX_ENTRIES */
	int64_t begin[SLICING_MAX_ENTRIES], end[SLICING_MAX_ENTRIES], stride[SLICING_MAX_ENTRIES];
	/* Bit i belongs to entry i; bits from @count on are ignored. */
	uint32_t begin_mask, end_mask; /* bit set: from the first element, to the last element */
	uint32_t ellipsis_mask, new_axis_mask, shrink_axis_mask;
	bool offset; /* @end is relative to @begin */
};

/* A dimension yields @size elements: @start, @start + @stride, ... */
struct slicing_range {
	int64_t start, stride;
	int32_t size;
};

/* Counts the result's dimensions without reading indices. -EBADMSG if masks or @count do not fit
 * @rank. */
int must_check slicing_rank(
	const struct slicing *s, uint32_t rank, uint32_t *ret_rank, struct error *err);

/* Resolves the slice. @ret_ranges: one for each dimension of @shape, which must be known;
 * @ret_shape: shape of the result. All elements in the ranges exist. -EBADMSG as slicing_rank(),
 * for a stride of 0, and for a shrunk dimension with an index outside or a negative stride. */
int must_check slicing_resolve(const struct slicing *s, const struct shape *shape,
	struct slicing_range *ret_ranges, struct shape *ret_shape, struct error *err);

#endif
