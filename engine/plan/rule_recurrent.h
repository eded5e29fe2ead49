/* SPDX-License-Identifier: Apache-2.0 */
/* rule_recurrent - what SVDF and LSTM share */
#ifndef ENGINE_PLAN_RULE_RECURRENT_H
#define ENGINE_PLAN_RULE_RECURRENT_H

#include "engine/plan/rule.h"

/* Input @i is a variable of exactly @elements, not constant, and no other input of the node: the
 * node writes to it. */
int must_check rule_state(const struct op_context *ctx, uint32_t i, const char *name,
	uint64_t elements, struct error *err);

/* NONE, RELU, RELU_N1_TO_1, RELU6 or TANH. */
int must_check rule_recurrent_activation(
	const struct op_context *ctx, unsigned int activation, struct error *err);

#endif
