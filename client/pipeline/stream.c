/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/stream.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void rows_deinit(struct rows *s)
{
	free(s->values);
	free(s->parts);
	free(s->runs);
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
	return s->room +
		(s->parts_room * sizeof(s->parts[0]) + s->runs_room * sizeof(s->runs[0])) /
		sizeof(s->values[0]);
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

/* A growing array: @n elements of @size bytes from *first on, capacity *room. */
struct room {
	void *data;
	size_t *room, *first;
	size_t n, size;
};

static struct room values_room(struct rows *s)
{
	return (struct room){s->values, &s->room, &s->first, s->used, sizeof(s->values[0])};
}

static struct room parts_room(struct rows *s)
{
	return (struct room){
		s->parts, &s->parts_room, &s->first_part, s->n_parts, sizeof(s->parts[0])};
}

static struct room runs_room(struct rows *s)
{
	return (struct room){s->runs, &s->runs_room, &s->first_run, s->n_runs, sizeof(s->runs[0])};
}

static void room_front(const struct room *list)
{
	char *data = list->data;
	if (*list->first > 0 && list->n > 0) {
		memmove(data, data + *list->first * list->size, list->n * list->size);
	}
	*list->first = 0;
}

/* Makes room for @more elements at the end. Grows by only a small part of the memory still free. */
static int room_make(struct room *list, size_t more, size_t limit, struct error *err)
{
	const size_t wanted = list->n + more;
	if (*list->first + wanted <= *list->room) {
		return 0;
	}
	room_front(list);
	if (wanted <= *list->room) {
		return 0;
	}
	const size_t free_ones = limit * sizeof(float) / list->size;
	if (wanted - *list->room > free_ones) {
		return error_set(err, -ENOSPC, "no room for %zu values", more);
	}
	const size_t left = (free_ones - (wanted - *list->room)) / 4;
	const size_t room = wanted + (left < wanted / 2 ? left : wanted / 2);
	void *grown = realloc(list->data, room * list->size);
	if (!grown) {
		return error_no_memory(err);
	}
	list->data = grown;
	*list->room = room;
	return 0;
}

static int values_make(struct rows *s, size_t more, size_t limit, struct error *err)
{
	struct room list = values_room(s);
	int r = room_make(&list, more, limit, err);
	s->values = list.data;
	return r;
}

static int part_make(struct rows *s, struct error *err)
{
	struct room list = parts_room(s);
	int r = room_make(&list, 1, STREAM_MAX_VALUES, err);
	s->parts = list.data;
	return r;
}

static int run_make(struct rows *s, size_t limit, struct error *err)
{
	struct room list = runs_room(s);
	int r = room_make(&list, 1, limit, err);
	s->runs = list.data;
	return r;
}

#define KEPT_BYTES 16384 /* capacity kept by a list with few elements */

/* Shrinks the list if most of it is unused. Returns its address. */
static void *room_give_back(struct room list)
{
	const size_t kept = KEPT_BYTES / list.size;
	if (*list.room <= 2 * kept || list.n > *list.room / 4) {
		return list.data;
	}
	room_front(&list);
	const size_t room = list.n + list.n / 2 > kept ? list.n + list.n / 2 : kept;
	void *less = realloc(list.data, room * list.size);
	if (less) {
		*list.room = room;
	}
	return less ? less : list.data;
}

static void rows_give_back(struct rows *s)
{
	s->values = room_give_back(values_room(s));
	s->parts = room_give_back(parts_room(s));
	s->runs = room_give_back(runs_room(s));
}

/* The caller has made room for one more run. */
static void run_add(struct rows *s, size_t rows, uint64_t time_us)
{
	struct rows_run *last = s->n_runs ? &s->runs[s->first_run + s->n_runs - 1] : NULL;
	if (last && last->time_us == time_us) {
		last->rows += rows;
	} else {
		s->runs[s->first_run + s->n_runs++] = (struct rows_run){rows, time_us};
	}
}

/* Removes the first @rows. */
static void runs_advance(struct rows *s, size_t rows)
{
	while (rows > 0) {
		assert(s->n_runs > 0);
		struct rows_run *run = &s->runs[s->first_run];
		const size_t n = rows < run->rows ? rows : run->rows;
		run->rows -= n;
		rows -= n;
		s->first_run += run->rows == 0;
		s->n_runs -= run->rows == 0;
	}
}

/* Removes the last @rows. */
static void runs_cut(struct rows *s, size_t rows)
{
	while (rows > 0) {
		assert(s->n_runs > 0);
		struct rows_run *run = &s->runs[s->first_run + s->n_runs - 1];
		const size_t n = rows < run->rows ? rows : run->rows;
		run->rows -= n;
		rows -= n;
		s->n_runs -= run->rows == 0;
	}
}

/* Returns the arrival time of row @before, counted from 0. */
static uint64_t runs_time(const struct rows *s, size_t before)
{
	size_t i = s->first_run;
	while (before >= s->runs[i].rows) {
		before -= s->runs[i++].rows;
		assert(i < s->first_run + s->n_runs);
	}
	return s->runs[i].time_us;
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
	int r = run ? run_make(s, limit, err) : 0;
	limit -= r < 0 ? 0 : rows_held(s) - held;
	r = r < 0 ? r : values_make(s, values, limit, err);
	if (r < 0) {
		return r;
	}
	if (values > 0) {
		memcpy(s->values + s->first + s->used, m->values + skip * m->columns,
			values * sizeof(s->values[0]));
	}
	if (run) {
		run_add(s, rows, time_us);
	}
	s->used += values;
	s->skip -= skip;
	open->columns = m->columns;
	open->rate = m->rate;
	open->rows += rows;
	open->time_us = time_us;
	return 0;
}

static struct rows_part *front_of(struct rows *s)
{
	return s->n_parts ? &s->parts[s->first_part] : &s->open;
}

const struct rows_part *rows_front(const struct rows *s)
{
	return s->n_parts ? &s->parts[s->first_part] : &s->open;
}

/* Advances within the front part only: the next part starts with its own first row. */
static void advance(struct rows *s, size_t rows)
{
	struct rows_part *front = front_of(s);
	const size_t there = rows < front->rows ? rows : front->rows;
	if (front->rate == 0) {
		runs_advance(s, there);
	}
	s->first += there * front->columns;
	s->used -= there * front->columns;
	s->skip += front == &s->open ? rows - there : 0;
	front->position += front == &s->open ? rows : there;
	front->rows -= there;
	rows_give_back(s);
}

bool rows_pass(struct rows *s, const struct stage_window *window)
{
	if (s->n_parts == 0 || s->parts[s->first_part].rows >= window->rows) {
		return false;
	}
	advance(s, s->parts[s->first_part].rows);
	s->first_part++;
	s->n_parts--;
	return true;
}

static int part_keep(struct rows *s, const struct rows_part *part, struct error *err)
{
	int r = part_make(s, err);
	if (r < 0) {
		return r;
	}
	s->parts[s->first_part + s->n_parts++] = *part;
	return 0;
}

int rows_break(struct rows *s, size_t least, struct error *err)
{
	struct rows_part *open = &s->open;
	if (open->rows > 0 && open->rows >= least) {
		int r = part_keep(s, open, err);
		if (r < 0) {
			return r;
		}
	} else {
		s->used -= open->rows * open->columns;
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

int rows_hear(struct rows *s, size_t n, uint32_t rate, uint64_t gap_us, uint64_t now_us,
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
	memcpy(m->values, s->values + s->first, n * sizeof(m->values[0]));
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
