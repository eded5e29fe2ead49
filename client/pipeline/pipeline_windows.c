/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "client/pipeline/work.h"

#define NS_PER_US 1000

/* Of memory, in values, that may still be held. */
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

/* Of the part that the next window is of, without those before it that make none. */
static int front_window(const struct pipeline *p, struct rows *rows,
	struct stage_window *ret_window, struct error *err)
{
	int r = 0;
	do {
		r = window_of(p, rows_front(rows), ret_window, err);
	} while (r == 0 && rows_pass(rows, ret_window));
	return r;
}

/* Where there is a full window, all before the newest are dropped, and the question that waits. */
static void catch_up(struct pipeline *p, struct stream *stream)
{
	struct rows *rows = &stream->waiting;
	struct stage_window window = {0};
	size_t there = 0, dropped = 0;
	for (size_t i = 0; i < rows->n_parts; i++) {
		const struct rows_part *part = &rows->parts[rows->first_part + i];
		there += window_of(p, part, &window, NULL) == 0 ? rows_windows(part, &window) : 0;
	}
	there += window_of(p, &rows->open, &window, NULL) == 0 ? rows_windows(&rows->open, &window)
							       : 0;
	while (dropped + 1 < there && front_window(p, rows, &window, NULL) == 0) {
		rows_drop(rows, &window);
		dropped++;
	}
	if (there > 0) {
		asking_drop(p, stream, dropped);
	}
}

/* @material does not go on with what came last, where its rate is another, or a gap is between them. */
static int follow(struct pipeline *p, struct stream *stream, const struct material *material,
	uint64_t heard_us, struct error *err)
{
	struct rows *rows = &stream->waiting;
	struct stage_window last = {0};
	struct question told = {.time_us = heard_us};
	char why[ROWS_WHY_SIZE];
	if (!rows->open.columns || window_of(p, &rows->open, &last, NULL) < 0) {
		last.rows = SIZE_MAX; /* nobody could ask about them */
	}
	int r = rows_restart(rows, material, last.rows, why, err);
	if (r == 0 && why[0]) {
		told.source = stream->source;
		telling_trouble(p, PIPELINE_SKIPPED, &told, why);
	}
	return r < 0 ? r
		     : rows_hear(rows, material->rows, material->rate,
			       p->recipe->source.gap_ms * WORK_US_PER_MS, heard_us, last.rows, err);
}

/* What is refused was not heard: where it would have been is a gap. */
static int rows_push(struct pipeline *p, struct stream *stream, const struct material *material,
	uint64_t time_us, struct error *err)
{
	struct rows *rows = &stream->waiting;
	const uint64_t heard_us = time_us ? time_us : clock_now_ns() / NS_PER_US;
	const uint64_t before_us = rows->heard_us;
	const uint64_t start_us = rows->start_us, late_us = rows->late_us;
	int r = follow(p, stream, material, heard_us, err);
	if (r == 0) {
		time_us = time_us ? time_us
				  : rows_time(rows, material->rows, material->rate, heard_us);
		r = rows_append(rows, material, room_of(p), time_us, err);
	}
	if (r == -ENOSPC) {
		r = error_set(err, r, "no room for %zu values: of %u for all sources %zu are taken",
			material->rows * material->columns, STREAM_MAX_VALUES,
			STREAM_MAX_VALUES - room_of(p));
	}
	if (r < 0) {
		rows->heard_us = before_us;
		rows->start_us = start_us;
		rows->late_us = late_us;
	}
	return r;
}

int windowing_push(struct pipeline *p, struct stream *stream, const struct material *material,
	uint64_t time_us, struct error *err)
{
	struct stage_window window = {0};
	int r = stage_describe(&p->stages[0], &p->models, err);
	r = r < 0 ? r
		  : stage_window(&p->stages[0], material->columns, material->rate, &window, err);
	r = r < 0 ? r : rows_push(p, stream, material, time_us, err);
	if (r == 0 && p->recipe->source.latest_only) {
		catch_up(p, stream);
	}
	return r;
}

static void window_fail(struct pipeline *p, const struct stream *stream,
	const struct question *like, const char *why)
{
	struct question told = *like;
	told.source = stream->source;
	telling_trouble(p, PIPELINE_FAILED, &told, why);
	asking_lost(p, 0, &stream->source, UINT64_MAX);
}

/* The next window of @stream. 1, or 0 when there is none: of a model that is not known yet, rows wait. */
static int window_take(struct pipeline *p, struct stream *stream, struct material **ret_material,
	uint64_t *ret_time_us)
{
	struct stage_window window = {0};
	struct error err = {0};
	struct rows *rows = &stream->waiting;
	if (rows_front(rows)->columns == 0 || stage_describe(&p->stages[0], &p->models, &err) < 0 ||
		front_window(p, rows, &window, &err) < 0) {
		return 0;
	}
	if (rows_take(rows, &window, ret_material, ret_time_us, &err) < 0) {
		window_fail(p, stream, &(struct question){0}, err.text);
		return 0;
	}
	return *ret_material ? 1 : 0;
}

/* What collects its answers begins anew with the first window of another rate. */
static void rate_note(struct pipeline *p, struct stream *stream, const struct material *material)
{
	const bool other = stream->columns &&
		(stream->columns != material->columns || stream->rate != material->rate);
	stream->columns = material->columns;
	stream->rate = material->rate;
	if (other) {
		asking_lost(p, 0, &stream->source, UINT64_MAX);
	}
}

/* One window of @stream becomes a question. 1 when one was made, 0 when there is none to make. */
static int window_ask(struct pipeline *p, struct stream *stream)
{
	owned(material_unref) struct material *material = NULL;
	struct error err = {0};
	uint64_t time_us = 0;
	if (!window_take(p, stream, &material, &time_us)) {
		return 0;
	}
	rate_note(p, stream, material);
	if (stream->windows++ % p->recipe->source.every != 0) {
		p->counts.sampled_out++;
		return 1;
	}
	struct question *q = asking_new(p, 0, &stream->source, material, time_us, NULL, 0);
	const struct question like = {.material = material, .time_us = time_us};
	if (!q || asking_put(p, q, &err) < 0) {
		window_fail(p, stream, &like, q ? err.text : "no memory");
	}
	return 1;
}

struct question *windowing_next(struct pipeline *p)
{
	size_t idle = 0;
	while (p->n_streams > 0 && idle < p->n_streams && p->queue.n < PIPELINE_MAX_QUESTIONS) {
		struct stream *stream = &p->streams[p->next_stream++ % p->n_streams];
		idle = window_ask(p, stream) ? 0 : idle + 1;
		struct question *q = queue_next(&p->queue);
		if (q) {
			return q;
		}
	}
	return NULL;
}

int windowing_end(struct pipeline *p, struct stream *stream, struct error *err)
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
	struct material silence = {
		.rows = window.rows - open.rows, .columns = open.columns, .rate = open.rate};
	owned_mem float *zeros = calloc(silence.rows * open.columns, sizeof(zeros[0]));
	silence.values = zeros;
	return zeros ? rows_append(rows, &silence, room_of(p), open.time_us, err)
		     : error_no_memory(err);
}
