/* SPDX-License-Identifier: Apache-2.0 */
/* block - zeroed pages of memory that core dumps leave out: what users' tensors lie in */
#ifndef ENGINE_RUN_BLOCK_H
#define ENGINE_RUN_BLOCK_H

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/own.h"

#define BLOCK_PAGE_BYTES 4096

struct block {
	uint8_t *data; /* aligned to a page; NULL when empty */
	size_t bytes;
};

static inline void block_deinit(struct block *block)
{
	if (block->data) {
		munmap(block->data, block->bytes);
	}
	*block = (struct block){0};
}

/* An empty block gets @bytes, all zero; they take memory once they are touched. -ENOMEM. */
static inline int must_check block_init(struct block *block, uint64_t bytes)
{
	if (bytes == 0) {
		return 0;
	}
	if (bytes > SIZE_MAX / 2) {
		return -ENOMEM;
	}
	void *data = mmap(
		NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED) {
		return -ENOMEM;
	}
	/* Advice only: an old kernel that does not know it runs all the same. */
	(void)madvise(data, (size_t)bytes, MADV_DONTDUMP);
	*block = (struct block){data, (size_t)bytes};
	return 0;
}

#endif
