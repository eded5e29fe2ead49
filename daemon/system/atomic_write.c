/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/atomic_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNFINISHED ".new"

static int remove_within(int parent, const char *name, int depth);

/* Skips entries that cannot be removed: removing @folder itself then fails. */
static void empty(int folder, int depth)
{
	DIR *dir = fdopendir(folder);
	if (!dir) {
		own_close_fd(&folder);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			int code = remove_within(dirfd(dir), entry->d_name, depth);
			(void)code;
		}
	}
	closedir(dir);
}

static int remove_within(int parent, const char *name, int depth)
{
	if (unlinkat(parent, name, 0) == 0) {
		return 0;
	}
	if (errno != EISDIR) {
		return -errno;
	}
	const int folder = depth == 0
		? -1
		: openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder >= 0) {
		empty(folder, depth - 1);
	}
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int atomic_write_remove(int folder, const char *name)
{
	return remove_within(folder, name, ATOMIC_WRITE_DEPTH);
}

void atomic_write_drop(int folder)
{
	unlinkat(folder, UNFINISHED, 0);
}

int atomic_write_begin(int folder, int *ret_fd)
{
	atomic_write_drop(folder); /* temporary file from before a crash */
	int fd = openat(
		folder, UNFINISHED, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return -errno;
	}
	*ret_fd = fd;
	return 0;
}

int atomic_write_end(int folder, int fd, const char *name, unsigned int mode)
{
	int code = fchmod(fd, mode) < 0 || fsync(fd) < 0 ||
			renameat(folder, UNFINISHED, folder, name) < 0
		? -errno
		: 0;
	if (code < 0) {
		atomic_write_drop(folder);
		return code;
	}
	return fsync(folder) < 0 ? -errno : 0;
}

int atomic_write_all(int fd, const void *data, size_t size)
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

int atomic_write_bytes(
	int folder, const char *name, unsigned int mode, const void *data, size_t size)
{
	owned_fd int fd = -1;
	int code = atomic_write_begin(folder, &fd);
	if (code < 0) {
		return code;
	}
	code = atomic_write_all(fd, data, size);
	if (code < 0) {
		atomic_write_drop(folder);
		return code;
	}
	return atomic_write_end(folder, fd, name, mode);
}

int atomic_write_folder(int parent, const char *name, int *ret_folder)
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
