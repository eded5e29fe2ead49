/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plain-C rows take 64 channels of a pixel at a time: sums in an array on the stack, the taps
 * outside, the channels inside, so that both operands are read side by side.
 */
#include "kernels/depthwise/depthwise.h"

#include "kernels/depthwise/depthwise_variants.h"
#include "kernels/math/dot.h"

#define BLOCK 64

/* One block of channels of one output pixel. */
struct block {
	const struct ek_conv_shape *shape;
	struct ek_pixel pixel;
	struct ek_taps y, x;
	uint32_t first, n; /* channels */
};

/* Where a tap reads: index of the pixel's first channel, and of the tap's first weight. */
struct tap {
	size_t input, weights;
};

static struct tap tap_at(const struct block *b, uint32_t ky, uint32_t kx)
{
	const struct ek_window *w = &b->shape->window;
	size_t y = (size_t)(b->y.origin + (int64_t)ky * w->y.dilation);
	size_t x = (size_t)(b->x.origin + (int64_t)kx * w->x.dilation);
	return (struct tap){
		.input = (((size_t)b->pixel.batch * w->y.in + y) * w->x.in + x) * b->shape->in_c,
		.weights = ((size_t)ky * w->x.taps + kx) * b->shape->out_c,
	};
}

/* Runs of channels that read one input channel: [at, end) of the block's channels. */
static uint32_t run_end(const struct block *b, uint32_t at, uint32_t multiplier)
{
	uint32_t channel = b->first + at;
	uint32_t end = (channel / multiplier + 1) * multiplier - b->first;
	return end < b->n ? end : b->n;
}

/* Adds one tap to the block's sums; sums of int32 wrap, those of int64 are exact. */
#define DEFINE_ADD_TAP(name, in_type, w_type, sum_type, gemm_type)                                 \
	static void name(const struct block *b, const in_type *input, const w_type *w,             \
		int32_t x_zero, int32_t w_zero, sum_type *sums)                                    \
	{                                                                                          \
		uint32_t multiplier = b->shape->out_c / b->shape->in_c;                            \
		w += b->first;                                                                     \
		if (multiplier == 1) {                                                             \
			input += b->first;                                                         \
			for (uint32_t i = 0; i < b->n; i++) {                                      \
				sums[i] += (sum_type)((gemm_type)(input[i] - x_zero) *             \
					(gemm_type)(w[i] - w_zero));                               \
			}                                                                          \
			return;                                                                    \
		}                                                                                  \
		for (uint32_t i = 0; i < b->n;) {                                                  \
			gemm_type x = (gemm_type)(input[(b->first + i) / multiplier] - x_zero);    \
			for (uint32_t end = run_end(b, i, multiplier); i < end; i++) {             \
				sums[i] += (sum_type)(x * (gemm_type)(w[i] - w_zero));             \
			}                                                                          \
		}                                                                                  \
	}

DEFINE_ADD_TAP(add_tap_s8, int8_t, int8_t, uint32_t, int16_t)
DEFINE_ADD_TAP(add_tap_u8, uint8_t, uint8_t, uint32_t, int16_t)
DEFINE_ADD_TAP(add_tap_s16, int16_t, int8_t, int64_t, int32_t)
DEFINE_ADD_TAP(add_tap_f32, float, float, float, float)

/* The block's sums over all taps inside. */
#define DEFINE_SUM(name, in_type, w_type, sum_type, add_tap)                                       \
	static void name(const struct block *b, const void *input, const void *weights,            \
		int32_t x_zero, int32_t w_zero, sum_type *sums)                                    \
	{                                                                                          \
		for (uint32_t i = 0; i < b->n; i++) {                                              \
			sums[i] = 0;                                                               \
		}                                                                                  \
		for (uint32_t ky = b->y.first; ky < b->y.end; ky++) {                              \
			for (uint32_t kx = b->x.first; kx < b->x.end; kx++) {                      \
				struct tap t = tap_at(b, ky, kx);                                  \
				add_tap(b, (const in_type *)input + t.input,                       \
					(const w_type *)weights + t.weights, x_zero, w_zero,       \
					sums);                                                     \
			}                                                                          \
		}                                                                                  \
	}

