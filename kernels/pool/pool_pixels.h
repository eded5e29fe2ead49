/* SPDX-License-Identifier: Apache-2.0 */
/* pool_pixels - the output pixels of a tile of kernels/pool/pool.h, and where their taps are */
#ifndef KERNELS_POOL_POOL_PIXELS_H
#define KERNELS_POOL_POOL_PIXELS_H

#include "kernels/pool/pool_args.h"
#include "kernels/tile.h"

#define POOL_INLINE static inline __attribute__((always_inline))

/* One output pixel. */
struct pixel {
	const struct ek_pool *args;
	uint32_t batch;
	struct ek_taps y, x;
	size_t output; /* index of its first channel */
};

typedef void pixel_fn(const struct pixel *p, uint32_t first, uint32_t n);

/* Calls @fn for runs of up to @step channels of each pixel of the tile. */
POOL_INLINE void each_pixel(
	const struct ek_pool *a, const struct ek_tile *t, const uint32_t step, pixel_fn *fn)
{
	uint32_t end = t->first_col + t->n_cols;
	for (uint32_t row = t->first_row; row < t->first_row + t->n_rows; row++) {
		struct ek_pixel at = ek_window_pixel(&a->window, row);
		const struct pixel p = {
			.args = a,
			.batch = at.batch,
			.y = ek_window_taps(&a->window.y, at.y),
			.x = ek_window_taps(&a->window.x, at.x),
			.output = (size_t)row * a->channels,
		};
		for (uint32_t c = t->first_col; c < end; c += step) {
			fn(&p, c, end - c < step ? end - c : step);
		}
	}
}

/* Index of channel @c of the first tap of filter row @ky that is inside. */
POOL_INLINE size_t tap_row(const struct pixel *p, uint32_t ky, uint32_t c)
{
	const struct ek_window *w = &p->args->window;
	size_t y = (size_t)(p->y.origin + ky), x = (size_t)(p->x.origin + p->x.first);
	return ((p->batch * (size_t)w->y.in + y) * w->x.in + x) * p->args->channels + c;
}

#endif
