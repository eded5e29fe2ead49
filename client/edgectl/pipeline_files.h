/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline_files - where the pipelines of this machine are
 *
 * pipelines.d of /etc/edged, /run/edged and /usr/lib/edged, in this order: the first file of a name
 * counts.
 */
#ifndef CLIENT_PIPELINE_FILES_H
#define CLIENT_PIPELINE_FILES_H

#include "base/error.h"

#define PIPELINE_FILES_PATH_SIZE 1024
#define PIPELINE_FILES_MAX 256

/* The path of a pipeline: @name itself where it holds a slash or ends in .conf, else the file of
 * @folder, NULL: of the system. -ENOENT when there is none. */
int must_check pipeline_files_find(
	const char *folder, const char *name, char *ret_path, struct error *err);

struct pipeline_files {
	char **paths; /* owned, of each name the one that counts, sorted by name */
	size_t n;
};
/* -EFBIG beyond PIPELINE_FILES_MAX; folders that are not there are empty. */
int must_check pipeline_files_list(
	const char *folder, struct pipeline_files *ret_files, struct error *err);
void pipeline_files_free(struct pipeline_files *files); /* zeroed is fine */

#endif
