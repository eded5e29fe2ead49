/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault - one call in turn fails
 *
 * A test program that links fault.c with fault_link_args (tests/meson.build) has malloc, calloc,
 * realloc, aligned_alloc, posix_memalign, strdup, mmap, read, pread and pthread_create of the code
 * under test replaced by wrappers that count. The armed call fails as the real one would; all
 * others go through. fault_files.c does that with openat, write, fsync and renameat.
 */
#ifndef TESTS_FAKES_FAULT_H
#define TESTS_FAKES_FAULT_H

#include <stdbool.h>

/* The @nth call from now on (1 is the next) fails, once. 0: none does. */
void fault_arm(unsigned long nth);

/* True when the armed call has come and failed. */
bool fault_fired(void);

/* Calls counted since fault_arm(). */
unsigned long fault_calls(void);

/* For wrappers: counts a call, true when it is the one that fails. */
bool fault_now(void);

#endif
