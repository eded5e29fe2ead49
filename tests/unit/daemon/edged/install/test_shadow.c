/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "daemon/edged/install/shadow.h"

static const struct shadow_number plain = {0};

static void of_several_numbers_the_place_of_the_largest_counts(void **state)
{
	(void)state;
	const float a[3] = {0.1f, 0.7f, 0.2f}, b[3] = {0.3f, 0.4f, 0.3f}, c[3] = {0.5f, 0.4f, 0.1f};
	const int8_t d[4] = {-128, -3, -5, -3}, e[4] = {-128, 127, -5, 126},
		     f[4] = {-128, -3, -5, -2};
	assert_false(shadow_differ(DTYPE_FLOAT32, sizeof(a), a, &plain, b, &plain));
	assert_true(shadow_differ(DTYPE_FLOAT32, sizeof(a), a, &plain, c, &plain));
	assert_false(shadow_differ(DTYPE_INT8, sizeof(d), d, &plain, e, &plain));
	assert_true(shadow_differ(DTYPE_INT8, sizeof(d), d, &plain, f, &plain));
}

static void one_number_is_the_same_within_a_tenth(void **state)
{
	(void)state;
	const float a = 10, b = 10.9f, c = 11.2f, none = NAN;
	const double zero = 0, little = 1e-12;
	assert_false(shadow_differ(DTYPE_FLOAT32, 4, &a, &plain, &b, &plain));
	assert_true(shadow_differ(DTYPE_FLOAT32, 4, &a, &plain, &c, &plain));
	assert_true(shadow_differ(DTYPE_FLOAT32, 4, &a, &plain, &none, &plain));
	assert_false(shadow_differ(DTYPE_FLOAT64, 8, &zero, &plain, &zero, &plain));
	assert_true(shadow_differ(DTYPE_FLOAT64, 8, &zero, &plain, &little, &plain));
}

/* Versions may be quantised each in its own way. */
static void quantised_numbers_are_compared_as_what_they_stand_for(void **state)
{
	(void)state;
	const uint8_t a = 138, b = 30;
	const struct shadow_number of_a = {0.5f, 128}, of_b = {0.25f, 10};
	assert_false(shadow_differ(DTYPE_UINT8, 1, &a, &of_a, &b, &of_b));
	assert_true(shadow_differ(DTYPE_UINT8, 1, &a, &of_a, &b, &of_a));
}

static void what_is_no_number_must_be_the_same_bytes(void **state)
{
	(void)state;
	const uint8_t yes[2] = {1, 0}, no[2] = {0, 1};
	assert_false(shadow_differ(DTYPE_BOOL, 2, yes, &plain, yes, &plain));
	assert_true(shadow_differ(DTYPE_BOOL, 2, yes, &plain, no, &plain));
	assert_false(shadow_differ(DTYPE_STRING, 0, yes, &plain, no, &plain));
	assert_true(shadow_differ(DTYPE_STRING, 2, yes, &plain, no, &plain));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_several_numbers_the_place_of_the_largest_counts),
		cmocka_unit_test(one_number_is_the_same_within_a_tenth),
		cmocka_unit_test(quantised_numbers_are_compared_as_what_they_stand_for),
		cmocka_unit_test(what_is_no_number_must_be_the_same_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
