/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends the process as SIGKILL does, at a call that writes to the file system: --wrap of write, fsync,
 * fchmod, ftruncate64, posix_fallocate64, ioctl (clones, fs-verity), renameat, unlinkat, mkdirat, and openat64
 * where it creates.
 *
 * $CRASH_CALL says at which of them, counted from 1; none if it is 0 or not set. $CRASH_HOW: "before"
 * it, "after" it, or "half": a write of which half is done, another call not at all.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/fsverity.h>

static atomic_ulong calls;
static unsigned long target;
static bool after, half;

int __real_openat64(int folder, const char *path, int flags, ...);
int __wrap_openat64(int folder, const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __real_ftruncate64(int fd, off_t size);
int __wrap_ftruncate64(int fd, off_t size);
int __real_posix_fallocate64(int fd, off_t at, off_t size);
int __wrap_posix_fallocate64(int fd, off_t at, off_t size);
int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags);
int __real_mkdirat(int folder, const char *name, mode_t mode);
int __wrap_mkdirat(int folder, const char *name, mode_t mode);

__attribute__((constructor)) static void start(void)
{
	const char *call = getenv("CRASH_CALL"), *how = getenv("CRASH_HOW");
	target = call ? strtoul(call, NULL, 10) : 0;
	after = how && strcmp(how, "after") == 0;
	half = how && strcmp(how, "half") == 0;
}

/* True when it is to end behind this call. */
static bool due(void)
{
	if (atomic_fetch_add(&calls, 1) + 1 != target) {
		return false;
	}
	if (!after && !half) {
		kill(getpid(), SIGKILL);
	}
	return true;
}

static int end(int result)
{
	kill(getpid(), SIGKILL);
	return result;
}

int __wrap_openat64(int folder, const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
	va_end(rest);
	bool last = (flags & O_CREAT) && due();
	int fd = last && half ? -1 : __real_openat64(folder, path, flags, mode);
	return last ? end(fd) : fd;
}

/* Lines of the log go to a pipe. */
static bool is_file(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	bool last = fd > STDERR_FILENO && is_file(fd) && due();
	ssize_t done = __real_write(fd, p, last && half ? n / 2 : n);
	return last ? end(0) : done;
}

int __wrap_fsync(int fd)
{
	bool last = due();
	int code = last && half ? -1 : __real_fsync(fd);
	return last ? end(code) : code;
}

int __wrap_fchmod(int fd, mode_t mode)
{
	bool last = due();
	int code = last && half ? -1 : __real_fchmod(fd, mode);
	return last ? end(code) : code;
}

int __wrap_ftruncate64(int fd, off_t size)
{
	bool last = due();
	int code = last && half ? -1 : __real_ftruncate64(fd, size);
	return last ? end(code) : code;
}

int __wrap_posix_fallocate64(int fd, off_t at, off_t size)
{
	bool last = due();
	int code = __real_posix_fallocate64(fd, at, last && half ? size / 2 : size);
	return last ? end(code) : code;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list rest;
	va_start(rest, request);
	void *argument = va_arg(rest, void *);
	va_end(rest);
	bool writes = request == FICLONE || request == FS_IOC_ENABLE_VERITY;
	bool last = writes && due();
	int code = last && half ? -1 : __real_ioctl(fd, request, argument);
	return last ? end(code) : code;
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	bool last = due();
	int code = last && half ? -1 : __real_renameat(from_folder, from, to_folder, to);
	return last ? end(code) : code;
}

int __wrap_unlinkat(int folder, const char *name, int flags)
{
	bool last = due();
	int code = last && half ? -1 : __real_unlinkat(folder, name, flags);
	return last ? end(code) : code;
}

int __wrap_mkdirat(int folder, const char *name, mode_t mode)
{
	bool last = due();
	int code = last && half ? -1 : __real_mkdirat(folder, name, mode);
	return last ? end(code) : code;
}
