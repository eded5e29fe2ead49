/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "daemon/system/digest.h"

/* FIPS 180-4's examples. */
static const char of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static void digests_are_those_of_the_standard(void **state)
{
	(void)state;
	char text[DIGEST_TEXT_SIZE];
	struct digest digest = digest_of("abc", 3);
	assert_string_equal(digest_to_hex(&digest, text), of_abc);
	digest = digest_of("", 0);
	assert_string_equal(digest_to_hex(&digest, text), of_nothing);
}

static void pieces_and_files_give_the_same(void **state)
{
	(void)state;
	struct digest_stream *stream = NULL;
	struct digest whole = digest_of("abcdef", 6), found;
	assert_int_equal(digest_stream_new(&stream), 0);
	digest_stream_add(stream, "ab", 2);
	digest_stream_add(stream, "cdef", 4);
	found = digest_stream_end(stream);
	digest_stream_free(stream);
	assert_true(digest_equal(&found, &whole));
	int fd = memfd_create("x", MFD_CLOEXEC);
	assert_int_equal(write(fd, "abcdefg", 7), 7);
	assert_int_equal(digest_of_file(fd, 6, &found), 0);
	assert_true(digest_equal(&found, &whole));
	assert_int_equal(digest_of_file(fd, 8, &found), -EBUSY);
	close(fd);
}

static void only_its_own_text_is_read_back(void **state)
{
	(void)state;
	char text[DIGEST_TEXT_SIZE];
	struct digest digest, none = {0};
	assert_true(digest_parse(of_abc, &digest));
	assert_string_equal(digest_to_hex(&digest, text), of_abc);
	text[0] = 'B';
	assert_false(digest_parse(text, &digest));
	text[0] = 'g';
	assert_false(digest_parse(text, &digest));
	assert_false(digest_parse("", &digest));
	assert_false(digest_parse(of_abc + 1, &digest));
	assert_true(digest_is_zero(&none) && !digest_is_zero(&digest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_those_of_the_standard),
		cmocka_unit_test(pieces_and_files_give_the_same),
		cmocka_unit_test(only_its_own_text_is_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
