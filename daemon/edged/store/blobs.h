/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blobs - immutable files named by their SHA-256
 *
 * A folder of files with mode 0444. blobs_open() verifies a file's digest. Without a folder (-1) a
 * blob is sealed memory, which lives as long as its descriptor and cannot be opened again.
 */
#ifndef DAEMON_EDGED_STORE_BLOBS_H
#define DAEMON_EDGED_STORE_BLOBS_H

#include "daemon/edged/store/import.h"
#include "daemon/system/digest.h"

/* Copies the @size bytes of @fd at offset @at, which lie within @identity->size, and hashes the
 * copy. @identity: of @fd. *ret_fd reads the blob. -EFBIG above @max_bytes, -EBUSY if the file
 * changed meanwhile, or an error of the copy. */
int must_check blobs_import(int folder, int fd, const struct import_identity *identity, off_t at,
	off_t size, uint64_t max_bytes, struct digest *ret_digest, int *ret_fd, struct error *err);

/* Stores a small blob from memory. Without a folder it only computes the digest. */
int must_check blobs_put(int folder, const void *data, size_t size, struct digest *ret_digest);

/* Opens a blob and verifies its digest. -EBADMSG if the content does not match, -ENOENT. */
int must_check blobs_open(int folder, const struct digest *digest, int *ret_fd);

/* Returns true if the file system verifies each read of the file (fs-verity). */
bool blobs_sealed(int fd);

void blobs_remove(int folder, const struct digest *digest);

/* Moves a damaged blob to "../quarantine", so that it is not found and its disk blocks are not used
 * again. Quarantine keeps BLOBS_QUARANTINE files; others are removed. */
#define BLOBS_QUARANTINE 4
void blobs_quarantine(int folder, const struct digest *digest);

/* Moves a folder named like blob @digest to quarantine, because it blocks the blob's place. */
void blobs_clear(int folder, const struct digest *digest);

/* Removes all entries but the blobs for which @wanted is true. Returns how many. */
size_t blobs_sweep(
	int folder, bool (*wanted)(void *context, const struct digest *digest), void *context);

#endif
