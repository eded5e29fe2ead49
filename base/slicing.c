/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slicing.h"

#include <errno.h>

/* Kind of an entry. If masks conflict the ellipsis wins, then the new axis. */
enum entry {
	ENTRY_ELLIPSIS,
	ENTRY_NEW_AXIS,
	ENTRY_SHRINK,
	ENTRY_RANGE
};

static enum entry entry_at(const struct slicing *s, uint32_t i)
{
	return s->ellipsis_mask >> i & 1       ? ENTRY_ELLIPSIS
		: s->new_axis_mask >> i & 1    ? ENTRY_NEW_AXIS
		: s->shrink_axis_mask >> i & 1 ? ENTRY_SHRINK
					       : ENTRY_RANGE;
}

int slicing_rank(const struct slicing *s, uint32_t rank, uint32_t *ret_rank, struct error *err)
{
	uint32_t number[ENTRY_RANGE + 1] = {0};
	if (s->count > SLICING_MAX_ENTRIES) {
		return error_set(err, -EBADMSG, "%u indices", s->count);
	}
	for (uint32_t i = 0; i < s->count; i++) {
		number[entry_at(s, i)]++;
	}
	if (number[ENTRY_ELLIPSIS] > 1) {
		return error_set(err, -EBADMSG, "more than one ellipsis");
	}
	if (number[ENTRY_RANGE] + number[ENTRY_SHRINK] > rank) {
		return error_set(err, -EBADMSG, "%u indices for a tensor of rank %u",
			number[ENTRY_RANGE] + number[ENTRY_SHRINK], rank);
	}
	uint32_t out = rank + number[ENTRY_NEW_AXIS] - number[ENTRY_SHRINK];
	if (out > SHAPE_MAX_RANK) {
		return error_set(err, -EBADMSG, "a result of rank %u", out);
	}
	*ret_rank = out;
	return 0;
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* Returns start and stop of entry @i in a dimension of @size: the start is in 0 .. @size - 1, or
 * nothing is taken. */
static void range_ends(
	const struct slicing *s, uint32_t i, int64_t size, int64_t *ret_start, int64_t *ret_stop)
{
	bool forth = s->stride[i] > 0;
	int64_t lo = forth ? 0 : -1, hi = forth ? size : size - 1;
	int64_t start = s->begin[i] < 0 ? s->begin[i] + size : s->begin[i];
	start = clamp(start, lo, hi);
	if (s->begin_mask >> i & 1) {
		start = forth ? 0 : size - 1;
	}
	int64_t stop = s->offset ? start + clamp(s->end[i], -size - 1, size)
		: s->end[i] < 0  ? s->end[i] + size
				 : s->end[i];
	stop = clamp(stop, lo, hi);
	if (s->end_mask >> i & 1) {
		stop = forth ? hi : lo;
	}
	*ret_start = start;
	*ret_stop = stop;
}

static int resolve_range(const struct slicing *s, uint32_t i, int32_t size,
	struct slicing_range *ret, struct error *err)
{
	int64_t start = 0, stop = 0, stride = s->stride[i];
	if (stride == 0 || stride < -INT32_MAX || stride > INT32_MAX) {
		return error_set(err, -EBADMSG, "stride %lld", (long long)stride);
	}
	range_ends(s, i, size, &start, &stop);
	int64_t span = stride > 0 ? stop - start : start - stop;
	int64_t step = stride > 0 ? stride : -stride;
	*ret = (struct slicing_range){
		start, stride, span > 0 ? (int32_t)((span + step - 1) / step) : 0};
	return 0;
}

/* A shrunk dimension: one element at the begin, which must exist. */
static int resolve_shrink(const struct slicing *s, uint32_t i, int32_t size,
	struct slicing_range *ret, struct error *err)
{
	int64_t at = s->begin_mask >> i & 1 ? 0
		: s->begin[i] < 0           ? s->begin[i] + size
					    : s->begin[i];
	if (s->stride[i] <= 0) {
		return error_set(err, -EBADMSG, "stride %lld of a dimension to be dropped",
			(long long)s->stride[i]);
	}
	if (at < 0 || at >= size) {
		return error_set(err, -EBADMSG, "index %lld of a dimension of %d",
			(long long)s->begin[i], (int)size);
	}
	*ret = (struct slicing_range){at, 1, 1};
	return 0;
}

/* Takes dimensions first .. end - 1 whole. */
static void take_whole(const struct shape *shape, uint32_t first, uint32_t end,
	struct slicing_range *ranges, struct shape *ret_shape)
{
	for (uint32_t d = first; d < end; d++) {
		ranges[d] = (struct slicing_range){0, 1, shape->dim[d]};
		ret_shape->dim[ret_shape->rank++] = shape->dim[d];
	}
}

/* Counts the tensor's dimensions of the entries from @i on. */
static uint32_t dims_from(const struct slicing *s, uint32_t i)
{
	uint32_t n = 0;
	for (; i < s->count; i++) {
		n += entry_at(s, i) == ENTRY_SHRINK || entry_at(s, i) == ENTRY_RANGE;
	}
	return n;
}

int slicing_resolve(const struct slicing *s, const struct shape *shape,
	struct slicing_range *ret_ranges, struct shape *ret_shape, struct error *err)
{
	uint32_t rank = 0, d = 0;
	struct shape out = {0};
	int r = slicing_rank(s, shape->rank, &rank, err);
	for (uint32_t i = 0; r == 0 && i < s->count; i++) {
		uint32_t end = d;
		switch (entry_at(s, i)) {
		case ENTRY_ELLIPSIS:
			end = shape->rank - dims_from(s, i);
			take_whole(shape, d, end, ret_ranges, &out);
			d = end;
			break;
		case ENTRY_NEW_AXIS:
			out.dim[out.rank++] = 1;
			break;
		case ENTRY_SHRINK:
			r = resolve_shrink(s, i, shape->dim[d], &ret_ranges[d], err);
			d++;
			break;
		case ENTRY_RANGE:
			r = resolve_range(s, i, shape->dim[d], &ret_ranges[d], err);
			out.dim[out.rank++] = r < 0 ? -1 : ret_ranges[d].size;
			d++;
			break;
		}
	}
	if (r == 0) {
		take_whole(shape, d, shape->rank, ret_ranges, &out);
		*ret_shape = out;
	}
	return r;
}
