/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static const char *escaped(const char *text, size_t length)
{
	static char out[64];
	return error_escape(out, sizeof(out), text, length);
}

static void error_set_derives_the_status(void **state)
{
	(void)state;
	struct error err = {0};
	assert_int_equal(error_set(&err, -EBADMSG, "tensor %u: %s", 7u, "no"), -EBADMSG);
	assert_int_equal(err.status, EDGE_MODEL_REFUSED);
	assert_string_equal(err.text, "tensor 7: no");
	assert_int_equal(error_set(&err, -EFBIG, "x"), -EFBIG);
	assert_int_equal(err.status, EDGE_TOO_LARGE);
	assert_int_equal(error_set(NULL, -EPROTO, "x"), -EPROTO);
	assert_int_equal(error_status_of(-EMFILE), EDGE_INTERNAL);
}

static void error_prefix_puts_the_place_in_front(void **state)
{
	(void)state;
	struct error err = {0};
	error_prefix(&err, "node 1");
	assert_string_equal(err.text, "");
	assert_int_equal(error_set(&err, -EBADMSG, "stride 0"), -EBADMSG);
	error_prefix(&err, "node %d", 3);
	assert_string_equal(err.text, "node 3: stride 0");
}

static void error_escape_hides_control_bytes(void **state)
{
	(void)state;
	assert_string_equal(escaped("a\nb\x1b[1m\x7f", 8), "a\\x0ab\\x1b[1m\\x7f");
	assert_string_equal(escaped("caf\xc3\xa9", 5), "caf\xc3\xa9");
	assert_string_equal(escaped("\xc3", 1), "\\xc3");
	assert_string_equal(escaped("\xc0\x80", 2), "\\xc0\\x80");
	assert_string_equal(escaped("\xe2\x80\xae", 3), "\\xe2\\x80\\xae");
	assert_string_equal(escaped("\\", 1), "\\x5c");
	assert_string_equal(escaped("\xed\xa0\x80", 3), "\\xed\\xa0\\x80");
}

static void error_escape_never_cuts_a_sequence(void **state)
{
	(void)state;
	char out[4];
	assert_string_equal(error_escape(out, sizeof(out), "\n\n", 2), "");
	assert_string_equal(error_escape(out, sizeof(out), "ab\xc3\xa9", 4), "ab");
}

static void status_names_are_stable(void **state)
{
	(void)state;
	assert_string_equal(status_name(0), "OK");
	assert_string_equal(status_name(10), "MODEL_REFUSED");
	assert_string_equal(status_name(13), "DRAINING");
	assert_string_equal(status_name(14), "UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_set_derives_the_status),
		cmocka_unit_test(error_prefix_puts_the_place_in_front),
		cmocka_unit_test(error_escape_hides_control_bytes),
		cmocka_unit_test(error_escape_never_cuts_a_sequence),
		cmocka_unit_test(status_names_are_stable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
