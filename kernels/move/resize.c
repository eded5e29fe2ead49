/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/move/resize.h"

struct fixed_weights {
	int32_t a, b, c, d;
};

static inline struct fixed_weights fixed_of(int32_t wx, int32_t wy)
{
	return (struct fixed_weights){
		(1024 - wy) * (1024 - wx), wy * (1024 - wx), (1024 - wy) * wx, wy * wx};
}

/* v / 2^20, ties away from zero. */
static inline int32_t round20(int64_t v)
{
	return (int32_t)((v + (v > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
}

#define RESIZE_FIXED(name, type)                                                                   \
	static void name(void *dst, const void *row0, const void *row1, size_t n, size_t channels, \
		const struct ek_resize_point *points, const struct ek_resize_point *y)             \
	{                                                                                          \
		type *out = dst;                                                                   \
		for (size_t i = 0; i < n; i++, out += channels) {                                  \
			struct fixed_weights w =                                                   \
				fixed_of(points[i].weight.fixed, y->weight.fixed);                 \
			const type *a = (const type *)row0 + (size_t)points[i].x0 * channels;      \
			const type *b = (const type *)row1 + (size_t)points[i].x0 * channels;      \
			const type *c = (const type *)row0 + (size_t)points[i].x1 * channels;      \
			const type *d = (const type *)row1 + (size_t)points[i].x1 * channels;      \
			for (size_t k = 0; k < channels; k++) {                                    \
				out[k] = (type)round20((int64_t)a[k] * w.a + (int64_t)b[k] * w.b + \
					(int64_t)c[k] * w.c + (int64_t)d[k] * w.d);                \
			}                                                                          \
		}                                                                                  \
	}

#define RESIZE_REAL(name, type, offset)                                                            \
	static void name(void *dst, const void *row0, const void *row1, size_t n, size_t channels, \
		const struct ek_resize_point *points, const struct ek_resize_point *y)             \
	{                                                                                          \
		type *out = dst;                                                                   \
		const float wy = y->weight.real;                                                   \
		for (size_t i = 0; i < n; i++, out += channels) {                                  \
			const float wx = points[i].weight.real;                                    \
			const type *a = (const type *)row0 + (size_t)points[i].x0 * channels;      \
			const type *b = (const type *)row1 + (size_t)points[i].x0 * channels;      \
			const type *c = (const type *)row0 + (size_t)points[i].x1 * channels;      \
			const type *d = (const type *)row1 + (size_t)points[i].x1 * channels;      \
			for (size_t k = 0; k < channels; k++) {                                    \
				float v = (float)a[k] * (1 - wy) * (1 - wx) +                      \
					(float)b[k] * wy * (1 - wx) +                              \
					(float)c[k] * (1 - wy) * wx + (float)d[k] * wy * wx;       \
				out[k] = (type)(v + offset);                                       \
			}                                                                          \
		}                                                                                  \
	}

RESIZE_FIXED(resize_s8__c, int8_t)
RESIZE_FIXED(resize_s16__c, int16_t)
RESIZE_REAL(resize_u8__c, uint8_t, 0.5f)
RESIZE_REAL(resize_f32__c, float, 0)

const struct ek_resize ek_resize_s8[] = {
	{{"resize_s8__c", 0}, resize_s8__c},
#if defined(__x86_64__)
	{{"resize_s8__sse41", EK_CPU_SSE41}, ek_resize_s8__sse41},
	{{"resize_s8__avx2", EK_CPU_AVX2}, ek_resize_s8__avx2},
#elif defined(__aarch64__) || defined(__arm__)
	{{"resize_s8__neon", EK_CPU_NEON}, ek_resize_s8__neon},
#endif
};
const struct ek_resize ek_resize_s16[] = {{{"resize_s16__c", 0}, resize_s16__c}};
const struct ek_resize ek_resize_u8[] = {
	{{"resize_u8__c", 0}, resize_u8__c},
#if defined(__x86_64__)
	{{"resize_u8__sse41", EK_CPU_SSE41}, ek_resize_u8__sse41},
	{{"resize_u8__avx2", EK_CPU_AVX2}, ek_resize_u8__avx2},
#elif defined(__aarch64__) || defined(__arm__)
	{{"resize_u8__neon", EK_CPU_NEON}, ek_resize_u8__neon},
#endif
};
const struct ek_resize ek_resize_f32[] = {
	{{"resize_f32__c", 0}, resize_f32__c},
#if defined(__x86_64__)
	{{"resize_f32__sse41", EK_CPU_SSE41}, ek_resize_f32__sse41},
	{{"resize_f32__avx2", EK_CPU_AVX2}, ek_resize_f32__avx2},
#elif defined(__aarch64__)
	{{"resize_f32__neon", EK_CPU_NEON}, ek_resize_f32__neon},
#endif
};
const size_t ek_resize_s8_count = sizeof(ek_resize_s8) / sizeof(ek_resize_s8[0]);
const size_t ek_resize_s16_count = sizeof(ek_resize_s16) / sizeof(ek_resize_s16[0]);
const size_t ek_resize_u8_count = sizeof(ek_resize_u8) / sizeof(ek_resize_u8[0]);
const size_t ek_resize_f32_count = sizeof(ek_resize_f32) / sizeof(ek_resize_f32[0]);
