/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/rules/rule_dims.h"

#include <errno.h>

static int refuse_rank(struct error *err)
{
	return error_set(
		err, -EOPNOTSUPP, "an output of rank above %d is not there yet", SHAPE_MAX_RANK);
}

int rule_dims_add(struct shape *shape, int64_t dim, struct error *err)
{
	if (shape->rank == SHAPE_MAX_RANK) {
		return refuse_rank(err);
	}
	int r = rule_set_dim(shape, shape->rank, dim, err);
	shape->rank = (uint8_t)(shape->rank + (r == 0));
	return r;
}

int rule_dims_add_from(struct shape *shape, const struct shape *from, unsigned int first,
	unsigned int end, struct error *err)
{
	int r = 0;
	for (unsigned int i = first; r == 0 && i < end; i++) {
		r = rule_dims_add(shape, from->dim[i], err);
	}
	return r;
}

int rule_dims_insert(const struct shape *in, unsigned int axis, int64_t dim, struct shape *ret_out,
	struct error *err)
{
	struct shape out = {0};
	int r = rule_dims_add_from(&out, in, 0, axis, err);
	r = r < 0 ? r : rule_dims_add(&out, dim, err);
	r = r < 0 ? r : rule_dims_add_from(&out, in, axis, in->rank, err);
	*ret_out = out;
	return r;
}

int rule_dims_read(const struct op_context *ctx, uint32_t i, const char *name,
	struct shape *ret_out, struct error *err)
{
	const struct shape *list = rule_shape(ctx, i);
	int32_t n = list->rank ? list->dim[0] : 1;
	int r = rule_list(ctx, i, name, n, 0, err);
	if (r < 0) {
		return r;
	}
	if (n > SHAPE_MAX_RANK) {
		return refuse_rank(err);
	}
	rule_set_unknown(ret_out, (unsigned int)n);
	for (unsigned int k = 0; rule_known(ctx, i) && r == 0 && k < ret_out->rank; k++) {
		r = rule_set_dim(ret_out, k, rule_value(ctx, i, k), err);
	}
	return r;
}
