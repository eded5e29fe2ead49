/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 64 or 16 channels of an output pixel at a time, the taps one after the other. The last channels of a
 * tile are made together with those before them, a second time, so that each vector is a whole one.
 *
 * Averages: sums of up to 255 taps stay in 16 bits, and their quotient is a product with the inverse
 * of the number of taps: exact, which is tried when the inverse is made. All other windows go through
 * sums in 32 bits and division.
 */
#include "kernels/pool/pool.h"

#include "kernels/gemm/packed_panel_neon.h"

#define LANES 16
#define MOST 4 /* vectors at a time */
#define NARROW_TAPS 255

/* The taps of one output pixel that are inside: channel 0 of the first, in rows of pixels. */
struct taps {
	const uint8_t *at;
	uint32_t rows, width;
	size_t row_bytes, pixel_bytes;
};

/*
 * A sum s of n taps becomes (s + start + (s < 0 ? below : 0)) * inverse >> 16 + shift, less 128 where
 * codes are signed: what is divided then has 128 n more and is positive, and ties below zero go down.
 */
struct divisor {
	uint32_t taps; /* 0: none yet */
	bool fits; /* or division */
	uint16_t start, inverse;
	int16_t below, shift; /* as VSHL takes it */
};

static struct divisor divisor_of(uint32_t taps, bool is_signed)
{
	struct divisor d = {.taps = taps};
	if (taps < 2 || taps > NARROW_TAPS) {
		return d;
	}
	const uint32_t bits = 31 - (uint32_t)__builtin_clz(taps - 1); /* 2^bits < taps */
	const uint32_t one = 1u << (16 + bits), inverse = (one + taps - 1) / taps;
	/* Too much by less than one unit of the quotient, whatever is divided. */
	d.fits = (uint64_t)(inverse * taps - one) * (256 * taps) < one;
	d.inverse = (uint16_t)inverse;
	d.start = (uint16_t)(taps / 2 + (is_signed ? 128 * taps : 0));
	d.below = is_signed && taps % 2 == 0 ? -1 : 0;
	d.shift = (int16_t) - (int32_t)bits;
	return d;
}

/* int16, of 2 to 2^15 taps: size * inverse >> 32 + shift, where what is too much is less than one unit. */
struct divisor16 {
	uint32_t half, inverse;
	int32_t shift; /* as VSHL takes it */
};

static struct divisor16 divisor16_of(uint32_t taps)
{
	const uint32_t bits = 31 - (uint32_t)__builtin_clz(taps - 1); /* 2^bits < taps */
	const uint64_t one = (uint64_t)1 << (32 + bits);
	return (struct divisor16){taps / 2, (uint32_t)((one + taps - 1) / taps), -(int32_t)bits};
}

struct pool {
	const struct ek_pool *args;
	struct divisor divisor;
	struct divisor16 divisor16;
};

/* As 16 codes, or 8 of which the others are zero. */
ALWAYS_INLINE uint8x16_t load(const int lanes, const uint8_t *from)
{
	return lanes == LANES ? vld1q_u8(from) : vcombine_u8(vld1_u8(from), vdup_n_u8(0));
}

ALWAYS_INLINE void store(const int lanes, uint8_t *to, uint8x16_t codes)
{
	if (lanes == LANES) {
		vst1q_u8(to, codes);
	} else {
		vst1_u8(to, vget_low_u8(codes));
	}
}

ALWAYS_INLINE uint8x16_t clamp(const bool is_signed, const struct ek_pool *a, uint8x16_t codes)
{
	const uint8x16_t lo = vdupq_n_u8((uint8_t)a->lo), hi = vdupq_n_u8((uint8_t)a->hi);
	if (!is_signed) {
		return vminq_u8(vmaxq_u8(codes, lo), hi);
	}
	const int8x16_t x = vmaxq_s8(vreinterpretq_s8_u8(codes), vreinterpretq_s8_u8(lo));
	return vreinterpretq_u8_s8(vminq_s8(x, vreinterpretq_s8_u8(hi)));
}

