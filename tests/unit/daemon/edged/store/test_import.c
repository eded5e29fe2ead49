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
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/edged/store/import.h"
#include "daemon/edged/store/models_folder.h"

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
		assert_true(models_folder_name_valid(good[i], strlen(good[i])));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(models_folder_name_valid(bad[i], strlen(bad[i])));
	}
	assert_false(models_folder_name_valid("a\0b", 3));
	memset(name, 'x', sizeof(name));
	assert_true(models_folder_name_valid(name, 64));
	assert_false(models_folder_name_valid(name, 65));
}

static void models_are_sorted_merged_and_bounded(void **state)
{
	struct folder *folder = *state;
	struct models_folder_model *models = NULL;
	struct models_folder_left_out left_out = {0};
	size_t n = 0;
	put(folder, "b.tflite", "");
	put(folder, "a.tflite", "");
	put(folder, "a.labels.txt", "");
	put(folder, "a.golden", "");
	put(folder, "a.conf", "");
	put(folder, "notes.txt", "");
	put(folder, ".b.tflite.new", "");
	assert_int_equal(mkdirat(folder->fd, "b", 0755), 0);
	assert_int_equal(mkdirat(folder->fd, "c", 0755), 0);
	assert_int_equal(models_folder_list(folder->fd, 10, &models, &n, &left_out), 0);
	assert_int_equal(n, 3);
	assert_int_equal(left_out.n, 1);
	assert_string_equal(left_out.name, "notes.txt");
	assert_string_equal(models[0].name, "a");
	assert_true(models[0].file && !models[0].folder);
	assert_string_equal(models[1].name, "b");
	assert_true(models[1].file && models[1].folder);
	assert_string_equal(models[2].name, "c");
	free(models);
	assert_int_equal(models_folder_list(folder->fd, 2, &models, &n, &left_out), 0);
	assert_int_equal(n, 2);
	assert_int_equal(left_out.n, 2);
	free(models);
	put(folder, "a\n\xff.tflite", ""); /* before the notes */
	put(folder, "zzz", "");
	assert_int_equal(models_folder_list(folder->fd, 10, &models, &n, &left_out), 0);
	assert_int_equal(left_out.n, 3);
	assert_string_equal(left_out.name, "a\n\xff.tflite");
	free(models);
}

static void the_highest_versions_come_first(void **state)
{
	static const char *const names[] = {"9", "10", "1", "0", "01", "2x",
		"100000000000000000000", "9223372036854775808", "3", "4", "5", "6", "7", "8", "11"};
	static const uint64_t wanted[] = {11, 10, 9, 8, 7, 6, 5, 4, 3, 1};
	struct folder *folder = *state;
	owned_mem uint64_t *versions = NULL;
	size_t n = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(mkdirat(folder->fd, names[i], 0755), 0);
	}
	put(folder, "99", "a file");
	assert_int_equal(models_folder_versions(folder->fd, &versions, &n), 0);
	assert_int_equal(n, sizeof(wanted) / sizeof(wanted[0]));
	assert_memory_equal(versions, wanted, sizeof(wanted));
}

static void what_is_no_file_is_not_opened(void **state)
{
	struct folder *folder = *state;
	struct import_identity identity;
	int fd = -1;
	put(folder, "file", "x");
	assert_int_equal(mkfifoat(folder->fd, "fifo", 0644), 0);
	assert_int_equal(mkdirat(folder->fd, "folder", 0755), 0);
	assert_int_equal(import_open_file(folder->fd, "fifo", &fd, &identity), -EINVAL);
	assert_int_equal(import_open_file(folder->fd, "folder", &fd, &identity), -EINVAL);
	assert_int_equal(import_open_file(folder->fd, "nothing", &fd, &identity), -ENOENT);
	assert_int_equal(import_open(folder->fd, "file", O_DIRECTORY, &fd), -ENOTDIR);
	assert_int_equal(import_open_file(folder->fd, "file", &fd, &identity), 0);
	close(fd);
}

static bool has_openat2(void)
{
	return syscall(SYS_openat2, -1, "", NULL, 0) < 0 && errno != ENOSYS;
}

static void a_link_is_followed_inside_the_folder_and_not_out_of_it(void **state)
{
	struct folder *folder = *state;
	struct import_identity identity;
	int fd = -1;
	assert_int_equal(mkdirat(folder->fd, "..2026", 0755), 0);
	put(folder, "..2026/m.tflite", "x");
	assert_int_equal(symlinkat("..2026", folder->fd, "..data"), 0);
	assert_int_equal(symlinkat("..data/m.tflite", folder->fd, "m.tflite"), 0);
	if (!has_openat2()) {
		assert_int_equal(import_open_file(folder->fd, "m.tflite", &fd, &identity), -ELOOP);
		print_message("SKIPPED: without openat2, as in an emulator, no link is followed\n");
		return;
	}
	assert_int_equal(import_open_file(folder->fd, "m.tflite", &fd, &identity), 0);
	close(fd);
	assert_int_equal(symlinkat("/etc/passwd", folder->fd, "absolute"), 0);
	assert_int_equal(symlinkat("../../etc/passwd", folder->fd, "up"), 0);
	assert_int_equal(symlinkat("round", folder->fd, "round"), 0);
	assert_int_equal(import_open_file(folder->fd, "absolute", &fd, &identity), -EXDEV);
	assert_int_equal(import_open_file(folder->fd, "up", &fd, &identity), -EXDEV);
	assert_int_equal(import_open_file(folder->fd, "round", &fd, &identity), -ELOOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_of_the_grammar),
		cmocka_unit_test_setup_teardown(
			models_are_sorted_merged_and_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_highest_versions_come_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_not_opened, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_link_is_followed_inside_the_folder_and_not_out_of_it, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
