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
}

void stream_deinit(struct stream *s)
{
	rows_deinit(&s->waiting);
	for (size_t i = 0; i < RECIPE_MAX_STAGES; i++) {
		rows_deinit(&s->outputs[i]);
		decision_state_free(&s->decisions[i]);
	}
	*s = (struct stream){0};
}

size_t rows_waiting(const struct rows *s)
{
	return s->used + s->n_parts * (sizeof(s->parts[0]) / sizeof(s->values[0]));
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
	}
	return s->start_us + (open->position + open->rows - s->skip + n) * UINT64_C(1000000) / rate;
}

static int room_make(struct rows *s, size_t values, struct error *err)
{
	const size_t wanted = s->used + values;
	if (s->first > 0 && s->used > 0) {
		memmove(s->values, s->values + s->first, s->used * sizeof(s->values[0]));
	}
	s->first = 0;
	if (wanted <= s->room) {
		return 0;
	}
	size_t room = wanted + wanted / 2;
	float *grown = realloc(s->values, room * sizeof(grown[0]));
	if (!grown) {
		return error_no_memory(err);
	}
	s->values = grown;
	s->room = room;
	return 0;
}

int rows_append(
	struct rows *s, const struct material *m, size_t limit, uint64_t time_us, struct error *err)
{
	struct rows_part *open = &s->open;
	assert(open->columns == 0 || (open->columns == m->columns && open->rate == m->rate));
	size_t skip = s->skip < m->rows ? s->skip : m->rows;
	size_t rows = m->rows - skip, values = rows * m->columns;
	if (values > limit) {
		return error_set(err, -ENOSPC, "%zu values wait already", rows_waiting(s));
	}
	int r = room_make(s, values, err);
	if (r < 0) {
		return r;
	}
	if (values > 0) {
		memcpy(s->values + s->used, m->values + skip * m->columns,
			values * sizeof(s->values[0]));
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

/* Not beyond the end of a part: what is behind it begins there. */
static void advance(struct rows *s, size_t rows)
{
	struct rows_part *front = front_of(s);
	const size_t there = rows < front->rows ? rows : front->rows;
	s->first += there * front->columns;
	s->used -= there * front->columns;
	s->skip += front == &s->open ? rows - there : 0;
	front->position += front == &s->open ? rows : there;
	front->rows -= there;
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
	if (s->first_part > 0 && s->first_part >= s->parts_room / 2) {
		memmove(s->parts, s->parts + s->first_part, s->n_parts * sizeof(s->parts[0]));
		s->first_part = 0;
	}
	if (s->first_part + s->n_parts == s->parts_room) {
		const size_t room = 8 + s->parts_room + s->parts_room / 2;
		struct rows_part *grown = realloc(s->parts, room * sizeof(grown[0]));
		if (!grown) {
			return error_no_memory(err);
		}
		s->parts = grown;
		s->parts_room = room;
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
	}
	open->position = open->position + open->rows - s->skip;
	open->rows = 0;
	s->skip = 0;
	return 0;
}

int rows_restart(struct rows *s, const struct material *m, size_t least,
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
	return 0;
}

int rows_hear(struct rows *s, size_t n, uint32_t rate, uint64_t gap_us, uint64_t now_us,
	size_t least, struct error *err)
{
	const uint64_t length_us = rate ? n * UINT64_C(1000000) / rate : 0;
	const uint64_t due_us = s->heard_us + length_us;
	if (s->heard_us && gap_us && now_us > due_us && now_us - due_us > gap_us) {
		int r = rows_break(s, least, err);
		if (r < 0) {
			return r;
		}
		s->start_us += now_us - due_us;
	}
	s->heard_us = now_us;
	return 0;
}

int rows_take(struct rows *s, const struct stage_window *window, struct material **ret_material,
	uint64_t *ret_time_us, struct error *err)
{
	const struct rows_part *front = rows_front(s);
	if (front->rows < window->rows) {
		*ret_material = NULL;
		return 0;
	}
	owned(material_unref) struct material *m = NULL;
	int r = material_new(front->rate ? MATERIAL_SOUND : MATERIAL_NUMBERS, &m, err);
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
	uint64_t behind = front->rate ? rest * UINT64_C(1000000) / front->rate : 0;
	*ret_time_us = front->time_us > behind ? front->time_us - behind : 0;
	advance(s, window->hop);
	*ret_material = take(m);
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
