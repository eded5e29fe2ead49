/* SPDX-License-Identifier: Apache-2.0 */
/* nearest_example - finds the few-shot example nearest to an embedding */
#ifndef CLIENT_PIPELINE_NEAREST_EXAMPLE_H
#define CLIENT_PIPELINE_NEAREST_EXAMPLE_H

#include "base/few_shot.h"

enum nearest_example_distance {
	NEAREST_COSINE, /* 1 - cosine of the angle */
	NEAREST_EUCLIDEAN
};

/* Returns NULL if there are no examples. @vector has examples->length elements; its norm is
 * arbitrary. */
const struct few_shot_example *nearest_example_find(const struct few_shot *examples,
	enum nearest_example_distance distance, const float *vector, double *ret_distance);

#endif
