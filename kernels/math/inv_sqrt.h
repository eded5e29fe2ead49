/* SPDX-License-Identifier: Apache-2.0 */
/* inv_sqrt - one over a square root as a multiplier */
#ifndef KERNELS_MATH_INV_SQRT_H
#define KERNELS_MATH_INV_SQRT_H

#include "kernels/math/quant.h"

/*
 * 1 / sqrt(v) for ek_mbqm(), v >= 0 (0 and 1 give almost 1). Five steps of Newton's method with
 * 3 integer bits.
 * Source: GetInvSqrtQuantizedMultiplierExp, tflite kernels/internal/common.h, reverse shift -1.
 */
static inline struct ek_scale ek_inv_sqrt(int32_t v)
{
	if (v <= 1) {
		return (struct ek_scale){INT32_MAX, 0};
	}
	int32_t shift = 11;
	while (v >= 1 << 29) {
		v /= 4;
		shift++;
	}
	int32_t pairs = (ek_clz32((uint32_t)v) - 1) / 2 - 1;
	shift -= pairs;
	v = ek_shl32(v, 2 * pairs);
	int32_t half = ek_rdbpot(v >> 1, 1);
	int32_t x = 1 << 28;
	for (int i = 0; i < 5; i++) {
		int32_t cube = ek_sat32((int64_t)ek_srdhm(ek_srdhm(x, x), x) * 64);
		int32_t next = ek_srdhm((1 << 28) + (1 << 27), x) - ek_srdhm(half, cube);
		x = ek_sat32((int64_t)next * 8);
	}
	x = ek_srdhm(x, 1518500250); /* sqrt(1/2) */
	if (shift < 0) {
		x = ek_shl32(x, -shift);
		shift = 0;
	}
	return (struct ek_scale){x, -shift};
}

#endif
