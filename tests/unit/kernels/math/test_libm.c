/* SPDX-License-Identifier: Apache-2.0 */
/* Against the functions of double precision: how far off, and where exactly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "kernels/math/libm.h"

/* |y - want| in units of the last place of @want. */
static double units(float y, double want)
{
	int exponent;
	frexp(want, &exponent);
	return fabs((double)y - want) / ldexp(1, exponent - 24);
}

static void both_are_within_a_few_units_everywhere(void **state)
{
	(void)state;
	for (int i = -36000; i <= 36000; i++) {
		float x = (float)i / 4096;
		assert_true(x == 0 || units(ek_libm_tanh(x), tanh((double)x)) < 2.5);
		assert_true(units(ek_libm_erfc(x), erfc((double)x)) < 4);
	}
}

/* Where glibc 2.36 is a unit off; nearest would be 0x1.2a4ddcp-2 and 0x1.0c8daep-1. */
static void errors_in_the_last_place_are_the_reference_s(void **state)
{
	(void)state;
	assert_true(ek_libm_tanh(0x1.333334p-2f) == 0x1.2a4ddap-2f);
	assert_true(ek_libm_erfc(0x1.ccccc4p-2f) == 0x1.0c8dacp-1f);
}

static void far_out_they_are_constant(void **state)
{
	(void)state;
	assert_true(ek_libm_tanh(30) == 1 && ek_libm_tanh(-INFINITY) == -1);
	assert_true(signbit(ek_libm_tanh(-0.0f)) && ek_libm_tanh(1e-30f) == 1e-30f);
	assert_true(ek_libm_erfc(-7) == 2 && ek_libm_erfc(INFINITY) == 0);
	assert_true(ek_libm_erfc(1e-30f) == 1 && ek_libm_erfc(-INFINITY) == 2);
	assert_true(isnan(ek_libm_tanh(NAN)) && isnan(ek_libm_erfc(NAN)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_are_within_a_few_units_everywhere),
		cmocka_unit_test(errors_in_the_last_place_are_the_reference_s),
		cmocka_unit_test(far_out_they_are_constant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
