/* SPDX-License-Identifier: Apache-2.0 */
/* conv_args - shapes and arguments of a call of a row of the lists of kernels/conv/conv.h */
#ifndef KERNELS_CONV_CONV_ARGS_H
#define KERNELS_CONV_CONV_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/conv/window.h"
#include "kernels/hybrid/hybrid_row.h"
#include "kernels/math/quant.h"

struct ek_conv_shape {
	struct ek_window window;
	uint32_t in_c, out_c, groups; /* groups divides both */
};

struct ek_conv_q {
	struct ek_conv_shape shape;
	const void *input;
	const void *weights; /* in the file's order, or packed by the row */
	const int32_t *bias32; /* [out_c]; at most one of the two, none is zero */
	const int64_t *bias64;
	const struct ek_scale *scale; /* [out_c] */
	int32_t input_zero, weights_zero, output_zero;
	int32_t lo, hi;
	bool wide; /* s16 */
	bool ties_up; /* s8: ek_mbqm_up() for ek_mbqm() */
	void *output;
};

struct ek_conv_f32 {
	struct ek_conv_shape shape;
	const float *input, *weights;
	const float *bias; /* [out_c] or NULL */
	float lo, hi;
	float *output;
};

struct ek_conv_h {
	struct ek_conv_shape shape;
	const int8_t *input, *weights;
	const struct ek_hybrid_row *row; /* [batch] */
	const float *scale; /* [out_c] */
	const float *bias; /* [out_c] or NULL */
	float lo, hi;
	bool is_packed; /* weights are those that the row packed */
	float *output;
};

/* Products that one output element costs: k_h * k_w * in_c / groups. */
static inline uint64_t ek_conv_depth(const struct ek_conv_shape *s)
{
	return (uint64_t)s->window.y.taps * s->window.x.taps * (s->in_c / s->groups);
}

#endif
