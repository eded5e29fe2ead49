/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "kernels/signal/signal_fft.h"

#define MAX_N 512

/* The same numbers on every machine. */
static int16_t sample_at(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return (int16_t)(*seed >> 16);
}

/* Bin @k of the transform of @n numbers, by its definition. */
static void exact(const double *x, size_t n, size_t k, double *re, double *im)
{
	*re = *im = 0;
	for (size_t j = 0; j < n; j++) {
		double phase = -2 * 3.14159265358979323846 * (double)(j * k % n) / (double)n;
		*re += x[j] * cos(phase);
		*im += x[j] * sin(phase);
	}
}

static void rfft_of_floats_is_the_transform(void **state)
{
	(void)state;
	static struct ek_signal_complex_f32 table[MAX_N], bins[MAX_N], scratch[MAX_N];
	static float x[MAX_N], back[MAX_N];
	static double wide[MAX_N];
	uint32_t seed = 1;
	for (size_t n = 4; n <= MAX_N; n *= 2) {
		for (size_t i = 0; i < n; i++) {
			x[i] = (float)sample_at(&seed) / 32768;
			wide[i] = (double)x[i];
		}
		ek_signal_fft_table_f32(table, n, false);
		ek_signal_rfft_f32(bins, x, n, table, scratch);
		for (size_t k = 0; k <= n / 2; k++) {
			double re, im;
			exact(wide, n, k, &re, &im);
			assert_true(fabs((double)bins[k].re - re) < 2e-5);
			assert_true(fabs((double)bins[k].im - im) < 2e-5);
		}
		ek_signal_fft_table_f32(table, n, true);
		ek_signal_irfft_f32(back, bins, n, table, scratch);
		for (size_t i = 0; i < n; i++) {
			assert_true(fabsf(back[i] - x[i]) < 1e-6f);
		}
	}
}

static void rfft_of_int32_is_the_transform_by_n(void **state)
{
	(void)state;
	static struct ek_signal_complex_s32 table[MAX_N], bins[MAX_N], scratch[MAX_N];
	static int32_t x[MAX_N], back[MAX_N];
	static double wide[MAX_N];
	uint32_t seed = 2;
	for (size_t n = 4; n <= MAX_N; n *= 2) {
		for (size_t i = 0; i < n; i++) {
			x[i] = sample_at(&seed) * 32768;
			wide[i] = (double)x[i] / (double)n;
		}
		ek_signal_fft_table_s32(table, n, false);
		ek_signal_rfft_s32(bins, x, n, table, scratch);
		for (size_t k = 0; k <= n / 2; k++) {
			double re, im;
			exact(wide, n, k, &re, &im);
			assert_true(fabs(bins[k].re - re) < 16);
			assert_true(fabs(bins[k].im - im) < 16);
		}
		/* Back, divided by n once more. */
		ek_signal_fft_table_s32(table, n, true);
		ek_signal_irfft_s32(back, bins, n, table, scratch);
		for (size_t i = 0; i < n; i++) {
			assert_true(fabs(back[i] - wide[i]) < 16);
		}
	}
}

/* Sum that no exchanged or changed number leaves as it is. */
static uint32_t digest(const struct ek_signal_complex_s16 *x, size_t n)
{
	uint32_t sum = 2166136261u;
	for (size_t i = 0; i < n; i++) {
		sum = (sum ^ (uint16_t)x[i].re) * 16777619u;
		sum = (sum ^ (uint16_t)x[i].im) * 16777619u;
	}
	return sum;
}

/* Digests of what the cases of the audio preprocessor have found to be the reference's bits. */
static void rfft_of_int16_keeps_its_bits(void **state)
{
	(void)state;
	static struct ek_signal_complex_s16 table[MAX_N], bins[MAX_N], scratch[MAX_N];
	static int16_t x[MAX_N];
	static const uint32_t wanted[] = {0x99d2a43e, 0xce80d908, 0xe79f6c6e, 0x439fe790,
		0xfcac2781, 0x3037fab7, 0x7b7fa143, 0x30c994dc};
	uint32_t seed = 3;
	size_t at = 0;
	for (size_t n = 4; n <= MAX_N; n *= 2) {
		for (size_t i = 0; i < n; i++) {
			x[i] = sample_at(&seed);
		}
		ek_signal_fft_table_s16(table, n, false);
		ek_signal_rfft_s16(bins, x, n, table, scratch);
		assert_int_equal(digest(bins, n / 2 + 1), wanted[at++]);
	}
}

/* Parts of 3 steps each, the last one first. */
static void parts_of_passes_give_the_bits_of_one_call(void **state)
{
	(void)state;
	static struct ek_signal_complex_s16 table[MAX_N], bins[MAX_N], want[MAX_N], work[MAX_N];
	static int16_t x[MAX_N], back[MAX_N], want_back[MAX_N];
	uint32_t seed = 4;
	for (size_t n = 4; n <= MAX_N; n *= 2) {
		for (size_t i = 0; i < n; i++) {
			x[i] = sample_at(&seed);
		}
		ek_signal_fft_table_s16(table, n, false);
		ek_signal_rfft_s16(want, x, n, table, work);
		for (unsigned int pass = 0; pass < ek_signal_rfft_passes(n); pass++) {
			for (size_t end = n / 2, at; end > 0; end = at) {
				at = end < 3 ? 0 : end - 3;
				ek_signal_rfft_pass_s16(bins, x, n, table, work, pass, at, end);
			}
		}
		assert_memory_equal(bins, want, (n / 2 + 1) * sizeof(*bins));
		for (size_t k = 0; k < ek_signal_fft_table_count(n); k++) {
			ek_signal_fft_table_part_s16(table, n, true, k, k + 1);
		}
		ek_signal_irfft_s16(want_back, bins, n, table, work);
		for (unsigned int pass = 0; pass < ek_signal_irfft_passes(n); pass++) {
			for (size_t end = n / 2, at; end > 0; end = at) {
				at = end < 3 ? 0 : end - 3;
				ek_signal_irfft_pass_s16(back, bins, n, table, work, pass, at, end);
			}
		}
		assert_memory_equal(back, want_back, n * sizeof(*back));
	}
}

static void full_scale_does_not_overflow(void **state)
{
	(void)state;
	static struct ek_signal_complex_s16 table[MAX_N], bins[MAX_N], scratch[MAX_N];
	static int16_t x[MAX_N];
	const size_t n = 64;
	for (size_t i = 0; i < n; i++) {
		x[i] = INT16_MIN;
	}
	ek_signal_fft_table_s16(table, n, false);
	ek_signal_rfft_s16(bins, x, n, table, scratch);
	assert_in_range(-bins[0].re, 32700, 32768);
	for (size_t k = 1; k <= n / 2; k++) {
		assert_in_range(bins[k].re + 2, 0, 4);
		assert_in_range(bins[k].im + 2, 0, 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfft_of_floats_is_the_transform),
		cmocka_unit_test(rfft_of_int32_is_the_transform_by_n),
		cmocka_unit_test(rfft_of_int16_keeps_its_bits),
		cmocka_unit_test(parts_of_passes_give_the_bits_of_one_call),
		cmocka_unit_test(full_scale_does_not_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
