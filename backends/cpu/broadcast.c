/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/broadcast.h"

#include "backends/cpu/accept.h"
#include "backends/cpu/params.h"
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
		p->a_step[i] = p->a_step[i + 1];
		p->b_step[i] = p->b_step[i + 1];
	}
}

static void simplify(struct broadcast *p)
{
	for (uint32_t i = p->rank; i-- > 0;) {
		if (p->size[i] == 1) {
			drop(p, i);
		}
	}
	for (uint32_t i = p->rank; i-- > 1;) {
		uint64_t n = p->size[i];
		if (p->a_step[i - 1] == n * p->a_step[i] && p->b_step[i - 1] == n * p->b_step[i]) {
			p->size[i] *= p->size[i - 1];
			drop(p, i - 1);
		}
	}
}

void broadcast_plan(const struct op_setup *setup, struct broadcast *ret)
{
	const struct shape *out = op_shape_out(setup, 0);
	*ret = (struct broadcast){
		.rank = out->rank,
		.empty = params_elements(out) == 0,
		.a_bytes = (uint8_t)accept_element_bytes(op_tensor_in(setup, 0)),
		.b_bytes = (uint8_t)accept_element_bytes(op_tensor_in(setup, 1)),
		.dst_bytes = (uint8_t)accept_element_bytes(op_tensor_out(setup, 0)),
	};
	for (uint32_t i = 0; i < out->rank; i++) {
		ret->size[i] = (uint64_t)out->dim[i];
	}
	steps_of(op_shape_in(setup, 0), out, ret->a_step);
	steps_of(op_shape_in(setup, 1), out, ret->b_step);
	simplify(ret);
}

struct rows {
	const struct broadcast *plan;
	broadcast_row_fn *row;
	const void *state;
	const struct run_control *control;
	uint64_t since_check; /* elements done since the control was looked at */
};

static int run_row(struct rows *r, char *dst, const char *a, const char *b)
{
	const struct broadcast *p = r->plan;
	uint32_t last = p->rank - 1;
	struct tiles t = {.total = p->size[last], .control = r->control};
	while (tiles_next(&t)) {
		r->row(r->state, dst + t.at * p->dst_bytes, a + t.at * p->a_step[last] * p->a_bytes,
			b + t.at * p->b_step[last] * p->b_bytes, t.count, p->a_step[last],
			p->b_step[last]);
	}
	r->since_check += p->size[last];
	if (t.result == 0 && r->since_check > TILE_ELEMENTS) {
		r->since_check = 0;
		t.result = run_control_check(r->control);
	}
	return t.result;
}

/* The result is dense: returns 0 and moves *@dst behind what was written. */
static int run_level(struct rows *r, uint32_t level, char **dst, const char *a, const char *b)
{
	const struct broadcast *p = r->plan;
	if (level + 1 == p->rank) {
		int result = run_row(r, *dst, a, b);
		*dst += p->size[level] * p->dst_bytes;
		return result;
	}
	for (uint64_t i = 0; i < p->size[level]; i++) {
		int result = run_level(r, level + 1, dst, a, b);
		if (result < 0) {
			return result;
		}
		a += p->a_step[level] * p->a_bytes;
		b += p->b_step[level] * p->b_bytes;
	}
	return 0;
}

int broadcast_run(const struct broadcast *plan, const struct op_call *call, broadcast_row_fn *row,
	const void *state, struct error *err)
{
	char *dst = op_out(call, 0)->data;
	const void *a = op_in(call, 0)->data, *b = op_in(call, 1)->data;
	if (plan->empty) {
		return 0;
	}
	if (plan->rank == 0) {
		row(state, dst, a, b, 1, 1, 1);
		return 0;
	}
	struct rows rows = {.plan = plan, .row = row, .state = state, .control = call->control};
	int result = run_level(&rows, 0, &dst, a, b);
	return result < 0 ? error_set(err, result, "given up in the middle of the operator") : 0;
}
