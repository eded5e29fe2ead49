/* SPDX-License-Identifier: Apache-2.0 */
/* Operators refuse a divisor of 0 before they divide; who may write it meanwhile can make it one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/elementwise/arith.h"
#include "kernels/elementwise/arith_q.h"
#include "kernels/elementwise/binary.h"

/* No trap, no report of a sanitizer, and the elements beside it are right. */
static void a_divisor_that_became_zero_does_not_trap(void **state)
{
	(void)state;
	const int8_t a8[3] = {7, -128, -7}, b8[3] = {2, 0, 2};
	const int16_t a16[3] = {7, INT16_MIN, -7}, b16[3] = {2, 0, 2};
	const int32_t a32[3] = {7, INT32_MIN, -7}, b32[3] = {2, 0, 2};
	const int64_t a64[3] = {7, INT64_MIN, -7}, b64[3] = {2, 0, 2};
	const int32_t limits[2] = {INT32_MIN, INT32_MAX};
	int8_t z8[3];
	int16_t z16[3];
	int32_t z32[3];
	int64_t z64[3];
	ek_floor_div_s8(z8, a8, b8, 3, 1, 1);
	assert_int_equal(z8[0], 3);
	assert_int_equal(z8[2], -4);
	ek_floor_div_s16(z16, a16, b16, 3, 1, 1);
	assert_int_equal(z16[2], -4);
	ek_floor_div_s32(z32, a32, b32, 3, 1, 1);
	assert_int_equal(z32[2], -4);
	ek_floor_mod_s8(z8, a8, b8, 3, 1, 1);
	assert_int_equal(z8[2], 1);
	ek_floor_mod_s16(z16, a16, b16, 3, 1, 1);
	assert_int_equal(z16[2], 1);
	ek_floor_mod_s32(z32, a32, b32, 3, 1, 1);
	assert_int_equal(z32[2], 1);
	ek_floor_mod_s64(z64, a64, b64, 3, 1, 1);
	assert_int_equal(z64[0], 1);
	assert_int_equal(z64[2], 1);
	ek_div_s32(z32, a32, b32, 3, 1, 1, limits);
	assert_int_equal(z32[0], 3);
	assert_int_equal(z32[2], -3);
}

static void a_quantised_divisor_that_became_its_zero_point_does_not_trap(void **state)
{
	(void)state;
	/* 2^30 / 2^31 * 2^1: a factor of one. */
	const struct ek_arith_q params = {.a_zero = 1,
		.b_zero = -3,
		.zero = 0,
		.lo = -128,
		.hi = 127,
		.scale = {.multiplier = 1 << 30, .shift = 1}};
	const int8_t a[4] = {13, 13, 127, -128}, b[4] = {0, -3, -3, -3};
	int8_t z[4];
	ek_div_s8(z, a, b, 4, 1, 1, &params);
	assert_int_equal(z[0], 4); /* 12 / 3 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_divisor_that_became_zero_does_not_trap),
		cmocka_unit_test(a_quantised_divisor_that_became_its_zero_point_does_not_trap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
