/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/broadcast.h"

#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/tile_grid.h"
#include "backends/cpu/tiles.h"

/* Steps of an operand through the dimensions of the result, aligned at the end. */
static void steps_of(const struct shape *shape, const struct shape *out, uint64_t *ret_steps)
{
	uint64_t step = 1;
	uint32_t missing = out->rank - shape->rank;
	for (uint32_t i = out->rank; i-- > 0;) {
		int32_t dim = i < missing ? 1 : shape->dim[i - missing];
		ret_steps[i] = dim == 1 ? 0 : step;
		step *= (uint64_t)dim;
	}
}

static void drop(struct broadcast *p, uint32_t i)
{
	for (p->rank--; i < p->rank; i++) {
		p->size[i] = p->size[i + 1];
		for (uint32_t k = 0; k < p->n; k++) {
			p->step[k][i] = p->step[k][i + 1];
		}
	}
}

/* True when all operands step through dimensions @i - 1 and @i as through one. */
static bool joins(const struct broadcast *p, uint32_t i)
{
	for (uint32_t k = 0; k < p->n; k++) {
		if (p->step[k][i - 1] != p->size[i] * p->step[k][i]) {
			return false;
		}
	}
	return true;
}

static void simplify(struct broadcast *p)
{
	for (uint32_t i = p->rank; i-- > 0;) {
		if (p->size[i] == 1) {
			drop(p, i);
		}
	}
	for (uint32_t i = p->rank; i-- > 1;) {
		if (joins(p, i)) {
			p->size[i] *= p->size[i - 1];
			drop(p, i - 1);
		}
	}
}

void broadcast_plan_shapes(
	const struct shape *out, const struct shape *const *in, uint32_t n, struct broadcast *ret)
{
	*ret = (struct broadcast){.rank = out->rank, .n = n, .empty = op_elements(out) == 0};
	for (uint32_t i = 0; i < out->rank; i++) {
		ret->size[i] = (uint64_t)out->dim[i];
	}
	for (uint32_t k = 0; k < n; k++) {
		steps_of(in[k], out, ret->step[k]);
	}
	simplify(ret);
}

void broadcast_plan(const struct op_setup *setup, uint32_t n, struct broadcast *ret)
{
	const struct shape *in[BROADCAST_OPERANDS] = {0};
	for (uint32_t k = 0; k < n; k++) {
		in[k] = op_shape_in(setup, k);
	}
	broadcast_plan_shapes(op_shape_out(setup, 0), in, n, ret);
	for (uint32_t k = 0; k < n; k++) {
		ret->bytes[k] = (uint8_t)op_accept_element_bytes(op_tensor_in(setup, k));
	}
	ret->dst_bytes = (uint8_t)op_accept_element_bytes(op_tensor_out(setup, 0));
}

struct rows {
	const struct broadcast *plan;
	broadcast_row_fn *row;
	const void *state;
	const struct run_control *control;
	uint64_t since_check; /* elements done since the control was looked at */
	uint64_t at_once; /* of run_repeated(), or 0 */
	char *dst; /* the result is dense: behind what was written */
};

/* Where the operands are. */
struct sources {
	const char *at[BROADCAST_OPERANDS];
};

static void advance(const struct broadcast *p, uint32_t level, uint64_t n, struct sources *s)
{
	for (uint32_t k = 0; k < p->n; k++) {
		s->at[k] += n * p->step[k][level] * p->bytes[k];
	}
}

static int run_row(struct rows *r, struct sources s)
{
	const struct broadcast *p = r->plan;
	uint32_t last = p->rank - 1;
	size_t step[BROADCAST_OPERANDS];
	for (uint32_t k = 0; k < p->n; k++) {
		step[k] = (size_t)p->step[k][last];
	}
	struct tiles t = {.total = p->size[last], .control = r->control};
	while (tiles_next(&t)) {
		const void *const src[] = {s.at[0], s.at[1], s.at[2]};
		r->row(r->state, r->dst, src, step, (size_t)t.count);
		r->dst += t.count * p->dst_bytes;
		advance(p, last, t.count, &s);
	}
	r->since_check += p->size[last];
	if (t.result == 0 && r->since_check > TILE_ELEMENTS) {
		r->since_check = 0;
		t.result = run_control_check(r->control);
	}
	return t.result;
}

