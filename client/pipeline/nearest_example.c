/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/nearest.h"

#include <math.h>

/* Examples that others wrote may have any norm: the cosine is of the angle alone. */
static double cosine_of(double dot, double a_square, double b_square)
{
	const double norms = sqrt(a_square) * sqrt(b_square);
	return norms > 0 ? dot / norms : 0;
}

static double distance_of(enum nearest_distance how, const float *a, const float *b, size_t length)
{
	double dot = 0, square = 0, a_square = 0, b_square = 0;
	for (size_t i = 0; i < length; i++) {
		double difference = (double)a[i] - (double)b[i];
		dot += (double)a[i] * (double)b[i];
		a_square += (double)a[i] * (double)a[i];
		b_square += (double)b[i] * (double)b[i];
		square += difference * difference;
	}
	return how == NEAREST_COSINE ? 1 - cosine_of(dot, a_square, b_square) : sqrt(square);
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
