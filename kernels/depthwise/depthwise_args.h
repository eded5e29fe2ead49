/* SPDX-License-Identifier: Apache-2.0 */
/* depthwise_args - shapes and arguments of a call of a row of the lists of kernels/depthwise/depthwise.h */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_ARGS_H
#define KERNELS_DEPTHWISE_DEPTHWISE_ARGS_H

#include "kernels/conv/window.h"
#include "kernels/hybrid/hybrid_row.h"
#include "kernels/math/quant.h"

struct ek_depthwise_shape {
	struct ek_window window;
	uint32_t in_c, out_c; /* in_c divides out_c */
};

struct ek_depthwise_q {
	struct ek_depthwise_shape shape;
	const void *input;
	const void *weights;
	const int32_t *bias32; /* s8, u8: [out_c] or NULL */
	const int64_t *bias64; /* s16: [out_c] or NULL */
	const struct ek_scale *scale; /* [out_c] */
	int32_t input_zero, weights_zero, output_zero;
	int32_t lo, hi;
	void *output;
};

struct ek_depthwise_f32 {
	struct ek_depthwise_shape shape;
	const float *input, *weights;
	const float *bias; /* [out_c] or NULL */
	float lo, hi;
	float *output;
};

struct ek_depthwise_h {
	struct ek_depthwise_shape shape;
	const int8_t *input, *weights;
	const struct ek_hybrid_row *row; /* [batch] */
	const float *scale; /* [out_c] */
	const float *bias; /* [out_c] or NULL */
	float lo, hi;
	float *output;
};

#endif
