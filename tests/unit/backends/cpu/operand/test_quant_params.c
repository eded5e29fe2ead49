/* SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backends/cpu/operand/quant_params.h"

static void assert_split(double scale, int32_t multiplier, int32_t shift)
{
	struct ek_scale s = quant_params_split(scale);
	assert_int_equal(s.multiplier, multiplier);
	assert_int_equal(s.shift, shift);
}

static void quant_split_gives_a_mantissa_of_31_bits(void **state)
{
	(void)state;
	assert_split(1, 1 << 30, 1);
	assert_split(0.5, 1 << 30, 0);
	assert_split(0.75, 3 << 29, 0);
	assert_split(0x1p-32, 1 << 30, -31);
	/* The mantissa rounds up to the next power of two. */
	assert_split(1 - 0x1p-40, 1 << 30, 1);
}

static void quant_split_makes_zero_of_what_has_no_pair(void **state)
{
	(void)state;
	assert_split(0, 0, 0);
	assert_split(0x1p-33, 0, 0);
	assert_split(0x1p31, 0, 0);
	assert_split(-1, 0, 0);
	assert_split(NAN, 0, 0);
	assert_split(INFINITY, 0, 0);
}

static void activation_ranges_are_codes_of_the_output(void **state)
{
	(void)state;
	const float scale = 0.05f;
	const uint8_t zero[8] = {0xf6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}; /* -10 */
	const struct tensor out = {
		.type = DTYPE_INT8,
		.quant = {.scale = &scale, .n_scales = 1, .zero_point = zero, .n_zero_points = 1},
	};
	int32_t lo = 0, hi = 0;
	assert_int_equal(quant_params_activation_range(ACTIVATION_NONE, &out, &lo, &hi, NULL), 0);
	assert_int_equal(lo, -128);
	assert_int_equal(hi, 127);
	assert_int_equal(quant_params_activation_range(ACTIVATION_RELU6, &out, &lo, &hi, NULL), 0);
	assert_int_equal(lo, -10);
	assert_int_equal(hi, 110);
	assert_int_equal(
		quant_params_activation_range(ACTIVATION_RELU_N1_TO_1, &out, &lo, &hi, NULL), 0);
	assert_int_equal(lo, -30);
	assert_int_equal(hi, 10);
	assert_int_equal(
		quant_params_activation_range(ACTIVATION_TANH, &out, &lo, &hi, NULL), -EOPNOTSUPP);
}

static void float_activation_none_keeps_to_the_finite(void **state)
{
	(void)state;
	float lo = 0, hi = 0;
	assert_int_equal(quant_params_activation_range_float(ACTIVATION_NONE, &lo, &hi, NULL), 0);
	assert_true(lo == -FLT_MAX);
	assert_true(hi == FLT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quant_split_gives_a_mantissa_of_31_bits),
		cmocka_unit_test(quant_split_makes_zero_of_what_has_no_pair),
		cmocka_unit_test(activation_ranges_are_codes_of_the_output),
		cmocka_unit_test(float_activation_none_keeps_to_the_finite),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
