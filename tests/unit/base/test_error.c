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
	assert_int_equal(error_status_of(-EILSEQ), EDGE_MODEL_REFUSED);
	assert_int_equal(error_status_of(-EDOM), EDGE_MODEL_REFUSED);
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
	assert_string_equal(escaped("a\xe2\x80\x8b", 4), "a\\xe2\\x80\\x8b");
	assert_string_equal(escaped("\xe2\x80\x8d", 3), "\\xe2\\x80\\x8d");
	assert_string_equal(escaped("\xe2\x81\xa0", 3), "\\xe2\\x81\\xa0");
	assert_string_equal(escaped("\xef\xbb\xbf", 3), "\\xef\\xbb\\xbf");
	assert_string_equal(escaped("\xf3\xa0\x81\x81", 4), "\\xf3\\xa0\\x81\\x81");
	assert_string_equal(escaped("\xf3\xa0\x82\x80", 4), "\xf3\xa0\x82\x80");
	assert_string_equal(escaped("\xed\xa0\x80", 3), "\\xed\\xa0\\x80");
}

static void error_escape_never_cuts_a_sequence(void **state)
{
	(void)state;
	char out[4];
	assert_string_equal(error_escape(out, sizeof(out), "\n\n", 2), "");
	assert_string_equal(error_escape(out, sizeof(out), "ab\xc3\xa9", 4), "ab");
}

static void error_clean_keeps_backslashes_and_hides_the_rest(void **state)
{
	(void)state;
	char out[64];
	assert_string_equal(error_clean(out, sizeof(out), "a\\x0a\\\n\x1b[2J\xff", 12),
		"a\\x0a\\\\x0a\\x1b[2J\\xff");
	assert_string_equal(
		error_clean(out, sizeof(out), "caf\xc3\xa9\xc2\x9b", 7), "caf\xc3\xa9\\xc2\\x9b");
}

/* Each byte and each pair of bytes. */
static void what_was_escaped_is_left_as_it_is(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 65536; i++) {
		const uint8_t bytes[2] = {(uint8_t)i, (uint8_t)(i >> 8)};
		char once[16], twice[16];
		error_escape(once, sizeof(once), bytes, sizeof(bytes));
		error_clean(twice, sizeof(twice), once, strlen(once));
		assert_string_equal(once, twice);
	}
}

/* "\u00e9" would be cut in half: who reads the text may take nothing but UTF-8. */
static void a_text_that_is_cut_ends_with_a_whole_character(void **state)
{
	(void)state;
	struct error err = {0};
	char text[sizeof(err.text) + 1];
	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(err.text) - 2, "\xc3\xa9", 3);
	error_set(&err, -EINVAL, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 2);
	assert_int_equal(err.text[sizeof(err.text) - 3], 'x');
	error_set(&err, -EINVAL, "%s", text + 1);
	assert_string_equal(err.text, text + 1);
	error_prefix(&err, "node");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	error_set(&err, -EINVAL, "%s", text + 6);
	error_prefix(&err, "node");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 2);
	assert_int_equal(err.text[sizeof(err.text) - 3], 'x');
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
		cmocka_unit_test(error_clean_keeps_backslashes_and_hides_the_rest),
		cmocka_unit_test(what_was_escaped_is_left_as_it_is),
		cmocka_unit_test(a_text_that_is_cut_ends_with_a_whole_character),
		cmocka_unit_test(status_names_are_stable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
