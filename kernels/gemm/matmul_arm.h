/* SPDX-License-Identifier: Apache-2.0 */
/* matmul_arm - rows of the lists of kernels/gemm/matmul.h for Arm */
#ifndef KERNELS_GEMM_MATMUL_ARM_H
#define KERNELS_GEMM_MATMUL_ARM_H

#include "kernels/gemm/matmul.h"

#define EK_MATMUL_ARM(isa)                                                                         \
	uint64_t ek_matmul_packed_bytes__##isa(const struct ek_matmul_shape *shape);               \
	uint64_t ek_matmul_scratch_bytes__##isa(const struct ek_matmul_shape *shape);              \
	void ek_matmul_s8_pack__##isa(const struct ek_matmul_q *args, void *packed);               \
	void ek_matmul_u8_pack__##isa(const struct ek_matmul_q *args, void *packed);               \
	void ek_matmul_s8__##isa(                                                                  \
		const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);        \
	void ek_matmul_u8__##isa(                                                                  \
		const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);

EK_MATMUL_ARM(neon)
#if defined(__aarch64__)
EK_MATMUL_ARM(inorder)
EK_MATMUL_ARM(dotprod)
EK_MATMUL_ARM(i8mm)
#endif

#define EK_MATMUL_F32_ARM(isa)                                                                     \
	uint64_t ek_matmul_f32_packed_bytes__##isa(const struct ek_matmul_shape *shape);           \
	void ek_matmul_f32_pack__##isa(const struct ek_matmul_f32 *args, void *packed);            \
	void ek_matmul_f32__##isa(const struct ek_matmul_f32 *args, const struct ek_tile *tile);

#if defined(__aarch64__)
EK_MATMUL_F32_ARM(neon)
#else
EK_MATMUL_F32_ARM(vfpv4)
#endif

uint64_t ek_matmul_s16_packed_bytes__neon(const struct ek_matmul_shape *shape);
void ek_matmul_s16_pack__neon(const struct ek_matmul_q *args, void *packed);
uint64_t ek_matmul_s16_scratch_bytes__neon(const struct ek_matmul_shape *shape);
void ek_matmul_s16__neon(const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);

/* With blocks they are entry 0. */
void ek_matmul_h8__neon(const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch);
#if defined(__aarch64__)
void ek_matmul_h8__dotprod(
	const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch);
#endif

#endif
