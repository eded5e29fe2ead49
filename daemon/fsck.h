/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fsck - is the store on the disk what it should be?
 *
 * Looks at every file of a state folder: manifests and their seals, blobs against the digests that are
 * their names and against what the manifests need, what is bad, packed weights, and what nobody needs. Tells
 * each thing that is wrong in a line, "PATH: what". Repairing removes what nothing needs, moves what is
 * broken to STATE/quarantine, and lets manifests forget versions that are not there any more; so what is
 * left can be used. What was in quarantine before is removed.
 * While a manifest is broken no blob is removed.
 */
#ifndef DAEMON_FSCK_H
#define DAEMON_FSCK_H

#include <stdio.h>

#include "base/error.h"

enum fsck_repair {
	FSCK_LOOK, /* nothing is changed */
	FSCK_REPAIR,
	FSCK_REPAIR_FILES, /* manifests stay: whoever has them in memory writes them */
};

/* The store of descriptor @state, which nobody else writes to meanwhile. *ret_wrong: how many lines went
 * to @out, of which the first thousand are written. */
int must_check fsck_run(
	int state, enum fsck_repair repair, FILE *out, size_t *ret_wrong, struct error *err);

/* The same for folder @path, which no edged may be using, as edged --fsck. The exit status: 0 nothing is
 * wrong, 1 something is or was, 2 it could not be looked at. */
int fsck_main(const char *path, enum fsck_repair repair);

#endif
