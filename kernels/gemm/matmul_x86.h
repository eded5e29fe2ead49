/* SPDX-License-Identifier: Apache-2.0 */
/* matmul_x86 - rows of the lists of kernels/gemm/matmul.h for x86-64 */
#ifndef KERNELS_GEMM_MATMUL_X86_H
#define KERNELS_GEMM_MATMUL_X86_H

#include "kernels/gemm/matmul.h"

#define EK_MATMUL_Q_X86(isa)                                                                       \
	uint64_t ek_matmul_packed_bytes__##isa(const struct ek_matmul_shape *shape);               \
	uint64_t ek_matmul_scratch_bytes__##isa(const struct ek_matmul_shape *shape);              \
	void ek_matmul_s8_pack__##isa(const struct ek_matmul_q *args, void *packed);               \
	void ek_matmul_u8_pack__##isa(const struct ek_matmul_q *args, void *packed);               \
	void ek_matmul_s8__##isa(                                                                  \
		const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);        \
	void ek_matmul_u8__##isa(                                                                  \
		const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);

EK_MATMUL_Q_X86(sse41)
EK_MATMUL_Q_X86(avx2)
EK_MATMUL_Q_X86(avxvnni)
EK_MATMUL_Q_X86(avx512vnni)

#define EK_MATMUL_F32_X86(isa)                                                                     \
	uint64_t ek_matmul_f32_packed_bytes__##isa(const struct ek_matmul_shape *shape);           \
	void ek_matmul_f32_pack__##isa(const struct ek_matmul_f32 *args, void *packed);            \
	void ek_matmul_f32__##isa(const struct ek_matmul_f32 *args, const struct ek_tile *tile);

EK_MATMUL_F32_X86(avx2)
EK_MATMUL_F32_X86(avx512vnni)

/* Weights of a column that together may leave 32 bits are entry 0's. */
uint64_t ek_matmul_s16_packed_bytes__avx512vnni(const struct ek_matmul_shape *shape);
void ek_matmul_s16_pack__avx512vnni(const struct ek_matmul_q *args, void *packed);
uint64_t ek_matmul_s16_scratch_bytes__avx512vnni(const struct ek_matmul_shape *shape);
void ek_matmul_s16__avx512vnni(
	const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);

/* With blocks they are entry 0. */
void ek_matmul_h8__avx2(const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch);
uint64_t ek_matmul_h8_packed_bytes__avx512vnni(const struct ek_matmul_h *args);
void ek_matmul_h8_pack__avx512vnni(const struct ek_matmul_h *args, void *packed);
uint64_t ek_matmul_h8_scratch_bytes__avx512vnni(const struct ek_matmul_shape *shape);
void ek_matmul_h8__avx512vnni(
	const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch);

#endif
