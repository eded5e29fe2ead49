/* SPDX-License-Identifier: Apache-2.0 */
/* rule_random - RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL, MULTINOMIAL and STABLEHLO_RNG_BIT_GENERATOR
 * (TFLite kernels/random_ops.cc, rng_bit_generator.cc) */
#include <errno.h>

#include "engine/plan/rules/rule_dims.h"

enum rng_algorithm {
	RNG_DEFAULT = 0, /* Philox */
	RNG_PHILOX = 1,
	RNG_THREEFRY = 2
};

/* Input 0 is the shape of the output. */
int rule_random(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = rule_type_is(op_context_input(ctx, 0), "input 0 (shape)", DTYPE_INT32, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
	return r < 0 ? r : rule_dims_read(ctx, 0, "shape", &ret->shapes[0], err);
}

/* logits [batch, classes], number of samples -> [batch, samples] */
int rule_multinomial(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *logits = rule_shape(ctx, 0);
	const struct tensor *output = rule_output(ctx, 0);
	struct shape *out = &ret->shapes[0];
	int r = rule_type_is(op_context_input(ctx, 0), "logits", DTYPE_FLOAT32, err);
	r = r < 0 ? r : rule_rank_is(logits, "logits", 2, err);
	r = r < 0 ? r : rule_rank_is(rule_shape(ctx, 1), "input 1 (samples)", 0, err);
	r = r < 0 ? r : rule_scalar_parameter(ctx, 1, "samples", false, err);
	r = r < 0
		? r
		: rule_type_among(ctx, output, "output", RULE_TYPE(INT32) | RULE_TYPE(INT64), err);
	if (r == 0 && logits->dim[1] < 1) {
		r = error_set(err, -EBADMSG, "logits of no class");
	}
	if (r < 0) {
		return r;
	}
	*out = (struct shape){.rank = 2, .dim = {logits->dim[0], -1}};
	if (!rule_known(ctx, 1)) {
		return 0;
	}
	r = rule_set_dim(out, 1, rule_value(ctx, 1, 0), err);
	ret->macs = r < 0 ? 0
			  : rule_cost_mul((uint64_t)logits->dim[0],
				    10 * ((uint64_t)logits->dim[1] + (uint64_t)out->dim[1]));
	return r;
}

/* state -> next state, bits of the shape that the model declares */
int rule_rng_bit_generator(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	unsigned int algorithm = ctx->node->options.rng.algorithm;
	const struct shape *state = rule_shape(ctx, 0);
	const struct tensor *bits = rule_output(ctx, 1);
	int r = rule_type_is(op_context_input(ctx, 0), "state", DTYPE_UINT64, err);
	r = r < 0 ? r : rule_rank_is(state, "state", 1, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output 0 (state)", DTYPE_UINT64, err);
	r = r < 0 ? r
		  : rule_type_among(ctx, bits, "output 1",
			    RULE_TYPE(INT32) | RULE_TYPE(INT64) | RULE_TYPE(UINT32) |
				    RULE_TYPE(UINT64),
			    err);
	if (r < 0) {
		return r;
	}
	if (algorithm > RNG_THREEFRY) {
		return error_set(err, -EOPNOTSUPP, "algorithm %u is not there yet", algorithm);
	}
	if (state->dim[0] != 2 && (state->dim[0] != 3 || algorithm == RNG_THREEFRY)) {
		return error_set(err, -EBADMSG, "state of %d words, must be 2%s",
			(int)state->dim[0], algorithm == RNG_THREEFRY ? "" : " or 3");
	}
	if (!shape_known(&bits->shape)) {
		return error_set(err, -EBADMSG, "output 1 has no shape in the model");
	}
	ret->shapes[0] = *state;
	ret->shapes[1] = bits->shape;
	return 0;
}
