/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slicing - what begin, end, strides and masks of STRIDED_SLICE come to for a given shape
 *
 * Shared by the operator's rule, which wants the shape, and by its kernel, which wants the steps.
 * Entry i of the indices speaks of the next dimension, but for an entry of the ellipsis mask (as
 * many dimensions as the others leave) and one of the new-axis mask (a dimension of 1 that the
 * tensor does not have). Dimensions behind the last entry are taken whole. Source: TFLite
 * kernels/strided_slice.cc; where that reads outside of the tensor or ignores entries, TensorFlow's
 * definition (docs of tf.strided_slice).
 */
#ifndef BASE_SLICING_H
#define BASE_SLICING_H

#include "base/dtype.h"
#include "base/error.h"

#define SLICING_MAX_ENTRIES 16

struct slicing {
	uint32_t count; /* of entries, at most SLICING_MAX_ENTRIES */
	int64_t begin[SLICING_MAX_ENTRIES], end[SLICING_MAX_ENTRIES], stride[SLICING_MAX_ENTRIES];
	/* Bit i is about entry i; bits beyond @count mean nothing. */
	uint32_t begin_mask, end_mask; /* from the first, to the last element */
	uint32_t ellipsis_mask, new_axis_mask, shrink_axis_mask;
	bool offset; /* ends are counted from the begins */
};

/* Dimension d of the tensor gives @size elements: @start, @start + @stride, ... */
struct slicing_range {
	int64_t start, stride;
	int32_t size;
};

/* Dimensions of the result, without looking at the values. -EBADMSG for masks or a number of
 * entries that do not fit @rank dimensions. */
int must_check slicing_rank(
	const struct slicing *s, uint32_t rank, uint32_t *ret_rank, struct error *err);

/*
 * @ret_ranges: one for each dimension of @shape (which is known); @ret_shape: of the result. All
 * elements named are inside. -EBADMSG as above, and for a stride of 0, or a dimension to be shrunk
 * with an index outside or a negative stride.
 */
int must_check slicing_resolve(const struct slicing *s, const struct shape *shape,
	struct slicing_range *ret_ranges, struct shape *ret_shape, struct error *err);

#endif
