/* SPDX-License-Identifier: Apache-2.0 */
/* As elementwise_neon.c, of int16: eight codes at a time; the last ones are entry 0's. */
#include "kernels/elementwise/arith_q_arm.h"

#include "kernels/gemm/packed_panel_neon.h"

/* Eight elements, or the one of all. */
ALWAYS_INLINE int16x8_t operand(const int16_t *from, size_t step, size_t i)
{
	return step ? vld1q_s16(from + i) : vdupq_n_s16(from[0]);
}

/* Four of them less their zero point. */
ALWAYS_INLINE int32x4_t four(int16x8_t x, int32x4_t zero, const int j)
{
	return vsubq_s32(vmovl_s16(j ? vget_high_s16(x) : vget_low_s16(x)), zero);
}

/* What is behind requantisation. */
struct ends {
	int32x4_t zero, lo, hi;
};

static struct ends ends_of(int32_t zero, int32_t lo, int32_t hi)
{
	return (struct ends){vdupq_n_s32(zero), vdupq_n_s32(lo), vdupq_n_s32(hi)};
}

ALWAYS_INLINE int16x8_t codes(const struct ends *e, const int32x4_t v[2])
{
	int32x4_t y[2];
#pragma GCC unroll 2
	for (int j = 0; j < 2; j++) {
		y[j] = vminq_s32(vmaxq_s32(vaddq_s32(v[j], e->zero), e->lo), e->hi);
	}
	return panel_lower(y[0], y[1]);
}

void ek_add_s16__neon(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_arith_q *p)
{
	const struct panel_scale a_scale = panel_scale_of(p->a_scale, p->left_shift);
	const struct panel_scale b_scale = panel_scale_of(p->b_scale, p->left_shift);
	const struct panel_scale scale = panel_scale_of(p->scale, 0);
	const int32x4_t a_zero = vdupq_n_s32(p->a_zero), b_zero = vdupq_n_s32(p->b_zero);
	const struct ends e = ends_of(p->zero, p->lo, p->hi);
	const int16_t *x = a, *y = b;
	int16_t *to = dst;
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		const int16x8_t s = operand(x, a_step, i), t = operand(y, b_step, i);
		int32x4_t v[2];
#pragma GCC unroll 2
		for (int j = 0; j < 2; j++) {
			int32x4_t u = panel_requant(GEMM_TOTAL, a_scale, four(s, a_zero, j));
			int32x4_t w = panel_requant(GEMM_TOTAL, b_scale, four(t, b_zero, j));
			w = vmlaq_n_s32(u, w, p->sign);
			v[j] = panel_requant(GEMM_TOTAL, scale, w);
		}
		vst1q_s16(to + i, codes(&e, v));
	}
	ek_add_s16[0].run(to + i, x + i * a_step, y + i * b_step, n - i, a_step, b_step, p);
}

/* ek_rdbpot(), @right from -15 to 0: less one below zero where there is something to round. */
ALWAYS_INLINE int32x4_t shifted(int32x4_t x, int32x4_t right)
{
	return vrshlq_s32(vsraq_n_s32(x, vandq_s32(x, right), 31), right);
}

void ek_add_s16_pot__neon(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_arith_q *p)
{
	const int32x4_t a_right = vdupq_n_s32(p->a_scale.shift);
	const int32x4_t b_right = vdupq_n_s32(p->b_scale.shift), zero = vdupq_n_s32(0);
	const int16x8_t lo = vdupq_n_s16((int16_t)p->lo), hi = vdupq_n_s16((int16_t)p->hi);
	const int16_t *x = a, *y = b;
	int16_t *to = dst;
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		const int16x8_t s = operand(x, a_step, i), t = operand(y, b_step, i);
		int32x4_t v[2];
#pragma GCC unroll 2
		for (int j = 0; j < 2; j++) {
			int32x4_t w = shifted(four(t, zero, j), b_right);
			v[j] = vmlaq_n_s32(shifted(four(s, zero, j), a_right), w, p->sign);
		}
		vst1q_s16(to + i, vminq_s16(vmaxq_s16(panel_narrow32(v[0], v[1]), lo), hi));
	}
	ek_add_s16_pot[0].run(to + i, x + i * a_step, y + i * b_step, n - i, a_step, b_step, p);
}

void ek_mul_s16__neon(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_arith_q *p)
{
	const struct panel_scale scale = panel_scale_of(p->scale, 0);
	const int32x4_t a_zero = vdupq_n_s32(p->a_zero), b_zero = vdupq_n_s32(p->b_zero);
	const struct ends e = ends_of(p->zero, p->lo, p->hi);
	const int16_t *x = a, *y = b;
	int16_t *to = dst;
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		const int16x8_t s = operand(x, a_step, i), t = operand(y, b_step, i);
		int32x4_t v[2];
#pragma GCC unroll 2
		for (int j = 0; j < 2; j++) {
			int32x4_t product = vmulq_s32(four(s, a_zero, j), four(t, b_zero, j));
			v[j] = panel_requant(GEMM_TOTAL, scale, product);
		}
		vst1q_s16(to + i, codes(&e, v));
	}
	ek_mul_s16[0].run(to + i, x + i * a_step, y + i * b_step, n - i, a_step, b_step, p);
}
