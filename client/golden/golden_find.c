/* SPDX-License-Identifier: Apache-2.0 */
#include "client/golden/golden_find.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/file.h"

static int add(struct golden_list *list, const char *folder)
{
	char *copy = strdup(folder);
	char **added = copy ? array_add(&list->folders, &list->count, sizeof(*added)) : NULL;
	if (!added) {
		free(copy);
		return -ENOMEM;
	}
	*added = copy;
	return 0;
}

void golden_list_deinit(struct golden_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->folders[i]);
	}
	free(list->folders);
}

struct folder {
	struct golden_list *list;
	const char *path;
	int fd;
};

static int walk(const struct folder *folder);

static int on_entry(void *context, const char *name, unsigned char type)
{
	const struct folder *folder = context;
	(void)type;
	if (strcmp(name, "case.txt") == 0) {
		return add(folder->list, folder->path);
	}
	if (name[0] == '.') {
		return 0;
	}
	owned_fd int fd = openat(
		folder->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
	}
	owned_mem char *path = NULL;
	if (asprintf(&path, "%s/%s", folder->path, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return walk(&(struct folder){folder->list, path, fd});
}

static int walk(const struct folder *folder)
{
	return file_each_entry(folder->fd, on_entry, (void *)(uintptr_t)folder);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int golden_find(const char *folder, struct golden_list *list)
{
	size_t first = list->count;
	owned_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : walk(&(struct folder){list, folder, fd});
	if (r == 0 && list->count > first) {
		qsort(list->folders + first, list->count - first, sizeof(char *), by_name);
	}
	return r;
}

int golden_find_listed(const char *path, struct golden_list *list)
{
	FILE *file = fopen(path, "re");
	if (!file) {
		return -errno;
	}
	const char *slash = strrchr(path, '/');
	int prefix = slash ? (int)(slash - path) : 0, r = 0;
	owned_mem char *line = NULL;
	size_t size = 0;
	while (r == 0 && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\r\n")] = 0;
		owned_mem char *folder = NULL;
		if (!line[0]) {
			continue;
		}
		r = asprintf(&folder, "%.*s%s%s", prefix, path, slash ? "/" : "", line) < 0
			? -ENOMEM
			: add(list, folder);
	}
	fclose(file);
	return r;
}
