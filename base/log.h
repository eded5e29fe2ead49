/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - one line per event, to standard error
 *
 * Levels are syslog's. Where the journal reads standard error each line starts with "<N>", as
 * sd-daemon(3) describes; on a terminal with the level's name. A struct log belongs to its
 * process's main object and is passed along; it may be used from any thread. Foreign text is
 * escaped by error_escape() before it comes here; tensor contents never come here.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

struct log {
	int fd;
	atomic_int level; /* enum log_level: lines above it are dropped; may change at any time */
	bool prefix_number; /* "<6>" rather than "info: " */
	int journal; /* the journal's socket, for log_event(); -1: there is none */
	const char *program; /* what the journal is told it is called */
};

/* What the journal keeps beside a line: NAME=value, its names as systemd.journal-fields(7) has them. */
struct log_field {
	const char *name, *value;
};

/* Standard error; numbers unless it is a terminal. */
void log_init(struct log *log, enum log_level level);

void log_write(const struct log *log, enum log_level level, const char *format, ...)
	printf_like(3, 4);

#define LOG_JOURNAL "/run/systemd/journal/socket"

/*
 * From now on log_event() speaks to the journal at @path by its own protocol
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/), if standard error goes there: if it is what
 * $JOURNAL_STREAM says. @program is kept. Other lines go on through standard error.
 */
void log_open_journal(struct log *log, const char *path, const char *program);

/* A line like any other, and in the journal with @fields. @id: MESSAGE_ID, 32 hexadecimal digits.
 * At most 16 fields and 8 KB in all; fields beyond that are left out. */
void log_event(const struct log *log, enum log_level level, const char *id,
	const struct log_field *fields, size_t n, const char *format, va_list args)
	__attribute__((format(printf, 6, 0)));

/* "error", "warning", "notice", "info", "debug"; -1 for another name. */
int log_level_find(const char *name);

#define log_error(log, ...) log_write(log, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_write(log, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(log, ...) log_write(log, LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(log, ...) log_write(log, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write(log, LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
