/* SPDX-License-Identifier: Apache-2.0 */
/* conv - rows of the lists of kernels/conv.h for x86-64 */
#ifndef KERNELS_X86_CONV_H
#define KERNELS_X86_CONV_H

#include "kernels/conv.h"

/* Entry 0 where conv_is_walked() of conv_plan_avx512.h says no: with groups, above all. */
uint64_t ek_conv_s8_packed_bytes__avx512vnni(const struct ek_conv_shape *shape);
uint64_t ek_conv_u8_packed_bytes__avx512vnni(const struct ek_conv_shape *shape);
uint64_t ek_conv_scratch_bytes__avx512vnni(const struct ek_conv_shape *shape);
void ek_conv_s8_pack__avx512vnni(const struct ek_conv_q *args, void *packed);
void ek_conv_u8_pack__avx512vnni(const struct ek_conv_q *args, void *packed);
void ek_conv_s8__avx512vnni(
	const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);
void ek_conv_u8__avx512vnni(
	const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

uint64_t ek_conv_packed_bytes__sse41(const struct ek_conv_shape *shape);
uint64_t ek_conv_scratch_bytes__sse41(const struct ek_conv_shape *shape);
void ek_conv_s8_pack__sse41(const struct ek_conv_q *args, void *packed);
void ek_conv_u8_pack__sse41(const struct ek_conv_q *args, void *packed);
void ek_conv_s8__sse41(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);
void ek_conv_u8__sse41(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

uint64_t ek_conv_packed_bytes__avx2(const struct ek_conv_shape *shape);
uint64_t ek_conv_scratch_bytes__avx2(const struct ek_conv_shape *shape);
void ek_conv_s8_pack__avx2(const struct ek_conv_q *args, void *packed);
void ek_conv_u8_pack__avx2(const struct ek_conv_q *args, void *packed);
void ek_conv_s8__avx2(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);
void ek_conv_u8__avx2(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

uint64_t ek_conv_packed_bytes__avxvnni(const struct ek_conv_shape *shape);
uint64_t ek_conv_scratch_bytes__avxvnni(const struct ek_conv_shape *shape);
void ek_conv_s8_pack__avxvnni(const struct ek_conv_q *args, void *packed);
void ek_conv_u8_pack__avxvnni(const struct ek_conv_q *args, void *packed);
void ek_conv_s8__avxvnni(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);
void ek_conv_u8__avxvnni(const struct ek_conv_q *args, const struct ek_tile *tile, void *scratch);

#endif
