/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 4, 8 or 16 channels of all pixels of a row. What a pair of columns of the source gives is kept in registers
 * while pixels lie between the same two. The last channels of a pixel overlap those before.
 *
 * Floats are rounded step by step as in entry 0. On ARMv7 too that is so for codes of uint8: no product of
 * a code and two weights is so small that its vectors would flush it.
 */
#include <string.h>

#include "kernels/gemm/packed_panel_neon.h"
#include "kernels/move/resize.h"

/* One call. */
struct row {
	const char *row0, *row1;
	char *dst;
	size_t n, channels;
	const struct ek_resize_point *points;
	const struct ek_resize_point *y;
};

/* 4 * @fours codes; the other lanes are zero. */
ALWAYS_INLINE uint8x16_t load_codes(const int fours, const char *from)
{
	const uint8_t *codes = (const uint8_t *)from;
	uint32_t four = 0;
	if (fours == 4) {
		return vld1q_u8(codes);
	}
	if (fours == 2) {
		return vcombine_u8(vld1_u8(codes), vdup_n_u8(0));
	}
	memcpy(&four, codes, sizeof(four));
	return vreinterpretq_u8_u32(vsetq_lane_u32(four, vdupq_n_u32(0), 0));
}

/* The lower 4 * @fours codes of @codes. */
ALWAYS_INLINE void store_codes(const int fours, char *to, uint8x16_t codes)
{
	if (fours == 4) {
		vst1q_u8((uint8_t *)to, codes);
	} else if (fours == 2) {
		vst1_u8((uint8_t *)to, vget_low_u8(codes));
	} else {
		const uint32_t four = vgetq_lane_u32(vreinterpretq_u32_u8(codes), 0);
		memcpy(to, &four, sizeof(four));
	}
}

ALWAYS_INLINE void load_real(
	const bool is_float, const int fours, const char *from, float32x4_t x[4])
{
	if (is_float) {
#pragma GCC unroll 4
		for (int j = 0; j < fours; j++) {
			x[j] = vld1q_f32((const float *)from + 4 * j);
		}
		return;
	}
	const uint8x16_t codes = load_codes(fours, from);
	const uint16x8_t half[2] = {vmovl_u8(vget_low_u8(codes)), vmovl_u8(vget_high_u8(codes))};
#pragma GCC unroll 4
	for (int j = 0; j < fours; j++) {
		uint16x4_t four = j % 2 ? vget_high_u16(half[j / 2]) : vget_low_u16(half[j / 2]);
		x[j] = vcvtq_f32_u32(vmovl_u16(four));
	}
}

ALWAYS_INLINE void store_real(const bool is_float, const int fours, char *to, float32x4_t x[4])
{
	uint16x4_t narrow[4];
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		if (is_float && j < fours) {
			/* Entry 0 adds a zero, which takes the sign from -0. */
			vst1q_f32((float *)to + 4 * j, vaddq_f32(x[j], vdupq_n_f32(0)));
		}
		const float32x4_t rounded = vaddq_f32(x[j < fours ? j : 0], vdupq_n_f32(0.5f));
		narrow[j] = vmovn_u32(vcvtq_u32_f32(rounded));
	}
	if (!is_float) {
		store_codes(fours, to,
			vcombine_u8(vmovn_u16(vcombine_u16(narrow[0], narrow[1])),
				vmovn_u16(vcombine_u16(narrow[2], narrow[3]))));
	}
}

/* The two rows' elements, each by its row's weight. */
struct real_column {
	float32x4_t upper[4], lower[4];
};

ALWAYS_INLINE void real_column(const bool is_float, const int fours, const struct row *r, size_t at,
	float wy, struct real_column *c)
{
	load_real(is_float, fours, r->row0 + at, c->upper);
	load_real(is_float, fours, r->row1 + at, c->lower);
#pragma GCC unroll 4
	for (int j = 0; j < fours; j++) {
		c->upper[j] = vmulq_n_f32(c->upper[j], 1 - wy);
		c->lower[j] = vmulq_n_f32(c->lower[j], wy);
	}
}

