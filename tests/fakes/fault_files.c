/* SPDX-License-Identifier: Apache-2.0 */
/* What fault.h does, for calls that write files: --wrap of openat64, write, fsync and renameat. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/types.h>

#include "tests/fakes/fault.h"

int __real_openat64(int folder, const char *path, int flags, ...);
int __wrap_openat64(int folder, const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);

int __wrap_openat64(int folder, const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
	va_end(rest);
	if (fault_now()) {
		errno = EMFILE;
		return -1;
	}
	return __real_openat64(folder, path, flags, mode);
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	if (fault_now()) {
		errno = ENOSPC;
		return -1;
	}
	return __real_write(fd, p, n);
}

int __wrap_fsync(int fd)
{
	if (fault_now()) {
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	if (fault_now()) {
		errno = EIO;
		return -1;
	}
	return __real_renameat(from_folder, from, to_folder, to);
}
