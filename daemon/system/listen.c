/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/listen.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int address_fill(const char *path, struct sockaddr_un *ret_address, struct error *err)
{
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	size_t length = strlen(path);
	if (length == 0 || length >= sizeof(ret_address->sun_path)) {
		return error_set(err, -EINVAL, "the socket's path has %zu bytes, 1 to %zu may be",
			length, sizeof(ret_address->sun_path) - 1);
	}
	memcpy(ret_address->sun_path, path, length);
	return 0;
}

static bool somebody_answers(const struct sockaddr_un *address)
{
	owned_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* EAGAIN: a busy process listens there. */
	return fd >= 0 &&
		(connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
			errno == EAGAIN);
}

static int remove_stale(const struct sockaddr_un *address, struct error *err)
{
	struct stat st;
	if (lstat(address->sun_path, &st) < 0) {
		return errno == ENOENT ? 0 : error_set(err, -errno, "socket: %s", strerror(errno));
	}
	if (!S_ISSOCK(st.st_mode)) {
		return error_set(err, -EEXIST, "the socket's path is taken by another file");
	}
	if (somebody_answers(address)) {
		return error_set(err, -EADDRINUSE, "another edged answers at the socket");
	}
	if (unlink(address->sun_path) < 0) {
		return error_set(err, -errno, "the old socket: %s", strerror(errno));
	}
	return 0;
}

/* Reads only /etc/group, because the name service would load its libraries. */
static gid_t group_find(const char *name)
{
	gid_t gid = (gid_t)-1;
	FILE *file = fopen("/etc/group", "re");
	if (!file) {
		return gid;
	}
	for (struct group *group; gid == (gid_t)-1 && (group = fgetgrent(file));) {
		gid = strcmp(group->gr_name, name) == 0 ? group->gr_gid : gid;
	}
	fclose(file);
	return gid;
}

static int file_prepare(const char *path, mode_t mode, const char *group,
	struct listen_file *ret_file, struct error *err)
{
	struct stat st;
	gid_t gid = group_find(group);
	/* EINVAL: the group does not exist in this user namespace. */
	if (gid != (gid_t)-1 && chown(path, (uid_t)-1, gid) < 0 && errno != EPERM &&
		errno != EINVAL) {
		return error_set(err, -errno, "the socket's group: %s", strerror(errno));
	}
	if (chmod(path, mode) < 0 || lstat(path, &st) < 0) {
		return error_set(err, -errno, "the socket's permissions: %s", strerror(errno));
	}
	*ret_file = (struct listen_file){.device = st.st_dev, .inode = st.st_ino};
	return 0;
}

int listen_open(const char *path, mode_t mode, const char *group, int *ret_fd,
	struct listen_file *ret_file, struct error *err)
{
	struct sockaddr_un address;
	int code = address_fill(path, &address, err);
	if (code == 0) {
		code = remove_stale(&address, err);
	}
	if (code < 0) {
		return code;
	}
	owned_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before = umask(0777); /* nobody can connect before the permissions are set */
	code = fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(before);
	if (code < 0) {
		return error_set(err, code, "socket: %s", strerror(-code));
	}
	code = file_prepare(path, mode, group, ret_file, err);
	if (code == 0) {
		*ret_fd = take_fd(fd);
	}
	return code;
}

void listen_remove(const char *path, const struct listen_file *file)
{
	struct stat st;
	if (lstat(path, &st) == 0 && st.st_dev == file->device && st.st_ino == file->inode) {
		unlink(path);
	}
}
