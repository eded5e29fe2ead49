/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report - edgectl's messages on standard error, and its exit codes
 *
 * Standard output is only for data.
 */
#ifndef CLIENT_EDGECTL_REPORT_H
#define CLIENT_EDGECTL_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* The numbers never change; edgectl(1) lists them. */
enum report_exit {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* a negative answer, or output that cannot be written */
	EXIT_USAGE = 2,
	EXIT_NO_MODEL = 3,
	EXIT_UNREACHABLE = 4,
	EXIT_REFUSED = 5,
	EXIT_UNREADABLE = 6,
	EXIT_TIMEOUT = 7,
	EXIT_OVERLOADED = 8,
};

/* Prints "edgectl: what: text". Escapes @what; NULL omits it. */
void report_error(const char *what, const struct error *err);
void report_line(const char *format, ...) printf_like(1, 2);

/* Returns the exit code for a failed request. */
enum report_exit report_exit_of(const struct error *err);

/* Prints the error of a request, as report_error(), and returns its exit code. */
int report_failed(const char *what, const struct error *err);

/* Reports @code, the result of printing to standard output, if it is an errno. Returns the
 * command's exit code. */
int report_output(int code);

/* Prints "what: done of total" on one line of a terminal, overwriting it, at most ten times a
 * second. Does nothing without a terminal. @last_ns: 0 at the start. */
void report_progress(const char *what, uint64_t done, uint64_t total, uint64_t *last_ns);
void report_progress_end(uint64_t last_ns);

#endif