/* Short rows of an operand that begin again with each row of the others, and numbers that a short row
 * has in common, are written side by side, so that a row kernel sees many rows at once. */
#define REPEAT_BYTES 1024

/* How an operand goes through the last two dimensions. */
enum course {
	COURSE_DENSE,
	COURSE_ONE, /* one number */
	COURSE_ROW, /* one row over and over */
	COURSE_EACH, /* one number for each row */
	COURSE_OTHER
};

static enum course course_of(const struct broadcast *p, uint32_t k)
{
	uint64_t inner = p->step[k][p->rank - 1], outer = p->step[k][p->rank - 2];
	return inner == 1 && outer == p->size[p->rank - 1] ? COURSE_DENSE
		: inner == 0 && outer == 0                 ? COURSE_ONE
		: inner == 1 && outer == 0                 ? COURSE_ROW
		: inner == 0 && outer == 1                 ? COURSE_EACH
							   : COURSE_OTHER;
}

/* How many rows fit, at most as many as there are; 0 where this way is none. */
static uint64_t rows_at_once(const struct broadcast *p)
{
	uint64_t bytes = 1, row = p->rank < 2 ? 0 : p->size[p->rank - 1];
	if (row == 0) {
		return 0;
	}
	for (uint32_t k = 0; k < p->n; k++) {
		if (course_of(p, k) == COURSE_OTHER) {
			return 0;
		}
		bytes = p->bytes[k] > bytes ? p->bytes[k] : bytes;
	}
	uint64_t n = row < REPEAT_BYTES ? REPEAT_BYTES / (row * bytes) : 0;
	uint64_t rows = p->size[p->rank - 2];
	return n < 4 ? 0 : n < rows ? n : rows;
}

/* @to: each of @n elements @times in a row. */
static void spread(char *to, const char *from, size_t bytes, uint64_t n, uint64_t times)
{
	for (uint64_t i = 0; i < n; i++, from += bytes) {
		if (bytes == 1) {
			memset(to, *from, times);
			to += times;
			continue;
		}
		for (uint64_t k = 0; k < times; k++, to += bytes) {
			memcpy(to, from, bytes);
		}
	}
}

/* An operand on its way through the rows. */
struct traveller {
	enum course course;
	size_t bytes;
	const char *at;
	_Alignas(16) char copies[REPEAT_BYTES];
};

static void set_out(struct traveller *t, const struct broadcast *p, uint32_t k, const char *at,
	uint64_t at_once)
{
	t->course = course_of(p, k);
	t->bytes = p->bytes[k];
	t->at = at;
	size_t row_bytes = p->size[p->rank - 1] * t->bytes;
	for (uint64_t i = 0; t->course == COURSE_ROW && i < at_once; i++) {
		memcpy(t->copies + i * row_bytes, at, row_bytes);
	}
}

/* What the next @n rows of @row elements are. */
static const void *travel(struct traveller *t, uint64_t n, uint64_t row)
{
	const char *at = t->at;
	switch (t->course) {
	case COURSE_DENSE:
		t->at += n * row * t->bytes;
		return at;
	case COURSE_EACH:
		t->at += n * t->bytes;
		spread(t->copies, at, t->bytes, n, row);
		return t->copies;
	case COURSE_ROW:
		return t->copies;
	default:
		return at;
	}
}

/* The last two dimensions, @at_once rows with each call. */
static int run_repeated(struct rows *r, uint64_t at_once, struct sources s)
{
	const struct broadcast *p = r->plan;
	uint64_t row = p->size[p->rank - 1];
	size_t step[BROADCAST_OPERANDS];
	const void *src[BROADCAST_OPERANDS] = {0};
	struct traveller travellers[BROADCAST_OPERANDS];
	for (uint32_t k = 0; k < p->n; k++) {
		set_out(&travellers[k], p, k, s.at[k], at_once);
		step[k] = travellers[k].course != COURSE_ONE;
	}
	struct tiles t = {
		.total = p->size[p->rank - 2], .control = r->control, .each = tiles_rows(row)};
	while (tiles_next(&t)) {
		for (uint64_t done = 0, n; done < t.count; done += n) {
			n = t.count - done < at_once ? t.count - done : at_once;
			for (uint32_t k = 0; k < p->n; k++) {
				src[k] = travel(&travellers[k], n, row);
			}
			r->row(r->state, r->dst, src, step, (size_t)(n * row));
			r->dst += n * row * p->dst_bytes;
		}
	}
	r->since_check += t.total * row;
	if (t.result == 0 && r->since_check > TILE_ELEMENTS) {
		r->since_check = 0;
		t.result = run_control_check(r->control);
	}
	return t.result;
}

