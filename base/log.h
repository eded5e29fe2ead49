/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - one line per event, to standard error
 *
 * Levels are syslog's. For the journal a line starts with "<N>", as in sd-daemon(3); on a terminal
 * with the level's name. Callers escape untrusted text with error_escape(). Tensor contents are
 * never logged. Any thread.
 *
 * Writing never blocks on the reader of standard error: a line that does not fit is dropped and
 * counted, and the count precedes the next line that fits.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Destination of lines. Guarded by @mutex. */
struct log_output {
	pthread_mutex_t mutex;
	int fd; /* standard error, or a second descriptor of its file */
	bool blocks; /* @fd is standard error itself, and its flags stay unchanged */
	bool is_socket;
	bool in_line; /* the last write ended within a line */
	uint64_t lost; /* lines dropped since the last one written */
};

struct log {
	struct log_output *output; /* points to @own after log_init(); NULL: nothing is logged */
	/* enum log_level: less urgent lines are dropped; any thread may change it */
	atomic_int level;
	bool prefix_number; /* lines start with "<6>" instead of "info: " */
	int journal; /* socket of the journal for log_event(); -1: none */
	const char *program; /* SYSLOG_IDENTIFIER for the journal */
	struct log_output own;
};

/* Field of a journal entry, named as in systemd.journal-fields(7). */
struct log_field {
	const char *name, *value;
};

/*
 * Logs to standard error, with number prefixes unless it is a terminal. @log must not be copied or
 * moved afterwards. Flags of standard error stay unchanged, because other processes share them: a
 * pipe or terminal is opened again as non-blocking. Where that is denied, a poll(2) precedes each
 * write, which can then block only if another process fills the pipe in between.
 */
void log_init(struct log *log, enum log_level level);

void log_write(const struct log *log, enum log_level level, const char *format, ...)
	printf_like(3, 4);

#define LOG_JOURNAL "/run/systemd/journal/socket"

/* Makes log_event() write to the journal at @path (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/), if
 * $JOURNAL_STREAM names standard error. @program must stay valid. log_write() stays with standard
 * error. */
void log_open_journal(struct log *log, const char *path, const char *program);

/* Logs a line, in the journal with @fields. @id: MESSAGE_ID, 32 hexadecimal digits. At most 16
 * fields and 8 KB in total; further fields are left out. */
void log_event(const struct log *log, enum log_level level, const char *id,
	const struct log_field *fields, size_t n, const char *format, va_list args)
	__attribute__((format(printf, 6, 0)));

/* Returns the level of "error", "warning", "notice", "info" or "debug"; -1 for other names. */
int log_level_find(const char *name);
const char *log_level_name(int level);

#define log_error(log, ...) log_write(log, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_write(log, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(log, ...) log_write(log, LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(log, ...) log_write(log, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write(log, LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
