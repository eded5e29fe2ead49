/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/store/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "daemon/system/atomic_write.h"

#define MAX_BYTES ((off_t)64 << 10)

/* Reads the last @size bytes, or the whole file, without a partial first line. */
static int tail_read(int fd, size_t size, char **ret_text, size_t *ret_length)
{
	struct stat st;
	owned_mem char *text = malloc(size);
	if (!text) {
		return -ENOMEM;
	}
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	off_t at = st.st_size < (off_t)size ? 0 : st.st_size - (off_t)size + 1;
	ssize_t n = pread(fd, text, size - 1, at);
	if (n < 0) {
		return -errno;
	}
	text[n] = 0;
	const char *first = at > 0 ? strchr(text, '\n') : text - 1;
	size_t skip = first ? (size_t)(first + 1 - text) : (size_t)n;
	memmove(text, text + skip, (size_t)n - skip + 1);
	*ret_length = (size_t)n - skip;
	*ret_text = take(text);
	return 0;
}

static void shorten(int folder, const char *name, int fd)
{
	struct stat st;
	owned_mem char *text = NULL;
	size_t length = 0;
	if (fstat(fd, &st) == 0 && st.st_size > MAX_BYTES &&
		tail_read(fd, (size_t)MAX_BYTES / 2, &text, &length) == 0) {
		int code = atomic_write_bytes(folder, name, 0600, text, length);
		(void)code; /* the file keeps its length */
	}
}

void history_add(int folder, const char *name, const char *text)
{
	char line[HISTORY_LINE + 32];
	struct tm now;
	time_t seconds = time(NULL);
	gmtime_r(&seconds, &now);
	size_t n = strftime(line, 32, "%Y-%m-%dT%H:%M:%SZ", &now);
	int length = snprintf(line + n, sizeof(line) - n, " %s\n", text);
	owned_fd int fd =
		openat(folder, name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && length > 0 && file_write(fd, line, strlen(line)) == 0) {
		shorten(folder, name, fd);
	}
}

int history_read(int folder, const char *name, size_t size, char **ret_text, struct error *err)
{
	size_t length = 0;
	owned_fd int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int code = fd < 0 ? -errno : tail_read(fd, size, ret_text, &length);
	if (code == -ENOENT) {
		*ret_text = calloc(1, 1);
		code = *ret_text ? 0 : -ENOMEM;
	}
	return code == 0 ? 0 : error_set(err, code, "the history: %s", strerror(-code));
}
