/* SPDX-License-Identifier: Apache-2.0 */
/* packed_panel_neon - sums become codes, 16 at a time; rows of codes are brought to a block */
#ifndef KERNELS_GEMM_PACKED_PANEL_NEON_H
#define KERNELS_GEMM_PACKED_PANEL_NEON_H

#include <arm_neon.h>

#include "kernels/gemm/gemm_panel_arm.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Both with saturation, lower half first. */
ALWAYS_INLINE int16x8_t panel_narrow32(int32x4_t low, int32x4_t high)
{
#if defined(__aarch64__)
	return vqmovn_high_s32(vqmovn_s32(low), high);
#else
	return vcombine_s16(vqmovn_s32(low), vqmovn_s32(high));
#endif
}

ALWAYS_INLINE int8x16_t panel_narrow_s16(int16x8_t low, int16x8_t high)
{
#if defined(__aarch64__)
	return vqmovn_high_s16(vqmovn_s16(low), high);
#else
	return vcombine_s8(vqmovn_s16(low), vqmovn_s16(high));
#endif
}

/* As unsigned codes. */
ALWAYS_INLINE uint8x16_t panel_narrow_u16(int16x8_t low, int16x8_t high)
{
#if defined(__aarch64__)
	return vqmovun_high_s16(vqmovun_s16(low), high);
#else
	return vcombine_u8(vqmovun_s16(low), vqmovun_s16(high));
#endif
}

/* Lower halves of values that fit in them. */
ALWAYS_INLINE int16x8_t panel_lower(int32x4_t low, int32x4_t high)
{
#if defined(__aarch64__)
	return vuzp1q_s16(vreinterpretq_s16_s32(low), vreinterpretq_s16_s32(high));
#else
	return vcombine_s16(vmovn_s32(low), vmovn_s32(high));
#endif
}

/* Of four columns. */
struct panel_scale {
	int32x4_t multiplier, right, left;
};

ALWAYS_INLINE struct panel_scale panel_scale(const struct gemm_panel *p, int first)
{
	return (struct panel_scale){
		vld1q_s32(p->scale[first / 4][0]),
		vld1q_s32(p->scale[first / 4][1]),
		vld1q_s32(p->left + first),
	};
}

/* The same scale for all lanes, behind a shift to the left by @left. */
ALWAYS_INLINE struct panel_scale panel_scale_of(struct ek_scale s, int32_t left)
{
	return (struct panel_scale){
		.multiplier = vdupq_n_s32(s.multiplier),
		.right = vdupq_n_s32(s.shift < 0 ? s.shift : 0),
		.left = vdupq_n_s32(left + (s.shift > 0 ? s.shift : 0)),
	};
}

/* ek_mbqm(), or of GEMM_UP ek_mbqm_up(): VQRDMULH is the high product; VRSHL has ties up, and one
 * less below zero sends them away. */
ALWAYS_INLINE int32x4_t panel_requant(
	const enum gemm_rounding rounding, struct panel_scale s, int32x4_t v)
{
	if (rounding == GEMM_TOTAL) {
		int32x4_t high = vqrdmulhq_s32(vshlq_s32(v, s.left), s.multiplier);
		high = vsraq_n_s32(high, vandq_s32(high, s.right), 31);
		return vrshlq_s32(high, s.right);
	}
	if (rounding == GEMM_UP) {
		return vrshlq_s32(vqrdmulhq_s32(vshlq_s32(v, s.left), s.multiplier), s.right);
	}
	int32x4_t high = vqrdmulhq_s32(v, s.multiplier);
	if (rounding == GEMM_AWAY) {
		high = vsraq_n_s32(high, high, 31);
	}
	return vrshlq_s32(high, s.right);
}

/* What follows requantisation, as vectors. But for GEMM_FULL codes are signed until the end. */
struct panel_output {
	int32x4_t zero32; /* GEMM_TOTAL and UP add this one, and then take away less16 */
	int16x8_t less16;
	int16x8_t zero16; /* GEMM_AWAY adds this one */
	int8x16_t lo, hi;
	uint8x16_t flip, full_flip;
};

ALWAYS_INLINE struct panel_output panel_output(const struct gemm_output *o)
{
	int32_t less = o->is_signed ? 0 : 128;
	return (struct panel_output){
		.zero32 = vdupq_n_s32(o->zero),
		.less16 = vdupq_n_s16((int16_t)less),
		.zero16 = vdupq_n_s16((int16_t)(o->zero - less)),
		.lo = vdupq_n_s8((int8_t)(o->lo - less)),
		.hi = vdupq_n_s8((int8_t)(o->hi - less)),
		.flip = vdupq_n_u8((uint8_t)less),
		.full_flip = vdupq_n_u8((uint8_t)(less ^ 128)),
	};
}

/* 16 requantised values as codes of the type of the output. */
ALWAYS_INLINE uint8x16_t panel_codes(const enum gemm_rounding rounding, const bool fits,
	const struct panel_output *o, int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d)
{
	int16x8_t low, high;
	if (rounding == GEMM_TOTAL || rounding == GEMM_UP) {
		low = panel_narrow32(vaddq_s32(a, o->zero32), vaddq_s32(b, o->zero32));
		high = panel_narrow32(vaddq_s32(c, o->zero32), vaddq_s32(d, o->zero32));
		low = vqsubq_s16(low, o->less16);
		high = vqsubq_s16(high, o->less16);
	} else {
		low = fits ? panel_lower(a, b) : panel_narrow32(a, b);
		high = fits ? panel_lower(c, d) : panel_narrow32(c, d);
	}
	if (rounding == GEMM_FULL) {
		return veorq_u8(panel_narrow_u16(low, high), o->full_flip);
	}
	if (rounding == GEMM_AWAY) {
		low = vqaddq_s16(low, o->zero16);
		high = vqaddq_s16(high, o->zero16);
	}
	int8x16_t codes = vminq_s8(vmaxq_s8(panel_narrow_s16(low, high), o->lo), o->hi);
	return veorq_u8(vreinterpretq_u8_s8(codes), o->flip);
}

ALWAYS_INLINE void panel_store_some(uint8_t *to, uint8x16_t codes, uint32_t n)
{
	if (n == 16) {
		vst1q_u8(to, codes);
		return;
	}
	uint8_t all[16];
	vst1q_u8(all, codes);
	gemm_copy_few(to, all, n);
}

/* The first @n of 16 codes; the others are zero. */
ALWAYS_INLINE uint8x16_t panel_load(const uint8_t *from, size_t n)
{
	if (n >= 16) {
		return vld1q_u8(from);
	}
	uint8_t codes[16] = {0};
	gemm_copy_few(codes, from, n);
	return vld1q_u8(codes);
}

#endif
