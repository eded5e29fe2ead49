/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry - a way into a model: a signature of the file, or subgraph 0 by position
 *
 * Index 0 is the default; the file's signatures follow in its own order.
 */
#ifndef ENGINE_ENTRY_H
#define ENGINE_ENTRY_H

#include "engine/edge_info.h"
#include "engine/model/model.h"

enum entry_side {
	ENTRY_INPUTS,
	ENTRY_OUTPUTS
};

struct entry {
	const struct subgraph *subgraph;
	uint32_t subgraph_index;
	const struct signature *signature; /* NULL for the default */
};

/* False when @index is out of range. */
bool entry_find(const struct graph *graph, uint32_t index, struct entry *ret_entry);

uint32_t entry_count(const struct entry *entry, enum entry_side side);

/* The position in the subgraph's list of input or output @index of the entry; -1 when @index is out
 * of range or the subgraph does not have that tensor in its list. */
int64_t entry_position(const struct entry *entry, enum entry_side side, uint32_t index);

/* All of the entry's names stand for tensors in the subgraph's lists. */
bool entry_is_whole(const struct entry *entry);

/* All but what depends on shapes, for a position as above. The name is the signature's where there
 * is one. */
void entry_describe(const struct entry *entry, const struct model_metadata *metadata,
	enum entry_side side, uint32_t index, struct edge_tensor_info *ret_info);

#endif
