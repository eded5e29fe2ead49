/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack_files - caches packed weights in STATE/packs/DIGEST-BUILD-FEATURES
 *
 * A file belongs to one blob, the kernels of one build and one set of CPU features (struct
 * edge_packs in engine/edge.h). Files can be removed at any time: loading a model makes them again.
 * Loader's thread only.
 */
#ifndef DAEMON_EDGED_STORE_PACK_FILES_H
#define DAEMON_EDGED_STORE_PACK_FILES_H

#include "daemon/system/digest.h"

#define PACK_FILES_SUFFIX_SIZE 40
#define PACK_FILES_NAME_SIZE (DIGEST_TEXT_SIZE + PACK_FILES_SUFFIX_SIZE)

struct pack_files {
	int folder; /* -1: packed weights stay in memory */
	/* "-BUILD-FEATURES"; empty: the build has no id; a file has no name
	 * then, and ends with its load */
	char suffix[PACK_FILES_SUFFIX_SIZE];
};

/* Takes @folder. @cpu_features: features that kernels may use. */
void pack_files_init(struct pack_files *files, int folder, uint64_t cpu_features);
void pack_files_deinit(struct pack_files *files);

/* Writes the name of @model's file to @out. Returns NULL if the build has no id. */
const char *pack_files_name(
	const struct pack_files *files, const struct digest *model, char out[PACK_FILES_NAME_SIZE]);

/* Removes @model's file. */
void pack_files_drop(const struct pack_files *files, const struct digest *model);

/* Removes all files but those of wanted blobs for the current kernels. Returns how many. */
size_t pack_files_sweep(const struct pack_files *files,
	bool (*wanted)(void *context, const struct digest *digest), void *context);

#endif
