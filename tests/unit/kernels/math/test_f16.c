/* SPDX-License-Identifier: Apache-2.0 */
/* The value of a half is taken from its definition here, by ldexp. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "kernels/math/f16.h"

/* Sign bit, 5 bits of exponent above -15, 10 bits of fraction; exponent 0 has no hidden bit. */
static double value_of(uint16_t h)
{
	int exponent = h >> 10 & 31, fraction = h & 1023;
	double size = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
	return h >> 15 ? -size : size;
}

static void every_half_is_a_float_and_comes_back(void **state)
{
	(void)state;
	for (uint32_t h = 0; h < 65536; h++) {
		if ((h & 0x7c00) == 0x7c00) {
			continue;
		}
		float f = ek_f16_get((uint16_t)h);
		assert_true((double)f == value_of((uint16_t)h));
		assert_int_equal(signbit(f) != 0, h >> 15);
		assert_int_equal(ek_f16_from(f), h);
	}
}

static void what_lies_between_two_halves_goes_to_the_nearer_and_ties_to_the_even(void **state)
{
	(void)state;
	for (uint16_t h = 0; h < 0x7bff; h++) {
		float tie = (float)((value_of(h) + value_of((uint16_t)(h + 1))) / 2);
		assert_int_equal(ek_f16_from(tie), h + (h & 1));
		assert_int_equal(ek_f16_from(nextafterf(tie, 0)), h);
		assert_int_equal(ek_f16_from(nextafterf(tie, INFINITY)), h + 1);
		assert_int_equal(ek_f16_from(-tie), 0x8000 | (h + (h & 1)));
	}
}

static void beyond_the_largest_half_is_infinity(void **state)
{
	(void)state;
	assert_int_equal(ek_f16_from(65504), 0x7bff);
	assert_int_equal(ek_f16_from(nextafterf(65520, 0)), 0x7bff);
	assert_int_equal(ek_f16_from(65520), 0x7c00);
	assert_int_equal(ek_f16_from(-3e38f), 0xfc00);
	assert_int_equal(ek_f16_from(INFINITY), 0x7c00);
	assert_true(ek_f16_get(0x7c00) == INFINITY);
	assert_true(ek_f16_get(0xfc00) == -INFINITY);
}

static void below_half_of_the_least_half_is_zero_of_the_same_sign(void **state)
{
	(void)state;
	assert_int_equal(ek_f16_from(0x1p-25f), 0);
	assert_int_equal(ek_f16_from(nextafterf(0x1p-25f, 1)), 1);
	assert_int_equal(ek_f16_from(-0x1p-26f), 0x8000);
	assert_int_equal(ek_f16_from(0x1p-149f), 0);
}

static void a_nan_is_quiet_and_keeps_its_sign(void **state)
{
	(void)state;
	float nan = ek_f16_get(0xfc01);
	assert_true(isnan(nan) && signbit(nan));
	assert_int_equal(ek_f16_from(nan), 0xfe00);
	assert_int_equal(ek_f16_from(NAN), 0x7e00);
}

static void rows_convert_element_by_element(void **state)
{
	(void)state;
	const uint16_t halves[3] = {0x3c00, 0xc000, 0x0001};
	float floats[3];
	uint16_t back[3];
	ek_f16_to_f32(floats, halves, 3);
	assert_true(floats[0] == 1 && floats[1] == -2 && floats[2] == 0x1p-24f);
	ek_f16_from_f32(back, floats, 3);
	assert_memory_equal(back, halves, sizeof(back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_half_is_a_float_and_comes_back),
		cmocka_unit_test(
			what_lies_between_two_halves_goes_to_the_nearer_and_ties_to_the_even),
		cmocka_unit_test(beyond_the_largest_half_is_infinity),
		cmocka_unit_test(below_half_of_the_least_half_is_zero_of_the_same_sign),
		cmocka_unit_test(a_nan_is_quiet_and_keeps_its_sign),
		cmocka_unit_test(rows_convert_element_by_element),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
