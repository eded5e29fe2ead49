/* SPDX-License-Identifier: Apache-2.0 */
/*
 * examples_file - a file of examples (base/examples.h) gets more of them
 *
 * Any number of programs may add at once: each holds a lock on the file meanwhile. What would make the
 * file one that cannot be read is refused, and a write that fails leaves the file as it was.
 */
#ifndef CLIENT_EXAMPLES_FILE_H
#define CLIENT_EXAMPLES_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define EXAMPLES_FILE_MAX_BYTES (16u << 20) /* that a pipeline reads */

/* How long somebody else's lock is waited for. */
struct examples_file_patience {
	uint64_t say_ms, most_ms; /* until say() is called, once; until -EBUSY */
	void (*say)(void *context, const char *path); /* NULL: nothing is said */
	void *context;
};

/* Adds the lines of @text; a file that is not there is made. On return they are on the disk. -EINVAL for
 * what is no regular file, -EBADMSG and -EFBIG for lines that do not go together with what is there, -EBUSY
 * when @patience has ended, else what the calls gave. */
int must_check examples_file_add(const char *path, const char *text, size_t size,
	const struct examples_file_patience *patience, struct error *err);

#endif
