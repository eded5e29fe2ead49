/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/import.h"
#include "daemon/scan.h"

struct folder {
	char path[64];
	int fd;
};

static int set_up(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));
	assert_non_null(folder);
	memcpy(folder->path, "/tmp/edged-import-XXXXXX", 25);
	assert_non_null(mkdtemp(folder->path));
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(folder->fd >= 0);
	*state = folder;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	struct folder *folder = *state;
	close(folder->fd);
	nftw(folder->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(folder);
	return 0;
}

static void put(const struct folder *folder, const char *name, const char *text)
{
	int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void names_are_of_the_grammar(void **state)
{
	(void)state;
	static const char *const good[] = {"a", "0", "digits", "a.b_c-d", "v1.0"};
	static const char *const bad[] = {
		"", ".", "..", ".a", "-a", "_a", "A", "a b", "a/b", "\xc3\xa9", "a\n", "a\x7f"};
	char name[66];
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(scan_name_valid(good[i], strlen(good[i])));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(scan_name_valid(bad[i], strlen(bad[i])));
	}
	assert_false(scan_name_valid("a\0b", 3));
	memset(name, 'x', sizeof(name));
	assert_true(scan_name_valid(name, 64));
	assert_false(scan_name_valid(name, 65));
}

static void models_are_sorted_merged_and_bounded(void **state)
{
	struct folder *folder = *state;
	struct scan_model *models = NULL;
	size_t n = 0, left_out = 0;
	put(folder, "b.tflite", "");
	put(folder, "a.tflite", "");
	put(folder, "a.labels.txt", "");
	put(folder, "notes.txt", "");
	put(folder, ".b.tflite.new", "");
	assert_int_equal(mkdirat(folder->fd, "b", 0755), 0);
	assert_int_equal(mkdirat(folder->fd, "c", 0755), 0);
	assert_int_equal(scan_models(folder->fd, 10, &models, &n, &left_out), 0);
	assert_int_equal(n, 3);
	assert_int_equal(left_out, 1);
	assert_string_equal(models[0].name, "a");
	assert_true(models[0].file && !models[0].folder);
	assert_string_equal(models[1].name, "b");
	assert_true(models[1].file && models[1].folder);
	assert_string_equal(models[2].name, "c");
	free(models);
	assert_int_equal(scan_models(folder->fd, 2, &models, &n, &left_out), 0);
	assert_int_equal(n, 2);
	assert_int_equal(left_out, 2);
	free(models);
}

static void the_highest_versions_come_first(void **state)
{
	static const char *const names[] = {"9", "10", "1", "0", "01", "2x",
		"100000000000000000000", "3", "4", "5", "6", "7", "8", "11"};
	static const uint64_t wanted[SCAN_MAX_VERSIONS] = {11, 10, 9, 8, 7, 6, 5, 4};
	struct folder *folder = *state;
	uint64_t versions[SCAN_MAX_VERSIONS];
	size_t n = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(mkdirat(folder->fd, names[i], 0755), 0);
	}
	put(folder, "99", "a file");
	assert_int_equal(scan_versions(folder->fd, versions, &n), 0);
	assert_int_equal(n, SCAN_MAX_VERSIONS);
	assert_memory_equal(versions, wanted, sizeof(wanted));
}

static void links_and_what_is_no_file_are_not_opened(void **state)
{
	struct folder *folder = *state;
	struct import_identity identity;
	int fd = -1;
	put(folder, "file", "x");
	assert_int_equal(symlinkat("file", folder->fd, "link"), 0);
	assert_int_equal(mkfifoat(folder->fd, "fifo", 0644), 0);
	assert_int_equal(mkdirat(folder->fd, "folder", 0755), 0);
	assert_int_equal(import_open_file(folder->fd, "link", &fd, &identity), -ELOOP);
	assert_int_equal(import_open_file(folder->fd, "fifo", &fd, &identity), -EINVAL);
	assert_int_equal(import_open_file(folder->fd, "folder", &fd, &identity), -EINVAL);
	assert_int_equal(import_open_file(folder->fd, "nothing", &fd, &identity), -ENOENT);
	assert_int_equal(import_open(folder->fd, "file", O_DIRECTORY, &fd), -ENOTDIR);
	assert_int_equal(import_open_file(folder->fd, "file", &fd, &identity), 0);
	close(fd);
}

/* Copies "file" and maps the copy; then the original is overwritten and cut. */
static void expect_private_copy(struct folder *folder, int state_folder)
{
	struct import_identity identity;
	int fd = -1, copy = -1;
	put(folder, "file", "the model");
	assert_int_equal(import_open_file(folder->fd, "file", &fd, &identity), 0);
	assert_int_equal(import_copy(fd, &identity, state_folder, 100, &copy, NULL), 0);
	const char *map = mmap(NULL, 9, PROT_READ, MAP_SHARED, copy, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	put(folder, "file", "XXXXXXXXX");
	assert_memory_equal(map, "the model", 9);
	put(folder, "file", "");
	assert_memory_equal(map, "the model", 9);
	munmap((void *)(uintptr_t)map, 9);
	close(copy);
	close(fd);
}

static void a_copy_in_the_state_folder_is_private(void **state)
{
	struct folder *folder = *state;
	int state_folder = -1;
	assert_int_equal(import_open_state(folder->path, &state_folder, NULL), 0);
	expect_private_copy(folder, state_folder);
	close(state_folder);
}

static void a_copy_in_memory_is_private_and_sealed(void **state)
{
	struct folder *folder = *state;
	struct import_identity identity;
	int fd = -1, copy = -1;
	expect_private_copy(folder, -1);
	put(folder, "file", "sealed");
	assert_int_equal(import_open_file(folder->fd, "file", &fd, &identity), 0);
	assert_int_equal(import_copy(fd, &identity, -1, 100, &copy, NULL), 0);
	assert_int_equal(write(copy, "x", 1), -1);
	assert_int_equal(ftruncate(copy, 1), -1);
	close(copy);
	close(fd);
}

static void too_large_and_changed_files_are_not_copied(void **state)
{
	struct folder *folder = *state;
	struct import_identity identity;
	struct error err = {0};
	int fd = -1, copy = -1;
	put(folder, "file", "0123456789");
	assert_int_equal(import_open_file(folder->fd, "file", &fd, &identity), 0);
	assert_int_equal(import_copy(fd, &identity, -1, 9, &copy, &err), -EFBIG);
	assert_string_equal(err.text, "the file has 10 bytes, the limit is 9");
	put(folder, "file", "0123");
	assert_int_equal(import_copy(fd, &identity, -1, 100, &copy, &err), -EBUSY);
	put(folder, "file", "01234567890123");
	assert_int_equal(import_copy(fd, &identity, -1, 100, &copy, &err), -EBUSY);
	assert_string_equal(err.text, "the file was changed while it was read");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_of_the_grammar),
		cmocka_unit_test_setup_teardown(
			models_are_sorted_merged_and_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_highest_versions_come_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			links_and_what_is_no_file_are_not_opened, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_copy_in_the_state_folder_is_private, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_copy_in_memory_is_private_and_sealed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			too_large_and_changed_files_are_not_copied, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
