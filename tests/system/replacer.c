/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/system/replacer.h"

struct content {
	unsigned int turn;
	const void *bytes;
	size_t size;
};

static void content_write(const struct content *content, const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content->bytes, content->size), content->size);
	close(fd);
}

static void by_rename(const struct replacer *replacer, const struct content *content)
{
	content_write(content, replacer->aside, O_TRUNC);
	assert_int_equal(rename(replacer->aside, replacer->file), 0);
}

static void in_place(const struct replacer *replacer, const struct content *content)
{
	content_write(content, replacer->file, 0);
}

static void cut_and_written(const struct replacer *replacer, const struct content *content)
{
	assert_int_equal(truncate(replacer->file, 0), 0);
	content_write(content, replacer->file, 0);
}

static void by_link(const struct replacer *replacer, const struct content *content)
{
	char target[32], path[192];
	snprintf(target, sizeof(target), "..%u", content->turn % 4);
	snprintf(path, sizeof(path), "%s/%s", replacer->models, target);
	unlink(path);
	content_write(content, path, O_TRUNC);
	unlink(replacer->aside);
	assert_int_equal(symlink(target, replacer->aside), 0);
	assert_int_equal(rename(replacer->aside, replacer->file), 0);
}

static void empty_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		unlinkat(fd, entry->d_name, 0);
	}
	if (dir) {
		closedir(dir);
	}
	rmdir(path);
}

static void by_folder(const struct replacer *replacer, const struct content *content)
{
	char file[160];
	empty_folder(replacer->old);
	assert_int_equal(mkdir(replacer->next, 0755), 0);
	snprintf(file, sizeof(file), "%s/m.tflite", replacer->next);
	content_write(content, file, O_TRUNC);
	assert_int_equal(rename(replacer->models, replacer->old), 0);
	assert_int_equal(rename(replacer->next, replacer->models), 0);
}

void replacer_init(struct replacer *replacer, const struct daemon *daemon)
{
	const char *folder = daemon->folder;
	snprintf(replacer->models, sizeof(replacer->models), "%s/models", folder);
	snprintf(replacer->next, sizeof(replacer->next), "%s/next", folder);
	snprintf(replacer->old, sizeof(replacer->old), "%s/old", folder);
	snprintf(replacer->file, sizeof(replacer->file), "%s/m.tflite", replacer->models);
	snprintf(replacer->aside, sizeof(replacer->aside), "%s/.m.new", replacer->models);
}

void replacer_put(
	const struct replacer *replacer, unsigned int turn, const void *bytes, size_t size)
{
	static void (*const ways[REPLACER_WAYS])(
		const struct replacer *replacer, const struct content *content) = {
		by_rename, in_place, cut_and_written, by_link, by_folder};
	const struct content content = {.turn = turn, .bytes = bytes, .size = size};
	ways[turn % REPLACER_WAYS](replacer, &content);
}
