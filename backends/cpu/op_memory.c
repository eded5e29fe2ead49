/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/op_memory.h"

#include <stdlib.h>

#include "base/bytes.h"

#define BLOCK_ALIGNMENT 64

struct op_block {
	struct op_block *previous;
	void *start; /* that calloc() gave */
	_Alignas(BLOCK_ALIGNMENT) uint8_t data[];
};

void *op_memory_alloc(struct op_memory *memory, uint64_t bytes)
{
	uint64_t left = memory->limit - memory->bytes;
	uint64_t total = sizeof(struct op_block) + bytes_align_up(bytes, BLOCK_ALIGNMENT);
	if (bytes > left || total > left) {
		memory->over = true;
		return NULL;
	}
	/* Large blocks of calloc() are zero without being written: a run cannot be cancelled here. */
	void *start = total <= SIZE_MAX / 2 ? calloc(1, (size_t)total + BLOCK_ALIGNMENT) : NULL;
	if (!start) {
		return NULL;
	}
	struct op_block *block =
		(struct op_block *)(uintptr_t)bytes_align_up((uintptr_t)start, BLOCK_ALIGNMENT);
	block->start = start;
	block->previous = memory->last;
	memory->last = block;
	memory->bytes += total;
	return block->data;
}

void op_memory_deinit(struct op_memory *memory)
{
	while (memory->last) {
		struct op_block *block = memory->last;
		memory->last = block->previous;
		free(block->start);
	}
	memory->bytes = 0;
}
