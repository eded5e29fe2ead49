/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/self_sandbox.h"

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

#include "daemon/system/self_sandbox_seccomp.h"

#define VERSION_WITH_REFER 2 /* earlier versions forbid renames between folders */
#define VERSION_WITH_TRUNCATE 3
#define VERSION_WITH_TCP 4
#define VERSION_WITH_IOCTL 5
#define VERSION_WITH_SCOPES 6

/* Constants that older headers lack. Source: linux/landlock.h of Linux 6.12. */
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

/* Returns 0 without Landlock, or with a version that is too old. */
static long landlock_version(void)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return version >= VERSION_WITH_REFER ? version : 0;
}

/* Read rights are not handled, so reading is unrestricted. */
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

/* Missing or inaccessible paths need no rule. */
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

/* Allows the folder of @path. */
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

static int allow_all(int ruleset, uint64_t handled, const struct self_sandbox_paths *paths)
{
	static const struct {
		const char *path;
		uint64_t rights;
	} always[] = {
		{"/dev/null", WRITE}, /* standard streams of a child */
		{"/proc/pressure", WRITE}, /* triggers for memory pressure */
		{"/sys/fs/cgroup", WRITE},
		{"/lib", LANDLOCK_ACCESS_FS_EXECUTE}, /* dynamic loader and libraries */
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

static int self_sandbox_files(const struct self_sandbox_paths *paths, long version)
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

/* ---- entry */

/* Returns true if a systemd unit has applied all restrictions. A filter alone can be a container's,
 * which does not restrict files for edged. */
static bool of_a_unit(int mode)
{
	return mode > 0 && getenv("INVOCATION_ID");
}

int self_sandbox_enter(const struct self_sandbox_paths *paths,
	struct self_sandbox_result *ret_result, struct error *err)
{
	const int mode = prctl(PR_GET_SECCOMP, 0, 0, 0, 0); /* -1: kernel without seccomp */
	struct self_sandbox_result result = {.before = of_a_unit(mode), .filtered = mode > 0};
	const long version = landlock_version();
	int code = result.before || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
	if (code == 0 && !result.before && version > 0) {
		code = self_sandbox_files(paths, version);
		result.files = true;
	}
	if (code == 0 && mode == 0) {
		code = self_sandbox_seccomp();
		result.calls = true;
	}
	if (code < 0) {
		return error_set(err, code, "sandbox: %s", strerror(-code));
	}
	*ret_result = result;
	return 0;
}
