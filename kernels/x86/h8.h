/* SPDX-License-Identifier: Apache-2.0 */
/* h8 - rows of the hybrid lists of kernels/conv.h, matmul.h, matvec.h and hybrid.h for x86-64 */
#ifndef KERNELS_X86_H8_H
#define KERNELS_X86_H8_H

#include "kernels/conv.h"
#include "kernels/matmul.h"
#include "kernels/matvec.h"

/* With blocks they are entry 0. */
void ek_matmul_h8__avx2(const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch);
uint64_t ek_matmul_h8_packed_bytes__avx512vnni(const struct ek_matmul_h *args);
void ek_matmul_h8_pack__avx512vnni(const struct ek_matmul_h *args, void *packed);
uint64_t ek_matmul_h8_scratch_bytes__avx512vnni(const struct ek_matmul_shape *shape);
void ek_matmul_h8__avx512vnni(
	const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch);

void ek_conv_h8__avx2(const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch);
uint64_t ek_conv_h8_packed_bytes__avx512vnni(const struct ek_conv_h *args);
void ek_conv_h8_pack__avx512vnni(const struct ek_conv_h *args, void *packed);
uint64_t ek_conv_h8_scratch_bytes__avx512vnni(const struct ek_conv_shape *shape);
void ek_conv_h8__avx512vnni(
	const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch);

ek_matvec_fn ek_matvec_hybrid__avx2, ek_matvec_hybrid__avx512vnni, ek_matvec_f32__avx2;

void ek_hybrid_range__avx2(const float *values, size_t n, float ret_range[static 2]);
void ek_hybrid_encode__avx2(
	const float *values, size_t n, const struct ek_hybrid_code *code, int8_t *ret_codes);
void ek_hybrid_range__avx512vnni(const float *values, size_t n, float ret_range[static 2]);
void ek_hybrid_encode__avx512vnni(
	const float *values, size_t n, const struct ek_hybrid_code *code, int8_t *ret_codes);

#endif
