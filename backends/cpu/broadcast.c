/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/broadcast.h"

#include <string.h>

#include "backends/cpu/accept.h"
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
		ret->bytes[k] = (uint8_t)accept_element_bytes(op_tensor_in(setup, k));
	}
	ret->dst_bytes = (uint8_t)accept_element_bytes(op_tensor_out(setup, 0));
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

/* Short rows of an operand that begin again with each row of the others are written side by side, so
 * that a row kernel sees many of them at once. */
#define REPEAT_BYTES 1024

/* An operand of the last two dimensions is one number, or one row over and over, or dense. */
static bool repeats(const struct broadcast *p, uint32_t k)
{
	return p->step[k][p->rank - 2] == 0;
}

/* How many rows fit; 0 where this way is none. */
static uint64_t rows_at_once(const struct broadcast *p)
{
	if (p->rank < 2) {
		return 0;
	}
	uint32_t last = p->rank - 1;
	uint64_t bytes = 1, row = p->size[last];
	for (uint32_t k = 0; k < p->n; k++) {
		bool dense = p->step[k][last] == 1 && p->step[k][last - 1] == row;
		if (!repeats(p, k) && !dense) {
			return 0;
		}
		bytes = p->bytes[k] > bytes ? p->bytes[k] : bytes;
	}
	uint64_t n = row < REPEAT_BYTES ? REPEAT_BYTES / (row * bytes) : 0;
	return n < 4 ? 0 : n;
}

/* The last two dimensions, @at_once rows with each call. */
static int run_repeated(struct rows *r, uint64_t at_once, struct sources s)
{
	const struct broadcast *p = r->plan;
	uint32_t last = p->rank - 1;
	uint64_t row = p->size[last], rows = p->size[last - 1];
	size_t step[BROADCAST_OPERANDS];
	bool copied[BROADCAST_OPERANDS];
	const void *src[BROADCAST_OPERANDS] = {0};
	_Alignas(16) char copies[BROADCAST_OPERANDS][REPEAT_BYTES];
	for (uint32_t k = 0; k < p->n; k++) {
		size_t bytes = row * p->bytes[k];
		step[k] = (size_t)p->step[k][last];
		copied[k] = step[k] && repeats(p, k);
		for (uint64_t i = 0; copied[k] && i < at_once; i++) {
			memcpy(copies[k] + i * bytes, s.at[k], bytes);
		}
	}
	struct tiles t = {.total = rows, .control = r->control, .each = tiles_rows(row)};
	while (tiles_next(&t)) {
		for (uint64_t done = 0, n; done < t.count; done += n) {
			n = t.count - done < at_once ? t.count - done : at_once;
			for (uint32_t k = 0; k < p->n; k++) {
				src[k] = copied[k] ? copies[k] : s.at[k];
				s.at[k] += copied[k] ? 0 : n * row * step[k] * p->bytes[k];
			}
			r->row(r->state, r->dst, src, step, (size_t)(n * row));
			r->dst += n * row * p->dst_bytes;
		}
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

int broadcast_run_at(const struct broadcast *plan, const struct run_control *control, void *dst,
	const void *const *src, broadcast_row_fn *row, const void *state, struct error *err)
{
	static const size_t one[BROADCAST_OPERANDS] = {1, 1, 1};
	if (plan->empty) {
		return 0;
	}
	if (plan->rank == 0) {
		row(state, dst, src, one, 1);
		return 0;
	}
	struct rows rows = {.plan = plan,
		.row = row,
		.state = state,
		.control = control,
		.dst = dst,
		.at_once = rows_at_once(plan)};
	struct sources s = {0};
	for (uint32_t k = 0; k < plan->n; k++) {
		s.at[k] = src[k];
	}
	int result = run_level(&rows, 0, s);
	return result < 0 ? error_set(err, result, "given up in the middle of the operator") : 0;
}

int broadcast_run(const struct broadcast *plan, const struct op_call *call, broadcast_row_fn *row,
	const void *state, struct error *err)
{
	const void *src[BROADCAST_OPERANDS] = {0};
	for (uint32_t k = 0; k < plan->n; k++) {
		src[k] = op_in(call, k)->data;
	}
	return broadcast_run_at(plan, call->control, op_out(call, 0)->data, src, row, state, err);
}
