/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool - average, maximum and root of the mean square over a window
 *
 *   average: y[p][c] = clamp(round(sum over taps inside of x[p, tap][c] / number of taps inside))
 *   maximum: y[p][c] = clamp(max over taps inside of x[p, tap][c])
 *   l2:      y[p][c] = clamp(sqrt(sum over taps inside of x[p, tap][c]^2 / number of taps inside))
 *
 * Rows of a tile are output pixels p (batch x out_h x out_w), columns channels. At least one tap of
 * every window is inside. Codes are taken as they are: scale and zero point of input and output are
 * the same.
 *
 * Rounding of the average, in C's truncating division, n taps, sum s in int32:
 *   int8, int16: s > 0 ? (s + n / 2) / n : (s - n / 2) / n
 *   uint8: (s + n / 2) / n
 *   float: s / n, s in the order of the taps, rows first
 * The float maximum leaves NaN out: it starts at the lowest float.
 *
 * Input is [batch][in_h][in_w][channels], output [batch][out_h][out_w][channels] of the same type,
 * both aligned to their element.
 * Reads exactly the bytes named; writes the tile of the output. Bit-exact with entry 0 of the list,
 * float too.
 * Source: tflite kernels/internal/reference/pooling.h, reference/integer_ops/pooling.h.
 */
#ifndef KERNELS_POOL_POOL_H
#define KERNELS_POOL_POOL_H

#include <stddef.h>

#include "kernels/cpu_features.h"
#include "kernels/pool/pool_args.h"
#include "kernels/tile.h"

struct ek_pool_row {
	struct ek_variant variant;
	void (*run)(const struct ek_pool *args, const struct ek_tile *tile);
};

extern const struct ek_pool_row ek_average_pool_s8[], ek_average_pool_u8[], ek_average_pool_s16[],
	ek_average_pool_f32[];
extern const struct ek_pool_row ek_max_pool_s8[], ek_max_pool_u8[], ek_max_pool_s16[],
	ek_max_pool_f32[];
extern const struct ek_pool_row ek_l2_pool_f32[];
extern const size_t ek_average_pool_s8_count, ek_average_pool_u8_count, ek_average_pool_s16_count,
	ek_average_pool_f32_count;
extern const size_t ek_max_pool_s8_count, ek_max_pool_u8_count, ek_max_pool_s16_count,
	ek_max_pool_f32_count, ek_l2_pool_f32_count;

/* Rows of the lists for x86-64 and Arm. */
#define EK_POOL(type, isa)                                                                         \
	void ek_average_pool_##type##__##isa(                                                      \
		const struct ek_pool *args, const struct ek_tile *tile);                           \
	void ek_max_pool_##type##__##isa(const struct ek_pool *args, const struct ek_tile *tile);

EK_POOL(s8, sse41)
EK_POOL(s8, avx2)
EK_POOL(s8, avx512vnni)
EK_POOL(s8, neon)
EK_POOL(u8, sse41)
EK_POOL(u8, avx2)
EK_POOL(u8, avx512vnni)
EK_POOL(u8, neon)
EK_POOL(s16, avx512vnni)
EK_POOL(s16, neon) /* tiles of fewer than eight channels are entry 0's */
EK_POOL(f32, avx2)
EK_POOL(f32, neon)
EK_POOL(f32, vfpv4)

#endif
