/* SPDX-License-Identifier: Apache-2.0 */
/* Floats become codes, 16 at a time (AArch64): FCVTAS rounds ties away from zero, FCVTNS to even; both saturate and
 * make 0 of NaN. */
#include <arm_neon.h>

#include "kernels/requant/requant.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

struct quantize {
	float32x4_t step; /* even: its inverse */
	int32x4_t zero, lo, hi;
};

static struct quantize quantize_of(const struct ek_quantize_params *p)
{
	return (struct quantize){vdupq_n_f32(p->even ? 1.0f / p->step : p->step),
		vdupq_n_s32(p->zero), vdupq_n_s32(p->lo), vdupq_n_s32(p->hi)};
}

/* The lower 16 bits of eight codes. */
ALWAYS_INLINE int16x8_t eight(const struct quantize *q, const float *from, const bool even)
{
	int32x4_t v[2];
#pragma GCC unroll 2
	for (int j = 0; j < 2; j++) {
		const float32x4_t x = vld1q_f32(from + 4 * j);
		v[j] = even ? vcvtnq_s32_f32(vmulq_f32(x, q->step))
			    : vcvtaq_s32_f32(vdivq_f32(x, q->step));
		v[j] = vminq_s32(vmaxq_s32(vqaddq_s32(v[j], q->zero), q->lo), q->hi);
	}
	return vuzp1q_s16(vreinterpretq_s16_s32(v[0]), vreinterpretq_s16_s32(v[1]));
}

/* Codes of 8 bits of either type. */
ALWAYS_INLINE size_t quantize_8(
	int8_t *to, const float *src, size_t n, const struct quantize *q, const bool even)
{
	size_t i = 0;
	for (; i + 16 <= n; i += 16) {
		const int8x16_t low = vreinterpretq_s8_s16(eight(q, src + i, even));
		const int8x16_t high = vreinterpretq_s8_s16(eight(q, src + i + 8, even));
		vst1q_s8(to + i, vuzp1q_s8(low, high));
	}
	return i;
}

void ek_quantize_s8__neon(
	void *dst, const float *src, size_t n, const struct ek_quantize_params *params)
{
	const struct quantize q = quantize_of(params);
	const size_t done = params->even ? quantize_8(dst, src, n, &q, true)
					 : quantize_8(dst, src, n, &q, false);
	ek_quantize_s8[0].run((int8_t *)dst + done, src + done, n - done, params);
}

void ek_quantize_u8__neon(
	void *dst, const float *src, size_t n, const struct ek_quantize_params *params)
{
	const struct quantize q = quantize_of(params);
	const size_t done = params->even ? quantize_8(dst, src, n, &q, true)
					 : quantize_8(dst, src, n, &q, false);
	ek_quantize_u8[0].run((uint8_t *)dst + done, src + done, n - done, params);
}

void ek_quantize_s16__neon(
	void *dst, const float *src, size_t n, const struct ek_quantize_params *params)
{
	const struct quantize q = quantize_of(params);
	int16_t *to = dst;
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		vst1q_s16(to + i,
			params->even ? eight(&q, src + i, true) : eight(&q, src + i, false));
	}
	ek_quantize_s16[0].run(to + i, src + i, n - i, params);
}
