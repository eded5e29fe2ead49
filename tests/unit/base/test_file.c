/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"

#define BYTES 200000 /* several chunks */

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static int filled_file(void)
{
	static uint8_t data[BYTES];
	const int fd = memfd_create("test", MFD_CLOEXEC);
	for (size_t i = 0; i < BYTES; i++) {
		data[i] = byte_at(i);
	}
	assert_int_equal(file_write(fd, data, BYTES), 0);
	return fd;
}

static void what_was_written_is_read_at_its_place(void **state)
{
	(void)state;
	owned_fd int fd = filled_file();
	uint8_t data[100];
	assert_int_equal(file_read_at(fd, 1234, data, sizeof(data)), 0);
	for (size_t i = 0; i < sizeof(data); i++) {
		assert_int_equal(data[i], byte_at(1234 + i));
	}
	assert_int_equal(file_read_at(fd, BYTES - 10, data, 10), 0);
	assert_int_equal(file_read_at(fd, BYTES - 10, data, 11), -EBUSY);
	assert_int_equal(file_read_at(-1, 0, data, 1), -EBADF);
	assert_int_equal(file_write(-1, data, 1), -EBADF);
}

struct seen {
	size_t bytes, calls, most;
};

static int on_chunk(void *context, const void *data, size_t size)
{
	struct seen *seen = context;
	for (size_t i = 0; i < size; i++) {
		assert_int_equal(((const uint8_t *)data)[i], byte_at(50 + seen->bytes + i));
	}
	seen->bytes += size;
	return ++seen->calls == seen->most ? -ECANCELED : 0;
}

static void chunks_come_in_order_and_stop_at_an_error(void **state)
{
	(void)state;
	owned_fd int fd = filled_file();
	struct seen seen = {0};
	assert_int_equal(file_each_chunk(fd, 50, BYTES - 100, on_chunk, &seen), 0);
	assert_int_equal(seen.bytes, BYTES - 100);
	seen = (struct seen){0};
	assert_int_equal(file_each_chunk(fd, 50, BYTES, on_chunk, &seen), -EBUSY);
	seen = (struct seen){.most = 2};
	assert_int_equal(file_each_chunk(fd, 50, BYTES - 100, on_chunk, &seen), -ECANCELED);
	assert_int_equal(seen.calls, 2);
}

static int on_entry(void *context, const char *name, unsigned char type)
{
	unsigned int *names = context;
	(void)type;
	assert_int_equal(strlen(name), 1);
	assert_in_range(name[0], 'a', 'c');
	*names |= 1u << (name[0] - 'a');
	return name[0] == 'c' ? 7 : 0;
}

static void a_listing_leaves_out_the_folder_and_its_parent(void **state)
{
	(void)state;
	char path[] = "/tmp/test_file.XXXXXX";
	assert_non_null(mkdtemp(path));
	owned_fd int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned int names = 0;
	assert_int_equal(file_each_entry(folder, on_entry, &names), 0);
	assert_int_equal(names, 0);
	assert_int_equal(mkdirat(folder, "a", 0700), 0);
	assert_int_equal(mkfifoat(folder, "b", 0600), 0);
	for (unsigned int i = 0; i < 2; i++) { /* the descriptor's own position does not matter */
		names = 0;
		assert_int_equal(file_each_entry(folder, on_entry, &names), 0);
		assert_int_equal(names, 3);
	}
	char byte = 0;
	assert_int_equal(file_read_in(folder, "b", &byte, 1), 0);
	assert_int_equal(file_read_in(folder, "c", &byte, 1), -ENOENT);
	assert_int_equal(symlinkat("a", folder, "c"), 0);
	assert_int_equal(file_read_in(folder, "c", &byte, 1), -ELOOP);
	assert_int_equal(file_each_entry(folder, on_entry, &names), 7);
	assert_int_equal(file_each_entry(-1, on_entry, &names), -EBADF);
	assert_int_equal(unlinkat(folder, "a", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(folder, "b", 0), 0);
	assert_int_equal(unlinkat(folder, "c", 0), 0);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_at_its_place),
		cmocka_unit_test(chunks_come_in_order_and_stop_at_an_error),
		cmocka_unit_test(a_listing_leaves_out_the_folder_and_its_parent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
