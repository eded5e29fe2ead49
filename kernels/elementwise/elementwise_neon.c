/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two rows of 8-bit codes become one, 16 codes at a time, by the arithmetic of the reference in 32 bits:
 * that of panel_requant() and panel_codes(). Tails are read and written by their bytes alone.
 */
#include "kernels/elementwise/arith_q_arm.h"
#include "kernels/elementwise/lut.h"

#include "kernels/gemm/packed_panel_neon.h"

/* 16 codes less their zero point. */
ALWAYS_INLINE void widen(const bool is_signed, uint8x16_t codes, int16x8_t zero, int16x8_t wide[2])
{
	if (is_signed) {
		int8x16_t x = vreinterpretq_s8_u8(codes);
		wide[0] = vsubq_s16(vmovl_s8(vget_low_s8(x)), zero);
		wide[1] = vsubq_s16(vmovl_s8(vget_high_s8(x)), zero);
	} else {
		wide[0] = vsubq_s16(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(codes))), zero);
		wide[1] = vsubq_s16(vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(codes))), zero);
	}
}

/* An operand of a row: @n <= 16 codes from @from + @i on, or the one of all. */
ALWAYS_INLINE uint8x16_t operand(const uint8_t *from, size_t step, size_t i, size_t n)
{
	return step ? panel_load(from + i, n) : vdupq_n_u8(from[0]);
}

struct arith {
	struct panel_scale a_scale, b_scale; /* of a sum */
	struct panel_scale scale;
	int16x8_t a_zero, b_zero;
	int32x4_t sign;
	struct panel_output output;
};

static struct arith arith_of(const bool is_signed, const struct ek_arith_q *params)
{
	const struct gemm_output o = {params->zero, params->lo, params->hi, is_signed, false};
	return (struct arith){
		.scale = panel_scale_of(params->scale, 0),
		.a_zero = vdupq_n_s16((int16_t)params->a_zero),
		.b_zero = vdupq_n_s16((int16_t)params->b_zero),
		.output = panel_output(&o),
	};
}

/* 16 codes become as many. */
typedef uint8x16_t arith_fn(
	const bool is_signed, const struct arith *p, uint8x16_t a, uint8x16_t b);

/* Four of the operands, from which of them @wide says. */
ALWAYS_INLINE int32x4_t four(const int16x8_t wide[2], const int j)
{
	int16x8_t w = wide[j / 2];
	return vmovl_s16(j % 2 ? vget_high_s16(w) : vget_low_s16(w));
}

ALWAYS_INLINE uint8x16_t add_16(
	const bool is_signed, const struct arith *p, uint8x16_t a, uint8x16_t b)
{
	int16x8_t x[2], y[2];
	int32x4_t sum[4];
	widen(is_signed, a, p->a_zero, x);
	widen(is_signed, b, p->b_zero, y);
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		int32x4_t xs = panel_requant(GEMM_TOTAL, p->a_scale, four(x, j));
		int32x4_t ys = panel_requant(GEMM_TOTAL, p->b_scale, four(y, j));
		sum[j] = panel_requant(GEMM_TOTAL, p->scale, vmlaq_s32(xs, ys, p->sign));
	}
	return panel_codes(GEMM_TOTAL, false, &p->output, sum[0], sum[1], sum[2], sum[3]);
}

ALWAYS_INLINE uint8x16_t mul_16(
	const bool is_signed, const struct arith *p, uint8x16_t a, uint8x16_t b)
{
	int16x8_t x[2], y[2];
	int32x4_t product[4];
	widen(is_signed, a, p->a_zero, x);
	widen(is_signed, b, p->b_zero, y);
#pragma GCC unroll 2
	for (int j = 0; j < 2; j++) {
		product[2 * j] = vmull_s16(vget_low_s16(x[j]), vget_low_s16(y[j]));
		product[2 * j + 1] = vmull_s16(vget_high_s16(x[j]), vget_high_s16(y[j]));
	}
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		product[j] = panel_requant(GEMM_TOTAL, p->scale, product[j]);
	}
	return panel_codes(
		GEMM_TOTAL, false, &p->output, product[0], product[1], product[2], product[3]);
}

ALWAYS_INLINE void arith_row(const bool is_signed, arith_fn *fn, const struct arith *p,
	uint8_t *dst, const uint8_t *a, const uint8_t *b, size_t n, size_t a_step, size_t b_step)
{
	size_t i = 0;
	for (; i + 16 <= n; i += 16) {
		uint8x16_t x = operand(a, a_step, i, 16), y = operand(b, b_step, i, 16);
		vst1q_u8(dst + i, fn(is_signed, p, x, y));
	}
	if (i < n) {
		uint8x16_t x = operand(a, a_step, i, n - i), y = operand(b, b_step, i, n - i);
		panel_store_some(dst + i, fn(is_signed, p, x, y), (uint32_t)(n - i));
	}
}

#define DEFINE_ROWS(type, is_signed)                                                               \
	void ek_add_##type##__neon(void *dst, const void *a, const void *b, size_t n,              \
		size_t a_step, size_t b_step, const struct ek_arith_q *params)                     \
	{                                                                                          \
		struct arith p = arith_of(is_signed, params);                                      \
		p.a_scale = panel_scale_of(params->a_scale, params->left_shift);                   \
		p.b_scale = panel_scale_of(params->b_scale, params->left_shift);                   \
		p.sign = vdupq_n_s32(params->sign);                                                \
		arith_row(is_signed, add_16, &p, dst, a, b, n, a_step, b_step);                    \
	}                                                                                          \
	void ek_mul_##type##__neon(void *dst, const void *a, const void *b, size_t n,              \
		size_t a_step, size_t b_step, const struct ek_arith_q *params)                     \
	{                                                                                          \
		const struct arith p = arith_of(is_signed, params);                                \
		arith_row(is_signed, mul_16, &p, dst, a, b, n, a_step, b_step);                    \
	}

DEFINE_ROWS(s8, true)
DEFINE_ROWS(u8, false)

#if defined(__aarch64__)
/* 64 entries by each of four look-ups; what is beyond a look-up's entries it leaves alone. */
ALWAYS_INLINE uint8x16_t look_up(const uint8x16x4_t parts[4], uint8x16_t x)
{
	const uint8x16_t next = vdupq_n_u8(64);
	uint8x16_t y = vqtbl4q_u8(parts[0], x);
#pragma GCC unroll 3
	for (int k = 1; k < 4; k++) {
		x = vsubq_u8(x, next);
		y = vqtbx4q_u8(y, parts[k], x);
	}
	return y;
}

void ek_lut8__neon(uint8_t *dst, const uint8_t *src, size_t n, const uint8_t table[static 256])
{
	uint8x16x4_t parts[4];
	size_t i = 0;
#pragma GCC unroll 4
	for (int k = 0; k < 4; k++) {
		parts[k] = vld1q_u8_x4(table + 64 * k);
	}
	for (; i + 16 <= n; i += 16) {
		vst1q_u8(dst + i, look_up(parts, vld1q_u8(src + i)));
	}
	for (; i < n; i++) {
		dst[i] = table[src[i]];
	}
}
#endif
