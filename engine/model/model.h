/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model - a file that has been judged, and the graph in it
 *
 * file (mapping) -> verify (every byte that is ever followed) -> build (graph). Immutable
 * afterwards. The mapping lives as long as the model, and so do all pointers of the graph and the
 * metadata. No weight is ever copied to the heap; what callers are told is (texts.h).
 */
#ifndef ENGINE_MODEL_MODEL_H
#define ENGINE_MODEL_MODEL_H

#include "base/error.h"
#include "engine/graph.h"
#include "engine/model/model_limits.h"
#include "engine/model/model_metadata.h"

struct model;

/*
 * Maps @fd (which stays the caller's) from its start; or takes @data, which stays the caller's.
 * -EBADMSG with "where: why" for a file that breaks a rule, -EFBIG beyond a limit, else what fstat
 * and mmap gave. Not refused here: operators that nobody knows (the planner does).
 */
int must_check model_open_fd(
	int fd, const struct model_limits *limits, struct model **ret_model, struct error *err);
int must_check model_open_bytes(const void *data, size_t size, const struct model_limits *limits,
	struct model **ret_model, struct error *err);
void model_free(struct model *model); /* NULL is fine */
DEFINE_OWNED(struct model *, model_free)

const struct graph *model_graph(const struct model *model);
const struct model_metadata *model_get_metadata(const struct model *model);
uint64_t model_file_bytes(const struct model *model);

/* What tells whether the disk gave all parts of the file (base/mapped.h). Borrowed, as long as @model. */
const struct mapped *model_mapped(const struct model *model);

/* Gives the mapping's pages back until somebody reads them: loading has touched more of them, and
 * all weights that were packed, than runs will. */
void model_forget_pages(const struct model *model);

#endif
