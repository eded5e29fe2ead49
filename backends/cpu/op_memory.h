/* SPDX-License-Identifier: Apache-2.0 */
/* op_memory - what prepared operators hold: blocks that are freed together, under one budget */
#ifndef BACKENDS_CPU_OP_MEMORY_H
#define BACKENDS_CPU_OP_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"

struct op_block;

struct op_memory {
	struct op_block *last;
	uint64_t bytes; /* taken so far, with the heads of blocks */
	uint64_t limit;
	bool over; /* a request was refused for the limit rather than for lack of memory */
};

/* Zeroed, 64-byte aligned; NULL when memory is out or @limit would be passed. */
void *op_memory_alloc(struct op_memory *memory, uint64_t bytes);
void op_memory_deinit(struct op_memory *memory);

#endif
