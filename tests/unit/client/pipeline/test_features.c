/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "client/pipeline/features.h"
#include "kernels/signal/fft.h"
#include "tests/unit/client/pipeline/features_golden.h"

#define N 1600
#define RATE 16000
#define TOLERANCE 1e-4
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* As make_features_golden.py makes it. */
static void make_signal(float *out)
{
	for (int i = 0; i < N; i++) {
		double chirp = sin(2 * M_PI * (300.0 * i / RATE + 0.0004 * i * i));
		out[i] = (float)(0.4 * chirp + 0.2 * sin(2 * M_PI * 3100.0 * i / RATE));
	}
}

/* What a file that says nothing has, with what the cases share. */
static struct pipeline_config_pre defaults(uint64_t kind)
{
	return (struct pipeline_config_pre){.sr = RATE,
		.features = kind,
		.n_fft = 512,
		.hop_length = 160,
		.n_mels = 40,
		.n_mfcc = 13,
		.fmax = NAN,
		.power = 2,
		.log = FEATURES_DB,
		.log_offset = 1e-6,
		.amin = 1e-10,
		.top_db = NAN};
}

static void check(const struct pipeline_config_pre *pre, const float *data, size_t rows,
	size_t columns, const double *golden, size_t n)
{
	owned(features_free) struct features *features = NULL;
	double out[1024];
	assert_true(n <= COUNT(out));
	assert_int_equal(features_new(pre, &features, NULL), 0);
	assert_int_equal(features_count(features, rows, columns), n);
	assert_int_equal(features_run(features, data, rows, columns, out, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		if (!(fabs(out[i] - golden[i]) <= TOLERANCE)) {
			fail_msg("number %zu is %.9g, not %.9g", i, out[i], golden[i]);
		}
	}
}

static void log_mel_is_librosas(void **state)
{
	(void)state;
	float y[N];
	make_signal(y);
	struct pipeline_config_pre pre = defaults(PIPELINE_CONFIG_FEATURES_MEL);
	pre.win_length = 400;
	pre.fmin = 20;
	pre.fmax = 7600;
	check(&pre, y, N, 1, golden_librosa_mel, COUNT(golden_librosa_mel));
}

static void centred_htk_magnitudes_are_librosas(void **state)
{
	(void)state;
	float y[N];
	make_signal(y);
	struct pipeline_config_pre pre = defaults(PIPELINE_CONFIG_FEATURES_MEL);
	pre.hop_length = 320;
	pre.n_mels = 24;
	pre.htk = 1;
	pre.norm = 1;
	pre.power = 1;
	pre.win = FEATURES_HAMMING;
	pre.center = 1;
	pre.log = FEATURES_LN;
	check(&pre, y, N, 1, golden_librosa_htk, COUNT(golden_librosa_htk));
}

static void cepstra_are_librosas(void **state)
{
	(void)state;
	float y[N];
	make_signal(y);
	struct pipeline_config_pre pre = defaults(PIPELINE_CONFIG_FEATURES_MFCC);
	pre.top_db = 80;
	check(&pre, y, N, 1, golden_librosa_mfcc, COUNT(golden_librosa_mfcc));
}

static struct pipeline_config_pre tensorflow(uint64_t kind)
{
	struct pipeline_config_pre pre = defaults(kind);
	pre.style = FEATURES_TENSORFLOW;
	pre.win_length = 480;
	pre.hop_length = 320;
	pre.fmin = 20;
	pre.fmax = 4000;
	pre.power = 1;
	pre.log = FEATURES_LN;
	pre.n_mfcc = 10;
	return pre;
}

static void log_mel_is_tensorflows(void **state)
{
	(void)state;
	float y[N];
	make_signal(y);
	struct pipeline_config_pre pre = tensorflow(PIPELINE_CONFIG_FEATURES_MEL);
	check(&pre, y, N, 1, golden_tensorflow_mel, COUNT(golden_tensorflow_mel));
}

static void cepstra_are_tensorflows(void **state)
{
	(void)state;
	float y[N];
	make_signal(y);
	struct pipeline_config_pre pre = tensorflow(PIPELINE_CONFIG_FEATURES_MFCC);
	check(&pre, y, N, 1, golden_tensorflow_mfcc, COUNT(golden_tensorflow_mfcc));
}

static void spectral_features_are_numpys_and_scipys(void **state)
{
	(void)state;
	float y[N], rows[128][2];
	make_signal(y);
	for (size_t i = 0; i < 128; i++) {
		rows[i][0] = y[i];
		rows[i][1] = fabsf(y[200 + i]);
	}
	struct pipeline_config_pre pre = defaults(PIPELINE_CONFIG_FEATURES_SPECTRAL);
	pre.n_fft = 64;
	pre.hop_length = 32;
	pre.power = 1;
	strcpy(pre.spectral, "rms, skewness, kurtosis, crest, bins");
	check(&pre, &rows[0][0], 128, 2, golden_spectral, COUNT(golden_spectral));
}

static void nothing_that_varies_has_moments_of_0(void **state)
{
	(void)state;
	static const float constants[] = {2, 5, 5.1f, -0.1f, 1e30f, 0};
	const double zeros[4] = {0};
	float rows[300];
	double out[4];
	struct pipeline_config_pre pre = defaults(PIPELINE_CONFIG_FEATURES_SPECTRAL);
	owned(features_free) struct features *f = NULL;
	strcpy(pre.spectral, "rms, kurtosis,skewness ,crest");
	assert_int_equal(features_new(&pre, &f, NULL), 0);
	for (size_t i = 0; i < COUNT(constants); i++) {
		for (size_t k = 0; k < COUNT(rows); k++) {
			rows[k] = constants[i];
		}
		assert_int_equal(features_run(f, rows, COUNT(rows), 1, out, NULL), 0);
		assert_memory_equal(out, zeros, sizeof(zeros));
	}
}

static void an_unknown_spectral_feature_is_named(void **state)
{
	(void)state;
	struct features *features = NULL;
	struct error err = {0};
	struct pipeline_config_pre pre = defaults(PIPELINE_CONFIG_FEATURES_SPECTRAL);
	strcpy(pre.spectral, "rms, zero");
	assert_true(features_new(&pre, &features, &err) < 0);
	assert_non_null(strstr(err.text, "zero"));
}

static void the_rows_that_a_model_needs_are_known(void **state)
{
	(void)state;
	struct pipeline_config_pre pre = tensorflow(PIPELINE_CONFIG_FEATURES_MFCC);
	owned(features_free) struct features *features = NULL;
	assert_int_equal(features_new(&pre, &features, NULL), 0);
	assert_int_equal(features_rows(features, 490, 1), 480 + 48 * 320);
	assert_int_equal(features_count(features, 480 + 48 * 320, 1), 490);
	assert_int_equal(features_rows(features, 491, 1), 0);
	assert_int_equal(features_count(features, 479, 1), 0);
}

static void more_numbers_than_fit_are_refused(void **state)
{
	(void)state;
	struct pipeline_config_pre pre = defaults(PIPELINE_CONFIG_FEATURES_MFCC);
	owned(features_free) struct features *features = NULL;
	pre.hop_length = 1;
	pre.n_mels = 512;
	assert_int_equal(features_new(&pre, &features, NULL), 0);
	assert_int_equal(
		features_count(features, 511 + FEATURES_MAX / 512, 1), FEATURES_MAX / 512 * 13);
	assert_int_equal(features_count(features, 512 + FEATURES_MAX / 512, 1), 0);
}

static void a_transform_is_the_sum_that_defines_it(void **state)
{
	(void)state;
	enum {
		LENGTH = 16
	};
	struct ek_complex_f64 table[LENGTH / 2], transform[LENGTH / 2 + 1];
	double x[LENGTH];
	ek_fft_table_f64(table, LENGTH);
	for (int i = 0; i < LENGTH; i++) {
		x[i] = (i * 7 % 5) - 1.5;
	}
	ek_rfft_f64(transform, x, LENGTH, table);
	for (int k = 0; k <= LENGTH / 2; k++) {
		double c = 0, s = 0;
		for (int i = 0; i < LENGTH; i++) {
			c += x[i] * cos(2 * M_PI * i * k / LENGTH);
			s -= x[i] * sin(2 * M_PI * i * k / LENGTH);
		}
		assert_true(fabs(transform[k].re - c) < 1e-12);
		assert_true(fabs(transform[k].im - s) < 1e-12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_mel_is_librosas),
		cmocka_unit_test(centred_htk_magnitudes_are_librosas),
		cmocka_unit_test(cepstra_are_librosas),
		cmocka_unit_test(log_mel_is_tensorflows),
		cmocka_unit_test(cepstra_are_tensorflows),
		cmocka_unit_test(spectral_features_are_numpys_and_scipys),
		cmocka_unit_test(nothing_that_varies_has_moments_of_0),
		cmocka_unit_test(an_unknown_spectral_feature_is_named),
		cmocka_unit_test(the_rows_that_a_model_needs_are_known),
		cmocka_unit_test(more_numbers_than_fit_are_refused),
		cmocka_unit_test(a_transform_is_the_sum_that_defines_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