DEFINE_SUM(sum_s8, int8_t, int8_t, uint32_t, add_tap_s8)
DEFINE_SUM(sum_u8, uint8_t, uint8_t, uint32_t, add_tap_u8)
DEFINE_SUM(sum_s16, int16_t, int8_t, int64_t, add_tap_s16)
DEFINE_SUM(sum_f32, float, float, float, add_tap_f32)

typedef void block_fn(const void *args, const struct block *block, size_t row);

static void each_block(
	const struct ek_conv_shape *s, const struct ek_tile *t, block_fn *fn, const void *args)
{
	uint32_t last = t->first_col + t->n_cols;
	for (uint32_t row = t->first_row; row < t->first_row + t->n_rows; row++) {
		struct block b = {.shape = s, .pixel = ek_window_pixel(&s->window, row)};
		b.y = ek_window_taps(&s->window.y, b.pixel.y);
		b.x = ek_window_taps(&s->window.x, b.pixel.x);
		for (b.first = t->first_col; b.first < last; b.first += b.n) {
			b.n = last - b.first < BLOCK ? last - b.first : BLOCK;
			fn(args, &b, row);
		}
	}
}

static int32_t requant(const struct ek_conv_q *a, uint32_t sum, uint32_t n)
{
	int32_t acc = a->bias32 ? ek_add32((int32_t)sum, a->bias32[n]) : (int32_t)sum;
	int32_t y = ek_add32(ek_mbqm(acc, a->scale[n]), a->output_zero);
	return ek_clamp32(y, a->lo, a->hi);
}

static void block_s8(const void *args, const struct block *b, size_t row)
{
	const struct ek_conv_q *a = args;
	uint32_t sums[BLOCK];
	sum_s8(b, a->input, a->weights, a->input_zero, 0, sums);
	int8_t *y = (int8_t *)a->output + row * a->shape.out_c + b->first;
	for (uint32_t i = 0; i < b->n; i++) {
		y[i] = (int8_t)requant(a, sums[i], b->first + i);
	}
}

static void block_u8(const void *args, const struct block *b, size_t row)
{
	const struct ek_conv_q *a = args;
	uint32_t sums[BLOCK];
	sum_u8(b, a->input, a->weights, a->input_zero, a->weights_zero, sums);
	uint8_t *y = (uint8_t *)a->output + row * a->shape.out_c + b->first;
	for (uint32_t i = 0; i < b->n; i++) {
		y[i] = (uint8_t)requant(a, sums[i], b->first + i);
	}
}

static void block_s16(const void *args, const struct block *b, size_t row)
{
	const struct ek_conv_q *a = args;
	int64_t sums[BLOCK];
	sum_s16(b, a->input, a->weights, 0, 0, sums);
	int16_t *y = (int16_t *)a->output + row * a->shape.out_c + b->first;
	for (uint32_t i = 0; i < b->n; i++) {
		uint32_t n = b->first + i;
		uint64_t bias = a->bias64 ? (uint64_t)a->bias64[n] : 0;
		int32_t v = ek_mbqm64((int64_t)((uint64_t)sums[i] + bias), a->scale[n]);
		y[i] = (int16_t)ek_clamp32(ek_add32(v, a->output_zero), a->lo, a->hi);
	}
}

static void block_f32(const void *args, const struct block *b, size_t row)
{
	const struct ek_conv_f32 *a = args;
	float sums[BLOCK];
	sum_f32(b, a->input, a->weights, 0, 0, sums);
	float *y = a->output + row * a->shape.out_c + b->first;
	for (uint32_t i = 0; i < b->n; i++) {
		float v = a->bias ? sums[i] + a->bias[b->first + i] : sums[i];
		y[i] = ek_clamp_f32(v, a->lo, a->hi);
	}
}

