/* SPDX-License-Identifier: Apache-2.0 */
/* matmul - rows of the lists of kernels/matmul.h for x86-64 */
#ifndef KERNELS_X86_MATMUL_H
#define KERNELS_X86_MATMUL_H

#include "kernels/matmul.h"

uint64_t ek_matmul_packed_bytes__avx512vnni(const struct ek_matmul_shape *shape);
uint64_t ek_matmul_scratch_bytes__avx512vnni(const struct ek_matmul_shape *shape);
void ek_matmul_s8_pack__avx512vnni(const struct ek_matmul_q *args, void *packed);
void ek_matmul_u8_pack__avx512vnni(const struct ek_matmul_q *args, void *packed);
void ek_matmul_s8__avx512vnni(
	const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);
void ek_matmul_u8__avx512vnni(
	const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);

uint64_t ek_matmul_packed_bytes__sse41(const struct ek_matmul_shape *shape);
uint64_t ek_matmul_scratch_bytes__sse41(const struct ek_matmul_shape *shape);
void ek_matmul_s8_pack__sse41(const struct ek_matmul_q *args, void *packed);
void ek_matmul_u8_pack__sse41(const struct ek_matmul_q *args, void *packed);
void ek_matmul_s8__sse41(const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);
void ek_matmul_u8__sse41(const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);

uint64_t ek_matmul_packed_bytes__avx2(const struct ek_matmul_shape *shape);
uint64_t ek_matmul_scratch_bytes__avx2(const struct ek_matmul_shape *shape);
void ek_matmul_s8_pack__avx2(const struct ek_matmul_q *args, void *packed);
void ek_matmul_u8_pack__avx2(const struct ek_matmul_q *args, void *packed);
void ek_matmul_s8__avx2(const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);
void ek_matmul_u8__avx2(const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);

uint64_t ek_matmul_packed_bytes__avxvnni(const struct ek_matmul_shape *shape);
uint64_t ek_matmul_scratch_bytes__avxvnni(const struct ek_matmul_shape *shape);
void ek_matmul_s8_pack__avxvnni(const struct ek_matmul_q *args, void *packed);
void ek_matmul_u8_pack__avxvnni(const struct ek_matmul_q *args, void *packed);
void ek_matmul_s8__avxvnni(
	const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);
void ek_matmul_u8__avxvnni(
	const struct ek_matmul_q *args, const struct ek_tile *tile, void *scratch);

#endif
