/* SPDX-License-Identifier: Apache-2.0 */
/*
 * atomic_write - writes files atomically and durably
 *
 * Writes a temporary file (its name begins with a dot), syncs it, renames it and syncs the folder.
 * An interruption leaves the old file or none, and at most one temporary file. One writer at a time
 * for each folder.
 */
#ifndef DAEMON_SYSTEM_ATOMIC_WRITE_H
#define DAEMON_SYSTEM_ATOMIC_WRITE_H

#include <stddef.h>

#include "base/own.h"

/* Creates the temporary file in @folder. The caller fills it and calls atomic_write_end() or atomic_write_drop(). */
int must_check atomic_write_begin(int folder, int *ret_fd);
/* Syncs the temporary file and renames it to @name with @mode. An error removes it. @fd stays the
 * caller's. */
int must_check atomic_write_end(int folder, int fd, const char *name, unsigned int mode);
/* Removes the temporary file, also one from before a crash. */
void atomic_write_drop(int folder);

/* Removes @name: a file, or a folder with its content, at most ATOMIC_WRITE_DEPTH folders deep. Follows no
 * links. */
#define ATOMIC_WRITE_DEPTH 16
int must_check atomic_write_remove(int folder, const char *name);

/* Writes @size bytes as file @name in one call. */
int must_check atomic_write_bytes(
	int folder, const char *name, unsigned int mode, const void *data, size_t size);

/* Opens folder @name of @parent. Creates it if needed, accessible to this user only. */
int must_check atomic_write_folder(int parent, const char *name, int *ret_folder);

#endif
