/* SPDX-License-Identifier: Apache-2.0 */
/* rule_random - RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL, MULTINOMIAL and STABLEHLO_RNG_BIT_GENERATOR
 * (TFLite kernels/random_ops.cc, rng_bit_generator.cc) */
#include <errno.h>

#include "engine/plan/rule.h"

enum rng_algorithm {
	RNG_DEFAULT = 0, /* Philox */
	RNG_PHILOX = 1,
	RNG_THREEFRY = 2
};

/* Input 0 is the shape of the output. */
int rule_random(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *list = rule_shape(ctx, 0);
	struct shape *out = &ret->shapes[0];
	int r = rule_type_is(op_input(ctx, 0), "shape", DTYPE_INT32, err);
	r = r < 0 ? r : rule_rank_is(list, "shape", 1, err);
	r = r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_FLOAT32, err);
	if (r == 0 && list->dim[0] > SHAPE_MAX_RANK) {
		r = error_set(err, -EBADMSG, "shape of %d dimensions, at most %d",
			(int)list->dim[0], SHAPE_MAX_RANK);
	}
	if (r < 0) {
		return r;
	}
	rule_set_unknown(out, (unsigned int)list->dim[0]);
	for (int32_t i = 0; rule_known(ctx, 0) && i < list->dim[0]; i++) {
		int64_t size = rule_value(ctx, 0, (uint64_t)i);
		if (size < 0 || size > SHAPE_MAX_DIM) {
			return error_set(err, -EBADMSG, "dimension %d is %lld, must be 0..%d",
				(int)i, (long long)size, SHAPE_MAX_DIM);
		}
		out->dim[i] = (int32_t)size;
	}
	return 0;
}

/* logits [batch, classes], number of samples -> [batch, samples] */
int rule_multinomial(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *logits = rule_shape(ctx, 0);
	const struct tensor *output = rule_output(ctx, 0);
	struct shape *out = &ret->shapes[0];
	int r = rule_type_is(op_input(ctx, 0), "logits", DTYPE_FLOAT32, err);
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
	int64_t samples = rule_value(ctx, 1, 0);
	if (samples < 0 || samples > SHAPE_MAX_DIM) {
		return error_set(err, -EBADMSG, "%lld samples", (long long)samples);
	}
	out->dim[1] = (int32_t)samples;
	ret->macs = rule_cost_mul((uint64_t)logits->dim[0],
		rule_cost_add((uint64_t)logits->dim[1] * 10, (uint64_t)samples * 10));
	return 0;
}

/* state -> next state, bits of the shape that the model declares */
int rule_rng_bit_generator(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	unsigned int algorithm = ctx->node->options.rng.algorithm;
	const struct shape *state = rule_shape(ctx, 0);
	const struct tensor *bits = rule_output(ctx, 1);
	int r = rule_type_is(op_input(ctx, 0), "state", DTYPE_UINT64, err);
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
