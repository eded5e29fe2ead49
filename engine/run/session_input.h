/* SPDX-License-Identifier: Apache-2.0 */
/* session_input - one input of a session: its shape, and where its bytes are */
#ifndef ENGINE_RUN_SESSION_INPUT_H
#define ENGINE_RUN_SESSION_INPUT_H

#include "base/error.h"
#include "engine/backend.h"
#include "engine/graph.h"
#include "engine/run/block.h"

struct session_input {
	uint8_t type; /* enum dtype */
	struct shape shape; /* asked for; the plan follows at the next run */
	uint64_t bytes; /* of strings: what those take that were given last */
	const void *bound; /* NULL: @own is read */
	struct block own; /* made when first needed */
};

void session_input_deinit(struct session_input *input);

/* Another shape; @max_bytes bounds it. -EINVAL for one that cannot be, -EFBIG. */
int must_check session_input_reshape(struct session_input *input, const struct shape *shape,
	uint64_t max_bytes, struct error *err);

/* Bytes of the caller's, read in runs. Strings are checked, and copied, here. */
int must_check session_input_bind(struct session_input *input, const void *data, uint64_t bytes,
	uint64_t max_bytes, struct error *err);

/* The input's own memory, zeros (or empty strings) at first; NULL without memory. */
void *session_input_own(struct session_input *input);

/* Bytes of an earlier run are gone: the input is not bound any more, and each byte of its own memory is
 * @value; strings are empty ones. */
void session_input_fill(struct session_input *input, uint8_t value);

/* What a run reads. @privately: a copy that nobody else can change. -EINVAL for strings that the
 * input's own memory was filled with and that are no table, -ENOMEM; -ETIMEDOUT or -ECANCELED when
 * @control ends the copy. */
int must_check session_input_data(struct session_input *input, bool privately,
	const struct run_control *control, const void **ret_data, struct error *err);

#endif
