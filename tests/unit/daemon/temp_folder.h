/* SPDX-License-Identifier: Apache-2.0 */
/* A folder for one test; set up and torn down by cmocka. Included after cmocka.h. */
#ifndef TESTS_UNIT_DAEMON_TEMP_FOLDER_H
#define TESTS_UNIT_DAEMON_TEMP_FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct temp_folder {
	char path[64];
	int fd;
};

static inline int temp_folder_set_up(void **state)
{
	struct temp_folder *folder = calloc(1, sizeof(*folder));
	assert_non_null(folder);
	memcpy(folder->path, "/var/tmp/edged-unit-XXXXXX", 27);
	assert_non_null(mkdtemp(folder->path));
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(folder->fd >= 0);
	*state = folder;
	return 0;
}

static inline int temp_folder_remove(
	const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int temp_folder_tear_down(void **state)
{
	struct temp_folder *folder = *state;
	close(folder->fd);
	nftw(folder->path, temp_folder_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(folder);
	return 0;
}

static inline void temp_folder_put(
	const struct temp_folder *folder, const char *name, const char *text)
{
	int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

#define temp_folder_test(f)                                                                        \
	cmocka_unit_test_setup_teardown(f, temp_folder_set_up, temp_folder_tear_down)

#endif
