/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report - what edgectl tells a person on standard error, and its exit codes
 *
 * Standard output is for data alone.
 */
#ifndef CLIENT_REPORT_H
#define CLIENT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Fixed for ever; edgectl(1) lists them. */
enum report_exit {
	EXIT_DONE = 0,
	EXIT_NEGATIVE = 1,
	EXIT_USAGE = 2,
	EXIT_NO_MODEL = 3,
	EXIT_UNREACHABLE = 4,
	EXIT_REFUSED = 5,
	EXIT_UNREADABLE = 6,
	EXIT_TIMEOUT = 7,
	EXIT_OVERLOADED = 8,
};

/* "edgectl: what: text". @what is escaped here; NULL leaves it out. */
void report_error(const char *what, const struct error *err);
void report_line(const char *format, ...) printf_like(1, 2);

/* The exit code for an answer that did not come. */
enum report_exit report_exit_of(const struct error *err);

/* A line on a terminal that overwrites itself: "what: done of total". Nothing without a terminal,
 * and not more often than ten times a second. @last_ns: 0 at the start. */
void report_progress(const char *what, uint64_t done, uint64_t total, uint64_t *last_ns);
void report_progress_end(uint64_t last_ns);

#endif
