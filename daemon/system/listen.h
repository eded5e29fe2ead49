/* SPDX-License-Identifier: Apache-2.0 */
/* listen - the Unix socket in the file system */
#ifndef DAEMON_LISTEN_H
#define DAEMON_LISTEN_H

#include <sys/types.h>

#include "base/error.h"

/* Which socket file is ours, so that another's is never removed. */
struct listen_file {
	dev_t device;
	ino_t inode;
};

/*
 * A bound Unix stream socket at @path, not listening yet, with permissions @mode and, where it
 * exists and may be given, group @group. A file that a dead edged left is replaced; -EADDRINUSE
 * when somebody answers there, -EEXIST when it is no socket.
 */
int must_check listen_open(const char *path, mode_t mode, const char *group, int *ret_fd,
	struct listen_file *ret_file, struct error *err);

/* Removes the socket's file if it is still that one. */
void listen_remove(const char *path, const struct listen_file *file);

#endif
