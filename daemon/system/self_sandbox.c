/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/confine_calls.h"

#define VERSION_WITH_REFER 2 /* before, no file may be moved between folders */
#define VERSION_WITH_TRUNCATE 3
#define VERSION_WITH_TCP 4
#define VERSION_WITH_IOCTL 5
#define VERSION_WITH_SCOPES 6

/* Of later kernels than the headers may be of. Source: linux/landlock.h of Linux 6.12. */
#define TRUNCATE (UINT64_C(1) << 14)
#define IOCTL_DEVICE (UINT64_C(1) << 15)
#define BIND_TCP (UINT64_C(1) << 0)
#define CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

struct ruleset {
	uint64_t files, tcp, scopes;
};

#define REMOVE (LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define MAKE                                                                                       \
	(LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define MAKE_SPECIAL                                                                               \
	(LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK |                             \
		LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK)
#define WRITE (LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE)
#define CHANGE (WRITE | REMOVE | MAKE | LANDLOCK_ACCESS_FS_REFER)
#define OF_FILES (LANDLOCK_ACCESS_FS_EXECUTE | WRITE)

/* ---- files */

/* 0 where there is none of use. */
static long landlock_version(void)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return version >= VERSION_WITH_REFER ? version : 0;
}

/* Reading is not handled, and so not restricted. */
static struct ruleset ruleset_of(long version)
{
	struct ruleset all = {.files = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
			REMOVE | MAKE | MAKE_SPECIAL | LANDLOCK_ACCESS_FS_REFER};
	all.files |= version >= VERSION_WITH_TRUNCATE ? TRUNCATE : 0;
	all.files |= version >= VERSION_WITH_IOCTL ? IOCTL_DEVICE : 0;
	all.tcp = version >= VERSION_WITH_TCP ? BIND_TCP | CONNECT_TCP : 0;
	all.scopes = version >= VERSION_WITH_SCOPES ? SCOPE_SIGNAL : 0;
	return all;
}

static size_t ruleset_bytes(long version)
{
	return version >= VERSION_WITH_SCOPES ? sizeof(struct ruleset)
		: version >= VERSION_WITH_TCP ? 2 * sizeof(uint64_t)
					      : sizeof(uint64_t);
}

/* What is not there, or not for this user, needs no leave. */
static bool is_missing(int code)
{
	return code == ENOENT || code == ENOTDIR || code == EACCES;
}

static int allow(int ruleset, uint64_t handled, const char *path, uint64_t rights)
{
	struct stat st;
	owned_fd int fd = path ? open(path, O_PATH | O_CLOEXEC) : -1;
	if (fd < 0) {
		return !path || is_missing(errno) ? 0 : -errno;
	}
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	rights &= S_ISDIR(st.st_mode) ? handled : handled & OF_FILES;
	const struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0
		? -errno
		: 0;
}

/* The folder that @path is in. */
static int allow_beside(int ruleset, uint64_t handled, const char *path, uint64_t rights)
{
	char folder[4096];
	if (!path || (size_t)snprintf(folder, sizeof(folder), "%s", path) >= sizeof(folder)) {
		return path ? -ENAMETOOLONG : 0;
	}
	char *end = strrchr(folder, '/');
	if (!end) {
		return allow(ruleset, handled, ".", rights);
	}
	end[end == folder] = 0;
	return allow(ruleset, handled, folder, rights);
}

static int allow_all(int ruleset, uint64_t handled, const struct confine_paths *paths)
{
	static const struct {
		const char *path;
		uint64_t rights;
	} always[] = {
		{"/dev/null", WRITE}, /* what a child gets */
		{"/proc/pressure", WRITE}, /* to be told of short memory */
		{"/sys/fs/cgroup", WRITE},
		{"/lib", LANDLOCK_ACCESS_FS_EXECUTE}, /* what loads a program */
		{"/lib64", LANDLOCK_ACCESS_FS_EXECUTE},
		{"/usr/lib", LANDLOCK_ACCESS_FS_EXECUTE},
	};
	int code = allow(ruleset, handled, paths->state, CHANGE);
	code = code ? code : allow(ruleset, handled, paths->program, LANDLOCK_ACCESS_FS_EXECUTE);
	code = code ? code : allow(ruleset, handled, paths->watch, WRITE);
	code = code ? code
		    : allow_beside(ruleset, handled, paths->socket,
			      LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE);
	for (size_t i = 0; code == 0 && i < sizeof(always) / sizeof(always[0]); i++) {
		code = allow(ruleset, handled, always[i].path, always[i].rights);
	}
	return code;
}

static int confine_files(const struct confine_paths *paths, long version)
{
	const struct ruleset all = ruleset_of(version);
	owned_fd int ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &all, ruleset_bytes(version), 0);
	int code = ruleset < 0 ? -errno : allow_all(ruleset, all.files, paths);
	if (code == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) {
		code = -errno;
	}
	return code;
}

/* ---- all of it */

/* A service manager's unit has done all of it. A filter alone may be a container's, which knows nothing of
 * edged's files. */
static bool of_a_unit(int mode)
{
	return mode > 0 && getenv("INVOCATION_ID");
}

int confine_enter(
	const struct confine_paths *paths, struct confine_result *ret_result, struct error *err)
{
	const int mode = prctl(PR_GET_SECCOMP, 0, 0, 0, 0); /* -1: the kernel has none */
	struct confine_result result = {.before = of_a_unit(mode), .filtered = mode > 0};
	const long version = landlock_version();
	int code = result.before || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
	if (code == 0 && !result.before && version > 0) {
		code = confine_files(paths, version);
		result.files = true;
	}
	if (code == 0 && mode == 0) {
		code = confine_calls();
		result.calls = true;
	}
	if (code < 0) {
		return error_set(err, code, "sandbox: %s", strerror(-code));
	}
	*ret_result = result;
	return 0;
}
