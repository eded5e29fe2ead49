/* SPDX-License-Identifier: Apache-2.0 */
/*
 * add - quantised sum or difference of two rows
 *
 *   x = rescale((a[i] - a_zero) * 2^left_shift, a_scale), y likewise from b
 *   dst[i] = clamp(rescale(x + sign * y, scale) + zero, lo, hi)
 *
 * @dst: n elements; @a: n elements, or one where a_step is 0; @b likewise; at most one step is 0,
 *       both are 0 or 1, counted in elements. Any alignment that suits the element.
 * Limits: left_shift 20 for 8-bit elements, 15 for int16; shifts of a_scale and b_scale <= 0.
 * The list named pot adds int16 whose scales are powers of two; a_scale.shift and b_scale.shift
 * (<= 0) are all it needs of the scales:
 *   dst[i] = clamp(sat16(rdbpot(a[i], -a_shift) + sign * rdbpot(b[i], -b_shift)), lo, hi)
 * The list named squared_difference (left_shift 7, sign not used):
 *   dst[i] = clamp(rescale((x - y)^2, scale) + zero, lo, hi)
 * v of a line (kernels/requant/float_requant.h) is b * line.b + (a * line.a + line.start), of the codes as they are.
 * dst may be a or b. Bit-exact with entry 0 of each list.
 * Source: TFLite integer_ops/add.h and reference/add.h (AddElementwise, Add for int16), sub.h,
 * kernels/squared_difference.cc.
 */
#ifndef KERNELS_ELEMENTWISE_ADD_H
#define KERNELS_ELEMENTWISE_ADD_H

#include "kernels/cpu_features.h"
#include "kernels/elementwise/add_params.h"

struct ek_add {
	struct ek_variant variant;
	ek_add_fn *run;
	/* Sets params->line, from all else that stands there; NULL: the row has no use for it. */
	void (*prove)(struct ek_add_params *params);
};

extern const struct ek_add ek_add_s8[], ek_add_u8[], ek_add_s16[], ek_add_s16_pot[];
extern const size_t ek_add_s8_count, ek_add_u8_count, ek_add_s16_count, ek_add_s16_pot_count;
extern const struct ek_add ek_squared_difference_s8[];
extern const size_t ek_squared_difference_s8_count;

#endif
