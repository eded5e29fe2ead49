/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define LINE_SIZE 1024 /* at most PIPE_BUF, so that a pipe takes a line whole or not at all */
#define FIELDS_SIZE 8192

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

/* ---- standard error */

/* Opens standard error again as non-blocking; -1 if that is impossible. */
static int reopen(void)
{
	struct stat st;
	const bool can_block =
		fstat(STDERR_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || isatty(STDERR_FILENO));
	return can_block ? open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
			 : -1;
}

void log_init(struct log *log, enum log_level level)
{
	struct stat st;
	const int fd = reopen();
	log->own = (struct log_output){.fd = fd >= 0 ? fd : STDERR_FILENO,
		.blocks = fd < 0,
		.is_socket = fstat(STDERR_FILENO, &st) == 0 && S_ISSOCK(st.st_mode)};
	pthread_mutex_init(&log->own.mutex, NULL);
	log->output = &log->own;
	log->journal = -1;
	log->prefix_number = !isatty(STDERR_FILENO);
	atomic_init(&log->level, (int)level);
}

/* Writes once, so that lines of several processes do not mix. Returns the bytes written; -1: no
 * space, or no reader. */
static ssize_t try_write(const struct log_output *output, const char *bytes, size_t size)
{
	struct pollfd room = {.fd = output->fd, .events = POLLOUT};
	if (output->is_socket) {
		return send(output->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	/* After poll(2) a pipe has space for PIPE_BUF bytes. */
	return output->blocks && poll(&room, 1, 0) <= 0 ? -1 : write(output->fd, bytes, size);
}

/* Returns false if nothing of the line was written. */
static bool write_bytes(struct log_output *output, const char *bytes, size_t size)
{
	if (output->in_line) {
		if (try_write(output, "\n", 1) != 1) {
			return false;
		}
		output->in_line = false;
	}
	const ssize_t n = try_write(output, bytes, size);
	output->in_line = n > 0 && (size_t)n < size;
	return n > 0;
}

/* Returns true if no lines are lost, or the count was written. */
static bool tell_lost(const struct log *log, struct log_output *output)
{
	char line[80];
	if (output->lost == 0) {
		return true;
	}
	const int n = snprintf(line, sizeof(line),
		"%s%" PRIu64 " lines lost: standard error was not read\n",
		log->prefix_number ? "<4>" : "warning: ", output->lost);
	if (!write_bytes(output, line, (size_t)n)) {
		return false;
	}
	output->lost = 0;
	return true;
}

/* @line has space for one more byte. */
static void put_line(const struct log *log, char *line)
{
	struct log_output *output = log->output;
	const size_t length = strlen(line);
	line[length] = '\n';
	pthread_mutex_lock(&output->mutex);
	if (!tell_lost(log, output) || !write_bytes(output, line, length + 1)) {
		output->lost++;
	}
	pthread_mutex_unlock(&output->mutex);
}

/* ---- lines */

int log_level_find(const char *name)
{
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		if (strcmp(level_names[i], name) == 0) {
			return i;
		}
	}
	return -1;
}

const char *log_level_name(int level)
{
	return level >= LOG_LEVEL_ERROR && level <= LOG_LEVEL_DEBUG ? level_names[level] : "info";
}

static bool is_wanted(const struct log *log, enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log->level, memory_order_relaxed);
}

static void __attribute__((format(printf, 3, 0)))
write_line(const struct log *log, enum log_level level, const char *format, va_list args)
{
	char line[LINE_SIZE];
	if (!log->output) {
		return;
	}
	int used = log->prefix_number ? snprintf(line, sizeof(line), "<%d>", (int)level)
				      : snprintf(line, sizeof(line), "%s: ", level_names[level]);
	int n = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, args);
	if (n < 0) {
		return;
	}
	put_line(log, line);
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

/* Returns true if standard error is the socket that the service manager connected to the
 * journal. */
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

/* A datagram in construction. */
struct datagram {
	char bytes[FIELDS_SIZE];
	size_t size;
};

static void put(struct datagram *datagram, const void *bytes, size_t size)
{
	memcpy(datagram->bytes + datagram->size, bytes, size);
	datagram->size += size;
}

/* Writes NAME=value, or for a value with several lines: NAME, its length in 8 bytes, value. */
static void put_field(struct datagram *datagram, const char *name, const char *value)
{
	const size_t name_length = strlen(name), length = strlen(value);
	const uint64_t told = length; /* little endian, like the machine */
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