static int run_level(struct rows *r, uint32_t level, struct sources s)
{
	const struct broadcast *p = r->plan;
	if (level + 1 == p->rank) {
		return run_row(r, s);
	}
	if (level + 2 == p->rank && r->at_once) {
		return run_repeated(r, r->at_once, s);
	}
	for (uint64_t i = 0; i < p->size[level]; i++) {
		int result = run_level(r, level + 1, s);
		if (result < 0) {
			return result;
		}
		advance(p, level, 1, &s);
	}
	return 0;
}

static int run_plan(
	const struct rows *from, uint64_t at_once, const void *const *src, struct error *err)
{
	static const size_t one[BROADCAST_OPERANDS] = {1, 1, 1};
	struct rows rows = *from;
	struct sources s = {0};
	if (rows.plan->empty) {
		return 0;
	}
	if (rows.plan->rank == 0) {
		rows.row(rows.state, rows.dst, src, one, 1);
		return 0;
	}
	rows.at_once = at_once;
	for (uint32_t k = 0; k < rows.plan->n; k++) {
		s.at[k] = src[k];
	}
	int result = run_level(&rows, 0, s);
	return result < 0 ? error_set(err, result, "given up in the middle of the operator") : 0;
}

int broadcast_run_at(const struct broadcast *plan, const struct run_control *control, void *dst,
	const void *const *src, broadcast_row_fn *row, const void *state, struct error *err)
{
	const struct rows rows = {
		.plan = plan, .row = row, .state = state, .control = control, .dst = dst};
	return run_plan(&rows, 0, src, err);
}

int broadcast_run(const struct broadcast *plan, const struct op_call *call, broadcast_row_fn *row,
	const void *state, struct error *err)
{
	const void *src[BROADCAST_OPERANDS] = {0};
	for (uint32_t k = 0; k < plan->n; k++) {
		src[k] = op_in(call, k)->data;
	}
	const struct rows rows = {.plan = plan,
		.row = row,
		.state = state,
		.control = call->control,
		.dst = op_out(call, 0)->data};
	return run_plan(&rows, rows_at_once(plan), src, err);
}

/* Operands and result of one row. */
struct shared_row {
	const struct broadcast *plan;
	broadcast_row_fn *row;
	const void *state;
	char *dst;
	const char *src[BROADCAST_OPERANDS];
};

static void run_part(const void *args, uint64_t first, uint64_t n)
{
	const struct shared_row *s = args;
	size_t step[BROADCAST_OPERANDS];
	const void *src[BROADCAST_OPERANDS] = {0};
	for (uint32_t k = 0; k < s->plan->n; k++) {
		step[k] = (size_t)s->plan->step[k][0];
		src[k] = s->src[k] + first * step[k] * s->plan->bytes[k];
	}
	s->row(s->state, s->dst + first * s->plan->dst_bytes, src, step, (size_t)n);
}

int broadcast_run_shared(const struct broadcast *plan, const struct op_call *call,
	broadcast_row_fn *row, const void *state, struct error *err)
{
	if (plan->rank != 1 || plan->empty || !tile_grid_shares_line(call, plan->size[0])) {
		return broadcast_run(plan, call, row, state, err);
	}
	struct shared_row shared = {plan, row, state, op_out(call, 0)->data, {0}};
	for (uint32_t k = 0; k < plan->n; k++) {
		shared.src[k] = op_in(call, k)->data;
	}
	return tile_grid_run_line(call, plan->size[0], run_part, &shared, err);
}
