/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import - files that others may write become files that nobody can
 *
 * What lies in the models folder may be overwritten or cut at any time, even while it is mapped.
 * So it is opened without following anything, copied to a file that has no name (in the state
 * folder: its pages are clean and the kernel may drop them; else in sealed memory), and only the
 * copy is ever mapped.
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
	struct timespec modified, changed;
};

bool import_same(const struct import_identity *a, const struct import_identity *b);

/*
 * True when the file was at rest when it was looked at. Its time stamps are coarse: one that was
 * written a moment ago may be written once more without another identity.
 */
bool import_settled(const struct import_identity *identity);

/* Opens entry @name of folder @folder, which may be no symbolic link. @flags: O_DIRECTORY or 0.
 * *ret_fd is close-on-exec and never blocks. -ENOENT, -ELOOP, ... without text. */
int must_check import_open(int folder, const char *name, int flags, int *ret_fd);

/* Opens a regular file and says what it is. -EINVAL for anything else. */
int must_check import_open_file(
	int folder, const char *name, int *ret_fd, struct import_identity *ret_identity);

/* Makes and opens the folder for copies below the state folder @path. */
int must_check import_open_state(const char *path, int *ret_folder, struct error *err);

/*
 * A private copy of @fd, which has @identity. @state_folder: from import_open_state(), or -1 for
 * sealed memory. -EFBIG above @max_bytes, -EBUSY when the file was changed meanwhile, or what the
 * copying gave.
 */
int must_check import_copy(int fd, const struct import_identity *identity, int state_folder,
	uint64_t max_bytes, int *ret_fd, struct error *err);

#endif
