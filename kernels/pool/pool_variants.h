/* SPDX-License-Identifier: Apache-2.0 */
/* pool_variants - rows of the lists of kernels/pool/pool.h for x86-64 and Arm */
#ifndef KERNELS_POOL_POOL_VARIANTS_H
#define KERNELS_POOL_POOL_VARIANTS_H

#include "kernels/pool/pool.h"

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