static void block_h8(const void *args, const struct block *b, size_t row)
{
	const struct ek_conv_h *a = args;
	struct ek_hybrid_row from = a->row[b->pixel.batch];
	uint32_t sums[BLOCK];
	sum_s8(b, a->input, a->weights, from.zero, 0, sums);
	float *y = a->output + row * a->shape.out_c;
	for (uint32_t i = 0; i < b->n; i++) {
		uint32_t n = b->first + i;
		float v = (float)(int32_t)sums[i] * (from.scale * a->scale[n]);
		y[n] = ek_clamp_f32(a->bias ? v + a->bias[n] : v, a->lo, a->hi);
	}
}

static void depthwise_s8__c(const struct ek_conv_q *a, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	each_block(&a->shape, tile, block_s8, a);
}

static void depthwise_u8__c(const struct ek_conv_q *a, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	each_block(&a->shape, tile, block_u8, a);
}

static void depthwise_s16__c(const struct ek_conv_q *a, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	each_block(&a->shape, tile, block_s16, a);
}

static void depthwise_f32__c(const struct ek_conv_f32 *a, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	each_block(&a->shape, tile, block_f32, a);
}

static void depthwise_h8__c(const struct ek_conv_h *a, const struct ek_tile *tile, void *scratch)
{
	(void)scratch;
	each_block(&a->shape, tile, block_h8, a);
}

static uint64_t none(const struct ek_conv_shape *shape)
{
	(void)shape;
	return 0;
}

const struct ek_conv_q_row ek_depthwise_s8[] = {
	{{"depthwise_s8__c", 0}, 1, none, NULL, none, depthwise_s8__c},
#if defined(__x86_64__)
	{{"depthwise_s8__sse41", EK_CPU_SSE41}, 8, ek_depthwise_s8_packed_bytes__sse41,
		ek_depthwise_s8_pack__sse41, ek_depthwise_scratch_bytes__sse41,
		ek_depthwise_s8__sse41},
	{{"depthwise_s8__avx2", EK_CPU_AVX2}, 32, ek_depthwise_s8_packed_bytes__avx2,
		ek_depthwise_s8_pack__avx2, ek_depthwise_scratch_bytes__avx2,
		ek_depthwise_s8__avx2},
	{{"depthwise_s8__avxvnni", EK_CPU_AVX2 | EK_CPU_AVX_VNNI}, 32,
		ek_depthwise_s8_packed_bytes__avxvnni, ek_depthwise_s8_pack__avxvnni,
		ek_depthwise_scratch_bytes__avxvnni, ek_depthwise_s8__avxvnni},
	{{"depthwise_s8__avx512vnni", EK_CPU_AVX512_VNNI}, 64,
		ek_depthwise_s8_packed_bytes__avx512vnni, ek_depthwise_s8_pack__avx512vnni,
		ek_depthwise_scratch_bytes__avx512vnni, ek_depthwise_s8__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"depthwise_s8__neon", EK_CPU_NEON}, 16, ek_depthwise_packed_bytes__neon,
		ek_depthwise_s8_pack__neon, ek_depthwise_scratch_bytes__neon,
		ek_depthwise_s8__neon},
#if defined(__aarch64__)
	{{"depthwise_s8__dotprod", EK_CPU_DOTPROD}, 16, ek_depthwise_packed_bytes__dotprod,
		ek_depthwise_s8_pack__dotprod, ek_depthwise_scratch_bytes__dotprod,
		ek_depthwise_s8__dotprod},
