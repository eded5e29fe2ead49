/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/atomic_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define UNFINISHED ".new"

static int remove_within(int parent, const char *name, int depth);

/* A folder that is being emptied. */
struct emptying {
	int folder, depth;
};

/* Skips entries that cannot be removed: removing the folder itself then fails. */
static int entry_remove(void *context, const char *name, unsigned char type)
{
	const struct emptying *emptying = context;
	const int code = remove_within(emptying->folder, name, emptying->depth);
	(void)code;
	(void)type;
	return 0;
}

static int remove_within(int parent, const char *name, int depth)
{
	if (unlinkat(parent, name, 0) == 0) {
		return 0;
	}
	if (errno != EISDIR) {
		return -errno;
	}
	owned_fd int folder = depth == 0
		? -1
		: openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct emptying emptying = {folder, depth - 1};
	const int code = file_each_entry(folder, entry_remove, &emptying);
	(void)code;
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

int atomic_write_bytes(
	int folder, const char *name, unsigned int mode, const void *data, size_t size)
{
	owned_fd int fd = -1;
	int code = atomic_write_begin(folder, &fd);
	if (code < 0) {
		return code;
	}
	code = file_write(fd, data, size);
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
