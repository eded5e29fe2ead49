/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packed_panel_avx512 - the int32 sums of up to 64 channels become codes of 8 bits
 *
 *   code[n] = clamp(ek_mbqm(sum[n], scale[n]) + output_zero, lo, hi)
 *
 * A panel is four vectors of 16 channels. Two ways give the same bits. The fused one needs
 * |sum| < 2^29 and -30 <= shift <= 0:
 *
 *   w = floor(sum * m / 2^30), r = -shift
 *   (w + 1 + (r ? 2^r : 0) - (r && sum < 0 ? 2 : 0)) >> (r + 1)
 *
 * because the first rounding adds one half of the last bit that it keeps, and the second one half
 * of 2^r, less one unit where the value is negative; both fit behind one shift. The other way is
 * ek_mbqm() step by step and needs nothing.
 */
#ifndef KERNELS_GEMM_PACKED_PANEL_AVX512_H
#define KERNELS_GEMM_PACKED_PANEL_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/math/quant.h"

#define PANEL_COLS 64
#define PANEL_VECTORS 4
#define ALWAYS_INLINE static inline __attribute__((always_inline))

struct panel {
	__m512i start[PANEL_VECTORS]; /* of the sums */
	__m512i even[PANEL_VECTORS], odd[PANEL_VECTORS]; /* multipliers; odd lanes moved down */
	__m512i add[PANEL_VECTORS]; /* fused: rounding constant; else: left shift */
	__m512i negative[PANEL_VECTORS]; /* fused: added where the sum is negative */
	__m512i shift[PANEL_VECTORS]; /* right */
	bool fused;
};

/* What becomes of a value between requantisation and the output. */
struct panel_output {
	int32_t zero, lo, hi;
	bool is_signed; /* int8, else uint8 */
};

ALWAYS_INLINE uint32_t panel_least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The lanes of vector @j that are among the first @n channels. */
ALWAYS_INLINE __mmask16 panel_lanes(uint32_t n, uint32_t j)
{
	uint32_t left = n > 16 * j ? n - 16 * j : 0;
	return left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
}

ALWAYS_INLINE __mmask64 panel_bytes(uint32_t n)
{
	return n >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << n) - 1;
}

/* 16 pairs, those of @lanes, as two vectors; zero in the others. */
ALWAYS_INLINE void panel_load_scales(
	const struct ek_scale *scale, __mmask16 lanes, __m512i *ret_multiplier, __m512i *ret_shift)
{
	const __m512i first =
		_mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
	const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(1));
	uint32_t n = (uint32_t)__builtin_popcount(lanes);
	uint32_t pairs = n >= 16 ? UINT32_MAX : (1u << 2 * n) - 1;
	__m512i low = _mm512_maskz_loadu_epi32((__mmask16)pairs, scale);
	__m512i high = _mm512_maskz_loadu_epi32((__mmask16)(pairs >> 16), scale + 8);
	*ret_multiplier = _mm512_permutex2var_epi32(low, first, high);
	*ret_shift = _mm512_permutex2var_epi32(low, second, high);
}

/* The constants of both ways; @shift is the pair's. */
ALWAYS_INLINE void panel_set_scale(struct panel *p, int j, __m512i multiplier, __m512i shift)
{
	const __m512i zero = _mm512_setzero_si512(), one = _mm512_set1_epi32(1);
	__m512i right = _mm512_max_epi32(_mm512_sub_epi32(zero, shift), zero);
	p->even[j] = multiplier;
	p->odd[j] = _mm512_srli_epi64(multiplier, 32);
	if (!p->fused) {
		p->add[j] = _mm512_max_epi32(shift, zero);
		p->negative[j] = zero;
		p->shift[j] = right;
		return;
	}
	__mmask16 rounds = _mm512_test_epi32_mask(right, right);
	p->add[j] = _mm512_mask_add_epi32(one, rounds, one, _mm512_sllv_epi32(one, right));
	p->negative[j] = _mm512_maskz_set1_epi32(rounds, -2);
	p->shift[j] = _mm512_add_epi32(right, one);
}

/*
 * Makes the panel of @n channels: the sums start at @start[0..64) + @bias[0..n) (may be NULL).
 * @scale: NULL where nothing but the start is asked for. @products: what a sum of products may
 * reach, away from zero.
 */
