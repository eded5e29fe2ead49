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

#define ROWS_MAX_GAPS 16 /* before which rows wait; those between later ones are dropped */

struct rows {
	float *values; /* owned; room for `room`, rows * columns are there from `first` row on */
	size_t room, first, rows;
	size_t skip; /* rows that are still to come and in no window */
	struct rows_part {
		size_t rows; /* between two gaps, or before the first; windows end there */
		uint64_t time_us; /* when the last of them came */
	} parts[ROWS_MAX_GAPS];
	size_t n_parts; /* behind them is what no gap has ended yet */
	size_t columns;
	uint32_t rate;
	uint64_t position; /* number of the first row, since the source began */
	uint64_t time_us; /* when the last row came */
	uint64_t start_us; /* when the first did, for who says no times */
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
	struct rows waiting; /* that came in */
	struct rows outputs[RECIPE_MAX_STAGES]; /* of the stage before, for `input = outputs` */
	uint64_t lost[RECIPE_MAX_STAGES]; /* questions of each stage that have no answer */
	uint64_t awake_us[RECIPE_MAX_STAGES]; /* until when each stage looks at all, by `for` */
	struct decision_state decisions[RECIPE_MAX_STAGES];
};

void stream_deinit(struct stream *stream);

/* Rows of another width or rate do not go on with those before, which are dropped then as if the source began
 * with these, at a time not before theirs. True with the reason for people where that is so. */
#define ROWS_WHY_SIZE 128
bool rows_restart(struct rows *rows, const struct material *material, char ret_why[ROWS_WHY_SIZE]);

/* Adds the rows of @material, which go on with those before. -ENOSPC when more than @limit values would
 * wait. */
int must_check rows_append(struct rows *rows, const struct material *material, size_t limit,
	uint64_t time_us, struct error *err);

/* When the last of @n further rows comes, by the samples since the first came; @now_us is when they do.
 * Rows without a rate come now. */
uint64_t rows_time(struct rows *rows, size_t n, uint32_t rate, uint64_t now_us);

/* What comes next does not follow what came last: no window has of both. What is full already stays with
 * its time; behind ROWS_MAX_GAPS gaps only what came last does. */
void rows_break(struct rows *rows);

/* The same where the next @n rows, pushed at @now_us, come more than @gap_us (not 0) after they should. The
 * time of who says none goes on with them. */
void rows_hear(struct rows *rows, size_t n, uint32_t rate, uint64_t gap_us, uint64_t now_us);

/* Values that wait. */
size_t rows_waiting(const struct rows *rows);

/* The next full window, copied, and goes on by its hop. *ret_material is NULL when there is none yet;
 * *ret_time_us: when its last row came. -ENOMEM: that window is gone. */
int must_check rows_take(struct rows *rows, const struct stage_window *window,
	struct material **ret_material, uint64_t *ret_time_us, struct error *err);

/* Drops what is older than the newest full window. Returns the windows that were dropped. */
size_t rows_catch_up(struct rows *rows, const struct stage_window *window);

#endif
