/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/ops/signal/fft_parts.h"

#include "backends/cpu/tiles.h"

int fft_parts_table(struct ek_complex_f64 *table, size_t n, const struct run_control *control)
{
	struct tiles t = {.total = ek_fft_table_count(n), .control = control, .each = FFT_PART};
	while (tiles_next(&t)) {
		ek_fft_table_part_f64(table, n, (size_t)t.at, (size_t)(t.at + t.count));
	}
	return t.result;
}

int fft_parts_complex(struct ek_complex_f64 *x, size_t n, const struct ek_complex_f64 *table,
	const struct run_control *control)
{
	struct tiles t = {.total = ek_fft_steps(n), .control = control, .each = FFT_PART};
	for (unsigned int pass = 0; pass < ek_fft_passes(n); pass++) {
		tiles_restart(&t);
		while (tiles_next(&t)) {
			ek_fft_pass_f64(x, n, table, pass, (size_t)t.at, (size_t)(t.at + t.count));
		}
	}
	return t.result;
}

int fft_parts_real(struct ek_complex_f64 *dst, const double *src, size_t n,
	const struct ek_complex_f64 *table, const struct run_control *control)
{
	struct tiles t = {.total = ek_rfft_steps(n), .control = control, .each = FFT_PART};
	for (unsigned int pass = 0; pass < ek_rfft_passes(n); pass++) {
		tiles_restart(&t);
		while (tiles_next(&t)) {
			ek_rfft_pass_f64(
				dst, src, n, table, pass, (size_t)t.at, (size_t)(t.at + t.count));
		}
	}
	return t.result;
}
