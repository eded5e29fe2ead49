/* SPDX-License-Identifier: Apache-2.0 */
/* h8 - rows of the hybrid lists of kernels/conv.h, matmul.h, matvec.h and hybrid.h for Arm */
#ifndef KERNELS_ARM_H8_H
#define KERNELS_ARM_H8_H

#include "kernels/conv.h"
#include "kernels/matmul.h"
#include "kernels/matvec.h"

/* With blocks they are entry 0. */
void ek_matmul_h8__neon(const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch);
void ek_conv_h8__neon(const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch);
ek_matvec_fn ek_matvec_hybrid__neon;

#if defined(__aarch64__)
void ek_matmul_h8__dotprod(
	const struct ek_matmul_h *args, const struct ek_tile *tile, void *scratch);
void ek_conv_h8__dotprod(const struct ek_conv_h *args, const struct ek_tile *tile, void *scratch);
ek_matvec_fn ek_matvec_hybrid__dotprod;

void ek_hybrid_range__neon(const float *values, size_t n, float ret_range[static 2]);
void ek_hybrid_encode__neon(
	const float *values, size_t n, const struct ek_hybrid_code *code, int8_t *ret_codes);
#endif

#endif
