/* SPDX-License-Identifier: Apache-2.0 */
/* float_requant_ymm - what float_requant_avx2.h and float_requant_sse41.h take alike: how sums become codes, by panels of channels */
#ifndef KERNELS_REQUANT_FLOAT_REQUANT_YMM_H
#define KERNELS_REQUANT_FLOAT_REQUANT_YMM_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/math/quant.h"

enum float_requant_mode {
	FLOAT_REQUANT_CLAMPED, /* nothing below the zero point survives */
	FLOAT_REQUANT_WHOLE,
	FLOAT_REQUANT_STEPS, /* ek_mbqm(), ek_mbqm_up() */
};

/* A channel as it comes from a file. */
struct float_requant_channel {
	struct ek_scale scale;
	bool ties_up; /* ek_mbqm_up() for ek_mbqm() */
	int32_t start; /* of the sum, with bias */
	int32_t bias; /* what the sum is without products */
	uint64_t reach; /* of the products: no sum is further from the bias */
};

/* Of the type's own codes. */
struct float_requant_output {
	int32_t zero, lo, hi;
	bool is_signed;
};

/* y = slope (sum + ...) + height, of unsigned codes; a level line where all sums have one code. */
struct float_requant_shape {
	double slope, height;
	double below; /* less for sums below zero */
};

#endif
