/* SPDX-License-Identifier: Apache-2.0 */
/* panel_neon - sums become codes, 16 at a time; rows of codes are brought to a block */
#ifndef KERNELS_ARM_PANEL_NEON_H
#define KERNELS_ARM_PANEL_NEON_H

#include <arm_neon.h>
#include <string.h>

#include "kernels/arm/product.h"

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

ALWAYS_INLINE struct panel_scale panel_scale(const struct product_panel *p, int first)
{
	return (struct panel_scale){
		vld1q_s32(p->multiplier + first),
		vld1q_s32(p->right + first),
		vld1q_s32(p->left + first),
	};
}

/* ek_mbqm(): VQRDMULH is its high product; VRSHL has ties up, and one less below zero sends them
 * away. */
ALWAYS_INLINE int32x4_t panel_requant(
	const enum product_rounding rounding, struct panel_scale s, int32x4_t v)
{
	if (rounding == PRODUCT_TOTAL) {
		int32x4_t high = vqrdmulhq_s32(vshlq_s32(v, s.left), s.multiplier);
		high = vsraq_n_s32(high, vandq_s32(high, s.right), 31);
		return vrshlq_s32(high, s.right);
	}
	int32x4_t high = vqrdmulhq_s32(v, s.multiplier);
	if (rounding == PRODUCT_AWAY) {
		high = vsraq_n_s32(high, high, 31);
	}
	return vrshlq_s32(high, s.right);
}

/* What follows requantisation, as vectors. Codes are made signed and flipped last. */
struct panel_output {
	int32x4_t zero32; /* PRODUCT_TOTAL adds this one, and then takes away less16 */
	int16x8_t less16;
	int16x8_t zero16; /* the others add this one */
	int8x16_t lo, hi, flip;
	bool plain; /* int8, all of them */
};

ALWAYS_INLINE struct panel_output panel_output(const struct product_output *o)
{
	int32_t less = o->is_signed ? 0 : 128;
	return (struct panel_output){
		.zero32 = vdupq_n_s32(o->zero),
		.less16 = vdupq_n_s16((int16_t)less),
		.zero16 = vdupq_n_s16((int16_t)(o->zero - less)),
		.lo = vdupq_n_s8((int8_t)(o->lo - less)),
		.hi = vdupq_n_s8((int8_t)(o->hi - less)),
		.flip = vdupq_n_s8((int8_t)-less),
		.plain = o->is_signed && o->lo == INT8_MIN && o->hi == INT8_MAX,
	};
}

/* 16 requantised values. */
ALWAYS_INLINE int8x16_t panel_codes(const enum product_rounding rounding, const bool fits,
	const struct panel_output *o, int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d)
{
	if (rounding == PRODUCT_TOTAL) {
		int16x8_t low = panel_narrow32(vaddq_s32(a, o->zero32), vaddq_s32(b, o->zero32));
		int16x8_t high = panel_narrow32(vaddq_s32(c, o->zero32), vaddq_s32(d, o->zero32));
		return panel_narrow_s16(vqsubq_s16(low, o->less16), vqsubq_s16(high, o->less16));
	}
	int16x8_t low = fits ? panel_lower(a, b) : panel_narrow32(a, b);
	int16x8_t high = fits ? panel_lower(c, d) : panel_narrow32(c, d);
	return panel_narrow_s16(vqaddq_s16(low, o->zero16), vqaddq_s16(high, o->zero16));
}

/* Within the limits, and of the type of the output. */
ALWAYS_INLINE uint8x16_t panel_limit(const struct panel_output *o, int8x16_t codes)
{
	return vreinterpretq_u8_s8(veorq_s8(vminq_s8(vmaxq_s8(codes, o->lo), o->hi), o->flip));
}

ALWAYS_INLINE void panel_store_some(uint8_t *to, uint8x16_t codes, uint32_t n)
{
	uint8_t all[16];
	vst1q_u8(all, codes);
	memcpy(to, all, n);
}

/* The first @n of 16 codes; the others are zero. */
ALWAYS_INLINE uint8x16_t panel_load(const uint8_t *from, size_t n)
{
	if (n >= 16) {
		return vld1q_u8(from);
	}
	uint8_t codes[16] = {0};
	memcpy(codes, from, n);
	return vld1q_u8(codes);
}

#endif
