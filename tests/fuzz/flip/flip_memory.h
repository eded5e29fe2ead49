/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip_memory - memory of sessions between guard pages, filled with poison; operands that another
 * process can change
 *
 * flip is linked with --wrap=mmap64 and --wrap=munmap: after flip_memory_poison() each block of
 * engine/run/block.h lies between guards and is full of poison in place of zeros. A read or a write
 * outside of it faults.
 */
#ifndef TESTS_FUZZ_FLIP_MEMORY_H
#define TESTS_FUZZ_FLIP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLIP_POISON UINT64_C(0xc96a3f5be1d2847b)
#define FLIP_POISON_RUN 6 /* bytes: random ones look so once in 3e13 places */

/* Where an operand stands in its pages. */
enum flip_placement {
	FLIP_AT_END, /* the guard follows the operand, less what 16-byte alignment leaves */
	FLIP_AT_START, /* the guard stands directly before the operand */
	FLIP_PLACEMENTS
};

/* Memory that a client shares: the session reads @bound, the client writes to @view. */
struct flip_shared {
	const uint8_t *bound; /* read-only, between guards */
	uint8_t *view;
	uint64_t bytes;
	size_t room;
	uint8_t *reserved; /* start of the guard before @bound */
};

/* Blocks that are mapped from now on are guarded and poisoned. Exits where that is impossible. */
void flip_memory_poison(void);

/* @bytes of zeros. False where nothing can be mapped. */
bool flip_memory_share(struct flip_shared *shared, uint64_t bytes, enum flip_placement placement);
void flip_memory_unshare(struct flip_shared *shared);

/* @bytes of zeros that forked processes share; munmap() frees them. Exits where that is impossible. */
void *flip_memory_map(size_t bytes);

/* The first of the @room bytes of whole pages that @bound lies in. */
uint8_t *flip_memory_pages(const struct flip_shared *shared);

/* The first place in @data where FLIP_POISON_RUN bytes of poison stand, or @bytes. */
uint64_t flip_memory_find_poison(const uint8_t *data, uint64_t bytes);

#endif
