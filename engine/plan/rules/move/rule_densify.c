/* SPDX-License-Identifier: Apache-2.0 */
/* rule_densify - DENSIFY (TFLite kernels/densify.cc) */
#include <errno.h>

#include "engine/plan/rules/rule.h"

int rule_densify(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct tensor *input = op_context_input(ctx, 0);
	int r = rule_type_among(ctx, input, "input",
		RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT16) | RULE_TYPE(INT8), err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", input->type, err);
	if (r < 0) {
		return r;
	}
	if (!input->sparsity) {
		return error_set(err, -EBADMSG, "input is not sparse");
	}
	ret->shapes[0] = *rule_shape(ctx, 0);
	return 0;
}
