/* SPDX-License-Identifier: Apache-2.0 */
/* pads - a PAD of codes whose result one window reads becomes padding of that window */
#ifndef BACKENDS_CPU_PADS_H
#define BACKENDS_CPU_PADS_H

#include "backends/cpu/chains.h"
#include "backends/cpu/op_memory.h"

/*
 * Finds them among @nodes, of which node and op are set: the PAD becomes inner, and its reader gets a
 * node of its own that reads what the PAD read, and prepared.pad. What a window sees outside of its
 * picture counts as the zero point, and so does what PAD writes: no bit changes.
 */
int must_check pads_fold(const struct compile_request *request, struct prepared *nodes,
	struct op_memory *memory, struct error *err);

#endif
