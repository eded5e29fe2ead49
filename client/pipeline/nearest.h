/* SPDX-License-Identifier: Apache-2.0 */
/* nearest - which example an embedding is nearest to */
#ifndef CLIENT_PIPELINE_NEAREST_H
#define CLIENT_PIPELINE_NEAREST_H

#include "base/examples.h"

enum nearest_distance {
	NEAREST_COSINE, /* 1 - cosine of the angle */
	NEAREST_EUCLIDEAN
};

/* NULL when there is none. @vector has examples->length elements; cosine does not ask for a norm of 1. */
const struct example *nearest_find(const struct examples *examples, enum nearest_distance distance,
	const float *vector, double *ret_distance);

#endif
