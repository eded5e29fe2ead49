/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_init(struct log *log, enum log_level level)
{
	*log = (struct log){
		.fd = STDERR_FILENO, .level = level, .prefix_number = !isatty(STDERR_FILENO)};
}

int log_level_find(const char *name)
{
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		if (strcmp(level_names[i], name) == 0) {
			return i;
		}
	}
	return -1;
}

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
	if (level > log->level) {
		return;
	}
	char line[1024];
	int used = log->prefix_number ? snprintf(line, sizeof(line), "<%d>", (int)level)
				      : snprintf(line, sizeof(line), "%s: ", level_names[level]);
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, args);
	va_end(args);
	if (n < 0) {
		return;
	}
	size_t length = strlen(line);
	line[length++] = '\n';
	/* One write per line keeps lines of several threads apart. What standard error does not
	 * take is lost. */
	if (write(log->fd, line, length) < 0) {
		return;
	}
}
