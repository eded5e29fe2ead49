/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fsck - checks and repairs the store on disk
 *
 * Checks all files of a state folder: manifests and their seals, blobs against their digests and
 * against the manifests, the list of bad files, packed weights, and files that nothing needs. Each
 * fault is one line, "PATH: fault".
 *
 * Repair removes files that nothing needs, moves broken files to STATE/quarantine (emptied before),
 * and removes missing versions from manifests. While a manifest is broken no blob is removed.
 */
#ifndef DAEMON_EDGED_STORE_FSCK_H
#define DAEMON_EDGED_STORE_FSCK_H

#include <stdio.h>

#include "base/error.h"

enum fsck_repair {
	FSCK_CHECK, /* changes nothing */
	FSCK_REPAIR,
	FSCK_REPAIR_FILES, /* leaves manifests alone, because the running edged writes them */
};

/* Checks the store in folder @state, which nobody else may write meanwhile. *ret_wrong: number of
 * faults; @out gets the first thousand lines. */
int must_check fsck_run(
	int state, enum fsck_repair repair, FILE *out, size_t *ret_wrong, struct error *err);

/* Runs edged --fsck on folder @path, which no edged may use. Returns the exit status: 0 no fault, 1
 * faults found (repaired or not), 2 the check could not run. */
int fsck_main(const char *path, enum fsck_repair repair);

#endif
