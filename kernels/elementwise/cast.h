/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cast - numbers of one type become numbers of another, by way of int64 (integers, bool) or double
 * (floats, the real part of complex numbers)
 *
 * Both hold every value of their types exactly, so only the second step rounds: integers wrap;
 * floats are cut to integers, beyond the range the nearest end, NaN gives 0; anything but 0 is
 * true; float16 is rounded by way of float32; an imaginary part becomes 0.
 * Source: TFLite kernels/cast.cc.
 */
#ifndef KERNELS_ELEMENTWISE_CAST_H
#define KERNELS_ELEMENTWISE_CAST_H

#include <stddef.h>
#include <stdint.h>

/* A type's way to its wide number (8 bytes, int64 or double) and from both kinds back. @n elements
 * that do not overlap. */
struct ek_cast {
	uint8_t bytes; /* of an element */
	uint8_t is_real; /* widens to double */
	void (*widen)(void *dst, const void *src, size_t n);
	void (*from_s64)(void *dst, const int64_t *src, size_t n);
	void (*from_f64)(void *dst, const double *src, size_t n);
};

extern const struct ek_cast ek_cast_b, ek_cast_s8, ek_cast_u8, ek_cast_s16, ek_cast_u16,
	ek_cast_s32, ek_cast_u32, ek_cast_s64, ek_cast_f16, ek_cast_f32, ek_cast_f64, ek_cast_c64;

/* Floats cut to -8..7, NaN 0, one to a byte. */
void ek_cast_f32_s4(int8_t *dst, const float *src, size_t n);

#endif
