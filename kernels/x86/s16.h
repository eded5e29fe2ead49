/* SPDX-License-Identifier: Apache-2.0 */
/* s16 - rows of the int16 lists of kernels/conv.h, depthwise.h and matmul.h for x86-64 */
#ifndef KERNELS_X86_S16_H
#define KERNELS_X86_S16_H

#include "kernels/conv.h"
#include "kernels/depthwise.h"
#include "kernels/matmul.h"

/* Weights of a column that together may leave 32 bits, and groups, are entry 0's. */
uint64_t ek_conv_s16_packed_bytes__avx512vnni(const struct ek_conv_shape *shape);
void ek_conv_s16_pack__avx512vnni(const struct ek_conv_q *args, void *packed);
uint64_t ek_conv_s16_scratch_bytes__avx512vnni(const struct ek_conv_shape *shape);
void ek_conv_s16__avx512vnni(
	const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

uint64_t ek_matmul_s16_packed_bytes__avx512vnni(const struct ek_matmul_shape *shape);
void ek_matmul_s16_pack__avx512vnni(const struct ek_matmul_q *args, void *packed);
uint64_t ek_matmul_s16_scratch_bytes__avx512vnni(const struct ek_matmul_shape *shape);
void ek_matmul_s16__avx512vnni(
	const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);

/* With a multiplier, or more than 256 taps, it is entry 0. */
uint64_t ek_depthwise_s16_scratch_bytes__avx512vnni(const struct ek_depthwise_shape *shape);
void ek_depthwise_s16__avx512vnni(
	const struct ek_depthwise_q *args, const struct ek_tile *tile, void *scratch);

#endif
