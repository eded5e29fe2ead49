/* SPDX-License-Identifier: Apache-2.0 */
/* pool_arm - rows of the lists of kernels/pool/pool.h for Arm */
#ifndef KERNELS_POOL_POOL_ARM_H
#define KERNELS_POOL_POOL_ARM_H

#include "kernels/pool/pool.h"

void ek_average_pool_s8__neon(const struct ek_pool *args, const struct ek_tile *tile);
void ek_average_pool_u8__neon(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_s8__neon(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_u8__neon(const struct ek_pool *args, const struct ek_tile *tile);
/* Tiles of fewer than eight channels are entry 0's. */
void ek_average_pool_s16__neon(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_s16__neon(const struct ek_pool *args, const struct ek_tile *tile);
#if defined(__aarch64__)
void ek_average_pool_f32__neon(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_f32__neon(const struct ek_pool *args, const struct ek_tile *tile);
#else
void ek_average_pool_f32__vfpv4(const struct ek_pool *args, const struct ek_tile *tile);
void ek_max_pool_f32__vfpv4(const struct ek_pool *args, const struct ek_tile *tile);
#endif

#endif
