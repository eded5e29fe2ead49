/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_codes_ymm - the sums of pixels by a panel of channels become codes and are stored
 *
 * In a pass of its own, which has the panel's lines in registers and many pixels that don't wait for
 * each other. Includes come after a line (float_requant_avx2.h, float_requant_sse41.h).
 */
#ifndef KERNELS_REQUANT_STORE_CODES_YMM_H
#define KERNELS_REQUANT_STORE_CODES_YMM_H

/* Where the codes of a panel go. */
struct put {
	const struct vec_limits *limits;
	const struct float_requant_panel *panel;
	uint32_t channels;
	size_t step; /* bytes from pixel to pixel */
};

/* Sums that are read at once: of two pixels, or of four where a panel has one vector. */
#define PUT_SUMS 4

/* @mode FLOAT_REQUANT_STEPS: they are codes already. */
ALWAYS_INLINE void put_sums(const int mode, const int vectors, const struct put *p, const vec *sums,
	uint32_t n, uint8_t *to)
{
	const struct line first = float_requant_load(p->panel, 0),
			  second = float_requant_load(p->panel, vectors - 1);
	const struct vec_limits limits = *p->limits;
	const uint32_t each = vectors == 2 ? 2 : 4, channels = p->channels;
	const size_t step = p->step;
	for (uint32_t i = 0; i < n; i += each, to += each * step, sums += PUT_SUMS) {
		vec v[PUT_SUMS];
#pragma GCC unroll 4
		for (int k = 0; k < PUT_SUMS; k++) {
			const struct line *l = vectors == 2 && k % 2 ? &second : &first;
			v[k] = mode == FLOAT_REQUANT_STEPS
				? sums[k]
				: float_requant_codes(l, mode == FLOAT_REQUANT_CLAMPED, sums[k]);
		}
		if (vectors == 2) {
			vec_put_2(&limits, v, v + 2, channels, to, i + 1 < n ? to + step : to);
		} else {
			vec_put_4(&limits, v, channels, to, step, n - i < 4 ? n - i : 4);
		}
	}
}

typedef void put_fn(const struct put *p, const vec *sums, uint32_t n, uint8_t *to);

#define PUT_DEFINE(name, mode, vectors)                                                            \
	static __attribute__((noinline)) void name(                                                \
		const struct put *p, const vec *sums, uint32_t n, uint8_t *to)                     \
	{                                                                                          \
		put_sums(mode, vectors, p, sums, n, to);                                           \
	}

PUT_DEFINE(put_clamped_1, FLOAT_REQUANT_CLAMPED, 1)
PUT_DEFINE(put_clamped_2, FLOAT_REQUANT_CLAMPED, 2)
PUT_DEFINE(put_whole_1, FLOAT_REQUANT_WHOLE, 1)
PUT_DEFINE(put_whole_2, FLOAT_REQUANT_WHOLE, 2)
PUT_DEFINE(put_codes_1, FLOAT_REQUANT_STEPS, 1)
PUT_DEFINE(put_codes_2, FLOAT_REQUANT_STEPS, 2)

static __attribute__((noinline)) void put_steps(
	const int vectors, const struct put *p, vec *sums, uint32_t n, uint8_t *to)
{
	const struct vec_limits *l = p->limits;
	for (uint32_t i = 0; i < n * (uint32_t)vectors; i++) {
		vec y = vec_add(
			float_requant_steps(p->panel, (int)(i % (uint32_t)vectors), sums[i]),
			l->zero);
		sums[i] = vec_add(vec_least(vec_most(y, l->least), l->most), l->offset);
	}
	(vectors == 2 ? put_codes_2 : put_codes_1)(p, sums, n, to);
}

/* @n pixels, [n][vectors], of which there are as many as a multiple of PUT_SUMS. */
ALWAYS_INLINE void put_pixels(
	const int vectors, const struct put *p, vec *sums, uint32_t n, uint8_t *to)
{
	if (p->panel->mode == FLOAT_REQUANT_CLAMPED) {
		(vectors == 2 ? put_clamped_2 : put_clamped_1)(p, sums, n, to);
	} else if (p->panel->mode == FLOAT_REQUANT_WHOLE) {
		(vectors == 2 ? put_whole_2 : put_whole_1)(p, sums, n, to);
	} else {
		put_steps(vectors, p, sums, n, to);
	}
}

#endif
