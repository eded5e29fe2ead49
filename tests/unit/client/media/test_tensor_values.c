/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "client/media/tensor_values.h"

static void quantised_elements_round_half_away_and_keep_to_their_range(void **state)
{
	(void)state;
	struct tensor_spec spec = {.type = DTYPE_INT8, .scale = 0.5, .zero_point = 3};
	int8_t q[5] = {0};
	assert_true(tensor_values_put(&spec, q, 0, 0.25)); /* 0.5 rounds to 1 */
	assert_true(tensor_values_put(&spec, q, 1, -0.25)); /* -0.5 rounds to -1 */
	assert_true(tensor_values_put(&spec, q, 2, 1e9));
	assert_true(tensor_values_put(&spec, q, 3, -1e9));
	assert_true(tensor_values_put(&spec, q, 4, 2));
	const int8_t wanted[5] = {4, 2, 127, -128, 7};
	assert_memory_equal(q, wanted, sizeof(q));
	assert_true(tensor_values_get(&spec, q, 4) == 2);
	assert_true(tensor_values_get(&spec, q, 3) == -65.5);
}

static void plain_integers_refuse_what_does_not_fit(void **state)
{
	(void)state;
	struct tensor_spec spec = {.type = DTYPE_UINT8};
	uint8_t v[2] = {0};
	assert_true(tensor_values_put(&spec, v, 0, 255));
	assert_int_equal(v[0], 255);
	assert_false(tensor_values_put(&spec, v, 1, 256));
	assert_false(tensor_values_put(&spec, v, 1, -1));
	assert_false(tensor_values_put(&spec, v, 1, NAN));
	spec.type = DTYPE_INT64;
	int64_t wide = 0;
	assert_true(tensor_values_put(&spec, &wide, 0, -9223372036854775808.0));
	assert_true(wide == INT64_MIN);
	assert_false(tensor_values_put(&spec, &wide, 0, 1e19));
	spec.type = DTYPE_INT32;
	int32_t word = 0;
	assert_true(tensor_values_put(&spec, &word, 0, -7.5));
	assert_int_equal(word, -8);
	assert_true(tensor_values_get(&spec, &word, 0) == -8);
}

static void nibbles_hold_two_int4_low_first(void **state)
{
	(void)state;
	struct tensor_spec spec = {.type = DTYPE_INT4};
	uint8_t byte = 0;
	assert_true(tensor_values_put(&spec, &byte, 0, -8));
	assert_true(tensor_values_put(&spec, &byte, 1, 7));
	assert_int_equal(byte, 0x78);
	assert_true(tensor_values_get(&spec, &byte, 0) == -8);
	assert_true(tensor_values_get(&spec, &byte, 1) == 7);
	assert_false(tensor_values_put(&spec, &byte, 0, 8));
}

static void half_floats_round_to_nearest_even(void **state)
{
	(void)state;
	static const struct {
		double real;
		uint16_t bits;
	} cases[] = {
		{0, 0x0000},
		{-0.0, 0x8000},
		{1, 0x3c00},
		{-2, 0xc000},
		{65504, 0x7bff},
		{65520, 0x7c00},
		{INFINITY, 0x7c00},
		{5.9604644775390625e-8, 0x0001}, /* smallest subnormal, 2^-24 */
		{6.097555160522461e-5, 0x03ff}, /* largest subnormal */
		{6.103515625e-5, 0x0400}, /* smallest normal, 2^-14 */
		{1 + 1.0 / 2048, 0x3c00}, /* a tie: to even */
		{1 + 3.0 / 2048, 0x3c02},
	};
	struct tensor_spec spec = {.type = DTYPE_FLOAT16};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint16_t bits = 0;
		assert_true(tensor_values_put(&spec, &bits, 0, cases[i].real));
		assert_int_equal(bits, cases[i].bits);
	}
	uint16_t bits = 0x0001;
	assert_true(tensor_values_get(&spec, &bits, 0) == ldexp(1, -24));
	bits = 0xfbff;
	assert_true(tensor_values_get(&spec, &bits, 0) == -65504);
	bits = 0x7e00;
	assert_true(isnan(tensor_values_get(&spec, &bits, 0)));
}

static void bfloat_is_the_upper_half_of_a_float(void **state)
{
	(void)state;
	struct tensor_spec spec = {.type = DTYPE_BFLOAT16};
	uint16_t bits = 0;
	assert_true(tensor_values_put(&spec, &bits, 0, 1.5));
	assert_int_equal(bits, 0x3fc0);
	assert_true(tensor_values_get(&spec, &bits, 0) == 1.5);
	assert_true(tensor_values_put(&spec, &bits, 0, 1 + 1.0 / 256)); /* a tie: to even */
	assert_int_equal(bits, 0x3f80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantised_elements_round_half_away_and_keep_to_their_range),
		cmocka_unit_test(plain_integers_refuse_what_does_not_fit),
		cmocka_unit_test(nibbles_hold_two_int4_low_first),
		cmocka_unit_test(half_floats_round_to_nearest_even),
		cmocka_unit_test(bfloat_is_the_upper_half_of_a_float),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
