/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import - looking at files that others may write at any time
 *
 * What lies in the models folder may be overwritten or cut, even while it is mapped. So it is opened
 * once, without leaving the folder, and only copies of it (blobs.h) are ever used.
 */
#ifndef DAEMON_IMPORT_H
#define DAEMON_IMPORT_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

/* Which bytes a name stood for; another identity means: look again. All zero: no file. */
struct import_identity {
	dev_t device;
	ino_t inode;
	off_t size;
	uid_t owner;
	struct timespec modified, changed;
};

bool import_same(const struct import_identity *a, const struct import_identity *b);

/*
 * True when the file was at rest when it was looked at. Its time stamps are coarse: one that was
 * written a moment ago may be written once more without another identity.
 */
bool import_settled(const struct import_identity *identity);

/* Opens entry @name of folder @folder; a symbolic link may not be absolute, nor lead out of that. @flags: O_DIRECTORY
 * or 0. *ret_fd is close-on-exec and never blocks. -ENOENT, -ELOOP, -EXDEV for such a link,
 * ... without text. */
int must_check import_open(int folder, const char *name, int flags, int *ret_fd);

/* What an open file is. -EINVAL for what is not a regular one. */
int must_check import_identify(int fd, struct import_identity *ret_identity);

/* Opens a regular file and says what it is. -EINVAL for anything else. */
int must_check import_open_file(
	int folder, const char *name, int *ret_fd, struct import_identity *ret_identity);

/* @size bytes of @fd from @at on, with a 0 behind them; malloc'ed, the caller's. -EBUSY when it ends
 * before, or what reading gave. */
int must_check import_bytes(int fd, off_t at, off_t size, char **ret_bytes);

#endif
