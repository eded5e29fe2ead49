/* SPDX-License-Identifier: Apache-2.0 */
/* file - whole reads, writes and listings by descriptor; each continues after an interrupt */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/own.h"

/* Reads exactly @size bytes from @at on. -EBUSY if the file is shorter. */
int must_check file_read_at(int fd, off_t at, void *ret_data, size_t size);

/* Writes all bytes, also to a pipe. Some may be written on failure. */
int must_check file_write(int fd, const void *data, size_t size);

/* Reads at most @size bytes of the file @name in @folder, which may be a FIFO or a link: neither is
 * followed or waited for. Returns the number of bytes, or a negative errno. */
ssize_t must_check file_read_in(int folder, const char *name, void *ret_data, size_t size);

typedef int file_chunk_fn(void *context, const void *data, size_t size);

/* Calls @chunk for @size bytes from @at on, in order, until a call fails. -EBUSY if the file is
 * shorter. */
int must_check file_each_chunk(int fd, off_t at, off_t size, file_chunk_fn *chunk, void *context);

/* Type of the entry: DT_DIR and others of readdir(3), or DT_UNKNOWN. */
typedef int file_entry_fn(void *context, const char *name, unsigned char type);

/* Calls @entry for each entry of @folder but "." and "..", until a call returns something other than
 * 0, which is returned. The entry may be removed. -EBADF for @folder -1, or the errno of the
 * listing. */
int must_check file_each_entry(int folder, file_entry_fn *entry, void *context);

#endif
