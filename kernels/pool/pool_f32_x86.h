/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_f32_x86 - body of the rows of ek_average_pool_f32 and ek_max_pool_f32; ROW(name) gives a function
 * its instruction set
 *
 * Some vectors of channels of an output pixel at a time, taps one after the other, as entry 0 has them.
 */
#include <float.h>
#include <stdbool.h>

#include "kernels/pool/pool_pixels.h"

#define POOL_VECTORS 4

/* @n vectors of channels from @first on, or one of @lanes channels. Constants: n, full, is_max. */
VECTOR_INLINE void pool_vectors(const struct pixel *p, uint32_t first, const int n, uint32_t lanes,
	const bool full, const bool is_max)
{
	const struct ek_pool *a = p->args;
	const vector lo = vector_all(a->lo_f32), hi = vector_all(a->hi_f32);
	const uint32_t taps = (p->y.end - p->y.first) * (p->x.end - p->x.first);
	vector v[POOL_VECTORS];
	for (int j = 0; j < n; j++) {
		v[j] = vector_all(is_max ? -FLT_MAX : 0);
	}
	for (uint32_t ky = p->y.first; ky < p->y.end; ky++) {
		const float *x = (const float *)a->input + tap_row(p, ky, first);
		for (uint32_t k = p->x.first; k < p->x.end; k++, x += a->channels) {
			for (int j = 0; j < n; j++) {
				vector y = full ? vector_load(x + j * VECTOR_LANES)
						: vector_load_first(x, lanes);
				v[j] = is_max ? vector_larger(v[j], y) : vector_add(v[j], y);
			}
		}
	}
	float *to = (float *)a->output + p->output + first;
	for (int j = 0; j < n; j++, to += VECTOR_LANES) {
		vector y = is_max ? v[j] : vector_div(v[j], vector_all((float)taps));
		y = vector_clamp(y, lo, hi);
		if (full) {
			vector_store(to, y);
		} else {
			vector_store_first(to, lanes, y);
		}
	}
}

VECTOR_INLINE void pool_channels(
	const struct pixel *p, uint32_t first, uint32_t n, const bool is_max)
{
	const uint32_t end = first + n;
	if (n == POOL_VECTORS * VECTOR_LANES) {
		pool_vectors(p, first, POOL_VECTORS, 0, true, is_max);
		return;
	}
	for (; first + VECTOR_LANES <= end; first += VECTOR_LANES) {
		pool_vectors(p, first, 1, 0, true, is_max);
	}
	if (first < end) {
		pool_vectors(p, first, 1, end - first, false, is_max);
	}
}

static void pool_average(const struct pixel *p, uint32_t first, uint32_t n)
{
	pool_channels(p, first, n, false);
}

static void pool_largest(const struct pixel *p, uint32_t first, uint32_t n)
{
	pool_channels(p, first, n, true);
}

void ROW(ek_average_pool_f32)(const struct ek_pool *args, const struct ek_tile *tile)
{
	each_pixel(args, tile, POOL_VECTORS * VECTOR_LANES, pool_average);
}

void ROW(ek_max_pool_f32)(const struct ek_pool *args, const struct ek_tile *tile)
{
	each_pixel(args, tile, POOL_VECTORS * VECTOR_LANES, pool_largest);
}
