/* SPDX-License-Identifier: Apache-2.0 */
/* stream - what a pipeline keeps of one source: samples or rows that wait for a full window, and what
 * each stage's decision remembers */
#ifndef CLIENT_PIPELINE_STREAM_H
#define CLIENT_PIPELINE_STREAM_H

#include <string.h>

#include "client/pipeline/decision.h"
#include "client/pipeline/material.h"
#include "client/pipeline/stage.h"

#define STREAM_MAX_VALUES (1u << 24) /* that wait, of all sources of a pipeline together */

/* Rows that go on with one another: no window has of two of these. */
struct rows_part {
	size_t rows, columns; /* columns 0: nothing came yet */
	uint32_t rate; /* 0: numbers */
	uint64_t position; /* number of its first row, since the source, or its rate, began */
	uint64_t time_us; /* when its last row came */
};

/* Rows that came at one time. */
struct rows_run {
	size_t rows;
	uint64_t time_us;
};

struct rows {
	float *values; /* owned; room for `room`, `used` are there from `first` on: the parts' */
	size_t room, first, used;
	struct rows_part *parts; /* owned; room for `parts_room`, n_parts from `first_part` on */
	size_t parts_room, first_part, n_parts; /* that have ended, each with a full window */
	struct rows_run *runs; /* owned; the same, of all rows without a rate */
	size_t runs_room, first_run, n_runs;
	struct rows_part open; /* behind them, what goes on */
	size_t skip; /* rows of it that are still to come and in no window */
	uint64_t start_us; /* when its first did, for who says no times */
	uint64_t late_us; /* that gaps have added to start_us, and no early piece has taken back */
	uint64_t heard_us; /* when the last piece was pushed */
	uint64_t lost; /* of outputs: answers that never came before the last row */
};

/* Who sent something: those of one name and different origins are different. */
struct stream_source {
	uint32_t origin;
	char name[PIPELINE_SOURCE_SIZE];
};

static inline bool stream_is_same(const struct stream_source *a, const struct stream_source *b)
{
	return a->origin == b->origin && strcmp(a->name, b->name) == 0;
}

struct stream {
	struct stream_source source;
	uint64_t id; /* never twice in one pipeline */
	uint64_t last_used; /* by a counter of the pipeline */
	uint64_t inputs, windows; /* so far, for `every` */
	size_t columns; /* of the last window that was made; 0: none was */
	uint32_t rate;
	struct rows waiting; /* that came in */
	struct rows outputs[RECIPE_MAX_STAGES]; /* of the stage before, for `input = outputs` */
	uint64_t lost[RECIPE_MAX_STAGES]; /* questions of each stage that have no answer */
	uint64_t awake_us[RECIPE_MAX_STAGES]; /* until when each stage looks at all, by `for` */
	struct decision_state decisions[RECIPE_MAX_STAGES];
};

void stream_deinit(struct stream *stream);

/* Rows of another width or rate do not go on with those before: what is not full of these is dropped (rows_break()), and
 * the source begins anew with @material, at a time not before theirs. *ret_why: the reason for people where that is
 * so, else "". -ENOMEM: nothing has changed. */
#define ROWS_WHY_SIZE 128
int must_check rows_restart(struct rows *rows, const struct material *material, size_t least,
	char ret_why[ROWS_WHY_SIZE], struct error *err);

/* Adds the rows of @material, which go on with those before. -ENOSPC when more than @limit values of memory
 * would have to be held for it in addition. */
int must_check rows_append(struct rows *rows, const struct material *material, size_t limit,
	uint64_t time_us, struct error *err);

/* When the last of @n further rows comes, by the samples since the first came; @now_us is when they do.
 * Rows without a rate come now. What gaps have added is taken back where it would be after now. */
uint64_t rows_time(struct rows *rows, size_t n, uint32_t rate, uint64_t now_us);

/* What comes next does not follow what came last: no window has of both. What came last stays where it has @least
 * rows, which make a window, with its time; fewer are dropped. -ENOMEM: nothing has changed. */
int must_check rows_break(struct rows *rows, size_t least, struct error *err);

/* The same where the next @n rows, pushed at @now_us, come more than @gap_us (not 0) after they should. The
 * time of who says none goes on with them. */
int must_check rows_hear(struct rows *rows, size_t n, uint32_t rate, uint64_t gap_us,
	uint64_t now_us, size_t least, struct error *err);

/* Memory that is held, in values: what is large goes back when little of it is used. */
size_t rows_held(const struct rows *rows);

/* The part that the next window is of; its window is what the functions below take. */
const struct rows_part *rows_front(const struct rows *rows);
/* Is it one that has ended and makes no window any more? Then it is dropped. */
bool rows_pass(struct rows *rows, const struct stage_window *window);

/* The next full window, copied, and goes on by its hop. *ret_material is NULL when there is none yet;
 * *ret_time_us: when its last row came. -ENOMEM: that window is gone. */
int must_check rows_take(struct rows *rows, const struct stage_window *window,
	struct material **ret_material, uint64_t *ret_time_us, struct error *err);

/* Full windows of @part. */
size_t rows_windows(const struct rows_part *part, const struct stage_window *window);
/* Goes on by a hop, without the window. */
void rows_drop(struct rows *rows, const struct stage_window *window);

#endif
