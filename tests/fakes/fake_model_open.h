/* SPDX-License-Identifier: Apache-2.0 */
/* A described model, opened by the engine. */
#ifndef TESTS_FAKES_FAKE_MODEL_OPEN_H
#define TESTS_FAKES_FAKE_MODEL_OPEN_H

#include <stdlib.h>
#include <string.h>

#include "backends/backends.h"
#include "engine/edge.h"
#include "tests/fakes/fake_model.h"

/* Opens @fake. *ret_bytes is freed by the caller after the model. */
static inline struct edge_model *fake_model_open(const struct fake_model *fake, void **ret_bytes)
{
	struct edge_model *model = NULL;
	const struct edge_options options = {.backends = backends_builtin()};
	struct bytes_writer file = fake_model_write(fake);
	struct error err = {0};
	void *bytes = aligned_alloc(16, bytes_align_up(file.size, 16));
	assert_non_null(bytes);
	memcpy(bytes, file.data, file.size);
	if (edge_model_open_bytes(bytes, file.size, &options, &model, &err) < 0) {
		fail_msg("%s", err.text);
	}
	bytes_writer_deinit(&file);
	*ret_bytes = bytes;
	return model;
}

#endif
