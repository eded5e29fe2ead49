/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline_files - finds the pipeline files of this machine
 *
 * Searches pipelines.d in /etc/edged, /run/edged and /usr/lib/edged, in this order: the first file
 * of a name wins.
 */
#ifndef CLIENT_EDGECTL_PIPELINE_FILES_H
#define CLIENT_EDGECTL_PIPELINE_FILES_H

#include "base/error.h"

#define PIPELINE_FILES_PATH_SIZE 1024
#define PIPELINE_FILES_MAX 256

/* Returns the path of a pipeline: @name itself if it has a slash or ends in .conf, else the file
 * in @folder, NULL: in the system's folders. -ENOENT: no such file. */
int must_check pipeline_files_find(
	const char *folder, const char *name, char *ret_path, struct error *err);

struct pipeline_files {
	char **paths; /* owned; the winning file of each name, sorted by name */
	size_t n;
};
/* Missing folders count as empty. -EFBIG: more than PIPELINE_FILES_MAX files. */
int must_check pipeline_files_list(
	const char *folder, struct pipeline_files *ret_files, struct error *err);
void pipeline_files_free(struct pipeline_files *files); /* @files may be zeroed */

#endif
