/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/media/byte_source.h"

static enum source_format format_of(const char *path, const char *bytes, size_t size)
{
	struct source source = {path, (uint8_t *)(uintptr_t)bytes, size};
	return source_format_of(&source);
}

static void bytes_say_what_they_are_before_names(void **state)
{
	(void)state;
	assert_int_equal(format_of("a.csv", "\xff\xd8\xff\xe0", 4), SOURCE_JPEG);
	assert_int_equal(format_of("-", "\x89PNG\r\n\x1a\n", 8), SOURCE_PNG);
	assert_int_equal(format_of("-", "P6 1 1 255\n", 11), SOURCE_PNM);
	assert_int_equal(format_of("-", "RIFF....WAVE", 12), SOURCE_WAV);
	assert_int_equal(format_of("-", "\x93NUMPY", 6), SOURCE_NPY);
	assert_int_equal(format_of("-", "1.5, -2e3\n", 10), SOURCE_CSV);
	assert_int_equal(format_of("x.CSV", "a,b\n1,2\n", 8), SOURCE_CSV);
	assert_int_equal(format_of("x.bin", "\1\2\3", 3), SOURCE_UNKNOWN);
	assert_int_equal(format_of("-", "", 0), SOURCE_UNKNOWN);
	assert_int_equal(format_of("-", ",,\n", 3), SOURCE_UNKNOWN);
}

static void a_file_is_read_whole_and_ends_with_a_zero(void **state)
{
	(void)state;
	char path[] = "/tmp/edged-test-source-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	static char block[70000];
	memset(block, 'x', sizeof(block));
	assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	close(fd);
	owned_source struct source source = {0};
	assert_int_equal(source_open(path, 0, &source, NULL), 0);
	assert_int_equal(source.size, sizeof(block));
	assert_memory_equal(source.data, block, sizeof(block));
	assert_int_equal(source.data[source.size], 0);
	struct source none = {0};
	struct error err = {0};
	assert_int_equal(source_open(path, 100, &none, &err), -EFBIG);
	assert_string_equal(err.text, "70000 bytes, limit 100");
	unlink(path);
	assert_int_equal(source_open(path, 0, &none, &err), -ENOENT);
	assert_int_equal(source_open("/tmp", 0, &none, &err), -EISDIR);
	assert_null(none.data);
}

static void a_stream_without_a_size_is_cut_off_at_the_limit(void **state)
{
	(void)state;
	struct source none = {0};
	assert_int_equal(source_open("/dev/zero", 1 << 20, &none, NULL), -EFBIG);
	assert_null(none.data);
}

/* One that somebody writes to, so that reading would wait. */
static void what_a_configuration_names_is_a_regular_file_and_nobody_is_waited_for(void **state)
{
	(void)state;
	char folder[] = "/tmp/edged-test-source-XXXXXX", path[64];
	struct source none = {0};
	struct error err = {0};
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/fifo", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(source_open_file(path, 100, &none, &err), -EINVAL);
	int writer = open(path, O_RDWR | O_CLOEXEC);
	assert_true(writer >= 0);
	assert_int_equal(source_open_file(path, 100, &none, &err), -EINVAL);
	assert_string_equal(err.text, "not a regular file");
	assert_int_equal(source_open_file("/dev/zero", 100, &none, &err), -EINVAL);
	assert_int_equal(source_open_file("/dev/null", 100, &none, &err), 0);
	assert_int_equal(none.size, 0);
	source_close(&none);
	assert_int_equal(source_open_file("-", 100, &none, &err), -ENOENT);
	close(writer);
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "yes\nno\n", 7), 7);
	close(fd);
	owned_source struct source labels = {0};
	assert_int_equal(source_open_file(path, 100, &labels, &err), 0);
	assert_string_equal((const char *)labels.data, "yes\nno\n");
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_say_what_they_are_before_names),
		cmocka_unit_test(a_file_is_read_whole_and_ends_with_a_zero),
		cmocka_unit_test(a_stream_without_a_size_is_cut_off_at_the_limit),
		cmocka_unit_test(
			what_a_configuration_names_is_a_regular_file_and_nobody_is_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
