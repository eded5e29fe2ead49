/* SPDX-License-Identifier: Apache-2.0 */
/* line_ymm - what line_avx2.h and line_sse41.h take alike: how sums become codes, by panels of channels */
#ifndef KERNELS_X86_LINE_YMM_H
#define KERNELS_X86_LINE_YMM_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/quant.h"

enum line_mode {
	LINE_CLAMPED, /* nothing below the zero point survives */
	LINE_WHOLE,
	LINE_STEPS, /* ek_mbqm(), ek_mbqm_up() */
};

/* A channel as it comes from a file. */
struct line_channel {
	struct ek_scale scale;
	bool ties_up; /* ek_mbqm_up() for ek_mbqm() */
	int32_t start; /* of the sum, with bias */
	int32_t bias; /* what the sum is without products */
	uint64_t reach; /* of the products: no sum is further from the bias */
};

/* Of the type's own codes. */
struct line_output {
	int32_t zero, lo, hi;
	bool is_signed;
};

/* y = slope (sum + ...) + height, of unsigned codes; a level line where all sums have one code. */
struct line_shape {
	double slope, height;
	double below; /* less for sums below zero */
};

#endif
