/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/move/strided_copy.h"

#include <string.h>

static void drop(struct ek_strided_copy *w, uint32_t i)
{
	size_t tail = w->rank - i - 1;
	memmove(&w->size[i], &w->size[i + 1], tail * sizeof(w->size[0]));
	memmove(&w->dst_step[i], &w->dst_step[i + 1], tail * sizeof(w->dst_step[0]));
	memmove(&w->src_step[i], &w->src_step[i + 1], tail * sizeof(w->src_step[0]));
	w->rank--;
}

void ek_strided_copy_simplify(struct ek_strided_copy *w)
{
	for (uint32_t i = w->rank; i-- > 0;) {
		if (w->size[i] == 1) {
			drop(w, i);
		}
	}
	for (uint32_t i = w->rank; i-- > 1;) {
		ptrdiff_t n = (ptrdiff_t)w->size[i];
		if (w->dst_step[i - 1] == n * w->dst_step[i] &&
			w->src_step[i - 1] == n * w->src_step[i]) {
			w->size[i] *= w->size[i - 1];
			drop(w, i - 1);
		}
	}
}

/* Copies of a constant length become single loads and stores. */
#define COPY_ELEMENTS(bytes)                                                                       \
	for (size_t i = 0; i < n; i++, dst += dst_step, src += src_step) {                         \
		memcpy(dst, src, bytes);                                                           \
	}

static void copy_row(char *dst, const char *src, size_t element_bytes, size_t n, ptrdiff_t dst_step,
	ptrdiff_t src_step)
{
	if (dst_step == (ptrdiff_t)element_bytes && src_step == (ptrdiff_t)element_bytes) {
		memcpy(dst, src, n * element_bytes);
		return;
	}
	switch (element_bytes) {
	case 1:
		COPY_ELEMENTS(1)
		break;
	case 2:
		COPY_ELEMENTS(2)
		break;
	case 4:
		COPY_ELEMENTS(4)
		break;
	case 8:
		COPY_ELEMENTS(8)
		break;
	default:
		COPY_ELEMENTS(16)
		break;
	}
}

static void copy_level(char *dst, const char *src, size_t element_bytes,
	const struct ek_strided_copy *w, uint32_t level)
{
	if (level + 1 == w->rank) {
		copy_row(dst, src, element_bytes, w->size[level], w->dst_step[level],
			w->src_step[level]);
		return;
	}
	for (size_t i = 0; i < w->size[level]; i++) {
		copy_level(dst, src, element_bytes, w, level + 1);
		dst += w->dst_step[level];
		src += w->src_step[level];
	}
}

void ek_strided_copy_run(
	void *dst, const void *src, size_t element_bytes, const struct ek_strided_copy *walk)
{
	if (walk->rank == 0) {
		memcpy(dst, src, element_bytes);
	} else {
		copy_level(dst, src, element_bytes, walk, 0);
	}
}

void ek_strided_copy_fill(void *dst, const void *value, size_t element_bytes, size_t count)
{
	if (element_bytes == 1) {
		memset(dst, *(const uint8_t *)value, count);
		return;
	}
	struct ek_strided_copy w = {
		.rank = 1, .size = {count}, .dst_step = {(ptrdiff_t)element_bytes}};
	ek_strided_copy_run(dst, value, element_bytes, &w);
}

void ek_strided_copy_pick(
	void *dst, const void *src, size_t bytes, const int32_t *index, size_t count)
{
	char *to = dst;
	for (size_t i = 0; i < count; i++, to += bytes) {
		memcpy(to, (const char *)src + (size_t)index[i] * bytes, bytes);
	}
}
