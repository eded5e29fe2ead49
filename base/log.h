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

#include <stdbool.h>

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
	enum log_level level; /* lines above it are dropped */
	bool prefix_number; /* "<6>" rather than "info: " */
};

/* Standard error; numbers unless it is a terminal. */
void log_init(struct log *log, enum log_level level);

void log_write(const struct log *log, enum log_level level, const char *format, ...)
	printf_like(3, 4);

/* "error", "warning", "notice", "info", "debug"; -1 for another name. */
int log_level_find(const char *name);

#define log_error(log, ...) log_write(log, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_write(log, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(log, ...) log_write(log, LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(log, ...) log_write(log, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write(log, LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