/* Channels from @k on of all pixels. */
ALWAYS_INLINE void real_channels(
	const bool is_float, const int fours, const struct row *r, size_t k)
{
	const size_t bytes = is_float ? sizeof(float) : 1, pixel = r->channels * bytes;
	const float wy = r->y->weight.real;
	struct real_column left = {0}, right = {0};
	int32_t x0 = -1, x1 = -1;
	char *to = r->dst + k * bytes;
	for (size_t i = 0; i < r->n; i++, to += pixel) {
		const struct ek_resize_point *p = &r->points[i];
		const float wx = p->weight.real, rest = 1 - wx;
		float32x4_t v[4];
		if (p->x0 != x0 || p->x1 != x1) {
			x0 = p->x0;
			x1 = p->x1;
			real_column(is_float, fours, r, (size_t)x0 * pixel + k * bytes, wy, &left);
			real_column(is_float, fours, r, (size_t)x1 * pixel + k * bytes, wy, &right);
		}
#pragma GCC unroll 4
		for (int j = 0; j < fours; j++) {
			v[j] = vaddq_f32(
				vmulq_n_f32(left.upper[j], rest), vmulq_n_f32(left.lower[j], rest));
			v[j] = vaddq_f32(v[j], vmulq_n_f32(right.upper[j], wx));
			v[j] = vaddq_f32(v[j], vmulq_n_f32(right.lower[j], wx));
		}
		store_real(is_float, fours, to, v);
	}
}

/* How many fours of channels are made from @k on, and from where. */
ALWAYS_INLINE int fours_at(size_t channels, size_t *k)
{
	const size_t left = channels - *k;
	const int fours = left >= 16 || (left > 8 && channels >= 16) ? 4
		: left >= 8 || (left > 4 && channels >= 8)           ? 2
								     : 1;
	*k = *k + 4 * (size_t)fours > channels ? channels - 4 * (size_t)fours : *k;
	return fours;
}

ALWAYS_INLINE void real_row(const bool is_float, const struct row *r)
{
	for (size_t k = 0; k < r->channels;) {
		const int fours = fours_at(r->channels, &k);
		if (fours == 4) {
			real_channels(is_float, 4, r, k);
		} else if (fours == 2) {
			real_channels(is_float, 2, r, k);
		} else {
			real_channels(is_float, 1, r, k);
		}
		k += 4 * (size_t)fours;
	}
}

void ek_resize_u8__neon(void *dst, const void *row0, const void *row1, size_t n, size_t channels,
	const struct ek_resize_point *points, const struct ek_resize_point *y)
{
	const struct row r = {row0, row1, dst, n, channels, points, y};
	if (channels < 4) {
		ek_resize_u8[0].run(dst, row0, row1, n, channels, points, y);
	} else {
		real_row(false, &r);
	}
}

#if defined(__aarch64__)
void ek_resize_f32__neon(void *dst, const void *row0, const void *row1, size_t n, size_t channels,
	const struct ek_resize_point *points, const struct ek_resize_point *y)
{
	const struct row r = {row0, row1, dst, n, channels, points, y};
	if (channels < 4) {
		ek_resize_f32[0].run(dst, row0, row1, n, channels, points, y);
	} else {
		real_row(true, &r);
	}
}
#endif

