/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/tar.h"
#include "daemon/edged/store/bundle.h"
#include "tests/unit/daemon/temp_folder.h"

static int memory_new(void)
{
	int fd = memfd_create("bundle", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static off_t size_of(int fd)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	return st.st_size;
}

static int written(void)
{
	int fd = memory_new();
	char model[1000];
	memset(model, 'm', sizeof(model));
	assert_int_equal(bundle_write_name(fd, "person"), 0);
	assert_int_equal(bundle_write_bytes(fd, BUNDLE_MODEL, model, sizeof(model)), 0);
	assert_int_equal(bundle_write_bytes(fd, BUNDLE_LABELS, "a\nb\n", 4), 0);
	assert_int_equal(bundle_write_end(fd), 0);
	return fd;
}

static void what_is_written_is_found_again(void **state)
{
	(void)state;
	int fd = written();
	struct bundle bundle;
	char name[LOADED_MODEL_NAME_SIZE], labels[4];
	assert_true(bundle_is(fd));
	assert_int_equal(bundle_read(fd, size_of(fd), &bundle, NULL), 0);
	assert_int_equal(bundle.parts[BUNDLE_MODEL].size, 1000);
	assert_int_equal(bundle.parts[BUNDLE_GOLDEN].at, 0);
	assert_int_equal(bundle_name(fd, &bundle, name, NULL), 0);
	assert_string_equal(name, "person");
	assert_int_equal(bundle.parts[BUNDLE_LABELS].size, 4);
	assert_int_equal(pread(fd, labels, 4, bundle.parts[BUNDLE_LABELS].at), 4);
	assert_memory_equal(labels, "a\nb\n", 4);
	close(fd);
}

/* Whatever it says, its parts lie in the file; the same changes each time. */
static void what_is_changed_anywhere_is_read_within_its_bounds(void **state)
{
	(void)state;
	uint32_t random = 1;
	int fd = written();
	const off_t size = size_of(fd);
	for (off_t at = 0; at < size; at++) {
		struct bundle bundle;
		char name[LOADED_MODEL_NAME_SIZE];
		uint8_t before, changed;
		assert_int_equal(pread(fd, &before, 1, at), 1);
		random = random * 1664525u + 1013904223u;
		changed = (uint8_t)(random >> 24);
		assert_int_equal(pwrite(fd, &changed, 1, at), 1);
		int code = bundle_read(fd, size, &bundle, NULL);
		assert_true(code == 0 || code == -EBADMSG);
		for (int i = 0; code == 0 && i < BUNDLE_PARTS; i++) {
			assert_true(bundle.parts[i].at >= 0 && bundle.parts[i].size >= 0);
			assert_true(bundle.parts[i].at + bundle.parts[i].size <= size);
		}
		if (code == 0) {
			code = bundle_name(fd, &bundle, name, NULL);
			assert_true(code == 0 || code == -EINVAL);
		}
		assert_int_equal(pwrite(fd, &before, 1, at), 1);
	}
	close(fd);
}

static void what_is_cut_is_refused(void **state)
{
	(void)state;
	int fd = written();
	/* One block of zeros ends it. */
	for (off_t size = size_of(fd) - TAR_BLOCK - 1; size > 0; size -= 100) {
		struct bundle bundle;
		assert_int_equal(ftruncate(fd, size), 0);
		assert_int_equal(bundle_read(fd, size, &bundle, NULL), -EBADMSG);
	}
	close(fd);
}

static void a_size_that_is_none_is_refused(void **state)
{
	(void)state;
	static const char *const sizes[] = {
		"77777777777", "777777777777", "00000010000", "x", "-0000000001", "", "8", "\x80"};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t block[TAR_BLOCK], sum[9];
		struct bundle bundle;
		unsigned int total = 0;
		int fd = memory_new();
		tar_encode("model.tflite", 1, block);
		memset(block + 124, 0, 12);
		memcpy(block + 124, sizes[i], strlen(sizes[i]));
		memset(block + 148, ' ', 8);
		for (int k = 0; k < TAR_BLOCK; k++) {
			total += block[k];
		}
		snprintf((char *)sum, sizeof(sum), "%06o", total);
		memcpy(block + 148, sum, 7);
		assert_int_equal(write(fd, block, sizeof(block)), TAR_BLOCK);
		memset(block, 0, sizeof(block));
		assert_int_equal(write(fd, block, sizeof(block)), TAR_BLOCK);
		assert_int_equal(bundle_read(fd, size_of(fd), &bundle, NULL), -EBADMSG);
		close(fd);
	}
}

static void a_file_that_grows_meanwhile_is_not_read_beyond_its_size(void **state)
{
	(void)state;
	int fd = written();
	struct bundle bundle;
	assert_int_equal(bundle_read(fd, 1024, &bundle, NULL), -EBADMSG);
	assert_int_equal(bundle_read(fd, 0, &bundle, NULL), -EBADMSG);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_found_again),
		cmocka_unit_test(what_is_changed_anywhere_is_read_within_its_bounds),
		cmocka_unit_test(what_is_cut_is_refused),
		cmocka_unit_test(a_size_that_is_none_is_refused),
		cmocka_unit_test(a_file_that_grows_meanwhile_is_not_read_beyond_its_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
