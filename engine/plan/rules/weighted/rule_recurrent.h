/* SPDX-License-Identifier: Apache-2.0 */
/* rule_recurrent - what SVDF, RNN and LSTM share */
#ifndef ENGINE_PLAN_RULES_WEIGHTED_RULE_RECURRENT_H
#define ENGINE_PLAN_RULES_WEIGHTED_RULE_RECURRENT_H

#include "engine/plan/rules/rule.h"

/* Input @i is a variable of exactly @elements, not constant, and no other input of the node: the
 * node writes to it. */
int must_check rule_recurrent_state(const struct op_context *ctx, uint32_t i, const char *name,
	uint64_t elements, struct error *err);

/* Outputs of two directions over @input, of @width elements each: two, or with merge_outputs one that
 * has both side by side. Count, types, shapes. */
int must_check rule_recurrent_two_ways(const struct op_context *ctx, const struct shape *input,
	const int32_t width[2], struct op_result *ret, struct error *err);

/* Weights of products with float activations: float, or bytes (hybrid), which are taken for int8 also
 * where the file says uint8, as files of the years before int8 do; then one scale, zero point 0. */
int must_check rule_recurrent_float_weights(
	const struct op_context *ctx, const struct tensor *t, const char *name, struct error *err);

/* NONE, RELU, RELU_N1_TO_1, RELU6, TANH or SIGN_BIT. */
int must_check rule_recurrent_activation(
	const struct op_context *ctx, unsigned int activation, struct error *err);

#endif
