/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/store/pack_files.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backends/backends.h"
#include "base/file.h"

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

const char *pack_files_name(
	const struct pack_files *files, const struct digest *model, char out[PACK_FILES_NAME_SIZE])
{
	if (files->suffix[0] == 0) {
		return NULL;
	}
	digest_to_hex(model, out);
	memcpy(out + DIGEST_TEXT_SIZE - 1, files->suffix, sizeof(files->suffix));
	return out;
}

void pack_files_drop(const struct pack_files *files, const struct digest *model)
{
	char key[PACK_FILES_NAME_SIZE];
	if (files->folder >= 0 && pack_files_name(files, model, key)) {
		unlinkat(files->folder, key, 0);
	}
}

struct sweep {
	const struct pack_files *files;
	bool (*wanted)(void *context, const struct digest *digest);
	void *context;
	size_t n; /* removed files */
};

static int pack_file_sweep(void *context, const char *name, unsigned char type)
{
	struct sweep *sweep = context;
	char text[DIGEST_TEXT_SIZE];
	struct digest digest;
	(void)type;
	snprintf(text, sizeof(text), "%s", name);
	const bool ours = strlen(name) >= DIGEST_TEXT_SIZE - 1 &&
		strcmp(name + DIGEST_TEXT_SIZE - 1, sweep->files->suffix) == 0;
	if (!ours || !digest_parse(text, &digest) || !sweep->wanted(sweep->context, &digest)) {
		sweep->n += unlinkat(sweep->files->folder, name, 0) == 0;
	}
	return 0;
}

size_t pack_files_sweep(const struct pack_files *files,
	bool (*wanted)(void *context, const struct digest *digest), void *context)
{
	struct sweep sweep = {.files = files, .wanted = wanted, .context = context};
	const int code = file_each_entry(files->folder, pack_file_sweep, &sweep);
	(void)code; /* the next start sweeps the rest */
	return sweep.n;
}
