/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/store/blobs.h"

#include <errno.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/system/atomic_write.h"

#define BLOB_MODE 0444 /* files in a folder with mode 0700 */

static int in_memory(int *ret_fd)
{
	int fd = -1;
#ifdef MFD_NOEXEC_SEAL
	fd = memfd_create("edged-model", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
#endif
	if (fd < 0) {
		fd = memfd_create("edged-model", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	}
	*ret_fd = fd;
	return fd < 0 ? -errno : 0;
}

/* A copy that is being made. */
struct copying {
	int to;
	struct digest_stream *stream;
};

static int chunk_copy(void *context, const void *data, size_t size)
{
	const struct copying *copying = context;
	digest_stream_add(copying->stream, data, size);
	return file_write(copying->to, data, size);
}

/* Byte range to copy. */
struct part {
	int fd;
	const struct import_identity *identity; /* identity of the whole file */
	off_t at, size;
};

/* Hashes the copied bytes, never the original. */
static int copy_hashed(const struct part *from, int to, bool memory, struct digest *ret_digest)
{
	const bool whole = from->at == 0 && from->size == from->identity->size;
	if (!memory && whole && ioctl(to, FICLONE, from->fd) == 0) {
		return digest_of_file(to, from->size, ret_digest);
	}
	owned(digest_stream_free) struct digest_stream *stream = NULL;
	int code = digest_stream_new(&stream);
	if (code == 0) {
		struct copying copying = {to, stream};
		code = file_each_chunk(from->fd, from->at, from->size, chunk_copy, &copying);
	}
	if (code == 0) {
		*ret_digest = digest_stream_end(stream);
	}
	return code;
}

static int copy(const struct part *from, int to, bool memory, struct digest *ret_digest)
{
	struct import_identity after, copied;
	int code = copy_hashed(from, to, memory, ret_digest);
	if (code == 0) {
		code = import_identify(from->fd, &after);
	}
	if (code == 0) {
		code = import_identify(to, &copied);
	}
	if (code == 0 && (!import_same(from->identity, &after) || copied.size != from->size)) {
		code = -EBUSY;
	}
	return code;
}

/* Names or seals the blob. Data are synced, so that the kernel can drop the pages. */
static int settle(int folder, int fd, const struct digest *digest)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	char name[DIGEST_TEXT_SIZE];
	if (folder >= 0) {
		blobs_clear(folder, digest);
		return atomic_write_end(folder, fd, digest_to_hex(digest, name), BLOB_MODE);
	}
	return fcntl(fd, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

/* Reopens the blob read-only, so that nobody can write through the descriptor. */
static int reopen(int folder, const struct digest *digest, int *fd)
{
	char name[DIGEST_TEXT_SIZE];
	if (folder < 0) {
		return 0;
	}
	int again = openat(folder, digest_to_hex(digest, name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (again < 0) {
		return -errno;
	}
	own_close_fd(fd);
	*fd = again;
	return 0;
}

/* Turns on fs-verity, if the file system has it: corrupted data then give a read error instead of
 * wrong weights. Source: Documentation/filesystems/fsverity.rst. */
static void seal(int fd)
{
	const struct fsverity_enable_arg how = {
		.version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256, .block_size = 4096};
	int code = ioctl(fd, FS_IOC_ENABLE_VERITY, &how);
	(void)code; /* most file systems lack it, or have it off */
}

bool blobs_sealed(int fd)
{
	struct statx st;
	return statx(fd, "", AT_EMPTY_PATH, 0, &st) == 0 &&
		(st.stx_attributes & STATX_ATTR_VERITY) != 0;
}

static int import_new(int folder, const struct part *from, struct digest *ret_digest, int *ret_fd)
{
	owned_fd int to = -1;
	struct digest digest;
	int code = folder >= 0 ? atomic_write_begin(folder, &to) : in_memory(&to);
	if (code < 0) {
		return code;
	}
	code = copy(from, to, folder < 0, &digest);
	if (code < 0) {
		atomic_write_drop(folder);
		return code;
	}
	code = settle(folder, to, &digest);
	if (code == 0) {
		code = reopen(folder, &digest, &to);
	}
	if (code == 0 && folder >= 0) {
		seal(to);
	}
	if (code == 0) {
		*ret_digest = digest;
		*ret_fd = take_fd(to);
	}
	return code;
}

int blobs_import(int folder, int fd, const struct import_identity *identity, off_t at, off_t size,
	uint64_t max_bytes, struct digest *ret_digest, int *ret_fd, struct error *err)
{
	const struct part from = {.fd = fd, .identity = identity, .at = at, .size = size};
	if ((uint64_t)size > max_bytes) {
		return error_set(err, -EFBIG, "the file has %llu bytes, the limit is %llu",
			(unsigned long long)size, (unsigned long long)max_bytes);
	}
	int code = import_new(folder, &from, ret_digest, ret_fd);
	if (code == -EBUSY) {
		return error_set(err, code, "the file was changed while it was read");
	}
	return code == 0 ? 0 : error_set(err, code, "copying the file: %s", strerror(-code));
}

int blobs_put(int folder, const void *data, size_t size, struct digest *ret_digest)
{
	char name[DIGEST_TEXT_SIZE];
	*ret_digest = digest_of(data, size);
	digest_to_hex(ret_digest, name);
	blobs_clear(folder, ret_digest);
	if (folder < 0 || faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		return 0;
	}
	return atomic_write_bytes(folder, name, BLOB_MODE, data, size);
}

int blobs_open(int folder, const struct digest *digest, int *ret_fd)
{
	char name[DIGEST_TEXT_SIZE];
	struct import_identity identity;
	struct digest found;
	owned_fd int fd = folder < 0 ? -1
				     : openat(folder, digest_to_hex(digest, name),
					       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		return folder < 0 ? -ENOENT : -errno;
	}
	int code = import_identify(fd, &identity);
	if (code == 0) {
		code = digest_of_file(fd, identity.size, &found);
	}
	if (code == 0 && !digest_equal(&found, digest)) {
		code = -EBADMSG;
	}
	if (code == 0) {
		*ret_fd = take_fd(fd);
	}
	return code;
}

void blobs_remove(int folder, const struct digest *digest)
{
	char name[DIGEST_TEXT_SIZE];
	int code = atomic_write_remove(folder, digest_to_hex(digest, name));
	(void)code;
}

static int file_count(void *context, const char *name, unsigned char type)
{
	unsigned int *n = context;
	(void)type;
	*n += name[0] != '.';
	return 0;
}

static unsigned int files_count(int folder)
{
	unsigned int n = 0;
	const int code = file_each_entry(folder, file_count, &n);
	return code < 0 ? 0 : n;
}

void blobs_quarantine(int folder, const struct digest *digest)
{
	char name[DIGEST_TEXT_SIZE];
	owned_fd int quarantine = -1;
	if (folder < 0) {
		return;
	}
	if (atomic_write_folder(folder, "../quarantine", &quarantine) < 0 ||
		files_count(quarantine) >= BLOBS_QUARANTINE ||
		renameat(folder, digest_to_hex(digest, name), quarantine, name) < 0) {
		blobs_remove(folder, digest);
	}
}

void blobs_clear(int folder, const struct digest *digest)
{
	char name[DIGEST_TEXT_SIZE];
	struct stat st;
	if (folder >= 0 &&
		fstatat(folder, digest_to_hex(digest, name), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(st.st_mode)) {
		blobs_quarantine(folder, digest);
	}
}

struct sweep {
	int folder;
	bool (*wanted)(void *context, const struct digest *digest);
	void *context;
	size_t n; /* removed files */
};

static int blob_sweep(void *context, const char *name, unsigned char type)
{
	struct sweep *sweep = context;
	struct digest digest;
	(void)type;
	if (!digest_parse(name, &digest) || !sweep->wanted(sweep->context, &digest)) {
		sweep->n += atomic_write_remove(sweep->folder, name) == 0;
	}
	return 0;
}

size_t blobs_sweep(
	int folder, bool (*wanted)(void *context, const struct digest *digest), void *context)
{
	struct sweep sweep = {.folder = folder, .wanted = wanted, .context = context};
	const int code = file_each_entry(folder, blob_sweep, &sweep);
	(void)code; /* the next start sweeps the rest */
	return sweep.n;
}
