/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/strided.h"

#include <string.h>

#include "backends/cpu/tiles.h"

#define LARGE_ROW (1 << 18) /* elements: some ms, where strides are bad for the cache */

/* Index by index of the outermost dimension, each of which is large itself. */
static int run_inner(char *dst, const char *src, size_t element_bytes,
	const struct ek_strided_copy *walk, const struct run_control *control, struct error *err)
{
	struct ek_strided_copy inner = {.rank = walk->rank - 1};
	int r = 0;
	memcpy(inner.size, walk->size + 1, inner.rank * sizeof(inner.size[0]));
	memcpy(inner.src_step, walk->src_step + 1, inner.rank * sizeof(inner.src_step[0]));
	memcpy(inner.dst_step, walk->dst_step + 1, inner.rank * sizeof(inner.dst_step[0]));
	for (size_t i = 0; r == 0 && i < walk->size[0]; i++) {
		r = strided_copy(dst, src, element_bytes, &inner, control, err);
		dst += walk->dst_step[0];
		src += walk->src_step[0];
	}
	return r;
}

int strided_copy(void *dst, const void *src, size_t element_bytes,
	const struct ek_strided_copy *walk, const struct run_control *control, struct error *err)
{
	if (walk->rank == 0) {
		ek_strided_copy_run(dst, src, element_bytes, walk);
		return 0;
	}
	uint64_t row = 1;
	struct ek_strided_copy part = *walk;
	for (uint32_t i = 1; i < walk->rank; i++) {
		row *= walk->size[i];
	}
	if (row > LARGE_ROW) {
		return run_inner(dst, src, element_bytes, walk, control, err);
	}
	struct tiles t = {.total = walk->size[0], .control = control, .each = tiles_rows(row)};
	while (tiles_next(&t)) {
		part.size[0] = (size_t)t.count;
		ek_strided_copy_run((char *)dst + (ptrdiff_t)t.at * walk->dst_step[0],
			(const char *)src + (ptrdiff_t)t.at * walk->src_step[0], element_bytes,
			&part);
	}
	return tiles_end(&t, err);
}

int strided_fill(void *dst, const void *value, size_t element_bytes, uint64_t count,
	const struct run_control *control, struct error *err)
{
	struct tiles t = {.total = count, .control = control, .each = LARGE_ROW};
	while (tiles_next(&t)) {
		ek_strided_copy_fill(
			(char *)dst + t.at * element_bytes, value, element_bytes, (size_t)t.count);
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
