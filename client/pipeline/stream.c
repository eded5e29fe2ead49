/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/stream.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void rows_deinit(struct rows *s)
{
	free(s->values.data);
	free(s->parts.data);
	free(s->runs.data);
}

void stream_deinit(struct stream *s)
{
	rows_deinit(&s->waiting);
	for (size_t i = 0; i < PIPELINE_CONFIG_MAX_STAGES; i++) {
		rows_deinit(&s->outputs[i]);
		decision_state_free(&s->decisions[i]);
	}
	*s = (struct stream){0};
}

size_t rows_held(const struct rows *s)
{
	return s->values.room +
		(s->parts.room * sizeof(struct rows_part) +
			s->runs.room * sizeof(struct rows_run)) /
		sizeof(float);
}

uint64_t rows_time(struct rows *s, size_t n, uint32_t rate, uint64_t now_us)
{
	const struct rows_part *open = &s->open;
	if (rate == 0) {
		return now_us;
	}
	uint64_t length_us = n * UINT64_C(1000000) / rate;
	if (open->columns == 0) {
		s->start_us = now_us > length_us ? now_us - length_us : 0;
		s->start_us = s->start_us > open->time_us ? s->start_us : open->time_us;
		s->late_us = 0;
	}
	const uint64_t length = open->position + open->rows - s->skip + n;
	const uint64_t time_us = s->start_us + length * UINT64_C(1000000) / rate;
	const uint64_t ahead_us = time_us > now_us ? time_us - now_us : 0;
	const uint64_t back_us = ahead_us < s->late_us ? ahead_us : s->late_us;
	s->start_us -= back_us;
	s->late_us -= back_us;
	return time_us - back_us;
}

struct rows_part *rows_part_at(const struct rows *s, size_t index)
{
	return (struct rows_part *)s->parts.data + s->parts.first + index;
}

static struct rows_run *run_at(const struct rows *s, size_t index)
{
	return (struct rows_run *)s->runs.data + s->runs.first + index;
}

/* Moves the elements, of @size bytes each, to the start of the array. */
static void queue_front(struct rows_queue *queue, size_t size)
{
	char *data = queue->data;
	if (queue->first > 0 && queue->n > 0) {
		memmove(data, data + queue->first * size, queue->n * size);
	}
	queue->first = 0;
}

/* Makes room for @more elements at the end. Grows by only a small part of the memory still free. */
static int queue_room(
	struct rows_queue *queue, size_t size, size_t more, size_t limit, struct error *err)
{
	const size_t wanted = queue->n + more;
	if (queue->first + wanted <= queue->room) {
		return 0;
	}
	queue_front(queue, size);
	if (wanted <= queue->room) {
		return 0;
	}
	const size_t free_ones = limit * sizeof(float) / size;
	if (wanted - queue->room > free_ones) {
		return error_set(err, -ENOSPC, "no room for %zu values", more);
	}
	const size_t left = (free_ones - (wanted - queue->room)) / 4;
	const size_t room = wanted + (left < wanted / 2 ? left : wanted / 2);
	void *grown = realloc(queue->data, room * size);
	if (!grown) {
		return error_no_memory(err);
	}
	queue->data = grown;
	queue->room = room;
	return 0;
}

#define KEPT_BYTES 16384 /* capacity kept by a queue with few elements */

/* Shrinks the array if most of it is unused. */
static void queue_give_back(struct rows_queue *queue, size_t size)
{
	const size_t kept = KEPT_BYTES / size;
	if (queue->room <= 2 * kept || queue->n > queue->room / 4) {
		return;
	}
	queue_front(queue, size);
	const size_t room = queue->n + queue->n / 2 > kept ? queue->n + queue->n / 2 : kept;
	void *less = realloc(queue->data, room * size);
	if (less) {
		queue->data = less;
		queue->room = room;
	}
}

