/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "client/pipeline/pipeline_internal.h"

/* Returns the number of values that may still be allocated. */
static size_t room_of(const struct pipeline *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n_streams; i++) {
		n += rows_held(&p->streams[i].waiting);
	}
	return n < STREAM_MAX_VALUES ? STREAM_MAX_VALUES - n : 0;
}

static int window_of(const struct pipeline *p, const struct rows_part *part,
	struct stage_window *ret_window, struct error *err)
{
	return stage_window(&p->stages[0], part->columns, part->rate, ret_window, err);
}

/* Gets the window for the front part; first drops ended parts without a full window. */
static int front_window(const struct pipeline *p, struct rows *rows,
	struct stage_window *ret_window, struct error *err)
{
	int r = 0;
	do {
		r = window_of(p, rows_front(rows), ret_window, err);
	} while (r == 0 && rows_pass(rows, ret_window));
	return r;
}

/* With a full window: drops all older windows and the queued request. */
static void catch_up(struct pipeline *p, struct stream *stream)
{
	struct rows *rows = &stream->waiting;
	struct stage_window window = {0};
	size_t there = 0, dropped = 0;
	for (size_t i = 0; i < rows->parts.n; i++) {
		const struct rows_part *part = rows_part_at(rows, i);
		there += window_of(p, part, &window, NULL) == 0 ? rows_windows(part, &window) : 0;
	}
	there += window_of(p, &rows->open, &window, NULL) == 0 ? rows_windows(&rows->open, &window)
							       : 0;
	while (dropped + 1 < there && front_window(p, rows, &window, NULL) == 0) {
		rows_drop(rows, &window);
		dropped++;
	}
	if (there > 0) {
		pipeline_requests_drop(p, stream, dropped);
	}
}

/* Ends the open part if the rate differs or there was a gap. */
static int follow(struct pipeline *p, struct stream *stream, const struct input_data *input_data,
	uint64_t received_us, struct error *err)
{
	struct rows *rows = &stream->waiting;
	struct stage_window last = {0};
	struct question lost = {.time_us = received_us};
	char why[ROWS_WHY_SIZE];
	if (!rows->open.columns || window_of(p, &rows->open, &last, NULL) < 0) {
		last.rows = SIZE_MAX; /* no window is known, so no request could use the rows */
	}
	int r = rows_restart(rows, input_data, last.rows, why, err);
	if (r == 0 && why[0]) {
		lost.source = stream->source;
		pipeline_emit_trouble(p, PIPELINE_SKIPPED, &lost, why);
	}
	return r < 0
		? r
		: rows_check_gap(rows, input_data->rows, input_data->rate,
			  p->config->source.gap_ms * USEC_PER_MSEC, received_us, last.rows, err);
}

/* On failure restores received_us: the refused rows leave a gap. */
static int rows_push(struct pipeline *p, struct stream *stream, const struct input_data *input_data,
	uint64_t time_us, struct error *err)
{
	struct rows *rows = &stream->waiting;
	const uint64_t received_us = time_us ? time_us : clock_now_ns() / NSEC_PER_USEC;
	const uint64_t before_us = rows->received_us;
	const uint64_t start_us = rows->start_us, late_us = rows->late_us;
	int r = follow(p, stream, input_data, received_us, err);
	if (r == 0) {
		time_us = time_us
			? time_us
			: rows_time(rows, input_data->rows, input_data->rate, received_us);
		r = rows_append(rows, input_data, room_of(p), time_us, err);
	}
	if (r == -ENOSPC) {
		r = error_set(err, r, "no room for %zu values: of %u for all sources %zu are taken",
			input_data->rows * input_data->columns, STREAM_MAX_VALUES,
			STREAM_MAX_VALUES - room_of(p));
	}
	if (r < 0) {
		rows->received_us = before_us;
		rows->start_us = start_us;
		rows->late_us = late_us;
	}
	return r;
}

