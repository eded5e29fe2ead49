/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/pipeline_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static int path_add(
	struct pipeline_files *files, const char *folder, const char *name, struct error *err)
{
	char path[PIPELINE_FILES_PATH_SIZE];
	if (is_there(files, name) || !path_make(folder, name, "", path)) {
		return 0;
	}
	if (files->n == PIPELINE_FILES_MAX) {
		return error_set(err, -EFBIG, "more than %d pipelines", PIPELINE_FILES_MAX);
	}
	char **paths = realloc(files->paths, (files->n + 1) * sizeof(paths[0]));
	if (!paths) {
		return error_no_memory(err);
	}
	files->paths = paths;
	paths[files->n] = strdup(path);
	if (!paths[files->n]) {
		return error_no_memory(err);
	}
	files->n++;
	return 0;
}

static int folder_list(struct pipeline_files *files, const char *folder, struct error *err)
{
	DIR *dir = opendir(folder);
	int r = 0;
	if (!dir) {
		return errno == ENOENT || errno == ENOTDIR
			? 0
			: error_set(err, -errno, "%s: %s", folder, strerror(errno));
	}
	for (const struct dirent *entry; r == 0 && (entry = readdir(dir));) {
		r = ends_in_conf(entry->d_name) ? path_add(files, folder, entry->d_name, err) : 0;
	}
	closedir(dir);
	return r;
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
