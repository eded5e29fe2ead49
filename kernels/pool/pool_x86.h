/* SPDX-License-Identifier: Apache-2.0 */
/* codes - rows of the lists of kernels/argmax.h, lut.h, requant.h, sum.h, softmax.h, pool.h and resize.h for
 * x86-64 */
#ifndef KERNELS_X86_CODES_H
#define KERNELS_X86_CODES_H

#include "kernels/argmax.h"
#include "kernels/lut.h"
#include "kernels/pool.h"
#include "kernels/requant.h"
#include "kernels/resize.h"
#include "kernels/softmax.h"
#include "kernels/sum.h"

ek_arg_fn ek_argmax_s8__sse41, ek_argmax_u8__sse41;

ek_lut8_fn ek_lut8__avx2, ek_lut8__avx512vnni;

ek_requant_fn ek_requant_s16s8__avx512vnni, ek_requant_s16s16__avx512vnni,
	ek_requant_s16s32__avx512vnni, ek_requant_s32s8__avx512vnni, ek_requant_s32s16__avx512vnni;
ek_requant_fn ek_requant_s16s8__avx2, ek_requant_s16s16__avx2, ek_requant_s16s32__avx2,
	ek_requant_s32s8__avx2, ek_requant_s32s16__avx2;
ek_quantize_fn ek_quantize_s8__avx2, ek_quantize_u8__avx2, ek_quantize_s16__avx2;
ek_quantize_fn ek_quantize_s8__avx512vnni, ek_quantize_u8__avx512vnni, ek_quantize_s16__avx512vnni;

/* Rows of fewer than 64 elements are entry 0. */
ek_softmax_fn ek_softmax_s8__avx2, ek_softmax_u8__avx2;
ek_softmax_fn ek_softmax_s8__avx512vnni, ek_softmax_u8__avx512vnni;

ek_sum_fn ek_sum_s8__avx2, ek_sum_u8__avx2, ek_sum_s8__avx512vnni, ek_sum_u8__avx512vnni;

void ek_average_pool_s8__sse41(const struct ek_pool *args, const struct ek_tile *tile);
void ek_average_pool_u8__sse41(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_s8__sse41(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_u8__sse41(const struct ek_pool *args, const struct ek_tile *tile);
void ek_average_pool_s8__avx2(const struct ek_pool *args, const struct ek_tile *tile);
void ek_average_pool_u8__avx2(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_s8__avx2(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_u8__avx2(const struct ek_pool *args, const struct ek_tile *tile);
void ek_average_pool_f32__avx2(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_f32__avx2(const struct ek_pool *args, const struct ek_tile *tile);
void ek_average_pool_s8__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile);
void ek_average_pool_u8__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile);
void ek_average_pool_s16__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile);
void ek_average_pool_f32__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_s8__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_u8__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_s16__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_f32__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile);

ek_resize_fn ek_resize_s8__sse41, ek_resize_u8__sse41, ek_resize_f32__sse41;
ek_resize_fn ek_resize_s8__avx2, ek_resize_u8__avx2, ek_resize_f32__avx2;

#endif
