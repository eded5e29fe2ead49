/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu_features - what this processor can do, and how a variant is picked
 *
 * A kernel family has one const list of variants, plain C first, fastest last. Dispatch, checker
 * and benchmark walk the same list. The mask is an argument, never a global: tests and `edgectl
 * bench --cpu` narrow it.
 */
#ifndef KERNELS_CPU_FEATURES_H
#define KERNELS_CPU_FEATURES_H

#include <stddef.h>
#include <stdint.h>

#define EK_CPU_SSE41 (1ull << 0)
#define EK_CPU_AVX2 (1ull << 1) /* with FMA */
#define EK_CPU_AVX_VNNI (1ull << 2)
#define EK_CPU_AVX512_VNNI (1ull << 3) /* with F, BW, DQ, VL, VBMI */
#define EK_CPU_NEON (1ull << 16)
#define EK_CPU_DOTPROD (1ull << 17)
#define EK_CPU_I8MM (1ull << 18)
/* A core that runs instructions in order, as Cortex-A53, or one that prefers what is made for those. */
#define EK_CPU_IN_ORDER (1ull << 19)
#define EK_CPU_VFPV4 (1ull << 20) /* ARMv7: fused multiply-adds of single floats */

/* The features of the CPU that runs this, by CPUID or AT_HWCAP. */
uint64_t ek_cpu_detect(void);

/* First member of every row of a family's list. */
struct ek_variant {
	const char
		*name; /* "conv_s8__c", "conv_s8__avx2": family, two underscores, instruction set */
	uint64_t needs; /* EK_CPU_* */
};

/* The last row of @list (rows of @row_bytes, each beginning with a struct ek_variant) whose needs
 * are in @mask. Row 0 needs nothing. */
const void *ek_pick(const void *list, size_t count, size_t row_bytes, uint64_t mask);

#endif
