/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/mqtt/text/json_writer.h"

static void a_text_comes_back_as_it_was_and_what_was_told_as_it_was_told(void **state)
{
	(void)state;
	const char wanted[] =
		"{\"name\":\"a\\\\b\\u001b\\u0009\\\"\\u200d\\udb40\\udc01\xc3\xa9\\\\xff\","
		"\"message\":\"no file a\\\\x5cb\\\\x1b, \\\"a\\\"\"}";
	struct bytes_writer w = {0};
	json_writer_begin(&w, NULL, '{');
	json_writer_text(&w, "name", "a\\b\033\t\"\xe2\x80\x8d\xf3\xa0\x80\x81\xc3\xa9\xff");
	json_writer_escaped(&w, "message", "no file a\\x5cb\033, \"a\"");
	json_writer_end(&w, '}');
	assert_int_equal(w.size, strlen(wanted));
	assert_memory_equal(w.data, wanted, w.size);
	bytes_writer_deinit(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_comes_back_as_it_was_and_what_was_told_as_it_was_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
