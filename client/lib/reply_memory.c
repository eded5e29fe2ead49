/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lib/reply_memory.h"

struct pool_block {
	struct pool_block *next;
	max_align_t data[];
};

struct reply_memory *reply_memory_new(size_t size)
{
	return calloc(1, sizeof(struct reply_memory) + size);
}

void *reply_memory_get(struct reply_memory *pool, size_t n, size_t size)
{
	size_t bytes = 0;
	struct pool_block *block = NULL;
	if (!bytes_mul_overflows(n, size, &bytes) &&
		!bytes_add_overflows(bytes, sizeof(*block), &bytes)) {
		block = calloc(1, bytes);
	}
	if (!block) {
		pool->failed = true;
		return NULL;
	}
	block->next = pool->blocks;
	pool->blocks = block;
	return block->data;
}

const char *reply_memory_text(struct reply_memory *pool, struct wire_text text)
{
	char *copy = text.length ? reply_memory_get(pool, (size_t)text.length + 1, 1) : NULL;
	if (!copy) {
		return "";
	}
	memcpy(copy, text.data, text.length);
	return copy;
}

void reply_memory_free(void *reply)
{
	if (!reply) {
		return;
	}
	struct reply_memory *pool = (void *)((char *)reply - offsetof(struct reply_memory, reply));
	for (struct pool_block *block = pool->blocks; block;) {
		struct pool_block *next = block->next;
		free(block);
		block = next;
	}
	free(pool);
}
