/* SPDX-License-Identifier: Apache-2.0 */
/* rule_dims - shapes put together dimension by dimension, or read from an operand */
#ifndef ENGINE_PLAN_RULES_RULE_DIMS_H
#define ENGINE_PLAN_RULES_RULE_DIMS_H

#include "engine/plan/rules/rule.h"

/* One dimension more for @shape: -EBADMSG when @dim is negative or above SHAPE_MAX_DIM, -EOPNOTSUPP
 * when the rank would pass SHAPE_MAX_RANK. */
int must_check rule_dims_add(struct shape *shape, int64_t dim, struct error *err);

/* Adds dimensions @first to @end - 1 of @from. */
int must_check rule_dims_add_from(struct shape *shape, const struct shape *from, unsigned int first,
	unsigned int end, struct error *err);

/* @in with a dimension @dim before dimension @axis (0..rank of @in). */
int must_check rule_dims_insert(const struct shape *in, unsigned int axis, int64_t dim,
	struct shape *ret_out, struct error *err);

/* The shape that parameter input @i lists, int32 or int64; all of it -1 where only a run knows the
 * values. */
int must_check rule_dims_read(const struct op_context *ctx, uint32_t i, const char *name,
	struct shape *ret_out, struct error *err);

#endif
