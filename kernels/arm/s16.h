/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s16 - rows of the int16 lists of kernels/conv.h, depthwise.h and matmul.h for NEON
 *
 * Packed weights, for each panel of 16 columns: the sums of the magnitudes of a column's weights, [16],
 * and the weights, [depth][16], the depth rounded up to 8 by zeros.
 */
#ifndef KERNELS_ARM_S16_H
#define KERNELS_ARM_S16_H

#include "kernels/conv.h"
#include "kernels/depthwise.h"
#include "kernels/matmul.h"

/* Groups are entry 0's. */
uint64_t ek_conv_s16_packed_bytes__neon(const struct ek_conv_shape *shape);
void ek_conv_s16_pack__neon(const struct ek_conv_q *args, void *packed);
uint64_t ek_conv_s16_scratch_bytes__neon(const struct ek_conv_shape *shape);
void ek_conv_s16__neon(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

uint64_t ek_matmul_s16_packed_bytes__neon(const struct ek_matmul_shape *shape);
void ek_matmul_s16_pack__neon(const struct ek_matmul_q *args, void *packed);
uint64_t ek_matmul_s16_scratch_bytes__neon(const struct ek_matmul_shape *shape);
void ek_matmul_s16__neon(const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);

/* Reads weights in the file's order. With a multiplier, fewer than eight channels in a tile, or more than
 * 256 taps, it is entry 0. */
uint64_t ek_depthwise_s16_scratch_bytes__neon(const struct ek_depthwise_shape *shape);
void ek_depthwise_s16__neon(
	const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch);

#endif
