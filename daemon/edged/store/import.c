/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/store/import.h"

#include <errno.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool import_same(const struct import_identity *a, const struct import_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
		same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

/* A time stamp in the future also counts as settled: the clock was set back, and it may take years
 * until it reaches that time again. */
bool import_settled(const struct import_identity *identity)
{
	const time_t resolution_s = 2; /* of the coarsest time stamps in use (FAT) */
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now); /* clock of file time stamps */
	return identity->changed.tv_sec < now.tv_sec - resolution_s ||
		identity->changed.tv_sec > now.tv_sec;
}

/* Follows links that stay below @folder, as Kubernetes volumes need them. Without openat2 (old
 * kernel, seccomp) follows none: @name is one component, without a slash and without a dot first,
 * so O_NOFOLLOW keeps it inside @folder. */
int import_open(int folder, const char *name, int flags, int *ret_fd)
{
	const int open_flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags;
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)open_flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EINVAL)) {
		fd = openat(folder, name, open_flags | O_NOFOLLOW);
	}
	if (fd < 0) {
		return -errno;
	}
	*ret_fd = fd;
	return 0;
}

int import_identify(int fd, struct import_identity *ret_identity)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode)) {
		return -EINVAL;
	}
	*ret_identity = (struct import_identity){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = st.st_size,
		.owner = st.st_uid,
		.modified = st.st_mtim,
		.changed = st.st_ctim,
	};
	return 0;
}

int import_open_file(
	int folder, const char *name, int *ret_fd, struct import_identity *ret_identity)
{
	owned_fd int fd = -1;
	int code = import_open(folder, name, 0, &fd);
	if (code == 0) {
		code = import_identify(fd, ret_identity);
	}
	if (code == 0) {
		*ret_fd = take_fd(fd);
	}
	return code;
}

int import_read(int fd, off_t at, off_t size, char **ret_bytes)
{
	owned_mem char *bytes = malloc((size_t)size + 1);
	if (!bytes) {
		return -ENOMEM;
	}
	const int code = file_read_at(fd, at, bytes, (size_t)size);
	if (code < 0) {
		return code;
	}
	bytes[size] = 0;
	*ret_bytes = take(bytes);
	return 0;
}
