/* SPDX-License-Identifier: Apache-2.0 */
/* rule_broadcast - shapes that stretch to one another */
#ifndef ENGINE_PLAN_RULES_RULE_BROADCAST_H
#define ENGINE_PLAN_RULES_RULE_BROADCAST_H

#include "engine/plan/rules/rule.h"

/*
 * The shape that inputs @first to @first + @n - 1 stretch to: dimensions are aligned at the end, 1
 * stretches to whatever the others have, 0 included. -EBADMSG naming the shapes that do not.
 */
int must_check rule_broadcast(const struct op_context *ctx, uint32_t first, uint32_t n,
	struct shape *ret, struct error *err);

/* Inputs @first to @first + @n - 1 have one shape: *ret. */
int must_check rule_broadcast_one_shape(const struct op_context *ctx, uint32_t first, uint32_t n,
	struct shape *ret, struct error *err);

/* Inputs @first to @first + @n - 1 have the type of the first, which is among @mask. */
int must_check rule_broadcast_one_type(
	const struct op_context *ctx, uint32_t first, uint32_t n, uint32_t mask, struct error *err);

#endif
