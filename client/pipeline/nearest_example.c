/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/nearest_example.h"

#include <math.h>

/* Divides by both norms: imported examples may have any norm. */
static double cosine_of(double dot, double a_square, double b_square)
{
	const double norms = sqrt(a_square) * sqrt(b_square);
	return norms > 0 ? dot / norms : 0;
}

static double distance_of(
	enum nearest_example_distance how, const float *a, const float *b, size_t length)
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

const struct few_shot_example *nearest_example_find(const struct few_shot *examples,
	enum nearest_example_distance distance, const float *vector, double *ret_distance)
{
	const struct few_shot_example *best = NULL;
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
