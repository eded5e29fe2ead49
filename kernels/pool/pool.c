/* SPDX-License-Identifier: Apache-2.0 */
/* As in depthwise.c, 64 channels of a pixel at a time: taps outside, channels inside. */
#include "kernels/pool/pool.h"

#include <float.h>

#include "kernels/math/dot.h"
#include "kernels/math/quant.h"

#define BLOCK 64

/* One block of channels of one output pixel. */
struct block {
	const struct ek_pool *args;
	uint32_t batch;
	struct ek_taps y, x;
	uint32_t first, n; /* channels */
	size_t output; /* index of its first element */
};

static void each_block(
	const struct ek_pool *a, const struct ek_tile *t, void (*fn)(const struct block *block))
{
	uint32_t last = t->first_col + t->n_cols;
	for (uint32_t row = t->first_row; row < t->first_row + t->n_rows; row++) {
		struct ek_pixel pixel = ek_window_pixel(&a->window, row);
		struct block b = {.args = a, .batch = pixel.batch};
		b.y = ek_window_taps(&a->window.y, pixel.y);
		b.x = ek_window_taps(&a->window.x, pixel.x);
		for (b.first = t->first_col; b.first < last; b.first += b.n) {
			b.n = last - b.first < BLOCK ? last - b.first : BLOCK;
			b.output = (size_t)row * a->channels + b.first;
			fn(&b);
		}
	}
}

/* Index of the first element that tap (ky, kx) of the block reads; pooling has no dilation. */
static size_t tap_at(const struct block *b, uint32_t ky, uint32_t kx)
{
	const struct ek_window *w = &b->args->window;
	size_t y = (size_t)(b->y.origin + ky), x = (size_t)(b->x.origin + kx);
	return ((b->batch * (size_t)w->y.in + y) * w->x.in + x) * b->args->channels + b->first;
}

static int32_t taps_inside(const struct block *b)
{
	return (int32_t)((b->y.end - b->y.first) * (b->x.end - b->x.first));
}

/* Calls TAP(v, c) for each tap inside and each channel c of the block, whose element there is v. */
#define EACH_TAP(b, in_type, TAP)                                                                  \
	for (uint32_t ky = (b)->y.first; ky < (b)->y.end; ky++) {                                  \
		for (uint32_t kx = (b)->x.first; kx < (b)->x.end; kx++) {                          \
			const in_type *x = (const in_type *)(b)->args->input + tap_at(b, ky, kx);  \
			for (uint32_t c = 0; c < (b)->n; c++) {                                    \
				TAP(x[c], c);                                                      \
			}                                                                          \
		}                                                                                  \
	}

/* Sums of windows beyond 2^15 taps may stand at the end of int32: the half wraps like they did. */
static int32_t mean_signed(int32_t sum, int32_t n)
{
	return (sum > 0 ? ek_add32(sum, n / 2) : ek_sub32(sum, n / 2)) / n;
}

static int32_t mean_unsigned(int32_t sum, int32_t n)
{
	return ek_add32(sum, n / 2) / n;
}

#define ADD_INT(v, c) sums[c] += (uint32_t)(v)
#define ADD_FLOAT(v, c) sums[c] += (v)
#define ADD_SQUARE(v, c) sums[c] += (v) * (v)
#define KEEP_MAX(v, c) best[c] = best[c] < (v) ? (v) : best[c]

#define DEFINE_AVERAGE(suffix, type, mean)                                                         \
	static void average_##suffix(const struct block *b)                                        \
	{                                                                                          \
		uint32_t sums[BLOCK] = {0};                                                        \
		EACH_TAP(b, type, ADD_INT)                                                         \
		int32_t n = taps_inside(b);                                                        \
		type *y = (type *)b->args->output + b->output;                                     \
		for (uint32_t c = 0; c < b->n; c++) {                                              \
			int32_t v = mean((int32_t)sums[c], n);                                     \
			y[c] = (type)ek_clamp32(v, b->args->lo, b->args->hi);                      \
		}                                                                                  \
	}

DEFINE_AVERAGE(s8, int8_t, mean_signed)
DEFINE_AVERAGE(u8, uint8_t, mean_unsigned)
DEFINE_AVERAGE(s16, int16_t, mean_signed)

static void average_f32(const struct block *b)
{
	float sums[BLOCK] = {0};
	EACH_TAP(b, float, ADD_FLOAT)
	float n = (float)taps_inside(b);
	float *y = (float *)b->args->output + b->output;
	for (uint32_t c = 0; c < b->n; c++) {
		y[c] = ek_clamp_f32(sums[c] / n, b->args->lo_f32, b->args->hi_f32);
	}
}

