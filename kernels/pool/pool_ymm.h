/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_ymm - windows over codes, a vector of channels of an output pixel at a time
 *
 * The last channels overlap those before; where a tile has fewer than a vector, only they are read.
 */
#ifndef KERNELS_POOL_POOL_YMM_H
#define KERNELS_POOL_POOL_YMM_H

#include "kernels/pool/pool.h"
#include "kernels/pool/pool_pixels.h"

#define FLUSH_PAIRS 128 /* of taps: 256 bytes are the most that 16 bits hold */
/* So far quotients are right in float: x < 2^22 below. */
#define MOST_TAPS 16384

struct sums {
	vec low, high; /* 16 bits: sums of pairs since the last flush */
	vec wide[4];
	uint32_t pairs;
};

ALWAYS_INLINE vec load(const uint8_t *from, const bool whole, uint32_t n)
{
	return whole ? vec_load(from) : bytes_load_some(from, n);
}

ALWAYS_INLINE void store(uint8_t *to, vec v, const bool whole, uint32_t n)
{
	if (whole) {
		vec_store(to, v);
	} else {
		bytes_store_some(to, v, n);
	}
}

ALWAYS_INLINE void flush(struct sums *s)
{
	const vec zero = vec_all(0);
	s->wide[0] = vec_add(s->wide[0], vec_unpack_low_16(s->low, zero));
	s->wide[1] = vec_add(s->wide[1], vec_unpack_high_16(s->low, zero));
	s->wide[2] = vec_add(s->wide[2], vec_unpack_low_16(s->high, zero));
	s->wide[3] = vec_add(s->wide[3], vec_unpack_high_16(s->high, zero));
	s->low = s->high = zero;
	s->pairs = 0;
}

ALWAYS_INLINE void add_pair(struct sums *s, vec a, vec b)
{
	if (s->pairs++ == FLUSH_PAIRS) {
		flush(s);
		s->pairs = 1;
	}
	s->low = vec_add_16(s->low, bytes_sum_low(a, b));
	s->high = vec_add_16(s->high, bytes_sum_high(a, b));
}

/* Sums of the channels from @first on, of signed codes 128 more each; taps that lie side by side are one
 * run of them. */
ALWAYS_INLINE void add_taps(const struct pixel *p, uint32_t first, const bool whole, uint32_t n,
	const bool is_signed, struct sums *s)
{
	const vec flip = bytes_all(is_signed ? 128 : 0);
	const size_t step = p->args->channels;
	uint32_t width = p->x.end - p->x.first, rows = p->y.end - p->y.first;
	if (width == p->args->window.x.in) {
		width *= rows;
		rows = rows ? 1 : 0;
	}
	for (uint32_t ky = p->y.first; ky < p->y.first + rows; ky++) {
		const uint8_t *x = (const uint8_t *)p->args->input + tap_row(p, ky, first);
		uint32_t left = width;
		for (; left >= 2; left -= 2, x += 2 * step) {
			add_pair(s, bytes_xor(load(x, whole, n), flip),
				bytes_xor(load(x + step, whole, n), flip));
		}
		if (left) {
			add_pair(s, bytes_xor(load(x, whole, n), flip), vec_all(0));
		}
	}
	flush(s);
}

/*
 * |sum| over @taps to nearest, ties up, then with its sign. That is the floor of y = (x + 1/2) / taps for
 * the whole number x = |sum| + taps / 2, which lies 1 / (2 taps) or more from a whole number; two
 * roundings move it by less than y / 2^23, which is less while x < 2^22.
 */
ALWAYS_INLINE vec divide(vec sum, int32_t taps, const bool is_signed)
{
	const real up = real_all((float)(taps / 2) + 0.5f), by = real_all(1 / (float)taps);
	const vec size = is_signed ? vec_abs(sum) : sum;
	const vec y = real_cut(real_mul(real_add(real_of(size), up), by));
	return is_signed ? vec_sign(y, sum) : y;
}

ALWAYS_INLINE vec clamped(const struct ek_pool *a, vec y, const bool is_signed)
{
	y = bytes_most(is_signed, y, bytes_all((uint8_t)a->lo));
	return bytes_least(is_signed, y, bytes_all((uint8_t)a->hi));
}

ALWAYS_INLINE void average(
	const struct pixel *p, uint32_t first, const bool whole, uint32_t n, const bool is_signed)
{
	const vec zero = vec_all(0);
	struct sums s = {zero, zero, {zero, zero, zero, zero}, 0};
	const int32_t taps = (int32_t)((p->y.end - p->y.first) * (p->x.end - p->x.first));
	const vec moved = vec_all(is_signed ? 128 * taps : 0);
	add_taps(p, first, whole, n, is_signed, &s);
	for (int j = 0; j < 4; j++) {
		s.wide[j] = divide(vec_sub(s.wide[j], moved), taps, is_signed);
	}
	vec y = clamped(p->args, bytes_pack(is_signed, s.wide), is_signed);
	store((uint8_t *)p->args->output + p->output + first, y, whole, n);
}

ALWAYS_INLINE void maximum(
	const struct pixel *p, uint32_t first, const bool whole, uint32_t n, const bool is_signed)
{
	vec best = bytes_all(is_signed ? 128 : 0);
	for (uint32_t ky = p->y.first; ky < p->y.end; ky++) {
		const uint8_t *x = (const uint8_t *)p->args->input + tap_row(p, ky, first);
		for (uint32_t k = p->x.first; k < p->x.end; k++, x += p->args->channels) {
			best = bytes_most(is_signed, best, load(x, whole, n));
		}
	}
	store((uint8_t *)p->args->output + p->output + first, clamped(p->args, best, is_signed),
		whole, n);
}

/* @name: of a function that takes a vector of channels, @from: the family; @most: taps of a window. */
#define POOL(from, name, is_signed, most)                                                          \
	static void name##_some(const struct pixel *p, uint32_t first, uint32_t n)                 \
	{                                                                                          \
		from(p, first, false, n, is_signed);                                               \
	}                                                                                          \
	static void name##_whole(const struct pixel *p, uint32_t first, uint32_t n)                \
	{                                                                                          \
		first = n < VEC_BYTES ? first + n - VEC_BYTES : first;                             \
		from(p, first, true, VEC_BYTES, is_signed);                                        \
	}                                                                                          \
	void YMM(ek_##name)(const struct ek_pool *args, const struct ek_tile *tile)                \
	{                                                                                          \
		const uint64_t taps = (uint64_t)args->window.y.taps * args->window.x.taps;         \
		if (taps > (most)) {                                                               \
			ek_##name[0].run(args, tile);                                              \
		} else if (tile->n_cols < VEC_BYTES) {                                             \
			each_pixel(args, tile, VEC_BYTES, name##_some);                            \
		} else {                                                                           \
			each_pixel(args, tile, VEC_BYTES, name##_whole);                           \
		}                                                                                  \
	}

POOL(average, average_pool_s8, true, MOST_TAPS)
POOL(average, average_pool_u8, false, MOST_TAPS)
POOL(maximum, max_pool_s8, true, UINT64_MAX)
POOL(maximum, max_pool_u8, false, UINT64_MAX)

#endif
