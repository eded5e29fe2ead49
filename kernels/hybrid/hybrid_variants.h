/* SPDX-License-Identifier: Apache-2.0 */
/* hybrid_variants - rows of the lists of kernels/hybrid/hybrid.h for x86-64 and Arm */
#ifndef KERNELS_HYBRID_HYBRID_VARIANTS_H
#define KERNELS_HYBRID_HYBRID_VARIANTS_H

#include "kernels/hybrid/hybrid.h"

void ek_hybrid_range__avx2(const float *values, size_t n, float ret_range[static 2]);
void ek_hybrid_encode__avx2(
	const float *values, size_t n, const struct ek_hybrid_code *code, int8_t *ret_codes);
void ek_hybrid_range__avx512vnni(const float *values, size_t n, float ret_range[static 2]);
void ek_hybrid_encode__avx512vnni(
	const float *values, size_t n, const struct ek_hybrid_code *code, int8_t *ret_codes);
void ek_hybrid_range__neon(const float *values, size_t n, float ret_range[static 2]);
void ek_hybrid_encode__neon(
	const float *values, size_t n, const struct ek_hybrid_code *code, int8_t *ret_codes);

#endif
