/* SPDX-License-Identifier: Apache-2.0 */
/* edge_info - what edge.h tells of a model: its inputs and outputs, and the steps of its plan */
#ifndef ENGINE_EDGE_INFO_H
#define ENGINE_EDGE_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/graph.h"

struct edge_tensor_info {
	struct text
		name; /* the signature's name where a signature is asked for, else the tensor's */
	uint8_t type; /* enum dtype */
	struct shape shape; /* as planned at load, every dimension known (declared -1 counts as 1),
			       unless @run_time_shape */
	struct shape declared; /* as in the file, -1 where free */
	bool run_time_shape; /* outputs whose shape only a run can tell */
	float scale; /* 0 when not quantised per tensor */
	int32_t zero_point;
	uint64_t bytes; /* of @shape */
	/* From TFLite metadata, where the file has it: */
	struct text labels; /* lines separated by \n; .data NULL when there are none */
	uint32_t n_mean,
		n_std; /* NormalizationOptions: (x - mean) / std, one value or one per channel */
	const float *mean, *std; /* in the mapping, 4-byte aligned */
	bool has_content; /* the two below are there */
	uint8_t content; /* enum edge_content */
	uint8_t colour_space; /* ColorSpaceType of the metadata schema: 0 unknown, 1 RGB, 2
				 grayscale */
	float score_threshold; /* of score thresholding; NaN when there is none */
};

enum edge_content {
	EDGE_CONTENT_FEATURE = 0,
	EDGE_CONTENT_IMAGE = 1,
	EDGE_CONTENT_AUDIO = 2,
	EDGE_CONTENT_BOUNDING_BOX = 3
};

/* Where a step's first output lies. */
enum edge_place {
	EDGE_PLACE_NONE, /* nobody reads it */
	EDGE_PLACE_CONSTANT, /* computed at load */
	EDGE_PLACE_INPUT, /* an input of the subgraph */
	EDGE_PLACE_ARENA, /* at @offset of the arena of its subgraph */
	EDGE_PLACE_VARIABLE, /* in the session's state */
	EDGE_PLACE_INNER, /* in strips, while the nodes around it run together */
	EDGE_PLACE_RUN_TIME, /* in the session's heap: only a run knows the size */
};

/* One node of the plan for the declared shapes. */
struct edge_step {
	uint32_t depth; /* 0: of the entered subgraph; 1: of one that it calls; ... */
	uint32_t subgraph, node; /* indices in the file */
	const char *op; /* "CONV_2D" */
	const char *detail; /* backend and kernel variant, "folded" or "session" */
	struct shape output; /* of the first output; -1 where only a run can tell */
	uint8_t type; /* enum dtype, of the first output */
	enum edge_place place;
	uint64_t offset, bytes;
	uint64_t macs; /* multiply-accumulates, or element operations where there are none */
	uint64_t moved_bytes; /* operands, each once */
	double microseconds; /* predicted for one run of it (engine/plan/cost.h) */
};
typedef int edge_step_function(void *context, const struct edge_step *step);

#endif
