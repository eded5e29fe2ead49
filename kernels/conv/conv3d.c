/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/conv/conv3d.h"

#include <string.h>

#include "kernels/math/dot.h"

/* sums[n] += x[c] * w[c][n] */
static void add_tap(
	const struct ek_conv3d *a, const float *x, const float *w, uint32_t n_cols, float *sums)
{
	if (a->out_c == 1) {
		*sums += ek_dot_f32(x, w, a->in_c);
		return;
	}
	for (uint32_t c = 0; c < a->in_c; c++, w += a->out_c) {
		const float v = x[c];
		for (uint32_t n = 0; n < n_cols; n++) {
			sums[n] += v * w[n];
		}
	}
}

static size_t element(const struct ek_window_axis *axis, const struct ek_taps *taps, uint32_t k)
{
	return (size_t)(taps->origin + (int64_t)k * axis->dilation);
}

static void add_plane(const struct ek_conv3d *a, const struct ek_taps *taps, size_t plane,
	size_t tap_plane, const struct ek_tile *t, float *sums)
{
	const struct ek_window_axis *y = &a->axis[1], *x = &a->axis[2];
	for (uint32_t ky = taps[1].first; ky < taps[1].end; ky++) {
		size_t row = plane * y->in + element(y, &taps[1], ky);
		for (uint32_t kx = taps[2].first; kx < taps[2].end; kx++) {
			size_t pixel = row * x->in + element(x, &taps[2], kx);
			size_t tap = (tap_plane * y->taps + ky) * x->taps + kx;
			add_tap(a, a->input + pixel * a->in_c,
				a->weights + tap * a->in_c * a->out_c + t->first_col, t->n_cols,
				sums);
		}
	}
}

static void add_row(const struct ek_conv3d *a, uint32_t row, const struct ek_tile *t, float *sums)
{
	struct ek_taps taps[3];
	for (uint32_t i = 3; i-- > 0;) {
		taps[i] = ek_window_taps(&a->axis[i], row % a->axis[i].out);
		row /= a->axis[i].out;
	}
	for (uint32_t k = taps[0].first; k < taps[0].end; k++) {
		size_t plane = (size_t)row * a->axis[0].in + element(&a->axis[0], &taps[0], k);
		add_plane(a, taps, plane, k, t, sums);
	}
}

void ek_conv3d_f32(const struct ek_conv3d *a, const struct ek_tile *t)
{
	for (uint32_t row = t->first_row; row < t->first_row + t->n_rows; row++) {
		float *y = a->output + (size_t)row * a->out_c + t->first_col;
		memset(y, 0, t->n_cols * sizeof(*y));
		add_row(a, row, t, y);
		for (uint32_t n = 0; n < t->n_cols; n++) {
			float v = a->bias ? y[n] + a->bias[t->first_col + n] : y[n];
			y[n] = ek_clamp_f32(v, a->lo, a->hi);
		}
	}
}
