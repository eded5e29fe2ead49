/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/mqtt/hush.h"

static void one_line_a_second_tells_of_the_others(void **state)
{
	struct hush hush = {0};
	char text[HUSH_TEXT_SIZE] = "?";
	const uint64_t began = 5 * HUSH_NS;
	(void)state;
	assert_true(hush_allows(&hush, began, text));
	assert_string_equal(text, "");
	for (uint64_t i = 0; i < 1000; i++) {
		assert_false(hush_allows(&hush, began + i, text));
	}
	assert_false(hush_allows(&hush, began + HUSH_NS - 1, text));
	assert_true(hush_allows(&hush, began + HUSH_NS, text));
	assert_string_equal(text, " (and 1001 before)");
	assert_true(hush_allows(&hush, began + 3 * HUSH_NS, text));
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_a_second_tells_of_the_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
