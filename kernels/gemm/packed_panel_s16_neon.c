/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gemm/packed_panel_s16_arm.h"

#include <string.h>

#include "kernels/gemm/packed_panel_neon.h"

static int64_t bias_at(const struct s16_output *o, uint32_t n)
{
	return o->bias64 ? o->bias64[n] : o->bias32 ? o->bias32[n] : 0;
}

/* The sum stays within 32 bits, and the bias with it where all of both counts. */
static bool stays_narrow(const struct s16_output *o, uint32_t n, uint32_t size)
{
	const int64_t bias = o->wide ? bias_at(o, n) : 0, room = INT32_MAX - ((int64_t)size << 15);
	return -room <= bias && bias <= room;
}

static void set_scale(struct s16_panel *p, uint32_t i, struct ek_scale s)
{
	if (p->output->wide) {
		p->multiplier[i] = s.multiplier < 0x7fff0000
			? (int32_t)(((uint32_t)s.multiplier + (1 << 15)) >> 16)
			: 0x7fff;
		p->right64[i] = s.shift - 15;
		return;
	}
	p->multiplier[i] = s.multiplier;
	p->left[i] = s.shift > 0 ? s.shift : 0;
	p->right[i] = s.shift < 0 ? s.shift : 0;
}

void s16_panel_init(struct s16_panel *p, const struct s16_output *o, const uint32_t *size,
	uint32_t first, uint32_t n)
{
	if (n < S16_COLS) {
		memset(p, 0, sizeof(*p));
	}
	p->output = o;
	p->first = first;
	p->n = n;
	p->kind = o->factor ? S16_DOUBLE : o->wide ? S16_WIDE : S16_NARROW;
	for (uint32_t i = 0; i < n; i++) {
		p->start[i] = (int32_t)bias_at(o, first + i);
		if (o->factor) {
			p->factor[i] = o->factor[first + i];
		} else {
			set_scale(p, i, o->scale[first + i]);
		}
		if (!stays_narrow(o, first + i, size[i])) {
			p->kind = S16_ANY;
		}
	}
	if (p->kind == S16_ANY) {
		memset(p->start, 0, sizeof(p->start));
	}
}

/* Of eight columns, what a panel's kind asks for. */
struct scales {
	int32x4_t multiplier[2], left[2], right[2];
	int64x2_t right64[4];
	const double *factor;
};

ALWAYS_INLINE struct scales scales_of(
	const enum s16_kind kind, const struct s16_panel *p, uint32_t j)
{
	struct scales s = {.factor = p->factor + j};
	if (kind == S16_DOUBLE) {
		return s;
	}
#pragma GCC unroll 2
	for (int h = 0; h < 2; h++) {
		s.multiplier[h] = vld1q_s32(p->multiplier + j + 4 * h);
		if (kind == S16_WIDE) {
			s.right64[2 * h] = vld1q_s64(p->right64 + j + 4 * h);
			s.right64[2 * h + 1] = vld1q_s64(p->right64 + j + 4 * h + 2);
		} else {
			s.left[h] = vld1q_s32(p->left + j + 4 * h);
			s.right[h] = vld1q_s32(p->right + j + 4 * h);
		}
	}
	return s;
}

ALWAYS_INLINE int32x4_t value_wide(const struct scales *s, const int h, int32x4_t acc)
{
	const int32x4_t m = s->multiplier[h];
	const int64x2_t low =
		vrshlq_s64(vmull_s32(vget_low_s32(acc), vget_low_s32(m)), s->right64[2 * h]);
	const int64x2_t high =
		vrshlq_s64(vmull_s32(vget_high_s32(acc), vget_high_s32(m)), s->right64[2 * h + 1]);
#if defined(__aarch64__)
	return vuzp1q_s32(vreinterpretq_s32_s64(low), vreinterpretq_s32_s64(high));
#else
	return vcombine_s32(vmovn_s64(low), vmovn_s64(high));
#endif
}

ALWAYS_INLINE int32x4_t value_narrow(const struct scales *s, const int h, int32x4_t acc)
{
	const struct panel_scale scale = {s->multiplier[h], s->right[h], s->left[h]};
	return panel_requant(GEMM_TOTAL, scale, acc);
}

/* ek_round32(); as in matmul_arm.c. */
#if defined(__aarch64__)
ALWAYS_INLINE int32x2_t two_double(int32x2_t acc, const double *factor)
{
	const float64x2_t x = vcvtq_f64_s64(vmovl_s32(acc));
	return vqmovn_s64(vcvtaq_s64_f64(vmulq_f64(x, vld1q_f64(factor))));
}

