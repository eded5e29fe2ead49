/* SPDX-License-Identifier: Apache-2.0 */
/* model_metadata - what TFLite metadata says of a model */
#ifndef ENGINE_MODEL_MODEL_METADATA_H
#define ENGINE_MODEL_MODEL_METADATA_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/graph.h"

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

#endif
