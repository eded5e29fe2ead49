/* SPDX-License-Identifier: Apache-2.0 */
/* rule_signal - what the rules of custom operators share */
#ifndef ENGINE_PLAN_RULES_SIGNAL_RULE_SIGNAL_H
#define ENGINE_PLAN_RULES_SIGNAL_RULE_SIGNAL_H

#include "engine/plan/rules/rule.h"

/* Input @i has this type and rank (0: any but scalar), and at least one element. */
int must_check rule_signal_operand(const struct op_context *ctx, uint32_t i, const char *name,
	unsigned int type, unsigned int rank, struct error *err);

#endif
