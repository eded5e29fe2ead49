/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_in_place - which operands a run may read in memory that somebody else can write to meanwhile
 *
 * An input of the entered subgraph may be bound to memory that a client shares and writes to while
 * the run goes on. By default a session copies such an input before its run, so that no kernel sees
 * it change. An input is read where it is bound only if each node that reads it does so at an
 * operand that the list in read_in_place.c allows, by operator, operand and type.
 */
#ifndef ENGINE_PLAN_READ_IN_PLACE_H
#define ENGINE_PLAN_READ_IN_PLACE_H

#include "engine/graph.h"

struct read_in_place_row {
	uint16_t op; /* enum op */
	uint32_t operands; /* bit i: operand i may be read in place */
	uint32_t types; /* bit n: of enum dtype n */
};

/* The list, for tests. */
const struct read_in_place_row *read_in_place_rows(uint32_t *ret_count);

/* True where @node, which all of its shapes and parameters are known of at load, may read operand
 * @operand in memory that changes meanwhile. */
bool read_in_place_allowed(
	const struct subgraph *subgraph, const struct node *node, uint32_t operand);

#endif
