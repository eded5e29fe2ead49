/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/hybrid/hybrid.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static uint32_t bits(float x)
{
	uint32_t v = 0;
	memcpy(&v, &x, sizeof(v));
	return v;
}

static void assert_codes(const int8_t *codes, const int8_t *expected, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(codes[i], expected[i]);
	}
}

static void a_symmetric_row_spans_its_largest_magnitude(void **state)
{
	(void)state;
	const float values[] = {0, 1, -2, 0.5f, 2};
	const int8_t expected[] = {0, 64, -127, 32, 127}; /* 63.5 and 31.75 */
	int8_t codes[COUNT(values)] = {0};
	struct ek_hybrid_row row =
		ek_hybrid_quantise(ek_hybrid, values, COUNT(values), false, codes);
	assert_int_equal(bits(row.scale), bits(2.0f / 127.0f));
	assert_int_equal(row.zero, 0);
	assert_codes(codes, expected, COUNT(values));
}

static void halves_are_rounded_away_from_zero(void **state)
{
	(void)state;
	/* The scale is 1: the values are the codes before rounding. */
	const float values[] = {127, 0.5f, -0.5f, 1.5f, -1.5f, 0.49999997f, -0.49999997f, -126.5f};
	const int8_t expected[] = {127, 1, -1, 2, -2, 0, 0, -127};
	int8_t codes[COUNT(values)] = {0};
	struct ek_hybrid_row row =
		ek_hybrid_quantise(ek_hybrid, values, COUNT(values), false, codes);
	assert_int_equal(bits(row.scale), bits(1));
	assert_codes(codes, expected, COUNT(values));
}

static void a_row_of_zeros_has_scale_1(void **state)
{
	(void)state;
	const float values[] = {0, -0.0f};
	const int8_t expected[] = {0, 0};
	for (int asymmetric = 0; asymmetric < 2; asymmetric++) {
		int8_t codes[COUNT(values)] = {5, 5};
		struct ek_hybrid_row row =
			ek_hybrid_quantise(ek_hybrid, values, COUNT(values), asymmetric, codes);
		assert_int_equal(bits(row.scale), bits(1));
		assert_int_equal(row.zero, 0);
		assert_codes(codes, expected, COUNT(values));
		row = ek_hybrid_quantise(ek_hybrid, values, 0, asymmetric, NULL);
		assert_int_equal(bits(row.scale), bits(1));
	}
}

static void an_asymmetric_row_spans_its_range_and_zero(void **state)
{
	(void)state;
	/* Scale 4/255: the lower end gives -128 + 63.75, of smaller numbers than 127 - 191.25. */
	const float values[] = {-1, 3, 0, 1};
	const int8_t expected[] = {-128, 127, -64, 0}; /* -127.75, 127.25, -64, -0.25 */
	int8_t codes[COUNT(values)] = {0};
	struct ek_hybrid_row row =
		ek_hybrid_quantise(ek_hybrid, values, COUNT(values), true, codes);
	assert_int_equal(bits(row.scale), bits((float)(4.0 / 255.0)));
	assert_int_equal(row.zero, -64);
	assert_codes(codes, expected, COUNT(values));
}

static void a_one_sided_asymmetric_row_has_its_zero_at_an_end(void **state)
{
	(void)state;
	const float up[] = {1, 255, 128}, down[] = {-1, -255, -128};
	const int8_t up_codes[] = {-127, 127, 0}, down_codes[] = {126, -128, -1};
	int8_t codes[3] = {0};
	struct ek_hybrid_row row = ek_hybrid_quantise(ek_hybrid, up, 3, true, codes);
	assert_int_equal(bits(row.scale), bits(1));
	assert_int_equal(row.zero, -128);
	assert_codes(codes, up_codes, 3);
	row = ek_hybrid_quantise(ek_hybrid, down, 3, true, codes);
	assert_int_equal(row.zero, 127);
	assert_codes(codes, down_codes, 3);
}

static void values_that_are_no_numbers_do_not_leave_the_range(void **state)
{
	(void)state;
	const float nan[] = {NAN, 127, -1}, inf[] = {INFINITY, 1, -INFINITY};
	const float tiny[] = {1e-45f, 0, -1e-45f};
	const int8_t nan_codes[] = {0, 127, -1}, none[] = {0, 0, 0}, tiny_codes[] = {127, 0, -127};
	int8_t codes[3] = {0};
	ek_hybrid_quantise(ek_hybrid, nan, 3, false, codes);
	assert_codes(codes, nan_codes, 3);
	struct ek_hybrid_row row = ek_hybrid_quantise(ek_hybrid, inf, 3, false, codes);
	assert_true(isinf(row.scale));
	assert_codes(codes, none, 3);
	ek_hybrid_quantise(ek_hybrid, tiny, 3, false, codes);
	assert_codes(codes, tiny_codes, 3);
	ek_hybrid_quantise(ek_hybrid, inf, 3, true, codes);
	ek_hybrid_quantise(ek_hybrid, tiny, 3, true, codes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_symmetric_row_spans_its_largest_magnitude),
		cmocka_unit_test(halves_are_rounded_away_from_zero),
		cmocka_unit_test(a_row_of_zeros_has_scale_1),
		cmocka_unit_test(an_asymmetric_row_spans_its_range_and_zero),
		cmocka_unit_test(a_one_sided_asymmetric_row_has_its_zero_at_an_end),
		cmocka_unit_test(values_that_are_no_numbers_do_not_leave_the_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
