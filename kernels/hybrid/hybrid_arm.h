/* SPDX-License-Identifier: Apache-2.0 */
/* hybrid_arm - rows of the list of kernels/hybrid/hybrid.h for AArch64 */
#ifndef KERNELS_HYBRID_HYBRID_ARM_H
#define KERNELS_HYBRID_HYBRID_ARM_H

#include "kernels/hybrid/hybrid.h"

void ek_hybrid_range__neon(const float *values, size_t n, float ret_range[static 2]);
void ek_hybrid_encode__neon(
	const float *values, size_t n, const struct ek_hybrid_code *code, int8_t *ret_codes);

#endif
