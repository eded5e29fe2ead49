/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "tests/fakes/op_bench.h"

static void spectrogram_of_a_tone_has_one_peak(void **state)
{
	(void)state;
	float x[20][2], y[2][2][9];
	struct op_bench b;
	for (int i = 0; i < 20; i++) { /* 4 turns in 16 samples, and a constant */
		x[i][0] = cosf(2 * 3.14159265f * (float)i / 4);
		x[i][1] = 2;
	}
	op_bench_init(&b, OP_AUDIO_SPECTROGRAM);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(20, 2), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 2, 9), y);
	b.node.options.spectrogram = (struct options_spectrogram){16, 4, true};
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 2; i++) {
		assert_float_equal(
			y[0][i][4], 16, 1e-4f); /* (16 / 4)^2: the window's mean is 1/2 */
		assert_float_equal(y[0][i][3], 4, 1e-4f);
		assert_float_equal(y[0][i][7], 0, 1e-4f);
		assert_float_equal(y[1][i][0], 256, 1e-3f);
		assert_float_equal(y[1][i][1], 64, 1e-3f);
	}
	b.node.options.spectrogram.magnitude_squared = false;
	assert_int_equal(op_bench_run(&b), 0);
	assert_float_equal(y[0][1][4], 4, 1e-4f);
}

static void mfcc_of_silence_is_the_floor(void **state)
{
	(void)state;
	const float x[129] = {0};
	float y[3];
	const int32_t rate = 8000;
	struct op_bench b;
	op_bench_init(&b, OP_MFCC);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 129), x);
	op_bench_input(&b, DTYPE_INT32, (struct shape){0}, &rate);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1, 3), y);
	b.node.options.mfcc = (struct options_mfcc){3500, 20, 8, 3};
	assert_int_equal(op_bench_run(&b), 0);
	/* 8 channels of ln(1e-12), scaled by sqrt(2 / 8) */
	assert_float_equal(y[0], 8 * logf(1e-12f) * 0.5f, 1e-3f);
	assert_float_equal(y[1], 0, 1e-4f);
}

static void mfcc_beyond_half_the_rate_is_zero(void **state)
{
	(void)state;
	float x[129], y[3];
	int32_t rate = 6000;
	struct op_bench b;
	for (int i = 0; i < 129; i++) {
		x[i] = 1;
	}
	op_bench_init(&b, OP_MFCC);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 129), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(1), &rate);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1, 3), y);
	b.node.options.mfcc = (struct options_mfcc){3500, 20, 8, 3};
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] == 0 && y[1] == 0 && y[2] == 0);
	rate = 7000; /* the limit is the last bin */
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] > 1);
	rate = 0;
	assert_int_equal(op_bench_run(&b), -EINVAL);
	rate = INT32_MAX; /* no bin but the first below the limit */
	assert_int_equal(op_bench_run(&b), 0);
	rate = 1;
	assert_int_equal(op_bench_run(&b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spectrogram_of_a_tone_has_one_peak),
		cmocka_unit_test(mfcc_of_silence_is_the_floor),
		cmocka_unit_test(mfcc_beyond_half_the_rate_is_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
