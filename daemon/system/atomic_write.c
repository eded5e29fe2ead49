/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/put.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNFINISHED ".new"

void put_drop(int folder)
{
	unlinkat(folder, UNFINISHED, 0);
}

int put_begin(int folder, int *ret_fd)
{
	put_drop(folder); /* what a crash left */
	int fd = openat(
		folder, UNFINISHED, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return -errno;
	}
	*ret_fd = fd;
	return 0;
}

int put_end(int folder, int fd, const char *name, unsigned int mode)
{
	int code = fchmod(fd, mode) < 0 || fsync(fd) < 0 ||
			renameat(folder, UNFINISHED, folder, name) < 0
		? -errno
		: 0;
	if (code < 0) {
		put_drop(folder);
		return code;
	}
	return fsync(folder) < 0 ? -errno : 0;
}

int put_write(int fd, const void *data, size_t size)
{
	const char *at = data;
	while (size > 0) {
		ssize_t n = write(fd, at, size);
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

int put_bytes(int folder, const char *name, unsigned int mode, const void *data, size_t size)
{
	owned_fd int fd = -1;
	int code = put_begin(folder, &fd);
	if (code < 0) {
		return code;
	}
	code = put_write(fd, data, size);
	if (code < 0) {
		put_drop(folder);
		return code;
	}
	return put_end(folder, fd, name, mode);
}

int put_folder(int parent, const char *name, int *ret_folder)
{
	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder < 0) {
		return -errno;
	}
	*ret_folder = folder;
	return 0;
}
