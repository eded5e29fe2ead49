/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blobs - files by the digest of what is in them, which nobody changes
 *
 * A folder of 0444 files, each named by its SHA-256. One that is there is whole, or blobs_open()
 * finds out. Without a folder (-1) a blob is sealed memory: it lives as long as its descriptor and
 * is found by nobody.
 */
#ifndef DAEMON_BLOBS_H
#define DAEMON_BLOBS_H

#include "daemon/digest.h"
#include "daemon/import.h"

/*
 * Copies @fd, which has @identity, and hashes what was copied. *ret_fd reads the blob. -EFBIG above
 * @max_bytes, -EBUSY when the file was changed meanwhile, or what copying gave.
 */
int must_check blobs_import(int folder, int fd, const struct import_identity *identity,
	uint64_t max_bytes, struct digest *ret_digest, int *ret_fd, struct error *err);

/* The same of the @size bytes of @fd from @at on, which lie within @identity->size. */
int must_check blobs_import_part(int folder, int fd, const struct import_identity *identity,
	off_t at, off_t size, uint64_t max_bytes, struct digest *ret_digest, int *ret_fd,
	struct error *err);

/* A small blob from memory. Without a folder only the digest is told. */
int must_check blobs_put(int folder, const void *data, size_t size, struct digest *ret_digest);

/* Opens and hashes. -EBADMSG for one that is not what its name says, -ENOENT. */
int must_check blobs_open(int folder, const struct digest *digest, int *ret_fd);

/* True when the file system checks what it gives of it (fs-verity). */
bool blobs_sealed(int fd);

void blobs_remove(int folder, const struct digest *digest);

/* Moves one that the disk does not give, or not as it was, out of the way, so that nobody finds it and
 * its place on the disk is not used again: to folder "../quarantine", which keeps @BLOBS_QUARANTINE;
 * what is beyond that is removed. */
#define BLOBS_QUARANTINE 4
void blobs_quarantine(int folder, const struct digest *digest);

/* Removes every blob that @wanted does not want, and what else lies there. Returns how many. */
size_t blobs_sweep(
	int folder, bool (*wanted)(void *context, const struct digest *digest), void *context);

#endif
