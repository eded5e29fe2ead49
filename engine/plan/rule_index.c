/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/rule_index.h"

#include <errno.h>

int rule_index_single(const struct op_context *ctx, uint32_t i, const char *name, struct error *err)
{
	const struct shape *shape = rule_shape(ctx, i);
	if (rule_elements(shape) != 1) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input %u (%s): %s, must have one element", i, name,
			shape_format(text, sizeof(text), shape));
	}
	return 0;
}

int rule_index_append(struct shape *shape, int64_t dim, struct error *err)
{
	if (dim < 0 || dim > SHAPE_MAX_DIM) {
		return error_set(err, -EBADMSG, "dimension %u of the output would be %lld",
			shape->rank, (long long)dim);
	}
	if (shape->rank == SHAPE_MAX_RANK) {
		return error_set(err, -EOPNOTSUPP, "an output of rank above %d is not there yet",
			SHAPE_MAX_RANK);
	}
	shape->dim[shape->rank++] = (int32_t)dim;
	return 0;
}

int rule_index_append_dims(struct shape *shape, const struct shape *from, unsigned int first,
	unsigned int end, struct error *err)
{
	int r = 0;
	for (unsigned int i = first; r == 0 && i < end; i++) {
		r = rule_index_append(shape, from->dim[i], err);
	}
	return r;
}

int rule_index_append_values(
	const struct op_context *ctx, uint32_t i, struct shape *shape, struct error *err)
{
	uint64_t n = rule_elements(rule_shape(ctx, i));
	int r = 0;
	for (uint64_t k = 0; r == 0 && k < n; k++) {
		r = rule_index_append(shape, rule_value(ctx, i, k), err);
	}
	return r;
}
