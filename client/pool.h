/* SPDX-License-Identifier: Apache-2.0 */
/* pool - memory that is freed together: what the struct of a reply points to */
#ifndef CLIENT_POOL_H
#define CLIENT_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/wire.h"

struct pool_block;

/* Zeroed at first. */
struct pool {
	struct pool_block *blocks;
	bool failed; /* no memory: whoever asked for some has got something else */
};

/* Zeroed; NULL and failed without memory. */
void *pool_get(struct pool *pool, size_t n, size_t size);
/* A copy with a zero byte at its end; "" without memory, so that nobody meets a NULL. */
const char *pool_text(struct pool *pool, struct wire_text text);
void pool_free(struct pool *pool);

#endif
