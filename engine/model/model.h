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

struct model_limits {
	uint64_t file_bytes; /* 0: 256 MiB */
	uint32_t nodes; /* over all subgraphs; 0: 100000 */
};

/* What TFLite metadata says of one input or output of subgraph 0; all empty where it says nothing.
 */
struct model_tensor_metadata {
	struct text name, description;
	struct text labels; /* content of the associated file of type TENSOR_AXIS_LABELS or
			       TENSOR_VALUE_LABELS */
	uint32_t n_mean, n_std;
	const float *mean, *std;
	bool has_content;
	uint8_t content, colour_space; /* ContentProperties union number; ColorSpaceType */
	float score_threshold; /* NaN when there is none */
};

struct model_metadata {
	struct text name, description, version, author, license;
	uint32_t n_inputs,
		n_outputs; /* as many as subgraph 0 has, or 0 when the file has no metadata */
	struct model_tensor_metadata *inputs, *outputs;
};

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