int pipeline_windows_push(struct pipeline *p, struct stream *stream,
	const struct input_data *input_data, uint64_t time_us, struct error *err)
{
	struct stage_window window = {0};
	int r = stage_describe(&p->stages[0], &p->models, err);
	r = r < 0
		? r
		: stage_window(&p->stages[0], input_data->columns, input_data->rate, &window, err);
	r = r < 0 ? r : rows_push(p, stream, input_data, time_us, err);
	if (r == 0 && p->config->source.latest_only) {
		catch_up(p, stream);
	}
	return r;
}

static void window_fail(struct pipeline *p, const struct stream *stream,
	const struct question *like, const char *why)
{
	struct question lost = *like;
	lost.source = stream->source;
	pipeline_emit_trouble(p, PIPELINE_FAILED, &lost, why);
	pipeline_requests_lost(p, 0, &stream->source, UINT64_MAX);
}

/* Takes the next window of @stream. Returns 1, or 0 without a full window. Rows wait while the
 * model is unknown. */
static int window_take(struct pipeline *p, struct stream *stream,
	struct input_data **ret_input_data, uint64_t *ret_time_us)
{
	struct stage_window window = {0};
	struct error err = {0};
	struct rows *rows = &stream->waiting;
	if (rows_front(rows)->columns == 0 || stage_describe(&p->stages[0], &p->models, &err) < 0 ||
		front_window(p, rows, &window, &err) < 0) {
		return 0;
	}
	if (rows_take(rows, &window, ret_input_data, ret_time_us, &err) < 0) {
		window_fail(p, stream, &(struct question){0}, err.text);
		return 0;
	}
	return *ret_input_data ? 1 : 0;
}

/* Stages that collect outputs start again with the first window of another rate. */
static void rate_note(
	struct pipeline *p, struct stream *stream, const struct input_data *input_data)
{
	const bool other = stream->columns &&
		(stream->columns != input_data->columns || stream->rate != input_data->rate);
	stream->columns = input_data->columns;
	stream->rate = input_data->rate;
	if (other) {
		pipeline_requests_lost(p, 0, &stream->source, UINT64_MAX);
	}
}

/* Makes a request of one window. Returns 1, or 0 if there is none. */
static int window_ask(struct pipeline *p, struct stream *stream)
{
	owned(input_data_unref) struct input_data *input_data = NULL;
	struct error err = {0};
	uint64_t time_us = 0;
	if (!window_take(p, stream, &input_data, &time_us)) {
		return 0;
	}
	rate_note(p, stream, input_data);
	if (stream->windows++ % p->config->source.every != 0) {
		p->counts.sampled_out++;
		return 1;
	}
	struct question *q =
		pipeline_requests_new(p, 0, &stream->source, input_data, time_us, NULL, 0);
	const struct question like = {.input_data = input_data, .time_us = time_us};
	if (!q || pipeline_requests_put(p, q, &err) < 0) {
		window_fail(p, stream, &like, q ? err.text : "no memory");
	}
	return 1;
}

struct question *pipeline_windows_next(struct pipeline *p)
{
	size_t idle = 0;
	while (p->n_streams > 0 && idle < p->n_streams && p->queue.n < PIPELINE_MAX_QUESTIONS) {
		struct stream *stream = &p->streams[p->next_stream++ % p->n_streams];
		idle = window_ask(p, stream) ? 0 : idle + 1;
		struct question *q = inference_queue_next(&p->queue);
		if (q) {
			return q;
		}
	}
	return NULL;
}

int pipeline_windows_end(struct pipeline *p, struct stream *stream, struct error *err)
{
	struct rows *rows = &stream->waiting;
	const struct rows_part open = rows->open;
	struct stage_window window = {0};
	if (open.rate == 0 || open.rows == 0) {
		return 0;
	}
	int r = stage_describe(&p->stages[0], &p->models, err);
	r = r < 0 ? r : window_of(p, &open, &window, err);
	if (r < 0 || open.rows >= window.rows) {
		return r;
	}
	struct input_data silence = {
		.rows = window.rows - open.rows, .columns = open.columns, .rate = open.rate};
	owned_mem float *zeros = calloc(silence.rows * open.columns, sizeof(zeros[0]));
	silence.values = zeros;
	return zeros ? rows_append(rows, &silence, room_of(p), open.time_us, err)
		     : error_no_memory(err);
}
