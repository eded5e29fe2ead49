/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weighted - what becomes of an integer sum of products: bias, scale, zero point, clamp
 *
 *   y = clamp(requant(sum + bias[n], scale[n]) + output_zero, lo, hi)
 *
 * Source: tflite kernels/internal/reference/integer_ops/transpose_conv.h, batch_matmul.h.
 */
#ifndef KERNELS_REQUANT_WEIGHTED_H
#define KERNELS_REQUANT_WEIGHTED_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/math/quant.h"

struct ek_weighted {
	const int32_t *bias32; /* by output channel; at most one of the two, none is zero */
	const int64_t *bias64;
	const struct ek_scale *scale; /* by output channel */
	int32_t input_zero, weights_zero, output_zero;
	int32_t lo, hi;
	bool wide; /* int64 sum and MBQM64, else the sum is cut to int32 and MBQM */
	uint32_t ties_up; /* not wide: below this channel ek_mbqm_up() for MBQM */
};

static inline int32_t ek_weighted_finish(const struct ek_weighted *w, int64_t sum, size_t n)
{
	int64_t bias = w->bias64 ? w->bias64[n] : w->bias32 ? w->bias32[n] : 0;
	int64_t acc = (int64_t)((uint64_t)sum + (uint64_t)bias);
	int32_t y = w->wide      ? ek_mbqm64(acc, w->scale[n])
		: n < w->ties_up ? ek_mbqm_up((int32_t)acc, w->scale[n])
				 : ek_mbqm((int32_t)acc, w->scale[n]);
	return ek_clamp32(ek_add32(y, w->output_zero), w->lo, w->hi);
}

#endif
