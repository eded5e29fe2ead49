/* SPDX-License-Identifier: Apache-2.0 */
#include "client/golden/golden_find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"

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

/* Takes @fd. */
static int walk(int fd, const char *path, struct golden_list *list)
{
	DIR *dir = fdopendir(fd);
	if (!dir) {
		int r = -errno;
		close(fd);
		return r;
	}
	int r = 0;
	const struct dirent *entry;
	while (r == 0 && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, "case.txt") == 0) {
			r = add(list, path);
			continue;
		}
		if (entry->d_name[0] == '.') {
			continue;
		}
		int below = openat(fd, entry->d_name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
		if (below < 0) {
			r = errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
			continue;
		}
		owned_mem char *name = NULL;
		if (asprintf(&name, "%s/%s", path, entry->d_name) < 0) {
			close(below);
			r = -ENOMEM;
			continue;
		}
		r = walk(below, name, list);
	}
	closedir(dir);
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int golden_find(const char *folder, struct golden_list *list)
{
	size_t first = list->count;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : walk(fd, folder, list);
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
