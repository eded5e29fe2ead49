/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "kernels/signal/fft.h"

#define MOST 64

static double element(size_t i)
{
	return (double)((i * 37 + 11) % 64) / 16.0 - 2;
}

/* The definition, term by term. */
static struct ek_complex_f64 sum_of(const struct ek_complex_f64 *x, size_t n, size_t k)
{
	struct ek_complex_f64 sum = {0, 0};
	for (size_t j = 0; j < n; j++) {
		double angle = -2 * 3.14159265358979323846 * (double)(j * k % n) / (double)n;
		sum.re += x[j].re * cos(angle) - x[j].im * sin(angle);
		sum.im += x[j].re * sin(angle) + x[j].im * cos(angle);
	}
	return sum;
}

static void assert_near(double got, double want, double limit)
{
	if (!(fabs(got - want) <= limit)) {
		fail_msg("%.17g is not %.17g", got, want);
	}
}

static void complex_transform_equals_its_definition(void **state)
{
	(void)state;
	struct ek_complex_f64 x[MOST], y[MOST], table[MOST / 2];
	struct ek_complex_f32 y32[MOST], table32[MOST / 2];
	for (size_t n = 1; n <= MOST; n *= 2) {
		for (size_t i = 0; i < n; i++) {
			x[i] = y[i] = (struct ek_complex_f64){element(i), element(3 * i + 5)};
			y32[i] = (struct ek_complex_f32){(float)x[i].re, (float)x[i].im};
		}
		ek_fft_table_f64(table, n);
		ek_fft_table_f32(table32, n);
		ek_fft_f64(y, n, table);
		ek_fft_f32(y32, n, table32);
		for (size_t k = 0; k < n; k++) {
			struct ek_complex_f64 want = sum_of(x, n, k);
			assert_near(y[k].re, want.re, 1e-12);
			assert_near(y[k].im, want.im, 1e-12);
			assert_near((double)y32[k].re, want.re, 1e-4);
			assert_near((double)y32[k].im, want.im, 1e-4);
		}
	}
}

static void real_transform_equals_the_complex_one_and_writes_half_and_one(void **state)
{
	(void)state;
	double x[MOST];
	float x32[MOST];
	struct ek_complex_f64 full[MOST], y[MOST / 2 + 2], table[MOST / 2];
	struct ek_complex_f32 y32[MOST / 2 + 2], table32[MOST / 2];
	for (size_t n = 1; n <= MOST; n *= 2) {
		for (size_t i = 0; i < n; i++) {
			x[i] = element(i);
			x32[i] = (float)x[i];
			full[i] = (struct ek_complex_f64){x[i], 0};
		}
		y[n / 2 + 1] = (struct ek_complex_f64){7, 7};
		y32[n / 2 + 1] = (struct ek_complex_f32){7, 7};
		ek_fft_table_f64(table, n);
		ek_fft_table_f32(table32, n);
		ek_rfft_f64(y, x, n, table);
		ek_rfft_f32(y32, x32, n, table32);
		for (size_t k = 0; k <= n / 2; k++) {
			struct ek_complex_f64 want = sum_of(full, n, k);
			assert_near(y[k].re, want.re, 1e-12);
			assert_near(y[k].im, want.im, 1e-12);
			assert_near((double)y32[k].re, want.re, 1e-4);
			assert_near((double)y32[k].im, want.im, 1e-4);
		}
		assert_true(y[n / 2 + 1].re == 7 && y32[n / 2 + 1].im == 7);
	}
}

/* Parts of 3 steps each, the last one first. */
static void parts_of_passes_give_the_bits_of_one_call(void **state)
{
	(void)state;
	const size_t part = 3;
	double x[MOST];
	struct ek_complex_f64 table[MOST / 2], made[MOST / 2];
	struct ek_complex_f64 full[MOST], y[MOST], real[MOST / 2 + 1], z[MOST / 2 + 1];
	for (size_t n = 1; n <= MOST; n *= 2) {
		for (size_t i = 0; i < n; i++) {
			x[i] = element(i);
			full[i] = y[i] = (struct ek_complex_f64){x[i], element(3 * i + 5)};
		}
		ek_fft_table_f64(table, n);
		for (size_t k = 0; k < ek_fft_table_count(n); k++) {
			ek_fft_table_part_f64(made, n, k, k + 1);
		}
		assert_memory_equal(made, table, ek_fft_table_count(n) * sizeof(*table));
		ek_fft_f64(full, n, table);
		ek_rfft_f64(real, x, n, table);
		for (unsigned int pass = 0; pass < ek_fft_passes(n); pass++) {
			for (size_t end = ek_fft_steps(n), at; end > 0; end = at) {
				at = end < part ? 0 : end - part;
				ek_fft_pass_f64(y, n, table, pass, at, end);
			}
		}
		assert_memory_equal(y, full, n * sizeof(*y));
		for (unsigned int pass = 0; pass < ek_rfft_passes(n); pass++) {
			for (size_t end = ek_rfft_steps(n), at; end > 0; end = at) {
				at = end < part ? 0 : end - part;
				ek_rfft_pass_f64(z, x, n, table, pass, at, end);
			}
		}
		assert_memory_equal(z, real, (n / 2 + 1) * sizeof(*z));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complex_transform_equals_its_definition),
		cmocka_unit_test(real_transform_equals_the_complex_one_and_writes_half_and_one),
		cmocka_unit_test(parts_of_passes_give_the_bits_of_one_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
