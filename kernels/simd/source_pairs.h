/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_pairs - codes in scratch as 16 bits, and their products with packed weights, by pairs
 *
 * VPMADDUBSW saturates sums of two products of 8 bits, so that codes are widened to 16, less their
 * zero points: -255 .. 255. VPMADDWD sums pairs of products exactly, and the rest wraps. Includes
 * come after vector_s32_avx2.h or vector_s32_sse41.h. source_fours.h has the same names.
 */
#ifndef KERNELS_SIMD_SOURCE_PAIRS_H
#define KERNELS_SIMD_SOURCE_PAIRS_H

#include "kernels/math/quant.h"

#define SOURCE_BYTES 2 /* of a code */
#define SOURCE_CODES 2 /* of a step: four bytes, and so for weights */

typedef int16_t source_weight;

struct source {
	bool is_signed;
	int32_t zero;
};

/* @n codes of a tensor as they are multiplied. */
static inline void source_copy(const struct source *s, uint8_t *to, const uint8_t *codes, size_t n)
{
	const vec zero = vec_all_16((int16_t)s->zero);
	size_t i = 0;
	if (n >= VEC_COLS) {
		for (; i < n; i += VEC_COLS) {
			i = i + VEC_COLS > n ? n - VEC_COLS : i;
			vec x = s->is_signed ? vec_widen(true, codes + i)
					     : vec_widen(false, codes + i);
			vec_store(to + 2 * i, vec_sub_16(x, zero));
		}
		return;
	}
	for (; i < n; i++) {
		int32_t x = (s->is_signed ? (int8_t)codes[i] : codes[i]) - s->zero;
		int16_t y = (int16_t)x;
		memcpy(to + 2 * i, &y, sizeof(y));
	}
}

/* @n codes outside of the picture. */
static inline void source_pad(const struct source *s, uint8_t *to, size_t n)
{
	(void)s;
	memset(to, 0, 2 * n);
}

/* What weights have taken from them. */
static inline int32_t source_weights_zero(bool fits, int32_t zero)
{
	(void)fits;
	return zero;
}

/* Where a sum starts: the codes are less their zero point already. */
static inline int32_t source_start(const struct source *s, int32_t bias, uint32_t sum_of_weights)
{
	(void)s;
	(void)sum_of_weights;
	return bias;
}

/* Sums of what pixels see are not asked for. */
#define SOURCE_SUMS 0
static inline int32_t source_sum(const uint8_t *at, size_t n)
{
	(void)at;
	(void)n;
	return 0;
}

/* In strips zero points stay in the codes, since each is used a few times only: */
static inline void source_pad_strip(const struct source *s, uint8_t *to, size_t n)
{
	const int16_t zero = (int16_t)s->zero;
	for (size_t i = 0; i < n; i++) {
		memcpy(to + 2 * i, &zero, sizeof(zero));
	}
}

static inline int32_t source_start_strip(
	const struct source *s, int32_t bias, uint32_t sum_of_weights)
{
	return (int32_t)((uint32_t)bias - (uint32_t)s->zero * sum_of_weights);
}

/* The codes of SOURCE_CODES rows, in turns, of a vector's channels or of two vectors'. */
ALWAYS_INLINE void source_strip(const struct source *s, bool is_signed, const int vectors,
	const uint8_t *const rows[SOURCE_CODES], uint8_t *to)
{
	(void)s;
	if (vectors == 1) {
		vec_store(to, vec_pairs(is_signed, rows[0], rows[1]));
		return;
	}
	const vec x = vec_widen(is_signed, rows[0]), y = vec_widen(is_signed, rows[1]);
	vec_store(to, vec_unpack_low_16(x, y));
	vec_store(to + VEC_BYTES, vec_unpack_high_16(x, y));
}

#if VEC_WIDE
/* The same of 32 channels, to four vectors whose 128 bits have neighbours (depthwise_ymm_wide.h). */
ALWAYS_INLINE void source_wide(bool is_signed, const uint8_t *const rows[SOURCE_CODES], uint8_t *to)
{
	const vec x = vec_load(rows[0]), y = vec_load(rows[1]);
	const vec above_x = is_signed ? _mm256_cmpgt_epi8(vec_all(0), x) : vec_all(0);
	const vec above_y = is_signed ? _mm256_cmpgt_epi8(vec_all(0), y) : vec_all(0);
	const vec low_x = vec_unpack_low_8(x, above_x), low_y = vec_unpack_low_8(y, above_y);
	const vec high_x = vec_unpack_high_8(x, above_x), high_y = vec_unpack_high_8(y, above_y);
	vec_store(to, vec_unpack_low_16(low_x, low_y));
	vec_store(to + VEC_BYTES, vec_unpack_high_16(low_x, low_y));
	vec_store(to + 2 * VEC_BYTES, vec_unpack_low_16(high_x, high_y));
	vec_store(to + 3 * VEC_BYTES, vec_unpack_high_16(high_x, high_y));
}
#endif

/* A weight less its zero point, in parts. */
#define SOURCE_PARTS 1
static inline int32_t source_part(int32_t w, uint32_t part)
{
	return part ? 0 : w;
}

ALWAYS_INLINE vec source_dot(vec sum, vec a, vec w)
{
	sum = vec_add(sum, vec_madd(a, w));
	__asm__(""
		: "+x"(sum)); /* compilers would add products first, which registers are short of */
	return sum;
}

#endif
