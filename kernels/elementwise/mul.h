/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mul - quantised product of two rows
 *
 *   dst[i] = clamp(rescale((a[i] - a_zero) * (b[i] - b_zero), scale) + zero, lo, hi)
 *
 * @dst: n elements; @a: n elements, or one where a_step is 0; @b likewise; at most one step is 0,
 *       both are 0 or 1, counted in elements.
 * The lists named s16s8 and s16u8 have int16 operands and a result of 8 bits; they use zero, lo and
 * hi only:
 *   dst[i] = clamp(rdbpot(srdhm16(a[i], b[i]), 8) + zero, lo, hi)
 * v of a line (kernels/requant/float_requant.h, FLOAT_REQUANT_AWAY only) is (a - a_zero) * (b - b_zero) * line.a.
 * dst may be a or b (not in the mixed lists). Bit-exact with entry 0 of each list.
 * Source: TFLite integer_ops/mul.h (MulElementwise, Mul for int16), reference/mul.h.
 */
#ifndef KERNELS_ELEMENTWISE_MUL_H
#define KERNELS_ELEMENTWISE_MUL_H

#include "kernels/cpu_features.h"
#include "kernels/elementwise/mul_params.h"

struct ek_mul {
	struct ek_variant variant;
	ek_mul_fn *run;
	/* Sets params->line, from all else that stands there; NULL: the row has no use for it. */
	void (*prove)(struct ek_mul_params *params);
};

extern const struct ek_mul ek_mul_s8[], ek_mul_u8[], ek_mul_s16[], ek_mul_s16s8[], ek_mul_s16u8[];
extern const size_t ek_mul_s8_count, ek_mul_u8_count, ek_mul_s16_count, ek_mul_s16s8_count,
	ek_mul_s16u8_count;

#endif