static void l2_f32(const struct block *b)
{
	float sums[BLOCK] = {0};
	EACH_TAP(b, float, ADD_SQUARE)
	float n = (float)taps_inside(b);
	float *y = (float *)b->args->output + b->output;
	for (uint32_t c = 0; c < b->n; c++) {
		y[c] = ek_clamp_f32(sqrtf(sums[c] / n), b->args->lo_f32, b->args->hi_f32);
	}
}

#define DEFINE_MAX(suffix, type, lowest, clamp, lo_field, hi_field)                                \
	static void max_##suffix(const struct block *b)                                            \
	{                                                                                          \
		type best[BLOCK];                                                                  \
		for (uint32_t c = 0; c < BLOCK; c++) {                                             \
			best[c] = lowest;                                                          \
		}                                                                                  \
		EACH_TAP(b, type, KEEP_MAX)                                                        \
		type *y = (type *)b->args->output + b->output;                                     \
		for (uint32_t c = 0; c < b->n; c++) {                                              \
			y[c] = (type)clamp(best[c], b->args->lo_field, b->args->hi_field);         \
		}                                                                                  \
	}

DEFINE_MAX(s8, int8_t, INT8_MIN, ek_clamp32, lo, hi)
DEFINE_MAX(u8, uint8_t, 0, ek_clamp32, lo, hi)
DEFINE_MAX(s16, int16_t, INT16_MIN, ek_clamp32, lo, hi)
DEFINE_MAX(f32, float, -FLT_MAX, ek_clamp_f32, lo_f32, hi_f32)

/* @...: the vector rows of the list. */
#define DEFINE_LIST(family, suffix, block_fn, ...)                                                 \
	static void family##_##suffix##__c(const struct ek_pool *a, const struct ek_tile *t)       \
	{                                                                                          \
		each_block(a, t, block_fn);                                                        \
	}                                                                                          \
	const struct ek_pool_row ek_##family##_##suffix[] = {                                      \
		{{#family "_" #suffix "__c", 0}, family##_##suffix##__c}, __VA_ARGS__};            \
	const size_t ek_##family##_##suffix##_count =                                              \
		sizeof(ek_##family##_##suffix) / sizeof(struct ek_pool_row);

#if defined(__x86_64__)
#define ROWS_F32(family)                                                                           \
	{                                                                                          \
		{#family "__avx2", EK_CPU_AVX2}, ek_##family##__avx2                               \
	}
#define ROWS_16(family)                                                                            \
	{                                                                                          \
		{#family "__avx512vnni", EK_CPU_AVX512_VNNI}, ek_##family##__avx512vnni            \
	}
#define ROWS_8(family)                                                                             \
	{{#family "__sse41", EK_CPU_SSE41}, ek_##family##__sse41}, ROWS_F32(family), ROWS_16(family)
#elif defined(__aarch64__) || defined(__arm__)
#define ROWS_8(family)                                                                             \
	{                                                                                          \
		{#family "__neon", EK_CPU_NEON}, ek_##family##__neon                               \
	}
#define ROWS_16(family) ROWS_8(family)
#if defined(__aarch64__)
#define ROWS_F32(family) ROWS_8(family)
#else
#define ROWS_F32(family)                                                                           \
	{                                                                                          \
		{#family "__vfpv4", EK_CPU_VFPV4}, ek_##family##__vfpv4                            \
	}
#endif
#else
#define ROWS_8(family)
#define ROWS_16(family)
#define ROWS_F32(family)
#endif

DEFINE_LIST(average_pool, s8, average_s8, ROWS_8(average_pool_s8))
DEFINE_LIST(average_pool, u8, average_u8, ROWS_8(average_pool_u8))
DEFINE_LIST(average_pool, s16, average_s16, ROWS_16(average_pool_s16))
DEFINE_LIST(average_pool, f32, average_f32, ROWS_F32(average_pool_f32))
DEFINE_LIST(l2_pool, f32, l2_f32, )
DEFINE_LIST(max_pool, s8, max_s8, ROWS_8(max_pool_s8))
DEFINE_LIST(max_pool, u8, max_u8, ROWS_8(max_pool_u8))
DEFINE_LIST(max_pool, s16, max_s16, ROWS_16(max_pool_s16))
DEFINE_LIST(max_pool, f32, max_f32, ROWS_F32(max_pool_f32))
