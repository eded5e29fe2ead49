/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/mqtt/broker/log_ratelimit.h"

static void one_line_a_second_tells_of_the_others(void **state)
{
	struct log_ratelimit ratelimit = {0};
	char text[LOG_RATELIMIT_TEXT_SIZE] = "?";
	const uint64_t began = 5 * LOG_RATELIMIT_NS;
	(void)state;
	assert_true(log_ratelimit_allows(&ratelimit, began, text));
	assert_string_equal(text, "");
	for (uint64_t i = 0; i < 1000; i++) {
		assert_false(log_ratelimit_allows(&ratelimit, began + i, text));
	}
	assert_false(log_ratelimit_allows(&ratelimit, began + LOG_RATELIMIT_NS - 1, text));
	assert_true(log_ratelimit_allows(&ratelimit, began + LOG_RATELIMIT_NS, text));
	assert_string_equal(text, " (and 1001 before)");
	assert_true(log_ratelimit_allows(&ratelimit, began + 3 * LOG_RATELIMIT_NS, text));
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_a_second_tells_of_the_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