ALWAYS_INLINE void maximum(const bool is_signed, const int vectors, const int lanes,
	const struct pool *p, const struct taps *t, uint32_t c, uint8_t *to)
{
	uint8x16_t best[MOST];
#pragma GCC unroll 4
	for (int j = 0; j < vectors; j++) {
		best[j] = vdupq_n_u8(is_signed ? 128 : 0);
	}
	const uint8_t *row = t->at + c;
	for (uint32_t y = 0; y < t->rows; y++, row += t->row_bytes) {
		const uint8_t *x = row;
		for (uint32_t i = t->width; i > 0; i--, x += t->pixel_bytes) {
#pragma GCC unroll 4
			for (int j = 0; j < vectors; j++) {
				const uint8x16_t v = load(lanes, x + LANES * j);
				const int8x16_t s = vmaxq_s8(
					vreinterpretq_s8_u8(best[j]), vreinterpretq_s8_u8(v));
				best[j] = is_signed ? vreinterpretq_u8_s8(s) : vmaxq_u8(best[j], v);
			}
		}
	}
#pragma GCC unroll 4
	for (int j = 0; j < vectors; j++) {
		store(lanes, to + LANES * j, clamp(is_signed, p->args, best[j]));
	}
}

/* Adds both halves of 16 codes; signed sums stand in the same bits. */
ALWAYS_INLINE void add(const bool is_signed, uint8x16_t v, uint16x8_t sum[2])
{
	if (is_signed) {
		const int8x16_t x = vreinterpretq_s8_u8(v);
		sum[0] = vreinterpretq_u16_s16(
			vaddw_s8(vreinterpretq_s16_u16(sum[0]), vget_low_s8(x)));
		sum[1] = vreinterpretq_u16_s16(
			vaddw_s8(vreinterpretq_s16_u16(sum[1]), vget_high_s8(x)));
	} else {
		sum[0] = vaddw_u8(sum[0], vget_low_u8(v));
		sum[1] = vaddw_u8(sum[1], vget_high_u8(v));
	}
}

ALWAYS_INLINE uint16x8_t quotient(const struct divisor *d, uint16x8_t sum)
{
	const int16x8_t sign = vshrq_n_s16(vreinterpretq_s16_u16(sum), 15);
	const int16x8_t below = vandq_s16(sign, vdupq_n_s16(d->below));
	const uint16x8_t x =
		vaddq_u16(vaddq_u16(sum, vdupq_n_u16(d->start)), vreinterpretq_u16_s16(below));
	const uint16x4_t inverse = vdup_n_u16(d->inverse);
	const uint16x4_t low = vshrn_n_u32(vmull_u16(vget_low_u16(x), inverse), 16);
	const uint16x4_t high = vshrn_n_u32(vmull_u16(vget_high_u16(x), inverse), 16);
	return vshlq_u16(vcombine_u16(low, high), vdupq_n_s16(d->shift));
}

/* Of a window whose divisor fits. */
ALWAYS_INLINE void average(const bool is_signed, const int vectors, const int lanes,
	const struct pool *p, const struct taps *t, uint32_t c, uint8_t *to)
{
	const uint8x16_t flip = vdupq_n_u8(is_signed ? 128 : 0);
	uint16x8_t sum[MOST][2];
#pragma GCC unroll 4
	for (int j = 0; j < vectors; j++) {
		sum[j][0] = sum[j][1] = vdupq_n_u16(0);
	}
	const uint8_t *row = t->at + c;
	for (uint32_t y = 0; y < t->rows; y++, row += t->row_bytes) {
		const uint8_t *x = row;
		for (uint32_t i = t->width; i > 0; i--, x += t->pixel_bytes) {
#pragma GCC unroll 4
			for (int j = 0; j < vectors; j++) {
				add(is_signed, load(lanes, x + LANES * j), sum[j]);
			}
		}
	}
#pragma GCC unroll 4
	for (int j = 0; j < vectors; j++) {
		const uint8x16_t codes = vcombine_u8(vmovn_u16(quotient(&p->divisor, sum[j][0])),
			vmovn_u16(quotient(&p->divisor, sum[j][1])));
		store(lanes, to + LANES * j, clamp(is_signed, p->args, veorq_u8(codes, flip)));
	}
}

/* The formula, which wraps. */
static int32_t mean(int32_t sum, int32_t n, bool is_signed)
{
	const int32_t half = n / 2;
	return (is_signed && sum <= 0 ? ek_sub32(sum, half) : ek_add32(sum, half)) / n;
}

/* Adds sums in 16 bits to those in 32, and starts them anew. */
ALWAYS_INLINE void flush(const bool is_signed, uint16x8_t sum[2], uint32x4_t wide[4])
{
#pragma GCC unroll 2
	for (int j = 0; j < 2; j++) {
		const int16x8_t s = vreinterpretq_s16_u16(sum[j]);
		const int32x4_t low = vreinterpretq_s32_u32(wide[2 * j]);
		const int32x4_t high = vreinterpretq_s32_u32(wide[2 * j + 1]);
		wide[2 * j] = is_signed ? vreinterpretq_u32_s32(vaddw_s16(low, vget_low_s16(s)))
					: vaddw_u16(wide[2 * j], vget_low_u16(sum[j]));
		wide[2 * j + 1] = is_signed
			? vreinterpretq_u32_s32(vaddw_s16(high, vget_high_s16(s)))
			: vaddw_u16(wide[2 * j + 1], vget_high_u16(sum[j]));
		sum[j] = vdupq_n_u16(0);
	}
}

