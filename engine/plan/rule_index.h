/* SPDX-License-Identifier: Apache-2.0 */
/* rule_index - what the rules of gathers, scatters, segments and selections share */
#ifndef ENGINE_PLAN_RULE_INDEX_H
#define ENGINE_PLAN_RULE_INDEX_H

#include "engine/plan/rule.h"

/* Exactly one element, of whatever rank. */
int must_check rule_index_single(
	const struct op_context *ctx, uint32_t i, const char *name, struct error *err);

/* One dimension more for @shape: -EBADMSG when @dim is negative or above SHAPE_MAX_DIM, -EOPNOTSUPP
 * when the rank would pass SHAPE_MAX_RANK. */
int must_check rule_index_append(struct shape *shape, int64_t dim, struct error *err);

/* Appends dimensions @first to @end - 1 of @from. */
int must_check rule_index_append_dims(struct shape *shape, const struct shape *from,
	unsigned int first, unsigned int end, struct error *err);

/* Appends the values of parameter input @i, which are known. */
int must_check rule_index_append_values(
	const struct op_context *ctx, uint32_t i, struct shape *shape, struct error *err);

#endif
