/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mapped - survives read errors in memory-mapped files
 *
 * A page that the disk cannot deliver raises SIGBUS in the thread that reads it. After
 * mapped_guard() the handler replaces the whole mapping with zeros and marks it broken, and the
 * thread goes on with invalid data. So a reader checks mapped_broken() after its last read and
 * discards the result. A mapping stays broken until it is mapped again. Other SIGBUS signals keep
 * their previous action.
 */
#ifndef BASE_MAPPED_H
#define BASE_MAPPED_H

#include <stdbool.h>
#include <stddef.h>

struct mapped;

/* Installs the handler for the process. Threads must not block SIGBUS. Returns 0 or a negative
 * errno. */
int mapped_guard(void);

/* Registers a file mapping of @size bytes at @data, a page boundary. Returns NULL without memory: a
 * read error then ends the process. */
struct mapped *mapped_add(const void *data, size_t size);
/* Unregisters the mapping. Call before munmap(), when no thread reads it. NULL is fine. */
void mapped_remove(struct mapped *mapped);

/* Returns true if a page could not be read. NULL is not broken. */
bool mapped_broken(const struct mapped *mapped);

#endif
