/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/edgectl/report.h"

static void every_status_has_its_exit_code(void **state)
{
	(void)state;
	static const enum report_exit codes[EDGE_STATUS_COUNT] = {
		[EDGE_OK] = EXIT_REFUSED, /* an answer that did not come, and nobody says why */
		[EDGE_INVALID] = EXIT_REFUSED,
		[EDGE_NOT_FOUND] = EXIT_NO_MODEL,
		[EDGE_DENIED] = EXIT_REFUSED,
		[EDGE_TOO_LARGE] = EXIT_REFUSED,
		[EDGE_OVERLOADED] = EXIT_OVERLOADED,
		[EDGE_DEADLINE] = EXIT_TIMEOUT,
		[EDGE_CANCELLED] = EXIT_REFUSED,
		[EDGE_SUPERSEDED] = EXIT_REFUSED,
		[EDGE_UNSUPPORTED] = EXIT_REFUSED,
		[EDGE_MODEL_REFUSED] = EXIT_REFUSED,
		[EDGE_BACKEND] = EXIT_REFUSED,
		[EDGE_INTERNAL] = EXIT_REFUSED,
		[EDGE_DRAINING] = EXIT_OVERLOADED,
	};
	for (unsigned int i = 0; i < EDGE_STATUS_COUNT; i++) {
		struct error err = {.code = -EIO, .status = (enum edge_status)i};
		assert_int_equal(report_exit_of(&err), codes[i]);
	}
}

static void a_daemon_that_is_not_there_is_told_apart(void **state)
{
	(void)state;
	struct error err = {.code = -ENOTCONN, .status = EDGE_NOT_FOUND};
	assert_int_equal(report_exit_of(&err), EXIT_UNREACHABLE);
}

static void exit_codes_are_the_numbers_of_the_manual(void **state)
{
	(void)state;
	assert_int_equal(EXIT_DONE, 0);
	assert_int_equal(EXIT_FAILED, 1);
	assert_int_equal(EXIT_USAGE, 2);
	assert_int_equal(EXIT_NO_MODEL, 3);
	assert_int_equal(EXIT_UNREACHABLE, 4);
	assert_int_equal(EXIT_REFUSED, 5);
	assert_int_equal(EXIT_UNREADABLE, 6);
	assert_int_equal(EXIT_TIMEOUT, 7);
	assert_int_equal(EXIT_OVERLOADED, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_has_its_exit_code),
		cmocka_unit_test(a_daemon_that_is_not_there_is_told_apart),
		cmocka_unit_test(exit_codes_are_the_numbers_of_the_manual),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
