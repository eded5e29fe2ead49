/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mapped - files that are mapped and read as memory, and a disk that does not give a page of one
 *
 * Reading such a page is SIGBUS, in whichever thread reads it. Once a process has asked for it
 * (mapped_guard()), the handler puts zeros in place of the whole mapping and notes that it is broken:
 * whoever reads goes on reading, and what came of it is worth nothing. So who uses a mapping asks
 * mapped_broken() behind the last byte, and tells nobody an answer that was made of it. A broken
 * mapping stays so until it is mapped anew. Any other SIGBUS is what it was before.
 */
#ifndef BASE_MAPPED_H
#define BASE_MAPPED_H

#include <stdbool.h>
#include <stddef.h>

struct mapped;

/* From now on, for the whole process. Threads must not block SIGBUS. 0 or a negative errno. */
int mapped_guard(void);

/* @size bytes at @data, the start of a page, are a file's. NULL without memory for the note: then a
 * page that does not come ends the process, as without all this. */
struct mapped *mapped_add(const void *data, size_t size);
/* Before it is unmapped; nobody reads it any more. NULL is fine. */
void mapped_remove(struct mapped *mapped);

/* True when some of it was not there. NULL is not broken. */
bool mapped_broken(const struct mapped *mapped);

#endif
