/* SPDX-License-Identifier: Apache-2.0 */
/* graph_build - from a verified file to a graph */
#ifndef ENGINE_MODEL_GRAPH_BUILD_H
#define ENGINE_MODEL_GRAPH_BUILD_H

#include "base/error.h"
#include "engine/graph.h"
#include "engine/model/flatbuffer.h"

/*
 * Builds the graph of the Model table @root, which verify_model() has approved. The graph is one
 * allocation, for free(); it points into @f's bytes. -ENOMEM, or -EBADMSG for two inputs or outputs
 * of a signature with the same name.
 */
int must_check graph_build(
	const struct flat *f, uint32_t root, struct graph **ret_graph, struct error *err);

#endif
