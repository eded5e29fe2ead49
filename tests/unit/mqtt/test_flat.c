/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/mqtt/flat.h"

static void names_are_escaped_and_what_was_told_is_not_again(void **state)
{
	(void)state;
	const char wanted[] = "{\"name\":\"a\\\\x5cb\\\\x1b\","
			      "\"message\":\"no file a\\\\x5cb\\\\x1b, \\\"a\\\"\"}";
	struct bytes_writer w = {0};
	flat_begin(&w, NULL, '{');
	flat_text(&w, "name", "a\\b\033");
	flat_told(&w, "message", "no file a\\x5cb\033, \"a\"");
	flat_end(&w, '}');
	assert_int_equal(w.size, strlen(wanted));
	assert_memory_equal(w.data, wanted, w.size);
	bytes_writer_deinit(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_escaped_and_what_was_told_is_not_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
