/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec - what the client knows of one input or output of a model, whoever told it: the daemon over
 * the socket or the library in this process
 */
#ifndef CLIENT_PIPELINE_SPEC_H
#define CLIENT_PIPELINE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"

#define SPEC_NAME_SIZE 192
#define SPEC_MAX_CHANNELS 4

struct spec {
	char name[SPEC_NAME_SIZE]; /* escaped, cut where it is longer */
	unsigned int type; /* enum dtype */
	struct shape shape; /* every dimension known */
	struct shape declared; /* -1 where the model leaves a dimension free */
	double scale; /* real = scale * (q - zero_point); 0 when not quantised */
	int32_t zero_point;
	uint64_t bytes; /* of @shape */
	const char
		*labels; /* lines, not 0-terminated, borrowed from who filled the spec; or NULL */
	size_t labels_bytes;
	uint32_t n_mean, n_std; /* (x - mean) / std from the model's metadata: 0, 1, or one value
				   per channel */
	float mean[SPEC_MAX_CHANNELS], std[SPEC_MAX_CHANNELS];
	float score_threshold; /* NaN when there is none */
};

/* Elements of spec->shape. */
uint64_t spec_elements(const struct spec *spec);

/* Smallest and largest number that an element can hold: the stored integer's range, 0 and 0 for
 * types that are not integers. */
void spec_range(unsigned int type, int64_t *ret_lowest, int64_t *ret_highest);

#endif
