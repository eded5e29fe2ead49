/* SPDX-License-Identifier: Apache-2.0 */
/* sparsity - the lists of a sparse tensor's levels as the file has them: 8, 16 or 32 bits wide */
#ifndef ENGINE_MODEL_SPARSITY_H
#define ENGINE_MODEL_SPARSITY_H

#include "engine/graph.h"
#include "engine/model/flatbuffer.h"

/* Of a DimensionMetadata table; no element where the list is missing or of an unknown kind. */
struct sparse_list sparsity_segments(const struct flat *f, uint32_t level);
struct sparse_list sparsity_indices(const struct flat *f, uint32_t level);

#endif
