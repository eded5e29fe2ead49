/* SPDX-License-Identifier: Apache-2.0 */
/* stream - what a pipeline keeps of one source: samples or rows that wait for a full window, and what
 * each stage's decision remembers */
#ifndef CLIENT_PIPELINE_STREAM_H
#define CLIENT_PIPELINE_STREAM_H

#include "client/pipeline/decision.h"
#include "client/pipeline/material.h"
#include "client/pipeline/stage.h"

#define STREAM_NAME_SIZE 128
#define STREAM_MAX_VALUES (1u << 24) /* that wait, of all sources of a pipeline together */

struct stream {
	char name[STREAM_NAME_SIZE];
	uint64_t last_used; /* by a counter of the pipeline */
	uint64_t inputs, windows; /* so far, for `every` */
	float *values; /* owned; room for `room`, rows * columns are there from `first` row on */
	size_t room, first, rows;
	size_t skip; /* rows that are still to come and in no window */
	size_t columns;
	uint32_t rate;
	uint64_t position; /* number of the first row, since the source began */
	uint64_t time_us; /* when the last row came */
	struct decision_state decisions[RECIPE_MAX_STAGES];
};

void stream_deinit(struct stream *stream);

/* Adds the rows of @material. -EINVAL when they are of another width or rate than those before, -ENOSPC
 * when more than @limit values would wait. */
int must_check stream_append(struct stream *stream, const struct material *material, size_t limit,
	uint64_t time_us, struct error *err);

/* Values that wait. */
size_t stream_waiting(const struct stream *stream);

/* The next full window, copied, and goes on by its hop. *ret_material is NULL when there is none yet;
 * *ret_time_us: when its last row came. */
int must_check stream_take(struct stream *stream, const struct stage_window *window,
	struct material **ret_material, uint64_t *ret_time_us, struct error *err);

/* Drops what is older than the newest full window. Returns the windows that were dropped. */
size_t stream_catch_up(struct stream *stream, const struct stage_window *window);

#endif
