/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/reduce/reduce_window.h"

#include <string.h>

/* One row of the output in the making. */
struct place {
	const struct ek_reduce_window *w;
	const char *src; /* first element of the row in the input's first row */
	const char *init;
	char *acc;
	size_t n;
	int64_t at[EK_REDUCE_WINDOW_RANK]; /* which output, along each axis */
};

static void fold_init(const struct place *p, int64_t taps)
{
	for (int64_t k = 0; k < taps; k++) {
		p->w->fold(p->acc, p->init, p->n, 1);
	}
}

/* Element that stands at position @at of the axis, -1 for none. */
static int64_t element_of(const struct ek_reduce_axis *axis, int64_t at)
{
	return at >= 0 && at % axis->base == 0 && at / axis->base < axis->in ? at / axis->base : -1;
}

/* The last axis, where its taps and elements lie side by side: one call for those inside. */
static void fold_run(const struct place *p, const struct ek_reduce_axis *axis, int64_t row)
{
	int64_t start = p->at[p->w->rank - 1] * axis->stride - axis->pad, end = start + axis->taps;
	int64_t first = start < 0 ? 0 : start, last = end < axis->in ? end : axis->in;
	if (first >= last) {
		fold_init(p, axis->taps);
		return;
	}
	fold_init(p, first - start);
	p->w->fold(p->acc, p->src + (size_t)(row * axis->in + first) * p->w->element_bytes,
		(size_t)(last - first), 0);
	fold_init(p, end - last);
}

static int64_t taps_from(const struct ek_reduce_window *w, uint32_t level)
{
	int64_t taps = 1;
	for (; level < w->rank; level++) {
		taps *= w->axis[level].taps;
	}
	return taps;
}

/* @row: index of the input's rows so far. */
static void fold_level(const struct place *p, uint32_t level, int64_t row)
{
	const struct ek_reduce_window *w = p->w;
	if (level == w->rank) {
		size_t at = (size_t)row * w->inner * w->element_bytes;
		w->fold(p->acc, p->src + at, p->n, 1);
		return;
	}
	const struct ek_reduce_axis *axis = &w->axis[level];
	if (level + 1 == w->rank && w->inner == 1 && axis->dilation == 1 && axis->base == 1) {
		fold_run(p, axis, row);
		return;
	}
	int64_t at = p->at[level] * axis->stride - axis->pad, outside = taps_from(w, level + 1);
	for (int64_t k = 0; k < axis->taps; k++, at += axis->dilation) {
		int64_t i = element_of(axis, at);
		if (i < 0) {
			fold_init(p, outside);
		} else {
			fold_level(p, level + 1, row * axis->in + i);
		}
	}
}

void ek_reduce_window(const struct ek_reduce_window *w, void *dst, const void *src, size_t output,
	size_t first, size_t n, const void *init)
{
	struct place p = {
		.w = w,
		.src = (const char *)src + first * w->element_bytes,
		.init = init,
		.acc = (char *)dst + (output * w->inner + first) * w->element_bytes,
		.n = n,
	};
	for (uint32_t i = w->rank; i-- > 0;) {
		p.at[i] = (int64_t)(output % (size_t)w->axis[i].out);
		output /= (size_t)w->axis[i].out;
	}
	memcpy(p.acc, init, n * w->element_bytes);
	fold_level(&p, 0, 0);
}