ALWAYS_INLINE int32x4_t value_double(const struct scales *s, const int h, int32x4_t acc)
{
	return vcombine_s32(two_double(vget_low_s32(acc), s->factor + 4 * h),
		two_double(vget_high_s32(acc), s->factor + 4 * h + 2));
}
#else
ALWAYS_INLINE int32x4_t value_double(const struct scales *s, const int h, int32x4_t acc)
{
	const double half = 0x1.fffffffffffffp-2;
	int32_t y[4];
	vst1q_s32(y, acc);
	for (int i = 0; i < 4; i++) {
		double x = (double)y[i] * s->factor[4 * h + i];
		x += x < 0 ? -half : half;
		y[i] = x >= 2147483647.0 ? INT32_MAX : x <= -2147483648.0 ? INT32_MIN : (int32_t)x;
	}
	return vld1q_s32(y);
}
#endif

ALWAYS_INLINE int32x4_t value(
	const enum s16_kind kind, const struct scales *s, const int h, int32x4_t acc)
{
	return kind == S16_WIDE      ? value_wide(s, h, acc)
		: kind == S16_NARROW ? value_narrow(s, h, acc)
				     : value_double(s, h, acc);
}

/* Columns [j, j + n) of all rows, eight or fewer. */
ALWAYS_INLINE void put_eight(const enum s16_kind kind, const bool few, const struct s16_panel *p,
	uint32_t j, const int32_t *sums, uint32_t n, int16_t *to, size_t step)
{
	const struct scales s = scales_of(kind, p, j);
	const int32x4_t zero = vdupq_n_s32(p->output->zero);
	const int16x8_t lo = vdupq_n_s16((int16_t)p->output->lo);
	const int16x8_t hi = vdupq_n_s16((int16_t)p->output->hi);
	for (sums += j, to += j; n > 0; n--, sums += S16_COLS, to += step) {
		const int32x4_t low = value(kind, &s, 0, vld1q_s32(sums));
		const int32x4_t high = value(kind, &s, 1, vld1q_s32(sums + 4));
		int16x8_t y = panel_narrow32(vaddq_s32(low, zero), vaddq_s32(high, zero));
		y = vminq_s16(vmaxq_s16(y, lo), hi);
		if (few) {
			int16_t some[8];
			vst1q_s16(some, y);
			gemm_copy_few((uint8_t *)to, (const uint8_t *)some, 2 * (p->n - j));
		} else {
			vst1q_s16(to, y);
		}
	}
}

ALWAYS_INLINE void put(const enum s16_kind kind, const struct s16_panel *p, const int32_t *sums,
	uint32_t n, int16_t *to, size_t step)
{
	uint32_t j = 0;
	for (; j + 8 <= p->n; j += 8) {
		put_eight(kind, false, p, j, sums, n, to, step);
	}
	if (j < p->n) {
		put_eight(kind, true, p, j, sums, n, to, step);
	}
}

void s16_panel_put(
	const struct s16_panel *p, const int32_t *sums, uint32_t n, int16_t *to, size_t step)
{
	if (p->kind == S16_WIDE) {
		put(S16_WIDE, p, sums, n, to, step);
	} else if (p->kind == S16_NARROW) {
		put(S16_NARROW, p, sums, n, to, step);
	} else {
		put(S16_DOUBLE, p, sums, n, to, step);
	}
}

static int32_t any(const struct s16_output *o, uint32_t n, int64_t sum)
{
	const int64_t acc = (int64_t)((uint64_t)sum + (uint64_t)bias_at(o, n));
	int32_t y = o->factor ? ek_round32((double)(o->wide ? acc : (int32_t)acc) * o->factor[n])
		: o->wide     ? ek_mbqm64(acc, o->scale[n])
			      : ek_mbqm((int32_t)acc, o->scale[n]);
	return ek_clamp32(ek_add32(y, o->zero), o->lo, o->hi);
}

void s16_panel_put_any(
	const struct s16_panel *p, const int64_t *sums, uint32_t n, int16_t *to, size_t step)
{
	for (uint32_t r = 0; r < n; r++, sums += S16_COLS, to += step) {
		for (uint32_t i = 0; i < p->n; i++) {
			to[i] = (int16_t)any(p->output, p->first + i, sums[i]);
		}
	}
}
