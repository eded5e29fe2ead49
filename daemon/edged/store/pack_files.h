/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack_files - the files of packed weights beside the store: STATE/packs/DIGEST-BUILD-FEATURES
 *
 * Each belongs to a blob, to the kernels of one build and to the CPU features in use (engine/edge.h,
 * struct edge_packs). Nothing in them is needed: one that is missing or of other kernels is made again
 * when the model is loaded. Loader's thread only.
 */
#ifndef DAEMON_PACK_FILES_H
#define DAEMON_PACK_FILES_H

#include "daemon/digest.h"

#define PACK_FILES_SUFFIX_SIZE 40
#define PACK_FILES_KEY_SIZE (DIGEST_TEXT_SIZE + PACK_FILES_SUFFIX_SIZE)

struct pack_files {
	int folder; /* -1: packed weights are in memory */
	char suffix[PACK_FILES_SUFFIX_SIZE]; /* "-BUILD-FEATURES"; empty: files have no names */
};

/* Takes @folder. @cpu_features: those in use. */
void pack_files_init(struct pack_files *files, int folder, uint64_t cpu_features);
void pack_files_deinit(struct pack_files *files);

/* The name of @model's file, in @out; NULL where files have none. */
const char *pack_files_key(
	const struct pack_files *files, const struct digest *model, char out[PACK_FILES_KEY_SIZE]);

/* Removes @model's file. */
void pack_files_drop(const struct pack_files *files, const struct digest *model);

/* Removes all files but those of blobs that @wanted wants, for these kernels. Returns how many. */
size_t pack_files_sweep(const struct pack_files *files,
	bool (*wanted)(void *context, const struct digest *digest), void *context);

#endif
