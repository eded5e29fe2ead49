/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import - opens files that others can write at any time
 *
 * Files of the models folder can change even while they are mapped. edged opens such a file once,
 * without leaving the folder, and uses only a copy of it (blobs.h).
 */
#ifndef DAEMON_EDGED_STORE_IMPORT_H
#define DAEMON_EDGED_STORE_IMPORT_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

/* Identity of a file's content; a changed identity means a changed file. All zero: no file. */
struct import_identity {
	dev_t device;
	ino_t inode;
	off_t size;
	uid_t owner;
	struct timespec modified, changed;
};

bool import_same(const struct import_identity *a, const struct import_identity *b);

/* Returns true if the file was not written just before it was identified. Time stamps are coarse: a
 * later write in the same tick would keep the identity. */
bool import_settled(const struct import_identity *identity);

/* Opens entry @name of folder @folder. Symbolic links may be neither absolute nor lead out of the
 * folder. @flags: O_DIRECTORY or 0. *ret_fd is close-on-exec and non-blocking. Errors without text,
 * such as -ENOENT, -ELOOP, -EXDEV for a forbidden link. */
int must_check import_open(int folder, const char *name, int flags, int *ret_fd);

/* Identifies an open file. -EINVAL unless it is a regular file. */
int must_check import_identify(int fd, struct import_identity *ret_identity);

/* Opens and identifies a regular file. -EINVAL for anything else. */
int must_check import_open_file(
	int folder, const char *name, int *ret_fd, struct import_identity *ret_identity);

/* Reads @size bytes of @fd at offset @at and appends a 0. The caller frees *ret_bytes. -EBUSY if
 * the file is shorter, or a read error. */
int must_check import_read(int fd, off_t at, off_t size, char **ret_bytes);

#endif
