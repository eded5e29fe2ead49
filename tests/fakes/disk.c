/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fails, and a clock that is set: --wrap of pread64, renameat, unlinkat, mkdirat, openat64, statfs64, time and clock_gettime.
 *
 * In the folder $DISK: while "eio" is there, reading a file whose name begins with "eio" fails, with "eio-late"
 * behind its first block; while
 * "read-only" is there, nothing can be made, renamed or removed; while "hangs" is there, who asks what
 * file system something is on gets no answer, and makes "hanging"; what stands in "clock" are seconds by which the time of
 * day is another.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 512

ssize_t __real_pread64(int fd, void *p, size_t n, off_t at);
ssize_t __wrap_pread64(int fd, void *p, size_t n, off_t at);
int __real_openat64(int folder, const char *path, int flags, ...);
int __wrap_openat64(int folder, const char *path, int flags, ...);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags);
int __real_mkdirat(int folder, const char *name, mode_t mode);
int __wrap_mkdirat(int folder, const char *name, mode_t mode);
int __real_statfs64(const char *path, struct statfs *ret_fs);
int __wrap_statfs64(const char *path, struct statfs *ret_fs);
time_t __real_time(time_t *ret_seconds);
time_t __wrap_time(time_t *ret_seconds);
int __real_clock_gettime(clockid_t clock, struct timespec *ret_time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);

static bool fails(const char *what)
{
	char path[256];
	const char *disk = getenv("DISK");
	snprintf(path, sizeof(path), "%s/%s", disk ? disk : "/nonexistent", what);
	return access(path, F_OK) == 0;
}

static bool is_broken(int fd, off_t at)
{
	char path[64], name[512];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(path, name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = 0;
	const char *slash = strrchr(name, '/');
	const bool late = slash && strncmp(slash + 1, "eio-late", 8) == 0;
	return slash && strncmp(slash + 1, "eio", 3) == 0 && (!late || at >= BLOCK);
}

ssize_t __wrap_pread64(int fd, void *p, size_t n, off_t at)
{
	if (fails("eio") && is_broken(fd, at)) {
		errno = EIO;
		return -1;
	}
	return __real_pread64(fd, p, n, at);
}

int __wrap_openat64(int folder, const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
	va_end(rest);
	if ((flags & O_CREAT) && fails("read-only")) {
		errno = EROFS;
		return -1;
	}
	return __real_openat64(folder, path, flags, mode);
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	if (fails("read-only")) {
		errno = EROFS;
		return -1;
	}
	return __real_renameat(from_folder, from, to_folder, to);
}

int __wrap_unlinkat(int folder, const char *name, int flags)
{
	if (fails("read-only")) {
		errno = EROFS;
		return -1;
	}
	return __real_unlinkat(folder, name, flags);
}

int __wrap_mkdirat(int folder, const char *name, mode_t mode)
{
	if (fails("read-only")) {
		errno = EROFS;
		return -1;
	}
	return __real_mkdirat(folder, name, mode);
}

int __wrap_statfs64(const char *path, struct statfs *ret_fs)
{
	static const struct timespec wait = {.tv_nsec = 1000000};
	char name[256];
	const char *disk = getenv("DISK");
	snprintf(name, sizeof(name), "%s/hanging", disk ? disk : "/nonexistent");
	while (fails("hangs")) {
		close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		nanosleep(&wait, NULL);
	}
	return __real_statfs64(path, ret_fs);
}

static time_t set_by(void)
{
	char path[256], text[32] = "";
	const char *disk = getenv("DISK");
	snprintf(path, sizeof(path), "%s/clock", disk ? disk : "/nonexistent");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? (time_t)strtoll(text, NULL, 10) : 0;
}

time_t __wrap_time(time_t *ret_seconds)
{
	const time_t now = __real_time(NULL) + set_by();
	if (ret_seconds) {
		*ret_seconds = now;
	}
	return now;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	int code = __real_clock_gettime(clock, ret_time);
	if (code == 0 && clock == CLOCK_REALTIME) {
		ret_time->tv_sec += set_by();
	}
	return code;
}
