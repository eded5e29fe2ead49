/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/cast.h"

#include "kernels/math/f16.h"

#define WIDEN(name, type, wide, expression)                                                        \
	static void name##_widen(void *dst, const void *src, size_t n)                             \
	{                                                                                          \
		const type *in = src;                                                              \
		wide *out = dst;                                                                   \
		for (size_t i = 0; i < n; i++) {                                                   \
			const type x = in[i];                                                      \
			out[i] = (wide)(expression);                                               \
		}                                                                                  \
	}

#define NARROW(name, type, kind, wide, expression)                                                 \
	static void name##_from_##kind(void *dst, const wide *src, size_t n)                       \
	{                                                                                          \
		type *out = dst;                                                                   \
		for (size_t i = 0; i < n; i++) {                                                   \
			const wide x = src[i];                                                     \
			out[i] = (type)(expression);                                               \
		}                                                                                  \
	}

#define CAST(name, type, real, wide, up, from_integer, from_real)                                  \
	WIDEN(name, type, wide, up)                                                                \
	NARROW(name, type, s64, int64_t, from_integer)                                             \
	NARROW(name, type, f64, double, from_real)                                                 \
	const struct ek_cast ek_cast_##name = {                                                    \
		sizeof(type), real, name##_widen, name##_from_s64, name##_from_f64};

/* @x cut to an integer of @lo..@hi, both exact in double; NaN is 0. */
static inline int64_t cut(double x, double lo, double hi)
{
	return (int64_t)(x < lo ? lo : x > hi ? hi : x == x ? x : 0);
}

/* The highest int64 has no double. */
static inline int64_t cut64(double x)
{
	return x >= 0x1p63 ? INT64_MAX : x < -0x1p63 ? INT64_MIN : x == x ? (int64_t)x : 0;
}

#define INTEGER(name, type, lo, hi) CAST(name, type, 0, int64_t, x, x, cut(x, lo, hi))
#define REAL(name, type) CAST(name, type, 1, double, x, x, x)

CAST(b, uint8_t, 0, int64_t, x != 0, x != 0, x != 0)
INTEGER(s8, int8_t, INT8_MIN, INT8_MAX)
INTEGER(u8, uint8_t, 0, UINT8_MAX)
INTEGER(s16, int16_t, INT16_MIN, INT16_MAX)
INTEGER(u16, uint16_t, 0, UINT16_MAX)
INTEGER(s32, int32_t, INT32_MIN, INT32_MAX)
INTEGER(u32, uint32_t, 0, UINT32_MAX)
CAST(s64, int64_t, 0, int64_t, x, x, cut64(x))
CAST(f16, uint16_t, 1, double, ek_f16_get(x), ek_f16_from((float)x), ek_f16_from((float)x))
REAL(f32, float)
REAL(f64, double)

struct complex64 {
	float re, im;
};

static void c64_widen(void *dst, const void *src, size_t n)
{
	const struct complex64 *in = src;
	double *out = dst;
	for (size_t i = 0; i < n; i++) {
		out[i] = (double)in[i].re;
	}
}

#define COMPLEX_FROM(kind, wide)                                                                   \
	static void c64_from_##kind(void *dst, const wide *src, size_t n)                          \
	{                                                                                          \
		struct complex64 *out = dst;                                                       \
		for (size_t i = 0; i < n; i++) {                                                   \
			out[i] = (struct complex64){(float)src[i], 0};                             \
		}                                                                                  \
	}

COMPLEX_FROM(s64, int64_t)
COMPLEX_FROM(f64, double)

const struct ek_cast ek_cast_c64 = {
	sizeof(struct complex64), 1, c64_widen, c64_from_s64, c64_from_f64};

void ek_cast_f32_s4(int8_t *dst, const float *src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		dst[i] = (int8_t)cut((double)src[i], -8, 7);
	}
}
