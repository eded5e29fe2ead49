/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tensor_spec - type, shape and metadata of one input or output of a model, from the daemon or
 * from the library in this process
 */
#ifndef CLIENT_MEDIA_TENSOR_SPEC_H
#define CLIENT_MEDIA_TENSOR_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"

#define SPEC_NAME_SIZE 192
#define SPEC_MAX_CHANNELS 4

struct tensor_spec {
	char name[SPEC_NAME_SIZE]; /* escaped, truncated if too long */
	unsigned int type; /* enum dtype */
	struct shape shape; /* no dynamic dimension */
	struct shape declared; /* -1: dynamic dimension */
	double scale; /* real = scale * (quantized - zero_point); 0: not quantized */
	int32_t zero_point;
	uint64_t bytes; /* bytes of a tensor of shape @shape */
	const char *labels; /* one label a line, not zero-terminated, borrowed; or NULL */
	size_t labels_bytes;
	/* from the metadata; (x - mean) / std: 0, 1 or one value for each channel */
	uint32_t n_mean, n_std;
	float mean[SPEC_MAX_CHANNELS], std[SPEC_MAX_CHANNELS];
	float score_threshold; /* NaN: none */
};

/* Returns the number of elements of spec->shape. */
uint64_t tensor_spec_elements(const struct tensor_spec *spec);

/* Returns the range of an integer type; 0 and 0 for other types. */
void tensor_spec_range(unsigned int type, int64_t *ret_lowest, int64_t *ret_highest);

#endif
