/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv3d - three-dimensional convolution of floats
 *
 *   y[p][n] = clamp(bias[n] + sum over taps inside, c of x[p, tap][c] * w[tap][c][n])
 *
 * Rows of a tile are output pixels p (batch x depth x height x width), columns output channels n.
 * Weights are in the file's order, in which the channels of the output lie side by side: a row of
 * sums grows by products with one number each. Clamp lets NaN pass.
 *
 * Input is [batch][depth][height][width][in_c], weights [k_d][k_h][k_w][in_c][out_c], output
 * [batch][depth][height][width][out_c]; all aligned to their element.
 * Source: tflite kernels/internal/reference/conv3d.h.
 */
#ifndef KERNELS_CONV_CONV3D_H
#define KERNELS_CONV_CONV3D_H

#include "kernels/conv/window.h"
#include "kernels/tile.h"

struct ek_conv3d {
	uint32_t batch;
	struct ek_window_axis axis[3]; /* depth, height, width */
	uint32_t in_c, out_c;
	const float *input, *weights;
	const float *bias; /* [out_c] or NULL */
	float lo, hi;
	float *output;
};

void ek_conv3d_f32(const struct ek_conv3d *args, const struct ek_tile *tile);

#endif