ALWAYS_INLINE void panel_init(struct panel *p, const int32_t *start, const int32_t *bias,
	const struct ek_scale *scale, uint32_t n, uint64_t products)
{
	const uint64_t limit = 1u << 29;
	__m512i multiplier[PANEL_VECTORS], shift[PANEL_VECTORS];
	/* 2^31 is its own magnitude, and as an unsigned number beyond every limit. */
	const __m512i room = _mm512_set1_epi32(products < limit ? (int)(limit - products) : 0);
	__mmask16 beyond = 0;
	for (uint32_t j = 0; j < PANEL_VECTORS; j++) {
		__mmask16 lanes = panel_lanes(n, j);
		__m512i b = bias ? _mm512_maskz_loadu_epi32(lanes, bias + 16 * j)
				 : _mm512_setzero_si512();
		multiplier[j] = shift[j] = _mm512_setzero_si512();
		if (scale) {
			panel_load_scales(scale + 16 * j, lanes, &multiplier[j], &shift[j]);
		}
		p->start[j] = _mm512_add_epi32(_mm512_load_si512(start + 16 * j), b);
		beyond |= _mm512_cmpge_epu32_mask(_mm512_abs_epi32(b), room);
		beyond |= _mm512_cmpgt_epu32_mask(
			_mm512_sub_epi32(_mm512_setzero_si512(), shift[j]), _mm512_set1_epi32(30));
	}
	p->fused = !beyond;
	for (int j = 0; j < PANEL_VECTORS; j++) {
		panel_set_scale(p, j, multiplier[j], shift[j]);
	}
}

/* @v[j] of 16 channels from 16 j on become vectors whose lane 4 l + i is channel 16 l + 4 j + i. */
ALWAYS_INLINE void panel_transpose(__m512i v[PANEL_VECTORS])
{
	__m512i a = _mm512_shuffle_i32x4(v[0], v[1], 0x44);
	__m512i b = _mm512_shuffle_i32x4(v[0], v[1], 0xEE);
	__m512i c = _mm512_shuffle_i32x4(v[2], v[3], 0x44);
	__m512i d = _mm512_shuffle_i32x4(v[2], v[3], 0xEE);
	v[0] = _mm512_shuffle_i32x4(a, c, 0x88);
	v[1] = _mm512_shuffle_i32x4(a, c, 0xDD);
	v[2] = _mm512_shuffle_i32x4(b, d, 0x88);
	v[3] = _mm512_shuffle_i32x4(b, d, 0xDD);
}

ALWAYS_INLINE __m512i panel_requant_fused(const struct panel *p, int j, __m512i sum)
{
	__m512i x = _mm512_slli_epi32(sum, 2);
	__m512i even = _mm512_mul_epi32(x, p->even[j]);
	__m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(x, 32), p->odd[j]);
	__m512i w = _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
	w = _mm512_add_epi32(w, p->add[j]);
	w = _mm512_mask_add_epi32(w, _mm512_movepi32_mask(sum), w, p->negative[j]);
	return _mm512_srav_epi32(w, p->shift[j]);
}

ALWAYS_INLINE __m512i panel_requant_total(const struct panel *p, int j, __m512i sum)
{
	const __m512i half = _mm512_set1_epi64(1 << 30), one = _mm512_set1_epi32(1);
	__m512i x = _mm512_sllv_epi32(sum, p->add[j]);
	__m512i even = _mm512_add_epi64(_mm512_mul_epi32(x, p->even[j]), half);
	__m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(x, 32), p->odd[j]);
	odd = _mm512_add_epi64(odd, half);
	__m512i high = _mm512_mask_blend_epi32(
		0xAAAA, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
	__m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, p->shift[j]), one);
	__m512i threshold =
		_mm512_add_epi32(_mm512_srli_epi32(mask, 1), _mm512_srli_epi32(high, 31));
	__mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(high, mask), threshold);
	__m512i y = _mm512_srav_epi32(high, p->shift[j]);
	return _mm512_mask_add_epi32(y, up, y, one);
}

/* Codes of four vectors; in each 128 bits the four of @v[0], then those of @v[1], ... */
ALWAYS_INLINE __m512i panel_pack(const struct panel_output *o, const __m512i v[PANEL_VECTORS])
{
	__m512i low = _mm512_packs_epi32(v[0], v[1]), high = _mm512_packs_epi32(v[2], v[3]);
	__m512i lo = _mm512_set1_epi8((char)o->lo), hi = _mm512_set1_epi8((char)o->hi);
	if (o->is_signed) {
		__m512i y = _mm512_packs_epi16(low, high);
		return _mm512_min_epi8(_mm512_max_epi8(y, lo), hi);
	}
	__m512i y = _mm512_packus_epi16(low, high);
	return _mm512_min_epu8(_mm512_max_epu8(y, lo), hi);
}

/* Requantises the first @vectors in place and adds the zero point; the others become zero. */
ALWAYS_INLINE void panel_requant(const struct panel *p, const struct panel_output *o, bool fused,
	int vectors, __m512i v[PANEL_VECTORS])
{
	const __m512i zero = _mm512_set1_epi32(o->zero);
	for (int j = 0; j < PANEL_VECTORS; j++) {
		if (j >= vectors) {
			v[j] = _mm512_setzero_si512();
			continue;
		}
		__m512i y =
			fused ? panel_requant_fused(p, j, v[j]) : panel_requant_total(p, j, v[j]);
		v[j] = _mm512_add_epi32(y, zero);
	}
}

/* panel_pack() of vectors in the order of channels. */
ALWAYS_INLINE __m512i panel_pack_natural(
	const struct panel_output *o, const __m512i v[PANEL_VECTORS])
{
	const __m512i order =
		_mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
	return _mm512_permutexvar_epi32(order, panel_pack(o, v));
}

#endif
