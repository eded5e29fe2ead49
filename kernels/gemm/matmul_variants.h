/* SPDX-License-Identifier: Apache-2.0 */
/* matmul_variants - rows of the lists of kernels/gemm/matmul.h for x86-64 and Arm */
#ifndef KERNELS_GEMM_MATMUL_VARIANTS_H
#define KERNELS_GEMM_MATMUL_VARIANTS_H

#include "kernels/gemm/matmul.h"

#define EK_MATMUL_Q(isa)                                                                           \
	uint64_t ek_matmul_packed_bytes__##isa(const struct ek_matmul_shape *shape);               \
	uint64_t ek_matmul_scratch_bytes__##isa(const struct ek_matmul_shape *shape);              \
	void ek_matmul_s8_pack__##isa(const struct ek_matmul_q *args, void *packed);               \
	void ek_matmul_u8_pack__##isa(const struct ek_matmul_q *args, void *packed);               \
	void ek_matmul_s8__##isa(                                                                  \
		const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);        \
	void ek_matmul_u8__##isa(                                                                  \
		const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);

EK_MATMUL_Q(sse41)
EK_MATMUL_Q(avx2)
EK_MATMUL_Q(avxvnni)
EK_MATMUL_Q(avx512vnni)
EK_MATMUL_Q(neon)
EK_MATMUL_Q(inorder)
EK_MATMUL_Q(dotprod)
EK_MATMUL_Q(i8mm)

#define EK_MATMUL_F32(isa)                                                                         \
	uint64_t ek_matmul_f32_packed_bytes__##isa(const struct ek_matmul_shape *shape);           \
	void ek_matmul_f32_pack__##isa(const struct ek_matmul_f32 *args, void *packed);            \
	void ek_matmul_f32__##isa(const struct ek_matmul_f32 *args, const struct ek_tile *tile);

EK_MATMUL_F32(avx2)
EK_MATMUL_F32(avx512vnni)
EK_MATMUL_F32(neon)
EK_MATMUL_F32(vfpv4)

/* On AVX512 weights of a column that together may leave 32 bits are entry 0's. */
#define EK_MATMUL_S16(isa)                                                                         \
	uint64_t ek_matmul_s16_packed_bytes__##isa(const struct ek_matmul_shape *shape);           \
	void ek_matmul_s16_pack__##isa(const struct ek_matmul_q *args, void *packed);              \
	uint64_t ek_matmul_s16_scratch_bytes__##isa(const struct ek_matmul_shape *shape);          \
	void ek_matmul_s16__##isa(                                                                 \
		const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);

EK_MATMUL_S16(avx512vnni)
EK_MATMUL_S16(neon)

/* With blocks they are entry 0. */
typedef void ek_matmul_h8_fn(
	const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch);

ek_matmul_h8_fn ek_matmul_h8__avx2, ek_matmul_h8__avx512vnni, ek_matmul_h8__neon,
	ek_matmul_h8__dotprod;
uint64_t ek_matmul_h8_packed_bytes__avx512vnni(const struct ek_matmul_h *args);
void ek_matmul_h8_pack__avx512vnni(const struct ek_matmul_h *args, void *packed);
uint64_t ek_matmul_h8_scratch_bytes__avx512vnni(const struct ek_matmul_shape *shape);

#endif
