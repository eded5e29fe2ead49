/* SPDX-License-Identifier: Apache-2.0 */
/* pool_x86 - rows of the lists of kernels/pool/pool.h for x86-64 */
#ifndef KERNELS_POOL_POOL_X86_H
#define KERNELS_POOL_POOL_X86_H

#include "kernels/pool/pool.h"

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
void ek_max_pool_s8__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_u8__avx512vnni(const struct ek_pool *args, const struct ek_tile *tile);

#endif
