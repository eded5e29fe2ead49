/* SPDX-License-Identifier: Apache-2.0 */
/* stream - state of one source: samples or rows of an incomplete window, and the state of each
 * stage's decision */
#ifndef CLIENT_PIPELINE_STREAM_H
#define CLIENT_PIPELINE_STREAM_H

#include <string.h>

#include "client/pipeline/decision.h"
#include "client/pipeline/input_data.h"
#include "client/pipeline/stage.h"

/* most values waiting, for all sources of a pipeline together */
#define STREAM_MAX_VALUES (1u << 24)

/* Consecutive rows. A window never spans two parts. */
struct rows_part {
	size_t rows, columns; /* columns 0: no rows yet */
	uint32_t rate; /* samples a second; 0: numbers */
	uint64_t position; /* index of the first row since the source began or its rate changed */
	uint64_t time_us; /* arrival time of the last row */
};

/* Rows that arrived together. */
struct rows_run {
	size_t rows;
	uint64_t time_us;
};

/* A queue in a growing array. */
struct rows_queue {
	void *data; /* owned */
	size_t room, first, n; /* capacity; @n elements from @first on */
};

struct rows {
	struct rows_queue values; /* float, belonging to the parts */
	/* struct rows_part: parts that have ended, each with at least one full window */
	struct rows_queue parts;
	struct rows_queue runs; /* struct rows_run: arrival times of all rows without a rate */
	struct rows_part open; /* the part that is still growing, after all ended parts */
	size_t skip; /* rows to drop at the start of @open, because hop exceeds the window */
	uint64_t start_us; /* arrival of the first row, for inputs without a time */
	/* time that gaps added to start_us and early pieces have not taken back */
	uint64_t late_us;
	uint64_t received_us; /* time of the last push */
	uint64_t lost; /* of outputs: requests without outputs before the last row */
};

/* Sources with equal names and different origins are distinct. */
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
	uint64_t id; /* unique in one pipeline */
	uint64_t last_used; /* value of the pipeline's use counter */
	uint64_t inputs, windows; /* counted for `every` */
	size_t columns; /* of the last window; 0: no window yet */
	uint32_t rate;
	struct rows waiting; /* received rows */
	/* outputs of the previous stage, for `input = outputs` */
	struct rows outputs[PIPELINE_CONFIG_MAX_STAGES];
	uint64_t lost[PIPELINE_CONFIG_MAX_STAGES]; /* requests of each stage without outputs */
	uint64_t awake_us
		[PIPELINE_CONFIG_MAX_STAGES]; /* time until which each stage is active, by `for` */
	struct decision_state decisions[PIPELINE_CONFIG_MAX_STAGES];
};

void stream_deinit(struct stream *stream);

/* Starts the source again with @input_data, whose width or rate differs. Ends the open part as
 * rows_break() does. Times do not go back. *ret_why: a message if rows were dropped, else "".
 * -ENOMEM: nothing has changed. */
#define ROWS_WHY_SIZE 128
int must_check rows_restart(struct rows *rows, const struct input_data *input_data, size_t least,
	char ret_why[ROWS_WHY_SIZE], struct error *err);

/* Appends the rows of @input_data to the open part. -ENOSPC: more than @limit additional values of
 * memory would be needed. */
int must_check rows_append(struct rows *rows, const struct input_data *input_data, size_t limit,
	uint64_t time_us, struct error *err);

/* Returns the time of the last of @n further rows, by the number of samples since the first
 * arrived; @now_us is their arrival. Rows without a rate arrive now. Time added by gaps is taken
 * back if the result would be after now. */
uint64_t rows_time(struct rows *rows, size_t n, uint32_t rate, uint64_t now_us);

/* Ends the open part: no window spans its end. Keeps the part if it has @least rows, which make
 * a window; else drops it. -ENOMEM: nothing has changed. */
int must_check rows_break(struct rows *rows, size_t least, struct error *err);

/* Calls rows_break() if the next @n rows, pushed at @now_us, are more than @gap_us (not 0) late.
 * Inputs without a time then continue from the later time. */
int must_check rows_check_gap(struct rows *rows, size_t n, uint32_t rate, uint64_t gap_us,
	uint64_t now_us, size_t least, struct error *err);

/* Returns the allocated values. Memory is shrunk when little of it is used. */
size_t rows_held(const struct rows *rows);

/* Returns ended part @index. */
struct rows_part *rows_part_at(const struct rows *rows, size_t index);
/* Returns the part of the next window; the functions below take that stage's window. */
const struct rows_part *rows_front(const struct rows *rows);
/* Drops the front part if it has ended and has no full window left. Returns true if it did. */
bool rows_pass(struct rows *rows, const struct stage_window *window);

/* Copies the next full window and advances by hop. *ret_input_data is NULL without a full window.
 * *ret_time_us: arrival of its last row. -ENOMEM: the window is lost. */
int must_check rows_take(struct rows *rows, const struct stage_window *window,
	struct input_data **ret_input_data, uint64_t *ret_time_us, struct error *err);

/* Returns the number of full windows in @part. */
size_t rows_windows(const struct rows_part *part, const struct stage_window *window);
/* Skips the next window: advances by hop. */
void rows_drop(struct rows *rows, const struct stage_window *window);

#endif
