/* SPDX-License-Identifier: Apache-2.0 */
/* float_models - models whose tensors are floats, and what they answer. After cmocka.h. */
#ifndef TESTS_UNIT_CLIENT_PIPELINE_FLOAT_MODELS_H
#define TESTS_UNIT_CLIENT_PIPELINE_FLOAT_MODELS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/pipeline/pipeline.h"

/* One input of that shape; outputs without one. The caller's. */
static inline struct pipeline_model float_model(struct shape input, uint32_t n_outputs)
{
	const struct tensor_spec spec = {.type = DTYPE_FLOAT32, .score_threshold = NAN};
	struct pipeline_model m = {.n_inputs = 1, .n_outputs = n_outputs};
	m.inputs = calloc(1, sizeof(m.inputs[0]));
	m.outputs = calloc(n_outputs, sizeof(m.outputs[0]));
	assert_true(m.inputs && m.outputs);
	m.inputs[0] = spec;
	m.inputs[0].shape = m.inputs[0].declared = input;
	m.inputs[0].bytes = sizeof(float) * tensor_spec_elements(&m.inputs[0]);
	for (uint32_t i = 0; i < n_outputs; i++) {
		m.outputs[i] = spec;
	}
	return m;
}

static inline void float_output(struct tensor_bytes *out, struct shape shape, const float *values)
{
	assert_int_equal(tensor_new(DTYPE_FLOAT32, &shape, out, NULL), 0);
	memcpy(out->data, values, (size_t)out->bytes);
}

#endif
