/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/math/fast_math.h"

static uint32_t bits_of(float x)
{
	uint32_t bits;
	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static void both_are_close_to_the_functions(void **state)
{
	(void)state;
	for (int i = -4000; i <= 4000; i++) {
		float x = (float)i * 0.004f;
		double t = tanh((double)x), l = 1 / (1 + exp(-(double)x));
		assert_true(fabs((double)ek_fast_tanh(x) - t) <= 4e-7 * fabs(t));
		assert_true(fabs((double)ek_fast_logistic(x) - l) <= 1e-6 * l);
	}
}

/* What LiteRT 2.3.0 answered, on x86-64. */
static void both_have_the_bits_of_the_reference(void **state)
{
	(void)state;
	static const struct {
		float x;
		uint32_t tanh, logistic;
	} known[] = {
		{-90.0f, 0xbf800000, 0x0008ec28},
		{-17.25f, 0xbf800000, 0x330a7a51},
		{-8.5f, 0xbf800000, 0x39554f02},
		{-3.70000005f, 0xbf7fafef, 0x3cc5a607},
		{-1.10000002f, 0xbf4ced81, 0x3e7fbbcf},
		{-0.600000024f, 0xbf097c15, 0x3eb56c8a},
		{-0.0299999993f, 0xbcf5afb0, 0x3efc2908},
		{-9.99999975e-05f, 0xb8d1b717, 0x3efffcb9},
		{9.99999997e-07f, 0x358637bd, 0x3f000004},
		{0.200000003f, 0x3e4a1cc2, 0x3f0cc1eb},
		{0.449999988f, 0x3ed80325, 0x3f1c52da},
		{0.899999976f, 0x3f375f4c, 0x3f3600c9},
		{1.70000005f, 0x3f6f76f8, 0x3f5874f7},
		{2.9000001f, 0x3f7e745f, 0x3f72a610},
		{6.30000019f, 0x3f7fff90, 0x3f7f87e0},
		{15.5f, 0x3f800000, 0x3f7ffffd},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_int_equal(bits_of(ek_fast_tanh(known[i].x)), known[i].tanh);
		assert_int_equal(bits_of(ek_fast_logistic(known[i].x)), known[i].logistic);
	}
}

static void ends_and_nan_stay_what_they_are(void **state)
{
	(void)state;
	assert_true(ek_fast_tanh(INFINITY) == 1 && ek_fast_tanh(-1e30f) == -1);
	assert_true(ek_fast_logistic(INFINITY) == 1 && ek_fast_logistic(-INFINITY) == 0);
	assert_true(ek_fast_logistic(-103) > 0 && ek_fast_logistic(-104.1f) == 0);
	assert_true(ek_fast_tanh(0) == 0 && signbit(ek_fast_tanh(-0.0f)));
	assert_true(ek_fast_logistic(0) == 0.5f);
	assert_true(isnan(ek_fast_tanh(NAN)) && isnan(ek_fast_logistic(NAN)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_are_close_to_the_functions),
		cmocka_unit_test(both_have_the_bits_of_the_reference),
		cmocka_unit_test(ends_and_nan_stay_what_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