/* What both rows give in a column, with 10 fraction bits. */
ALWAYS_INLINE void fixed_column(
	const int fours, const struct row *r, size_t at, int32_t wy, int32x4_t c[4])
{
	const int8x16_t a = vreinterpretq_s8_u8(load_codes(fours, r->row0 + at));
	const int8x16_t b = vreinterpretq_s8_u8(load_codes(fours, r->row1 + at));
	const int16x8_t x[2] = {vmovl_s8(vget_low_s8(a)), vmovl_s8(vget_high_s8(a))};
	const int16x8_t y[2] = {vmovl_s8(vget_low_s8(b)), vmovl_s8(vget_high_s8(b))};
	const int16_t upper = (int16_t)(1024 - wy), lower = (int16_t)wy;
#pragma GCC unroll 4
	for (int j = 0; j < fours; j++) {
		int16x4_t up = j % 2 ? vget_high_s16(x[j / 2]) : vget_low_s16(x[j / 2]);
		int16x4_t down = j % 2 ? vget_high_s16(y[j / 2]) : vget_low_s16(y[j / 2]);
		c[j] = vmlal_n_s16(vmull_n_s16(up, upper), down, lower);
	}
}

/* 20 fraction bits are rounded away, ties away from zero. */
ALWAYS_INLINE uint8x16_t round20(const int fours, int32x4_t v[4])
{
	int16x4_t narrow[4];
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		const int32x4_t x = v[j < fours ? j : 0];
		narrow[j] = vmovn_s32(vrshrq_n_s32(vsraq_n_s32(x, x, 31), 20));
	}
	return vreinterpretq_u8_s8(vcombine_s8(vmovn_s16(vcombine_s16(narrow[0], narrow[1])),
		vmovn_s16(vcombine_s16(narrow[2], narrow[3]))));
}

ALWAYS_INLINE void fixed_channels(const int fours, const struct row *r, size_t k)
{
	const int32_t wy = r->y->weight.fixed;
	int32x4_t left[4] = {0}, right[4] = {0};
	int32_t x0 = -1, x1 = -1;
	char *to = r->dst + k;
	for (size_t i = 0; i < r->n; i++, to += r->channels) {
		const struct ek_resize_point *p = &r->points[i];
		/* Between a column and itself the weights do not count; they may be beyond 0 to 1. */
		const int32_t wx = p->x0 == p->x1 ? 0 : p->weight.fixed;
		int32x4_t v[4];
		if (p->x0 != x0 || p->x1 != x1) {
			x0 = p->x0;
			x1 = p->x1;
			fixed_column(fours, r, (size_t)x0 * r->channels + k, wy, left);
			fixed_column(fours, r, (size_t)x1 * r->channels + k, wy, right);
		}
#pragma GCC unroll 4
		for (int j = 0; j < fours; j++) {
			v[j] = vmulq_n_s32(left[j], 1024 - wx);
			v[j] = vmlaq_n_s32(v[j], right[j], wx);
		}
		store_codes(fours, to, round20(fours, v));
	}
}

static bool is_between(int32_t weight)
{
	return weight >= 0 && weight <= 1024;
}

/* Sums of columns whose weights are beyond 0 to 1 could leave 32 bits. */
static bool fits(const struct row *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct ek_resize_point *p = &r->points[i];
		if (p->x0 != p->x1 && !is_between(p->weight.fixed)) {
			return false;
		}
	}
	return r->channels >= 4 && is_between(r->y->weight.fixed);
}

void ek_resize_s8__neon(void *dst, const void *row0, const void *row1, size_t n, size_t channels,
	const struct ek_resize_point *points, const struct ek_resize_point *y)
{
	const struct ek_resize_point once = {.weight.fixed = 0};
	const struct row r = {row0, row1, dst, n, channels, points, row0 == row1 ? &once : y};
	if (!fits(&r)) {
		ek_resize_s8[0].run(dst, row0, row1, n, channels, points, y);
		return;
	}
	for (size_t k = 0; k < channels;) {
		const int fours = fours_at(channels, &k);
		if (fours == 4) {
			fixed_channels(4, &r, k);
		} else if (fours == 2) {
			fixed_channels(2, &r, k);
		} else {
			fixed_channels(1, &r, k);
		}
		k += 4 * (size_t)fours;
	}
}
