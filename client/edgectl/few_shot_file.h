/* SPDX-License-Identifier: Apache-2.0 */
/*
 * few_shot_file - appends examples to a file of few-shot examples (base/few_shot.h)
 *
 * Several programs may append at once: each locks the file. Lines that would make the file invalid
 * are refused. A failed write leaves the file unchanged.
 */
#ifndef CLIENT_EDGECTL_FEW_SHOT_FILE_H
#define CLIENT_EDGECTL_FEW_SHOT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define FEW_SHOT_FILE_MAX_BYTES (16u << 20) /* limit of the pipeline's reader */

/* How long to wait for another program's lock. */
struct few_shot_file_wait {
	uint64_t report_ms, limit_ms; /* time in ms until report() is called once; until -EBUSY */
	void (*report)(void *context, const char *path); /* NULL: no message */
	void *context;
};

/* Appends the lines of @text; creates the file if needed. Returns after the data is on disk.
 * -EINVAL: not a regular file. -EBADMSG, -EFBIG: the lines do not fit the file's content.
 * -EBUSY: the lock was not free in time. Else the error of the system call. */
int must_check few_shot_file_add(const char *path, const char *text, size_t size,
	const struct few_shot_file_wait *wait, struct error *err);

#endif
