/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/stream.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void stream_deinit(struct stream *s)
{
	free(s->waiting.values);
	for (size_t i = 0; i < RECIPE_MAX_STAGES; i++) {
		free(s->outputs[i].values);
		decision_state_free(&s->decisions[i]);
	}
	*s = (struct stream){0};
}

size_t rows_waiting(const struct rows *s)
{
	return s->rows * s->columns;
}

uint64_t rows_time(struct rows *s, size_t n, uint32_t rate, uint64_t now_us)
{
	if (rate == 0) {
		return now_us;
	}
	uint64_t length_us = n * UINT64_C(1000000) / rate;
	if (s->columns == 0) {
		s->start_us = now_us > length_us ? now_us - length_us : 0;
		s->start_us = s->start_us > s->time_us ? s->start_us : s->time_us;
	}
	return s->start_us + (s->position + s->rows - s->skip + n) * UINT64_C(1000000) / rate;
}

static int room_make(struct rows *s, size_t rows, struct error *err)
{
	size_t wanted = (s->rows + rows) * s->columns;
	if (s->first > 0 && s->rows > 0) {
		memmove(s->values, s->values + s->first * s->columns,
			s->rows * s->columns * sizeof(s->values[0]));
	}
	s->first = 0;
	if (wanted <= s->room) {
		return 0;
	}
	size_t room = wanted + wanted / 2;
	float *values = realloc(s->values, room * sizeof(values[0]));
	if (!values) {
		return error_no_memory(err);
	}
	s->values = values;
	s->room = room;
	return 0;
}

bool rows_restart(struct rows *s, const struct material *m, char ret_why[ROWS_WHY_SIZE])
{
	if (s->columns == 0 || (s->columns == m->columns && s->rate == m->rate)) {
		return false;
	}
	const bool rate = s->columns == m->columns;
	snprintf(ret_why, ROWS_WHY_SIZE, "the source had %zu %s, now %zu: its window begins anew",
		rate ? s->rate : s->columns, rate ? "samples a second" : "columns",
		rate ? m->rate : m->columns);
	*s = (struct rows){.values = s->values,
		.room = s->room,
		.time_us = s->time_us,
		.heard_us = s->heard_us,
		.lost = s->lost};
	return true;
}

int rows_append(
	struct rows *s, const struct material *m, size_t limit, uint64_t time_us, struct error *err)
{
	const bool fresh = s->columns == 0;
	assert(fresh || (s->columns == m->columns && s->rate == m->rate));
	size_t skip = s->skip < m->rows ? s->skip : m->rows;
	size_t rows = m->rows - skip;
	if (rows * m->columns > limit) {
		return error_set(err, -ENOSPC, "%zu values wait already", rows_waiting(s));
	}
	s->columns = m->columns;
	int r = room_make(s, rows, err);
	if (r < 0) {
		s->columns = fresh ? 0 : s->columns;
		return r;
	}
	if (rows > 0) {
		memcpy(s->values + s->rows * s->columns, m->values + skip * m->columns,
			rows * m->columns * sizeof(s->values[0]));
	}
	s->rate = m->rate;
	s->rows += rows;
	s->skip -= skip;
	s->time_us = time_us;
	return 0;
}

static void part_drop(struct rows *s)
{
	s->n_parts--;
	memmove(s->parts, s->parts + 1, s->n_parts * sizeof(s->parts[0]));
}

/* Not beyond a gap: what is behind it begins there. */
static void advance(struct rows *s, size_t rows)
{
	if (s->n_parts > 0) {
		rows = rows < s->parts[0].rows ? rows : s->parts[0].rows;
		s->parts[0].rows -= rows;
	}
	size_t there = rows < s->rows ? rows : s->rows;
	s->first += there;
	s->rows -= there;
	s->skip += rows - there;
	s->position += rows;
}

/* Rows before a gap that make no window any more. */
static void gap_pass(struct rows *s, const struct stage_window *window)
{
	while (s->n_parts > 0 && s->parts[0].rows < window->rows) {
		advance(s, s->parts[0].rows);
		part_drop(s);
	}
}

void rows_break(struct rows *s)
{
	size_t rest = s->rows;
	for (size_t i = 0; i < s->n_parts; i++) {
		rest -= s->parts[i].rows;
	}
	s->position -= s->skip;
	s->skip = 0;
	if (rest > 0 && s->n_parts < ROWS_MAX_GAPS) {
		s->parts[s->n_parts++] = (struct rows_part){rest, s->time_us};
	} else {
		s->rows -= rest;
	}
}

void rows_hear(struct rows *s, size_t n, uint32_t rate, uint64_t gap_us, uint64_t now_us)
{
	const uint64_t length_us = rate ? n * UINT64_C(1000000) / rate : 0;
	const uint64_t due_us = s->heard_us + length_us;
	if (s->heard_us && gap_us && now_us > due_us && now_us - due_us > gap_us) {
		rows_break(s);
		s->start_us += now_us - due_us;
	}
	s->heard_us = now_us;
}

int rows_take(struct rows *s, const struct stage_window *window, struct material **ret_material,
	uint64_t *ret_time_us, struct error *err)
{
	gap_pass(s, window);
	if (s->rows < window->rows) {
		*ret_material = NULL;
		return 0;
	}
	owned(material_unref) struct material *m = NULL;
	int r = material_new(s->rate ? MATERIAL_SOUND : MATERIAL_NUMBERS, &m, err);
	size_t n = window->rows * s->columns;
	if (r == 0) {
		m->values = malloc(n * sizeof(m->values[0]));
		r = m->values ? 0 : error_no_memory(err);
	}
	if (r < 0) {
		advance(s, window->hop);
		return r;
	}
	memcpy(m->values, s->values + s->first * s->columns, n * sizeof(m->values[0]));
	m->rows = window->rows;
	m->columns = s->columns;
	m->rate = s->rate;
	m->first_row = s->position;
	m->windowed = true;
	m->to_s = s->rate ? (double)(s->position + window->rows) / s->rate : NAN;
	const size_t rest = (s->n_parts ? s->parts[0].rows : s->rows) - window->rows;
	const uint64_t last_us = s->n_parts ? s->parts[0].time_us : s->time_us;
	uint64_t behind = s->rate ? rest * UINT64_C(1000000) / s->rate : 0;
	*ret_time_us = last_us > behind ? last_us - behind : 0;
	advance(s, window->hop);
	*ret_material = take(m);
	return 0;
}

size_t rows_catch_up(struct rows *s, const struct stage_window *window)
{
	size_t dropped = 0;
	gap_pass(s, window);
	while (s->rows >= window->rows + window->hop) {
		advance(s, window->hop);
		gap_pass(s, window);
		dropped++;
	}
	return dropped;
}