/* Of any window. */
ALWAYS_INLINE void average_any(const bool is_signed, const int lanes, const struct pool *p,
	const struct taps *t, uint32_t c, uint8_t *to)
{
	uint16x8_t sum[2] = {vdupq_n_u16(0), vdupq_n_u16(0)};
	uint32x4_t wide[4] = {vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0)};
	uint32_t room = NARROW_TAPS;
	const uint8_t *row = t->at + c;
	for (uint32_t y = 0; y < t->rows; y++, row += t->row_bytes) {
		const uint8_t *x = row;
		for (uint32_t i = t->width; i > 0; i--, x += t->pixel_bytes) {
			add(is_signed, load(lanes, x), sum);
			if (--room == 0) {
				flush(is_signed, sum, wide);
				room = NARROW_TAPS;
			}
		}
	}
	flush(is_signed, sum, wide);
	uint32_t sums[LANES];
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		vst1q_u32(sums + 4 * j, wide[j]);
	}
	for (int i = 0; i < lanes; i++) {
		int32_t y = mean((int32_t)sums[i], (int32_t)p->divisor.taps, is_signed);
		to[i] = (uint8_t)ek_clamp32(y, p->args->lo, p->args->hi);
	}
}

typedef void pixel_fn(
	const struct pool *p, const struct taps *t, uint32_t c, uint32_t end, uint8_t *to);

/* Calls @block(vectors, lanes, at) for channels from c up to end. Of fewer than eight it writes what is
 * asked for, and reads eight. */
#define EACH_BLOCK(most, block)                                                                    \
	const uint32_t n = end - c;                                                                \
	if (n < 8) {                                                                               \
		uint8_t few[8];                                                                    \
		block(1, 8, few);                                                                  \
		gemm_copy_few(to + c, few, n);                                                     \
		return;                                                                            \
	}                                                                                          \
	if (n < LANES) {                                                                           \
		block(1, 8, to + c);                                                               \
		c = end - 8;                                                                       \
		block(1, 8, to + c);                                                               \
		return;                                                                            \
	}                                                                                          \
	for (; c + (most)*LANES <= end; c += (most)*LANES) {                                       \
		block(most, LANES, to + c);                                                        \
	}                                                                                          \
	for (; c < end; c += LANES) {                                                              \
		c = end - c < LANES ? end - LANES : c;                                             \
		block(1, LANES, to + c);                                                           \
	}

