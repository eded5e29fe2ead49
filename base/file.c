/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)64 << 10)

int file_read_at(int fd, off_t at, void *ret_data, size_t size)
{
	for (size_t done = 0; done < size;) {
		const ssize_t n = pread(fd, (char *)ret_data + done, size - done, at + (off_t)done);
		if (n == 0 || (n < 0 && errno != EINTR)) {
			return n < 0 ? -errno : -EBUSY;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int file_write(int fd, const void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		const ssize_t n = write(fd, (const char *)data + done, size - done);
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

ssize_t file_read_in(int folder, const char *name, void *ret_data, size_t size)
{
	owned_fd int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	const ssize_t n = fd < 0 ? -1 : read(fd, ret_data, size);
	return n < 0 ? -errno : n;
}

int file_each_chunk(int fd, off_t at, off_t size, file_chunk_fn *chunk, void *context)
{
	owned_mem char *data = malloc(CHUNK);
	int code = data ? 0 : -ENOMEM;
	for (off_t done = 0; done < size && code == 0;) {
		const size_t n = size - done < (off_t)CHUNK ? (size_t)(size - done) : CHUNK;
		code = file_read_at(fd, at + done, data, n);
		code = code < 0 ? code : chunk(context, data, n);
		done += (off_t)n;
	}
	return code;
}

int file_each_entry(int folder, file_entry_fn *entry, void *context)
{
	const int fd = folder < 0 ? -1 : openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		const int code = folder < 0 ? -EBADF : -errno;
		if (fd >= 0) {
			close(fd);
		}
		return code;
	}
	int code = 0;
	errno = 0;
	for (const struct dirent *e; code == 0 && (e = readdir(dir)); errno = 0) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
			code = entry(context, e->d_name, e->d_type);
		}
	}
	code = code ? code : -errno;
	closedir(dir);
	return code;
}