static void rows_give_back(struct rows *s)
{
	queue_give_back(&s->values, sizeof(float));
	queue_give_back(&s->parts, sizeof(struct rows_part));
	queue_give_back(&s->runs, sizeof(struct rows_run));
}

/* The caller has made room for one more run. */
static void run_add(struct rows *s, size_t rows, uint64_t time_us)
{
	struct rows_run *last = s->runs.n ? run_at(s, s->runs.n - 1) : NULL;
	if (last && last->time_us == time_us) {
		last->rows += rows;
	} else {
		*run_at(s, s->runs.n++) = (struct rows_run){rows, time_us};
	}
}

/* Removes the first @rows. */
static void runs_advance(struct rows *s, size_t rows)
{
	while (rows > 0) {
		assert(s->runs.n > 0);
		struct rows_run *run = run_at(s, 0);
		const size_t n = rows < run->rows ? rows : run->rows;
		run->rows -= n;
		rows -= n;
		s->runs.first += run->rows == 0;
		s->runs.n -= run->rows == 0;
	}
}

/* Removes the last @rows. */
static void runs_cut(struct rows *s, size_t rows)
{
	while (rows > 0) {
		assert(s->runs.n > 0);
		struct rows_run *run = run_at(s, s->runs.n - 1);
		const size_t n = rows < run->rows ? rows : run->rows;
		run->rows -= n;
		rows -= n;
		s->runs.n -= run->rows == 0;
	}
}

/* Returns the arrival time of row @before, counted from 0. */
static uint64_t runs_time(const struct rows *s, size_t before)
{
	size_t i = 0;
	while (before >= run_at(s, i)->rows) {
		before -= run_at(s, i++)->rows;
		assert(i < s->runs.n);
	}
	return run_at(s, i)->time_us;
}

int rows_append(struct rows *s, const struct input_data *m, size_t limit, uint64_t time_us,
	struct error *err)
{
	struct rows_part *open = &s->open;
	assert(open->columns == 0 || (open->columns == m->columns && open->rate == m->rate));
	size_t skip = s->skip < m->rows ? s->skip : m->rows;
	size_t rows = m->rows - skip, values = rows * m->columns;
	const size_t held = rows_held(s);
	const bool run = m->rate == 0 && rows > 0;
	int r = run ? queue_room(&s->runs, sizeof(struct rows_run), 1, limit, err) : 0;
	limit -= r < 0 ? 0 : rows_held(s) - held;
	r = r < 0 ? r : queue_room(&s->values, sizeof(float), values, limit, err);
	if (r < 0) {
		return r;
	}
	if (values > 0) {
		memcpy((float *)s->values.data + s->values.first + s->values.n,
			m->values + skip * m->columns, values * sizeof(float));
	}
	if (run) {
		run_add(s, rows, time_us);
	}
	s->values.n += values;
	s->skip -= skip;
	open->columns = m->columns;
	open->rate = m->rate;
	open->rows += rows;
	open->time_us = time_us;
	return 0;
}

const struct rows_part *rows_front(const struct rows *s)
{
	return s->parts.n ? rows_part_at(s, 0) : &s->open;
}

/* Advances within the front part only: the next part starts with its own first row. */
static void advance(struct rows *s, size_t rows)
{
	struct rows_part *front = s->parts.n ? rows_part_at(s, 0) : &s->open;
	const size_t there = rows < front->rows ? rows : front->rows;
	if (front->rate == 0) {
		runs_advance(s, there);
	}
	s->values.first += there * front->columns;
	s->values.n -= there * front->columns;
	s->skip += front == &s->open ? rows - there : 0;
	front->position += front == &s->open ? rows : there;
	front->rows -= there;
	rows_give_back(s);
}

bool rows_pass(struct rows *s, const struct stage_window *window)
{
	if (s->parts.n == 0 || rows_part_at(s, 0)->rows >= window->rows) {
		return false;
	}
	advance(s, rows_part_at(s, 0)->rows);
	s->parts.first++;
	s->parts.n--;
	return true;
}