#endif
#endif
};
const struct ek_conv_q_row ek_depthwise_u8[] = {
	{{"depthwise_u8__c", 0}, 1, none, NULL, none, depthwise_u8__c},
#if defined(__x86_64__)
	{{"depthwise_u8__sse41", EK_CPU_SSE41}, 8, ek_depthwise_u8_packed_bytes__sse41,
		ek_depthwise_u8_pack__sse41, ek_depthwise_scratch_bytes__sse41,
		ek_depthwise_u8__sse41},
	{{"depthwise_u8__avx2", EK_CPU_AVX2}, 32, ek_depthwise_u8_packed_bytes__avx2,
		ek_depthwise_u8_pack__avx2, ek_depthwise_scratch_bytes__avx2,
		ek_depthwise_u8__avx2},
	{{"depthwise_u8__avxvnni", EK_CPU_AVX2 | EK_CPU_AVX_VNNI}, 32,
		ek_depthwise_u8_packed_bytes__avxvnni, ek_depthwise_u8_pack__avxvnni,
		ek_depthwise_scratch_bytes__avxvnni, ek_depthwise_u8__avxvnni},
	{{"depthwise_u8__avx512vnni", EK_CPU_AVX512_VNNI}, 64,
		ek_depthwise_u8_packed_bytes__avx512vnni, ek_depthwise_u8_pack__avx512vnni,
		ek_depthwise_scratch_bytes__avx512vnni, ek_depthwise_u8__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"depthwise_u8__neon", EK_CPU_NEON}, 16, ek_depthwise_packed_bytes__neon,
		ek_depthwise_u8_pack__neon, ek_depthwise_scratch_bytes__neon,
		ek_depthwise_u8__neon},
#if defined(__aarch64__)
	{{"depthwise_u8__dotprod", EK_CPU_DOTPROD}, 16, ek_depthwise_packed_bytes__dotprod,
		ek_depthwise_u8_pack__dotprod, ek_depthwise_scratch_bytes__dotprod,
		ek_depthwise_u8__dotprod},
#endif
#endif
};
const struct ek_conv_q_row ek_depthwise_s16[] = {
	{{"depthwise_s16__c", 0}, 1, none, NULL, none, depthwise_s16__c},
#if defined(__x86_64__)
	{{"depthwise_s16__avx512vnni", EK_CPU_AVX512_VNNI}, 1, none, NULL,
		ek_depthwise_s16_scratch_bytes__avx512vnni, ek_depthwise_s16__avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
	{{"depthwise_s16__neon", EK_CPU_NEON}, 1, none, NULL, ek_depthwise_s16_scratch_bytes__neon,
		ek_depthwise_s16__neon},
#endif
};
const struct ek_conv_f32_row ek_depthwise_f32[] = {
	{{"depthwise_f32__c", 0}, 1, none, NULL, none, depthwise_f32__c},
#if defined(__x86_64__)
	{{"depthwise_f32__avx2", EK_CPU_AVX2}, 1, none, NULL, ek_depthwise_f32_scratch_bytes__avx2,
		ek_depthwise_f32__avx2},
	{{"depthwise_f32__avx512vnni", EK_CPU_AVX512_VNNI}, 1, none, NULL,
		ek_depthwise_f32_scratch_bytes__avx512vnni, ek_depthwise_f32__avx512vnni},
#elif defined(__aarch64__)
	{{"depthwise_f32__neon", EK_CPU_NEON}, 1, none, NULL, ek_depthwise_f32_scratch_bytes__neon,
		ek_depthwise_f32__neon},
#elif defined(__arm__)
	{{"depthwise_f32__vfpv4", EK_CPU_VFPV4}, 1, none, NULL,
		ek_depthwise_f32_scratch_bytes__vfpv4, ek_depthwise_f32__vfpv4},
#endif
};
const struct ek_conv_h_row ek_depthwise_h8[] = {
	{{"depthwise_h8__c", 0}, 1, NULL, NULL, none, depthwise_h8__c},
};
const size_t ek_depthwise_s8_count = sizeof(ek_depthwise_s8) / sizeof(ek_depthwise_s8[0]);
const size_t ek_depthwise_u8_count = sizeof(ek_depthwise_u8) / sizeof(ek_depthwise_u8[0]);
const size_t ek_depthwise_s16_count = sizeof(ek_depthwise_s16) / sizeof(ek_depthwise_s16[0]);
const size_t ek_depthwise_f32_count = sizeof(ek_depthwise_f32) / sizeof(ek_depthwise_f32[0]);
const size_t ek_depthwise_h8_count = sizeof(ek_depthwise_h8) / sizeof(ek_depthwise_h8[0]);
