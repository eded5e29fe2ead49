/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/nearest.h"

#include <math.h>

static double distance_of(enum nearest_distance how, const float *a, const float *b, size_t length)
{
	double dot = 0, square = 0;
	for (size_t i = 0; i < length; i++) {
		double difference = (double)a[i] - (double)b[i];
		dot += (double)a[i] * (double)b[i];
		square += difference * difference;
	}
	return how == NEAREST_COSINE ? 1 - dot : sqrt(square);
}

const struct example *nearest_find(const struct examples *examples, enum nearest_distance distance,
	const float *vector, double *ret_distance)
{
	const struct example *best = NULL;
	double least = INFINITY;
	for (size_t i = 0; i < examples->n; i++) {
		double d =
			distance_of(distance, vector, examples->items[i].vector, examples->length);
		if (d < least) {
			least = d;
			best = &examples->items[i];
		}
	}
	*ret_distance = least;
	return best;
}
