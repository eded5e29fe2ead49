/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/ops/reduce/reduce_axes.h"

#include "backends/cpu/params.h"
#include "backends/cpu/tiles.h"

/* Joins neighbouring dimensions that are both kept or both added up; those of size 1 vanish. */
static void plan_steps(const struct shape *shape, uint32_t axes, struct reduce *reduce)
{
	uint64_t step = 1;
	bool last = false;
	uint64_t size[SHAPE_MAX_RANK] = {1}, steps[SHAPE_MAX_RANK] = {1};
	uint32_t n = 0; /* from the innermost outwards */
	for (uint32_t i = shape->rank; i-- > 0;) {
		bool adds = axes >> i & 1;
		uint64_t dim = (uint64_t)shape->dim[i];
		if (dim == 1) {
			continue;
		}
		if (n > 0 && adds == last) {
			size[n - 1] *= dim;
		} else {
			size[n] = dim;
			steps[n++] = adds ? 0 : step;
		}
		step *= adds ? 1 : dim;
		last = adds;
	}
	reduce->rank = n ? n : 1;
	for (uint32_t i = 0; i < reduce->rank; i++) {
		reduce->size[i] = size[reduce->rank - 1 - i];
		reduce->step[i] = steps[reduce->rank - 1 - i];
	}
}

/* Bit d of *ret: dimension d is reduced. An axis that is there twice counts once; a scalar has
 * none. */
static int read_axes(const struct op_setup *setup, uint32_t *ret_axes, struct error *err)
{
	struct params axes;
	uint32_t rank = op_shape_in(setup, 0)->rank;
	int r = params_read(setup, 1, &axes, err);
	*ret_axes = 0;
	for (uint32_t i = 0; r == 0 && rank > 0 && i < axes.count; i++) {
		uint32_t axis = 0;
		r = params_axis(axes.value[i], rank, &axis, err);
		*ret_axes |= 1u << axis;
	}
	return r;
}

int reduce_plan(const struct op_setup *setup, struct reduce *reduce, struct error *err)
{
	const struct shape *shape = op_shape_in(setup, 0);
	uint32_t axes = 0;
	int r = read_axes(setup, &axes, err);
	if (r < 0) {
		return r;
	}
	uint64_t kept = 1, planned = op_elements(op_shape_out(setup, 0));
	reduce->reduced = 1;
	reduce->is_whole = axes == (1u << shape->rank) - 1;
	for (uint32_t i = 0; i < shape->rank; i++) {
		*(axes >> i & 1 ? &reduce->reduced : &kept) *= (uint64_t)shape->dim[i];
	}
	/* Axes that a run brings may leave more than the scalar that was planned for. */
	if (kept != planned) {
		return error_set(err, -EINVAL, "axes that leave %llu elements, not %llu",
			(unsigned long long)kept, (unsigned long long)planned);
	}
	plan_steps(shape, axes, reduce);
	return 0;
}

struct walk {
	const struct reduce *reduce;
	const char *src; /* moves on through the whole input */
	const struct run_control *control;
	uint64_t since_check; /* elements folded since the control was looked at */
};

static int fold_row(struct walk *w, uint64_t n, uint64_t step, char *acc)
{
	const struct reduce *r = w->reduce;
	struct tiles t = {.total = n, .control = w->control};
	while (tiles_next(&t)) {
		char *to = acc + t.at * step * r->acc_bytes;
		if (r->fold) {
			r->fold(to, w->src, t.count, step);
		} else {
			r->product((int64_t *)to, w->src, t.count, step, &r->scaling);
		}
		w->src += t.count * r->in_bytes;
	}
	w->since_check += n;
	if (t.result == 0 && w->since_check > TILE_ELEMENTS) {
		w->since_check = 0;
		t.result = run_control_check(w->control);
	}
	return t.result;
}

static int fold_level(struct walk *w, uint32_t level, char *acc)
{
	const struct reduce *r = w->reduce;
	if (level + 1 == r->rank) {
		return fold_row(w, r->size[level], r->step[level], acc);
	}
	for (uint64_t i = 0; i < r->size[level]; i++) {
		int result = fold_level(w, level + 1, acc);
		if (result < 0) {
			return result;
		}
		acc += r->step[level] * r->acc_bytes;
	}
	return 0;
}

int reduce_walk(
	const struct reduce *reduce, const struct op_call *call, void *acc, struct error *err)
{
	struct walk w = {.reduce = reduce, .src = op_in(call, 0)->data, .control = call->control};
	int r = reduce->reduced ? fold_level(&w, 0, acc) : 0;
	return r < 0 ? error_set(err, r, "given up in the middle of the operator") : 0;
}
