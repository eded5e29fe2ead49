/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packs - the packed weights of a model in a file: made at one load, mapped at the next
 *
 *   0    64                64 + ...
 *   head | bytes | weights | bytes | weights | ...    each part padded to a multiple of 64
 *
 * The blocks stand in the order in which the model's programs are compiled. The head says for what
 * they were made (the file's name is not believed) and has a checksum of all that follows. A file
 * that is missing, short, changed or of something else is made again: packed in memory, written, and
 * then mapped where the memory was. Pages of a file are clean: the kernel may drop them, and a model
 * that nobody asks costs no memory for its packed weights.
 *
 * One thread at a time, until packs_seal(); what the blocks hold does not change after it.
 */
#ifndef ENGINE_PLAN_PACKS_H
#define ENGINE_PLAN_PACKS_H

#include "base/error.h"
#include "base/mapped.h"
#include "engine/backend.h"

#define PACKS_KEY_BYTES 128 /* with the closing 0 */

struct packs {
	struct pack_memory memory; /* what programs take from; works on this very struct */
	uint8_t *data; /* NULL: there is no file, and nothing to take */
	uint64_t size, used; /* bytes mapped, and taken so far with the head */
	bool filled; /* at an earlier load */
	bool differs; /* from what the programs of this load asked for */
	bool in_file; /* what @data points to; memory else */
	struct mapped *note; /* of the file, for mapped_broken(); NULL for memory */
	bool making; /* until packs_seal(): a new one */
	int folder;
	char key[PACKS_KEY_BYTES];
};

/*
 * Maps file @key of @folder (a descriptor, which stays open until packs_keep()) if it was made for
 * @key, else begins a new one of at most @max_bytes. @key: no '/', shorter than PACKS_KEY_BYTES; NULL
 * makes a file that no other load finds. Where no file can be made, packed weights stay in memory:
 * that is no error.
 */
void packs_open(struct packs *packs, int folder, const char *key, uint64_t max_bytes);

/* All programs are compiled, and nothing is taken any more: what was not taken is given back. */
void packs_seal(struct packs *packs);

/*
 * Once, after packs_seal(): a new file is written and takes the memory's place, where it can be, and all
 * pages are given back until somebody reads them. Writing takes as long as packing, which is why the
 * first answer need not wait for it. -ENOMEM: what programs point to is gone.
 */
int must_check packs_keep(struct packs *packs);

/* What the file holds, or will. */
uint64_t packs_bytes(const struct packs *packs);

/* After the last program is freed. A zeroed one is fine. */
void packs_deinit(struct packs *packs);

#endif