int rows_break(struct rows *s, size_t least, struct error *err)
{
	struct rows_part *open = &s->open;
	if (open->rows > 0 && open->rows >= least) {
		int r = queue_room(&s->parts, sizeof(*open), 1, STREAM_MAX_VALUES, err);
		if (r < 0) {
			return r;
		}
		*rows_part_at(s, s->parts.n++) = *open;
	} else {
		s->values.n -= open->rows * open->columns;
		if (open->rate == 0) {
			runs_cut(s, open->rows);
		}
		rows_give_back(s);
	}
	open->position = open->position + open->rows - s->skip;
	open->rows = 0;
	s->skip = 0;
	return 0;
}

int rows_restart(struct rows *s, const struct input_data *m, size_t least,
	char ret_why[ROWS_WHY_SIZE], struct error *err)
{
	const struct rows_part was = s->open;
	ret_why[0] = 0;
	if (was.columns == 0 || (was.columns == m->columns && was.rate == m->rate)) {
		return 0;
	}
	int r = rows_break(s, least, err);
	if (r < 0) {
		return r;
	}
	const bool rate = was.columns == m->columns;
	snprintf(ret_why, ROWS_WHY_SIZE, "the source had %zu %s, now %zu: its window begins anew",
		rate ? was.rate : was.columns, rate ? "samples a second" : "columns",
		rate ? m->rate : m->columns);
	s->open = (struct rows_part){.time_us = was.time_us};
	s->start_us = 0;
	s->late_us = 0;
	return 0;
}

int rows_check_gap(struct rows *s, size_t n, uint32_t rate, uint64_t gap_us, uint64_t now_us,
	size_t least, struct error *err)
{
	const uint64_t length_us = rate ? n * UINT64_C(1000000) / rate : 0;
	const uint64_t due_us = s->received_us + length_us;
	if (s->received_us && gap_us && now_us > due_us && now_us - due_us > gap_us) {
		int r = rows_break(s, least, err);
		if (r < 0) {
			return r;
		}
		s->start_us += now_us - due_us;
		s->late_us += now_us - due_us;
	}
	s->received_us = now_us;
	return 0;
}

int rows_take(struct rows *s, const struct stage_window *window, struct input_data **ret_input_data,
	uint64_t *ret_time_us, struct error *err)
{
	const struct rows_part *front = rows_front(s);
	if (front->rows < window->rows) {
		*ret_input_data = NULL;
		return 0;
	}
	owned(input_data_unref) struct input_data *m = NULL;
	int r = input_data_new(front->rate ? INPUT_DATA_SOUND : INPUT_DATA_NUMBERS, &m, err);
	size_t n = window->rows * front->columns;
	if (r == 0) {
		m->values = malloc(n * sizeof(m->values[0]));
		r = m->values ? 0 : error_no_memory(err);
	}
	if (r < 0) {
		advance(s, window->hop);
		return r;
	}
	memcpy(m->values, (float *)s->values.data + s->values.first, n * sizeof(m->values[0]));
	m->rows = window->rows;
	m->columns = front->columns;
	m->rate = front->rate;
	m->first_row = front->position;
	m->windowed = true;
	m->to_s = front->rate ? (double)(front->position + window->rows) / front->rate : NAN;
	const size_t rest = front->rows - window->rows;
	const uint64_t behind = front->rate ? rest * UINT64_C(1000000) / front->rate : 0;
	const uint64_t time_us = front->rate ? front->time_us : runs_time(s, window->rows - 1);
	*ret_time_us = time_us > behind ? time_us - behind : 0;
	advance(s, window->hop);
	*ret_input_data = take(m);
	return 0;
}

size_t rows_windows(const struct rows_part *part, const struct stage_window *window)
{
	return part->rows < window->rows ? 0 : (part->rows - window->rows) / window->hop + 1;
}

void rows_drop(struct rows *s, const struct stage_window *window)
{
	advance(s, window->hop);
}
