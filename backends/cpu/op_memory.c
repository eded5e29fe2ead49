/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/memory.h"

#include <string.h>

#include "base/bytes.h"

#define BLOCK_ALIGNMENT 64

struct op_block {
	struct op_block *previous;
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
	struct op_block *block =
		total <= SIZE_MAX / 2 ? aligned_alloc(BLOCK_ALIGNMENT, (size_t)total) : NULL;
	if (!block) {
		return NULL;
	}
	memset(block, 0, (size_t)total);
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
		free(block);
	}
	memory->bytes = 0;
}
