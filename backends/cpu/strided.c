/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/strided.h"

#include "backends/cpu/tiles.h"

int strided_copy(void *dst, const void *src, size_t element_bytes, const struct ek_walk *walk,
	const struct run_control *control, struct error *err)
{
	if (walk->rank < 2) {
		ek_walk_copy(dst, src, element_bytes, walk);
		return 0;
	}
	uint64_t row = 1;
	struct ek_walk part = *walk;
	for (uint32_t i = 1; i < walk->rank; i++) {
		row *= walk->size[i];
	}
	struct tiles t = {.total = walk->size[0], .control = control, .each = tiles_rows(row)};
	while (tiles_next(&t)) {
		part.size[0] = (size_t)t.count;
		ek_walk_copy((char *)dst + (ptrdiff_t)t.at * walk->dst_step[0],
			(const char *)src + (ptrdiff_t)t.at * walk->src_step[0], element_bytes,
			&part);
	}
	return tiles_end(&t, err);
}

void strided_steps(const struct shape *shape, size_t element_bytes, ptrdiff_t *ret_steps)
{
	ptrdiff_t step = (ptrdiff_t)element_bytes;
	for (uint32_t i = shape->rank; i-- > 0;) {
		ret_steps[i] = step;
		step *= shape->dim[i];
	}
}
