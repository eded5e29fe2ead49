/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define LINE_SIZE 1024
#define FIELDS_SIZE 8192

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_init(struct log *log, enum log_level level)
{
	log->fd = STDERR_FILENO;
	log->journal = -1;
	log->prefix_number = !isatty(STDERR_FILENO);
	atomic_init(&log->level, (int)level);
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

static bool is_wanted(const struct log *log, enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log->level, memory_order_relaxed);
}

static void write_line(
	const struct log *log, enum log_level level, const char *format, va_list args)
{
	char line[LINE_SIZE];
	int used = log->prefix_number ? snprintf(line, sizeof(line), "<%d>", (int)level)
				      : snprintf(line, sizeof(line), "%s: ", level_names[level]);
	int n = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, args);
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

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
	va_list args;
	if (is_wanted(log, level)) {
		va_start(args, format);
		write_line(log, level, format, args);
		va_end(args);
	}
}

/* ---- the journal */

/* True when standard error is what the service manager connected to the journal. */
static bool stderr_is_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device = 0, inode = 0;
	struct stat st;
	return text && sscanf(text, "%llu:%llu", &device, &inode) == 2 &&
		fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_open_journal(struct log *log, const char *path, const char *program)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (!stderr_is_journal() || strlen(path) >= sizeof(address.sun_path)) {
		return;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	owned_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
		log->program = program;
		log->journal = take_fd(fd);
	}
}

/* A datagram that is being put together. */
struct datagram {
	char bytes[FIELDS_SIZE];
	size_t size;
};

static void put(struct datagram *datagram, const void *bytes, size_t size)
{
	memcpy(datagram->bytes + datagram->size, bytes, size);
	datagram->size += size;
}

/* NAME=value, or where that has several lines: NAME, its length in 8 bytes, value. */
static void put_field(struct datagram *datagram, const char *name, const char *value)
{
	const size_t name_length = strlen(name), length = strlen(value);
	const uint64_t told = length; /* little endian, as this machine */
	if (name_length + length + sizeof(told) + 2 > sizeof(datagram->bytes) - datagram->size) {
		return;
	}
	put(datagram, name, name_length);
	if (strchr(value, '\n')) {
		put(datagram, "\n", 1);
		put(datagram, &told, sizeof(told));
	} else {
		put(datagram, "=", 1);
	}
	put(datagram, value, length);
	put(datagram, "\n", 1);
}

static bool journal_send(const struct log *log, enum log_level level, const char *id,
	const struct log_field *fields, size_t n, const char *message)
{
	struct datagram datagram = {.size = 0};
	char priority[4];
	snprintf(priority, sizeof(priority), "%d", (int)level);
	put_field(&datagram, "MESSAGE", message);
	put_field(&datagram, "MESSAGE_ID", id);
	put_field(&datagram, "PRIORITY", priority);
	put_field(&datagram, "SYSLOG_IDENTIFIER", log->program);
	for (size_t i = 0; i < n && i < 16; i++) {
		put_field(&datagram, fields[i].name, fields[i].value);
	}
	return send(log->journal, datagram.bytes, datagram.size, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

void log_event(const struct log *log, enum log_level level, const char *id,
	const struct log_field *fields, size_t n, const char *format, va_list args)
{
	char message[LINE_SIZE];
	va_list again;
	if (!is_wanted(log, level)) {
		return;
	}
	va_copy(again, args);
	if (log->journal < 0 || vsnprintf(message, sizeof(message), format, again) < 0 ||
		!journal_send(log, level, id, fields, n, message)) {
		write_line(log, level, format, args);
	}
	va_end(again);
}
