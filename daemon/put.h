/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put - files that are whole or not there
 *
 * A file is written under a name that nobody reads (it begins with a dot), brought to the disk,
 * given its name, and the folder is brought to the disk too. Whatever stops that leaves the old
 * file, or none, and at most one file to sweep. One writer at a time for each folder.
 */
#ifndef DAEMON_PUT_H
#define DAEMON_PUT_H

#include <stddef.h>

#include "base/own.h"

/* A new file of @folder, to be filled and handed to put_end() or put_drop(). */
int must_check put_begin(int folder, int *ret_fd);
/* Gives it @name and @mode. After an error the file is gone. @fd stays the caller's. */
int must_check put_end(int folder, int fd, const char *name, unsigned int mode);
/* Also sweeps what a crash left. */
void put_drop(int folder);

/* All of it in one call, for @size bytes. */
int must_check put_bytes(
	int folder, const char *name, unsigned int mode, const void *data, size_t size);

int must_check put_write(int fd, const void *data, size_t size);

/* Opens folder @name of @parent, made if need be; nobody else may look into it. */
int must_check put_folder(int parent, const char *name, int *ret_folder);

#endif
