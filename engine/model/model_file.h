/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_file - the bytes of a model: a read-only mapping of a descriptor, or bytes that are lent
 *
 * A mapping is safe only while nobody can write or truncate the file: who opens it sees to that
 * (the store maps its own blobs). The kernel rounds the mapping up to its page size, whatever that
 * is; nothing beyond @size is ever read.
 */
#ifndef ENGINE_MODEL_MODEL_FILE_H
#define ENGINE_MODEL_MODEL_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mapped.h"

struct file {
	const uint8_t *data;
	uint32_t size;
	struct mapped *note; /* NULL for bytes that are lent */
	bool mapped;
};

/*
 * Maps @fd from its start; @fd stays the caller's and may be closed afterwards. -EBADMSG for what
 * is not a regular file or shorter than 8 bytes, -EFBIG above @limit or FLAT_MAX_BYTES, else what
 * fstat and mmap gave.
 */
int must_check file_map(int fd, uint64_t limit, struct file *ret_file, struct error *err);

/* @data stays the caller's and must outlive the file; aligned to 8 bytes, else -EINVAL. */
int must_check file_borrow(
	const void *data, size_t size, uint64_t limit, struct file *ret_file, struct error *err);

/* Pages of the mapping that nobody else uses are given back; they come again from the file when they
 * are read. Nothing for borrowed bytes. */
void file_forget(const struct file *file);

void file_deinit(struct file *file);

#endif
