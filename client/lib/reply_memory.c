/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pool.h"

struct pool_block {
	struct pool_block *next;
	max_align_t data[];
};

void *pool_get(struct pool *pool, size_t n, size_t size)
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

const char *pool_text(struct pool *pool, struct wire_text text)
{
	char *copy = text.length ? pool_get(pool, (size_t)text.length + 1, 1) : NULL;
	if (!copy) {
		return "";
	}
	memcpy(copy, text.data, text.length);
	return copy;
}

void pool_free(struct pool *pool)
{
	for (struct pool_block *block = pool->blocks; block;) {
		struct pool_block *next = block->next;
		free(block);
		block = next;
	}
}
