/* SPDX-License-Identifier: Apache-2.0 */
/* input - one input of a session: its shape, and where its bytes are */
#ifndef ENGINE_RUN_INPUT_H
#define ENGINE_RUN_INPUT_H

#include "base/error.h"
#include "engine/graph.h"
#include "engine/run/block.h"

struct input {
	uint8_t type; /* enum dtype */
	struct shape shape; /* asked for; the plan follows at the next run */
	uint64_t bytes; /* of strings: what those take that were given last */
	const void *bound; /* NULL: @own is read */
	struct block own; /* made when first needed */
};

void input_deinit(struct input *input);

/* Another shape; @max_bytes bounds it. -EINVAL for one that cannot be, -EFBIG. */
int must_check input_reshape(
	struct input *input, const struct shape *shape, uint64_t max_bytes, struct error *err);

/* Bytes of the caller's, read in runs. Strings are checked, and copied, here. */
int must_check input_bind(struct input *input, const void *data, uint64_t bytes, uint64_t max_bytes,
	struct error *err);

/* The input's own memory, zeros (or empty strings) at first; NULL without memory. */
void *input_own(struct input *input);

/* What a run reads. @privately: a copy that nobody else can change. -EINVAL for strings that the
 * input's own memory was filled with and that are no table, -ENOMEM. */
int must_check input_data(
	struct input *input, bool privately, const void **ret_data, struct error *err);

#endif