#define DEFINE_PIXEL(name, is_signed)                                                              \
	static void max_##name(                                                                    \
		const struct pool *p, const struct taps *t, uint32_t c, uint32_t end, uint8_t *to) \
	{                                                                                          \
		EACH_BLOCK(MOST, MAX_##name)                                                       \
	}                                                                                          \
	static void average_##name(                                                                \
		const struct pool *p, const struct taps *t, uint32_t c, uint32_t end, uint8_t *to) \
	{                                                                                          \
		if (!p->divisor.fits) {                                                            \
			EACH_BLOCK(1, ANY_##name)                                                  \
			return;                                                                    \
		}                                                                                  \
		EACH_BLOCK(MOST, AVERAGE_##name)                                                   \
	}

#define MAX_s8(vectors, lanes, at) maximum(true, vectors, lanes, p, t, c, at)
#define MAX_u8(vectors, lanes, at) maximum(false, vectors, lanes, p, t, c, at)
#define AVERAGE_s8(vectors, lanes, at) average(true, vectors, lanes, p, t, c, at)
#define AVERAGE_u8(vectors, lanes, at) average(false, vectors, lanes, p, t, c, at)
#define ANY_s8(vectors, lanes, at) average_any(true, lanes, p, t, c, at)
#define ANY_u8(vectors, lanes, at) average_any(false, lanes, p, t, c, at)

DEFINE_PIXEL(s8, true)
DEFINE_PIXEL(u8, false)

/* int16: eight channels of a vector. */
#define LANES16 8

ALWAYS_INLINE void maximum16(
	const int vectors, const struct pool *p, const struct taps *t, uint32_t c, int16_t *to)
{
	int16x8_t best[MOST];
#pragma GCC unroll 4
	for (int j = 0; j < vectors; j++) {
		best[j] = vdupq_n_s16(INT16_MIN);
	}
	const uint8_t *row = t->at + 2 * (size_t)c;
	for (uint32_t y = 0; y < t->rows; y++, row += t->row_bytes) {
		const uint8_t *x = row;
		for (uint32_t i = t->width; i > 0; i--, x += t->pixel_bytes) {
#pragma GCC unroll 4
			for (int j = 0; j < vectors; j++) {
				best[j] = vmaxq_s16(
					best[j], vld1q_s16((const int16_t *)x + LANES16 * j));
			}
		}
	}
	const int16x8_t lo = vdupq_n_s16((int16_t)p->args->lo);
	const int16x8_t hi = vdupq_n_s16((int16_t)p->args->hi);
#pragma GCC unroll 4
	for (int j = 0; j < vectors; j++) {
		vst1q_s16(to + LANES16 * j, vminq_s16(vmaxq_s16(best[j], lo), hi));
	}
}

ALWAYS_INLINE int32x4_t quotient16(const struct divisor16 *d, int32x4_t sum)
{
	const int32x4_t sign = vshrq_n_s32(sum, 31);
	const uint32x4_t size =
		vaddq_u32(vreinterpretq_u32_s32(vabsq_s32(sum)), vdupq_n_u32(d->half));
	const uint32x2_t inverse = vdup_n_u32(d->inverse);
	const uint32x2_t low = vshrn_n_u64(vmull_u32(vget_low_u32(size), inverse), 32);
	const uint32x2_t high = vshrn_n_u64(vmull_u32(vget_high_u32(size), inverse), 32);
	const int32x4_t y =
		vreinterpretq_s32_u32(vshlq_u32(vcombine_u32(low, high), vdupq_n_s32(d->shift)));
	return vsubq_s32(veorq_s32(y, sign), sign);
}

/* Eight means of other numbers of taps, whose sums wrap. */
static void put_any16(const struct pool *p, const int32x4_t sum[2], int32_t n, int16_t *to)
{
	int32_t sums[LANES16];
	vst1q_s32(sums, sum[0]);
	vst1q_s32(sums + 4, sum[1]);
	for (int i = 0; i < LANES16; i++) {
		to[i] = (int16_t)ek_clamp32(mean(sums[i], n, true), p->args->lo, p->args->hi);
	}
}

ALWAYS_INLINE void average16(
	const int vectors, const struct pool *p, const struct taps *t, uint32_t c, int16_t *to)
{
	int32x4_t sum[MOST][2];
#pragma GCC unroll 4
	for (int j = 0; j < vectors; j++) {
		sum[j][0] = sum[j][1] = vdupq_n_s32(0);
	}
	const uint8_t *row = t->at + 2 * (size_t)c;
	for (uint32_t y = 0; y < t->rows; y++, row += t->row_bytes) {
		const uint8_t *x = row;
		for (uint32_t i = t->width; i > 0; i--, x += t->pixel_bytes) {
#pragma GCC unroll 4
			for (int j = 0; j < vectors; j++) {
				const int16x8_t v = vld1q_s16((const int16_t *)x + LANES16 * j);
				sum[j][0] = vaddw_s16(sum[j][0], vget_low_s16(v));
				sum[j][1] = vaddw_s16(sum[j][1], vget_high_s16(v));
			}
		}
	}
	const uint32_t n = t->rows * t->width;
	const int16x8_t lo = vdupq_n_s16((int16_t)p->args->lo);
	const int16x8_t hi = vdupq_n_s16((int16_t)p->args->hi);
#pragma GCC unroll 4
	for (int j = 0; j < vectors; j++, to += LANES16) {
		if (n < 2 || n > 1u << 15) {
			put_any16(p, sum[j], (int32_t)n, to);
			continue;
		}
		const int16x8_t y = panel_lower(
			quotient16(&p->divisor16, sum[j][0]), quotient16(&p->divisor16, sum[j][1]));
		vst1q_s16(to, vminq_s16(vmaxq_s16(y, lo), hi));
	}
}

/* Channels from c up to end, at least eight. */
#define DEFINE_PIXEL16(name, block)                                                                \
	static void name(                                                                          \
		const struct pool *p, const struct taps *t, uint32_t c, uint32_t end, uint8_t *to) \
	{                                                                                          \
		for (; c + MOST * LANES16 <= end; c += MOST * LANES16) {                           \
			block(MOST, p, t, c, (int16_t *)to + c);                                   \
		}                                                                                  \
		for (; c < end; c += LANES16) {                                                    \
			c = end - c < LANES16 ? end - LANES16 : c;                                 \
			block(1, p, t, c, (int16_t *)to + c);                                      \
		}                                                                                  \
	}

DEFINE_PIXEL16(max_s16, maximum16)
DEFINE_PIXEL16(average_s16, average16)

/* Eight channels from @c on are there behind every tap: the last pixels may end before. */
static bool reads_inside(const struct pool *p, const struct taps *t, uint32_t c)
{
	const struct ek_pool *a = p->args;
	const size_t pixels = (size_t)a->window.batch * a->window.y.in * a->window.x.in;
	const uint8_t *end = (const uint8_t *)a->input + pixels * a->channels;
	const uint8_t *last =
		t->at + (t->rows - 1) * t->row_bytes + (t->width - 1) * t->pixel_bytes;
	return (size_t)(end - last) >= c + 8;
}

/* Most windows have as many taps as the one before. */
ALWAYS_INLINE void set_taps(struct pool *p, uint32_t taps, const size_t bytes, const bool is_signed)
{
	if (p->divisor.taps == taps) {
		return;
	}
	p->divisor = divisor_of(taps, is_signed);
	if (bytes == 2 && taps > 1) {
		p->divisor16 = divisor16_of(taps);
	}
}

/* @n pixels of one output row: columns without a division for each of them. */
ALWAYS_INLINE void output_row(struct pool *p, const struct ek_tile *tile, uint32_t first_row,
	struct ek_pixel pixel, uint32_t n, const size_t bytes, const bool is_signed, pixel_fn *fn,
	const struct ek_pool_row *plain, uint8_t *to)
{
	const struct ek_pool *a = p->args;
	const struct ek_window_axis *axis = &a->window.x;
	const struct ek_taps y = ek_window_taps(&a->window.y, pixel.y);
	const size_t pixel_bytes = a->channels * bytes, row_bytes = axis->in * pixel_bytes;
	const size_t first = pixel.batch * (size_t)a->window.y.in + (size_t)(y.origin + y.first);
	const uint8_t *row = (const uint8_t *)a->input + first * row_bytes;
	int64_t at = (int64_t)pixel.x * axis->stride - axis->pad;
	for (uint32_t i = 0; i < n; i++, at += axis->stride, to += pixel_bytes) {
		const int64_t from = at < 0 ? 0 : at, behind = at + axis->taps;
		const struct taps t = {
			.at = row + (size_t)from * pixel_bytes,
			.rows = y.end - y.first,
			.width = (uint32_t)((behind < axis->in ? behind : axis->in) - from),
			.row_bytes = row_bytes,
			.pixel_bytes = pixel_bytes,
		};
		if (bytes == 1 && tile->n_cols < 8 && !reads_inside(p, &t, tile->first_col)) {
			const struct ek_tile one = {
				first_row + i, 1, tile->first_col, tile->n_cols};
			plain->run(a, &one);
			continue;
		}
		set_taps(p, t.rows * t.width, bytes, is_signed);
		fn(p, &t, tile->first_col, tile->first_col + tile->n_cols, to);
	}
}

ALWAYS_INLINE void run(const struct ek_pool *a, const struct ek_tile *t, const size_t bytes,
	const bool is_signed, pixel_fn *fn, const struct ek_pool_row *plain)
{
	struct pool p = {.args = a};
	const uint32_t end = t->first_row + t->n_rows;
	for (uint32_t row = t->first_row, n; row < end; row += n) {
		const struct ek_pixel pixel = ek_window_pixel(&a->window, row);
		n = gemm_least(a->window.x.out - pixel.x, end - row);
		output_row(&p, t, row, pixel, n, bytes, is_signed, fn, plain,
			(uint8_t *)a->output + (size_t)row * a->channels * bytes);
	}
}

#define DEFINE_ROW(family, type, is_signed)                                                        \
	void ek_##family##_pool_##type##__neon(const struct ek_pool *a, const struct ek_tile *t)   \
	{                                                                                          \
		run(a, t, 1, is_signed, family##_##type, &ek_##family##_pool_##type[0]);           \
	}

DEFINE_ROW(average, s8, true)
DEFINE_ROW(average, u8, false)
DEFINE_ROW(max, s8, true)
DEFINE_ROW(max, u8, false)

#define DEFINE_ROW16(family)                                                                       \
	void ek_##family##_pool_s16__neon(const struct ek_pool *a, const struct ek_tile *t)        \
	{                                                                                          \
		if (t->n_cols < LANES16) {                                                         \
			ek_##family##_pool_s16[0].run(a, t);                                       \
		} else {                                                                           \
			run(a, t, 2, true, family##_s16, &ek_##family##_pool_s16[0]);              \
		}                                                                                  \
	}

DEFINE_ROW16(average)
DEFINE_ROW16(max)
