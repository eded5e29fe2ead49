/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/pipeline_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"

static const char *const folders[] = {
	SYSCONFDIR "/edged/pipelines.d",
	"/run/edged/pipelines.d",
	"/usr/lib/edged/pipelines.d",
};
#define N_FOLDERS (sizeof(folders) / sizeof(folders[0]))

static bool ends_in_conf(const char *name)
{
	size_t length = strlen(name);
	return name[0] != '.' && length > 5 && strcmp(name + length - 5, ".conf") == 0;
}

static bool path_make(const char *folder, const char *name, const char *suffix, char *ret_path)
{
	int n = snprintf(ret_path, PIPELINE_FILES_PATH_SIZE, "%s/%s%s", folder, name, suffix);
	return n > 0 && n < PIPELINE_FILES_PATH_SIZE;
}

int pipeline_files_find(const char *folder, const char *name, char *ret_path, struct error *err)
{
	char shown[120];
	if (strchr(name, '/') || ends_in_conf(name)) {
		int n = snprintf(ret_path, PIPELINE_FILES_PATH_SIZE, "%s", name);
		return n > 0 && n < PIPELINE_FILES_PATH_SIZE
			? 0
			: error_set(err, -EINVAL, "the path is too long");
	}
	for (size_t i = 0; i < (folder ? 1 : N_FOLDERS); i++) {
		if (path_make(folder ? folder : folders[i], name, ".conf", ret_path) &&
			access(ret_path, F_OK) == 0) {
			return 0;
		}
	}
	return error_set(err, -ENOENT, "no pipeline of the name %s",
		error_escape(shown, sizeof(shown), name, strlen(name)));
}

static const char *base_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static bool is_there(const struct pipeline_files *files, const char *name)
{
	for (size_t i = 0; i < files->n; i++) {
		if (strcmp(base_of(files->paths[i]), name) == 0) {
			return true;
		}
	}
	return false;
}

struct listing {
	struct pipeline_files *files;
	const char *folder;
	struct error *err;
};

static int path_add(void *context, const char *name, unsigned char type)
{
	const struct listing *listing = context;
	struct pipeline_files *files = listing->files;
	char path[PIPELINE_FILES_PATH_SIZE];
	(void)type;
	if (!ends_in_conf(name) || is_there(files, name) ||
		!path_make(listing->folder, name, "", path)) {
		return 0;
	}
	if (files->n == PIPELINE_FILES_MAX) {
		return error_set(
			listing->err, -EFBIG, "more than %d pipelines", PIPELINE_FILES_MAX);
	}
	char *copy = strdup(path);
	char **added = copy ? array_add(&files->paths, &files->n, sizeof(*added)) : NULL;
	if (!added) {
		free(copy);
		return error_no_memory(listing->err);
	}
	*added = copy;
	return 0;
}

static int folder_list(struct pipeline_files *files, const char *folder, struct error *err)
{
	struct listing listing = {files, folder, err};
	owned_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return errno == ENOENT || errno == ENOTDIR
			? 0
			: error_set(err, -errno, "%s: %s", folder, strerror(errno));
	}
	int r = file_each_entry(fd, path_add, &listing);
	return r < 0 && err && err->code == 0 ? error_set(err, r, "%s: %s", folder, strerror(-r))
					      : r;
}

static int by_name(const void *a, const void *b)
{
	char *const *left = a, *const *right = b;
	return strcmp(base_of(*left), base_of(*right));
}

int pipeline_files_list(const char *folder, struct pipeline_files *ret_files, struct error *err)
{
	struct pipeline_files files = {0};
	int r = folder ? folder_list(&files, folder, err) : 0;
	for (size_t i = 0; i < N_FOLDERS && !folder && r == 0; i++) {
		r = folder_list(&files, folders[i], err);
	}
	if (r < 0) {
		pipeline_files_free(&files);
		return r;
	}
	if (files.n > 0) {
		qsort(files.paths, files.n, sizeof(files.paths[0]), by_name);
	}
	*ret_files = files;
	return 0;
}

void pipeline_files_free(struct pipeline_files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		free(files->paths[i]);
	}
	free(files->paths);
	*files = (struct pipeline_files){0};
}
