/* SPDX-License-Identifier: Apache-2.0 */
/* reply_memory - a memory pool: everything that a decoded reply points to is freed at once */
#ifndef CLIENT_LIB_REPLY_MEMORY_H
#define CLIENT_LIB_REPLY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/wire/wire.h"

struct pool_block;

/* Starts zeroed. */
struct reply_memory {
	struct pool_block *blocks;
	bool failed; /* an allocation failed; the pool's content must not be used */
};

/* Returns zeroed memory. Without memory: NULL, and pool->failed is set. */
void *reply_memory_get(struct reply_memory *pool, size_t n, size_t size);
/* Returns a copy with a zero byte at its end; without memory "" and pool->failed is set. */
const char *reply_memory_text(struct reply_memory *pool, struct wire_text text);
void reply_memory_free(struct reply_memory *pool);

#endif
