/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fft_parts - transforms of any length with a look at the control between their parts
 *
 * The bits are those of one call of kernels/signal/fft.h, whose arguments these are. Short ones do not look.
 * 0, -ETIMEDOUT or -ECANCELED.
 */
#ifndef BACKENDS_CPU_OPS_SIGNAL_FFT_PARTS_H
#define BACKENDS_CPU_OPS_SIGNAL_FFT_PARTS_H

#include "engine/backend.h"
#include "kernels/signal/fft.h"

/* Steps of a pass between two looks: some 100 us where the data are in no cache. */
#define FFT_PART 16384

int must_check fft_parts_table(
	struct ek_complex_f64 *table, size_t n, const struct run_control *control);

int must_check fft_parts_complex(struct ek_complex_f64 *x, size_t n,
	const struct ek_complex_f64 *table, const struct run_control *control);

int must_check fft_parts_real(struct ek_complex_f64 *dst, const double *src, size_t n,
	const struct ek_complex_f64 *table, const struct run_control *control);

#endif
