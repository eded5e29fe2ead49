/* SPDX-License-Identifier: Apache-2.0 */
/* crash_note - says which case was running when a signal ends the program */
#ifndef TESTS_KERNELS_CRASH_NOTE_H
#define TESTS_KERNELS_CRASH_NOTE_H

#include "base/own.h"

/* Prints the last note on SIGSEGV, SIGBUS, SIGFPE and SIGILL, then lets the signal do its work. */
void crash_watch(void);
void crash_note(const char *format, ...) printf_like(1, 2);

#endif
