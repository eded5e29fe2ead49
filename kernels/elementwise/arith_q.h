/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arith_q - quantised sum, difference, product and quotient of two rows
 *
 * @dst: n elements; @a: n elements, or one where a_step is 0; @b likewise; at most one step is 0,
 *       both are 0 or 1, counted in elements. Any alignment that suits the element. dst may be a or
 *       b, but in the lists whose operands and results differ in type.
 * Bit-exact with entry 0 of each list.
 *
 * add: with x = rescale((a[i] - a_zero) * 2^left_shift, a_scale), y likewise from b,
 *   dst[i] = clamp(rescale(x + sign * y, scale) + zero, lo, hi)
 * Limits: left_shift 20 for 8-bit elements, 15 for int16; shifts of a_scale and b_scale <= 0.
 * The list named pot adds int16 whose scales are powers of two; a_scale.shift and b_scale.shift
 * (<= 0) are all it needs of the scales:
 *   dst[i] = clamp(sat16(rdbpot(a[i], -a_shift) + sign * rdbpot(b[i], -b_shift)), lo, hi)
 * The list named squared_difference (left_shift 7, sign not used):
 *   dst[i] = clamp(rescale((x - y)^2, scale) + zero, lo, hi)
 * v of a line (kernels/requant/float_requant.h) is b * line.b + (a * line.a + line.start), of the codes as they are.
 *
 * mul: dst[i] = clamp(rescale((a[i] - a_zero) * (b[i] - b_zero), scale) + zero, lo, hi)
 * The lists named s16s8 and s16u8 have int16 operands and a result of 8 bits; they use zero, lo and
 * hi only:
 *   dst[i] = clamp(rdbpot(srdhm16(a[i], b[i]), 8) + zero, lo, hi)
 * v of a line (FLOAT_REQUANT_AWAY only) is (a - a_zero) * (b - b_zero) * line.a.
 *
 * div: dst[i] = clamp(rescale((a[i] - a_zero) / (b[i] - b_zero), scale) + zero, lo, hi)
 * The divisor's reciprocal in fixed point, three steps of Newton's method, is multiplied with the
 * dividend shifted up as far as it goes; one last shift takes all of that back. A shift by more
 * than the width leaves 0, and a shift up saturates. Limits: no b[i] is b_zero.
 *
 * Source: TFLite integer_ops/add.h and reference/add.h (AddElementwise, Add for int16), sub.h,
 * kernels/squared_difference.cc; integer_ops/mul.h (MulElementwise, Mul for int16), reference/mul.h;
 * reference/div.h (DivElementwise), GetReciprocal in internal/common.h.
 */
#ifndef KERNELS_ELEMENTWISE_ARITH_Q_H
#define KERNELS_ELEMENTWISE_ARITH_Q_H

#include <stddef.h>

#include "kernels/cpu_features.h"
#include "kernels/math/quant.h"
#include "kernels/requant/float_requant.h"

struct ek_arith_q {
	int32_t a_zero, b_zero, zero;
	int32_t left_shift;
	int32_t sign; /* 1, or -1 to subtract */
	struct ek_scale a_scale, b_scale; /* of sums and differences */
	struct ek_scale scale;
	int32_t lo, hi;
	struct ek_float_requant line; /* zero, or from the row's prove() */
};

typedef void ek_arith_q_fn(void *dst, const void *a, const void *b, size_t n, size_t a_step,
	size_t b_step, const struct ek_arith_q *params);
/* Sets params->line, from all else that stands there. */
typedef void ek_arith_q_prove_fn(struct ek_arith_q *params);

struct ek_arith_q_row {
	struct ek_variant variant;
	ek_arith_q_fn *run;
	ek_arith_q_prove_fn *prove; /* NULL: the row has no use for a line */
};

extern const struct ek_arith_q_row ek_add_s8[], ek_add_u8[], ek_add_s16[], ek_add_s16_pot[],
	ek_squared_difference_s8[], ek_mul_s8[], ek_mul_u8[], ek_mul_s16[], ek_mul_s16s8[],
	ek_mul_s16u8[];
extern const size_t ek_add_s8_count, ek_add_u8_count, ek_add_s16_count, ek_add_s16_pot_count,
	ek_squared_difference_s8_count, ek_mul_s8_count, ek_mul_u8_count, ek_mul_s16_count,
	ek_mul_s16s8_count, ek_mul_s16u8_count;

ek_arith_q_fn ek_div_s8, ek_div_u8, ek_div_s16;

#endif
