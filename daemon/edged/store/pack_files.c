/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/store/pack_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backends/backends.h"

void pack_files_init(struct pack_files *files, int folder, uint64_t cpu_features)
{
	char build[BACKENDS_BUILD_SIZE];
	*files = (struct pack_files){.folder = folder};
	if (backends_build(build)) {
		snprintf(files->suffix, sizeof(files->suffix), "-%s-%" PRIx64, build,
			backends_cpu_packing(cpu_features));
	}
}

void pack_files_deinit(struct pack_files *files)
{
	own_close_fd(&files->folder);
	files->folder = -1;
}

const char *pack_files_key(
	const struct pack_files *files, const struct digest *model, char out[PACK_FILES_KEY_SIZE])
{
	if (files->suffix[0] == 0) {
		return NULL;
	}
	digest_print(model, out);
	memcpy(out + DIGEST_TEXT_SIZE - 1, files->suffix, sizeof(files->suffix));
	return out;
}

void pack_files_drop(const struct pack_files *files, const struct digest *model)
{
	char key[PACK_FILES_KEY_SIZE];
	if (files->folder >= 0 && pack_files_key(files, model, key)) {
		unlinkat(files->folder, key, 0);
	}
}

static bool is_kept(const struct pack_files *files, const char *name,
	bool (*wanted)(void *context, const struct digest *digest), void *context)
{
	char text[DIGEST_TEXT_SIZE];
	struct digest digest;
	if (strlen(name) < DIGEST_TEXT_SIZE) {
		return false;
	}
	memcpy(text, name, DIGEST_TEXT_SIZE - 1);
	text[DIGEST_TEXT_SIZE - 1] = 0;
	return strcmp(name + DIGEST_TEXT_SIZE - 1, files->suffix) == 0 &&
		digest_parse(text, &digest) && wanted(context, &digest);
}

size_t pack_files_sweep(const struct pack_files *files,
	bool (*wanted)(void *context, const struct digest *digest), void *context)
{
	size_t n = 0;
	int fd = files->folder < 0 ? -1
				   : openat(files->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		own_close_fd(&fd);
		return 0;
	}
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
			!is_kept(files, name, wanted, context)) {
			n += unlinkat(files->folder, name, 0) == 0;
		}
	}
	closedir(dir);
	return n;
}
