/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/import.h"

#include <errno.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#define CHUNK ((size_t)64 << 10)

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool import_same(const struct import_identity *a, const struct import_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
		same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

bool import_settled(const struct import_identity *identity)
{
	const time_t moment = 2; /* seconds: the coarsest stamps there are */
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now); /* what file systems stamp with */
	return identity->changed.tv_sec < now.tv_sec - moment ||
		identity->changed.tv_sec > now.tv_sec;
}

/*
 * @name is one component (the callers' grammar has no slash and no dot first), so O_NOFOLLOW alone
 * keeps the walk below @folder. openat2 adds that no magic link is followed either; where the
 * kernel or a filter does not have it the plain call is used.
 */
int import_open(int folder, const char *name, int flags, int *ret_fd)
{
	const int how_flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | flags;
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)how_flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EINVAL)) {
		fd = openat(folder, name, how_flags);
	}
	if (fd < 0) {
		return -errno;
	}
	*ret_fd = fd;
	return 0;
}

static int identify(int fd, struct import_identity *ret_identity)
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
		code = identify(fd, ret_identity);
	}
	if (code == 0) {
		*ret_fd = take_fd(fd);
	}
	return code;
}

int import_open_state(const char *path, int *ret_folder, struct error *err)
{
	owned_fd int state = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state < 0) {
		return error_set(err, -errno, "the state folder: %s", strerror(errno));
	}
	if (mkdirat(state, "blobs", 0700) < 0 && errno != EEXIST) {
		return error_set(err, -errno, "the state folder's blobs: %s", strerror(errno));
	}
	int folder = openat(state, "blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder < 0 || faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) < 0) {
		int code = -errno;
		own_close_fd(&folder);
		return error_set(err, code, "the state folder's blobs: %s", strerror(-code));
	}
	*ret_folder = folder;
	return 0;
}

/* A file without a name. File systems that cannot make one give it a name for a moment. */
static int unnamed(int folder)
{
	int fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0400);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) {
		return fd;
	}
	char name[32];
	snprintf(name, sizeof(name), "import.%d", (int)getpid());
	unlinkat(folder, name, 0);
	fd = openat(folder, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0400);
	if (fd >= 0) {
		unlinkat(folder, name, 0);
	}
	return fd;
}

static int in_memory(void)
{
#ifdef MFD_NOEXEC_SEAL
	int fd = memfd_create("edged-model", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (fd >= 0 || errno != EINVAL) {
		return fd;
	}
#endif
	return memfd_create("edged-model", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

/* Exactly @size bytes; -EBUSY when the file ends before. */
static int copy_bytes(int from, int to, off_t size)
{
	owned_mem char *chunk = malloc(CHUNK);
	if (!chunk) {
		return -ENOMEM;
	}
	for (off_t at = 0; at < size;) {
		size_t rest = (size_t)(size - at < (off_t)CHUNK ? size - at : (off_t)CHUNK);
		ssize_t n = pread(from, chunk, rest, at);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -EBUSY;
		}
		int code = write_all(to, chunk, (size_t)n);
		if (code < 0) {
			return code;
		}
		at += n;
	}
	return 0;
}

/* Clean pages: the data goes to the disk now, so that the kernel may drop them at any time. */
static int settle(int fd, bool memory)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	return (memory ? fcntl(fd, F_ADD_SEALS, seals) : fsync(fd)) < 0 ? -errno : 0;
}

static int copy(int fd, const struct import_identity *identity, int state_folder, int *ret_fd)
{
	owned_fd int to = state_folder >= 0 ? unnamed(state_folder) : in_memory();
	if (to < 0) {
		return -errno;
	}
	int code = 0;
	if (state_folder < 0 || ioctl(to, FICLONE, fd) < 0) {
		code = copy_bytes(fd, to, identity->size);
	}
	struct import_identity after, copied;
	if (code == 0) {
		code = identify(fd, &after);
	}
	if (code == 0) {
		code = identify(to, &copied);
	}
	if (code == 0 && (!import_same(identity, &after) || copied.size != identity->size)) {
		code = -EBUSY;
	}
	if (code == 0) {
		code = settle(to, state_folder < 0);
	}
	if (code == 0) {
		*ret_fd = take_fd(to);
	}
	return code;
}

int import_copy(int fd, const struct import_identity *identity, int state_folder,
	uint64_t max_bytes, int *ret_fd, struct error *err)
{
	if ((uint64_t)identity->size > max_bytes) {
		return error_set(err, -EFBIG, "the file has %llu bytes, the limit is %llu",
			(unsigned long long)identity->size, (unsigned long long)max_bytes);
	}
	int code = copy(fd, identity, state_folder, ret_fd);
	if (code == -EBUSY) {
		return error_set(err, code, "the file was changed while it was read");
	}
	return code == 0 ? 0 : error_set(err, code, "copying the file: %s", strerror(-code));
}
