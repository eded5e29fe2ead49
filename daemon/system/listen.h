/* SPDX-License-Identifier: Apache-2.0 */
/* listen - the Unix socket in the file system */
#ifndef DAEMON_SYSTEM_LISTEN_H
#define DAEMON_SYSTEM_LISTEN_H

#include <sys/types.h>

#include "base/error.h"

/* Identity of our socket file, so that no other file is removed. */
struct listen_file {
	dev_t device;
	ino_t inode;
};

/* Binds a Unix stream socket at @path; the caller listens on it. Sets permissions @mode, and group
 * @group if it exists and the process may. Replaces the file of a dead edged. -EADDRINUSE if a
 * process answers at @path, -EEXIST if the file is no socket. */
int must_check listen_open(const char *path, mode_t mode, const char *group, int *ret_fd,
	struct listen_file *ret_file, struct error *err);

/* Removes the socket file at @path, unless it was replaced. */
void listen_remove(const char *path, const struct listen_file *file);

#endif
