/* SPDX-License-Identifier: Apache-2.0 */
/* reply_memory - a memory pool: a decoded reply and everything that it points to is freed at once */
#ifndef CLIENT_LIB_REPLY_MEMORY_H
#define CLIENT_LIB_REPLY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/wire/wire.h"

struct pool_block;

struct reply_memory {
	struct pool_block *blocks;
	bool failed; /* an allocation failed; the pool's content must not be used */
	max_align_t reply[]; /* the caller gets its address */
};

/* Creates a pool that contains a zeroed reply of @size bytes. NULL: no memory. */
struct reply_memory *reply_memory_new(size_t size);
/* Returns zeroed memory. Without memory: NULL, and pool->failed is set. */
void *reply_memory_get(struct reply_memory *pool, size_t n, size_t size);
/* Returns a copy with a zero byte at its end; without memory "" and pool->failed is set. */
const char *reply_memory_text(struct reply_memory *pool, struct wire_text text);
/* Frees the pool that contains @reply, which may be NULL. */
void reply_memory_free(void *reply);

#endif
