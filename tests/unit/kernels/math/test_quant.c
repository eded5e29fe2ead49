/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions here are by division in wide integers, not by shifts as in the product. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/math/fixed16.h"
#include "kernels/math/inv_sqrt.h"
#include "kernels/math/quant.h"

typedef int64_t wide;

static const int32_t extremes[] = {INT32_MIN, INT32_MIN + 1, -(1 << 30) - 1, -(1 << 30), -65537, -3,
	-2, -1, 0, 1, 2, 3, 255, 65536, (1 << 30) - 1, 1 << 30, (1 << 30) + 1, INT32_MAX - 1,
	INT32_MAX};
#define N_EXTREMES (sizeof(extremes) / sizeof(extremes[0]))

/* xorshift32: the same values on every machine. */
static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* a * b / 2^31 rounded to nearest, ties towards plus infinity. */
static int32_t high_product(int32_t a, int32_t b)
{
	wide twice = (wide)a * b + ((wide)1 << 30), unit = (wide)1 << 31;
	wide floor = twice / unit - (twice % unit < 0);
	return floor > INT32_MAX ? INT32_MAX : (int32_t)floor;
}

/* x / 2^n, ties away from zero. */
static wide divided(wide x, int n)
{
	wide unit = (wide)1 << n, magnitude = x < 0 ? -x : x;
	wide y = (magnitude + unit / 2) / unit;
	return x < 0 ? -y : y;
}

/* x / 2^n, ties towards plus infinity. */
static wide divided_up(wide x, int n)
{
	wide unit = (wide)1 << n, twice = 2 * x + unit;
	return twice / (2 * unit) - (twice % (2 * unit) < 0);
}

static int32_t wrapped(wide x)
{
	return (int32_t)(uint32_t)x;
}

static void high_product_equals_its_definition_at_the_extremes(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EXTREMES; i++) {
		for (size_t j = 0; j < N_EXTREMES; j++) {
			assert_int_equal(ek_srdhm(extremes[i], extremes[j]),
				high_product(extremes[i], extremes[j]));
		}
	}
	assert_int_equal(ek_srdhm(INT32_MIN, INT32_MIN), INT32_MAX);
}

static void division_by_a_power_of_two_rounds_half_away_from_zero(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EXTREMES; i++) {
		for (int n = 0; n <= 31; n++) {
			assert_int_equal(
				ek_rdbpot(extremes[i], n), (int32_t)divided(extremes[i], n));
		}
	}
	assert_int_equal(ek_rdbpot(-3, 1), -2);
	assert_int_equal(ek_rdbpot(3, 1), 2);
}

static void multiplying_by_a_scale_rounds_twice_and_wraps_on_the_left(void **state)
{
	(void)state;
	uint32_t seed = 2463534242u;
	for (size_t i = 0; i < 200000; i++) {
		int32_t x = i < N_EXTREMES ? extremes[i] : (int32_t)next(&seed) >> (i % 30);
		struct ek_scale s = {
			(int32_t)(next(&seed) >> 2 | 1u << 30), (int32_t)(i % 63) - 31};
		int left = s.shift > 0 ? s.shift : 0, right = s.shift > 0 ? 0 : -s.shift;
		int32_t shifted = wrapped((wide)x * ((wide)1 << left));
		wide want = divided(high_product(shifted, s.multiplier), right);
		assert_int_equal(ek_mbqm(x, s), (int32_t)want);
		wide up = divided_up(high_product(shifted, s.multiplier), right);
		assert_int_equal(ek_mbqm_up(x, s), (int32_t)up);
	}
}

static void multiplying_64_bits_rounds_once_with_16_bits_of_the_multiplier(void **state)
{
	(void)state;
	uint32_t seed = 88675123u;
	for (size_t i = 0; i < 200000; i++) {
		int64_t x = ((int64_t)(int32_t)next(&seed) * 65536 + (next(&seed) & 0xffff)) >>
			(i % 40);
		struct ek_scale s = {
			(int32_t)(next(&seed) >> 2 | 1u << 30), (int32_t)(i % 46) - 31};
		wide m = s.multiplier < 0x7fff0000 ? (s.multiplier + (wide)0x8000) / 0x10000
						   : 0x7fff;
		int total = 15 - s.shift;
		wide sum = (wide)x * m + ((wide)1 << (total - 1)), unit = (wide)1 << total;
		wide floor = sum / unit - (sum % unit < 0);
		assert_int_equal(ek_mbqm64(x, s), wrapped(floor));
	}
}

static void rounding_to_32_bits_saturates_and_takes_nan_for_zero(void **state)
{
	(void)state;
	assert_int_equal(ek_round32(2.5), 3);
	assert_int_equal(ek_round32(-2.5), -3);
	assert_int_equal(ek_round32(-0.4), 0);
	assert_int_equal(ek_round32(1e300), INT32_MAX);
	assert_int_equal(ek_round32(-1e300), INT32_MIN);
	assert_int_equal(ek_round32(2147483647.4), INT32_MAX);
	assert_int_equal(ek_round32(NAN), 0);
}

static void inverse_square_root_is_right_to_a_millionth(void **state)
{
	(void)state;
	uint32_t seed = 521288629u;
	for (size_t i = 0; i < 20000; i++) {
		int32_t v = (int32_t)(next(&seed) >> (1 + i % 28)) + 2;
		struct ek_scale s = ek_inv_sqrt(v);
		double got = (double)s.multiplier / 2147483648.0 * exp2(s.shift);
		double want = 1 / sqrt((double)v);
		assert_true(fabs(got / want - 1) < 2e-6);
	}
}

static void logistic_and_tanh_of_16_bits_stay_near_the_real_functions(void **state)
{
	(void)state;
	for (int32_t x = INT16_MIN; x <= INT16_MAX; x++) {
		double real = x / 4096.0;
		double logistic = ek_fixed16_logistic((int16_t)x) / 32768.0;
		double tanh_x = ek_fixed16_tanh((int16_t)x, 3) / 32768.0;
		assert_true(fabs(logistic - 1 / (1 + exp(-real))) < 3e-4);
		assert_true(fabs(tanh_x - tanh(real)) < 6e-4);
	}
	assert_int_equal(ek_fixed16_logistic(0), 16384);
	assert_int_equal(ek_fixed16_tanh(0, 3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(high_product_equals_its_definition_at_the_extremes),
		cmocka_unit_test(division_by_a_power_of_two_rounds_half_away_from_zero),
		cmocka_unit_test(multiplying_by_a_scale_rounds_twice_and_wraps_on_the_left),
		cmocka_unit_test(multiplying_64_bits_rounds_once_with_16_bits_of_the_multiplier),
		cmocka_unit_test(rounding_to_32_bits_saturates_and_takes_nan_for_zero),
		cmocka_unit_test(inverse_square_root_is_right_to_a_millionth),
		cmocka_unit_test(logistic_and_tanh_of_16_bits_stay_near_the_real_functions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
