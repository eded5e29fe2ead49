/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static void no_time_is_left_after_the_end(void **state)
{
	(void)state;
	assert_true(clock_left_ns(10, 4) == 6);
	assert_true(clock_left_ns(10, 10) == 0);
	assert_true(clock_left_ns(10, 11) == 0);
	assert_true(clock_left_ns(0, UINT64_MAX) == 0);
	assert_true(clock_left_ns(UINT64_MAX, 0) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_time_is_left_after_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
