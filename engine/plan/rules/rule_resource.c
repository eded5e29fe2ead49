/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_resource - variables and hash tables of a session (TFLite kernels/var_handle.cc,
 * read_variable.cc, assign_variable.cc, hashtable.cc, hashtable_find.cc, hashtable_import.cc,
 * hashtable_size.cc)
 *
 * These rules run with open shapes too: what a variable holds, and how many keys there are, only
 * the run knows.
 */
#include <errno.h>

#include "engine/plan/rules/rule.h"

#define VARIABLE_TYPES                                                                             \
	(RULE_TYPE(FLOAT32) | RULE_TYPE(FLOAT64) | RULE_TYPE(FLOAT16) | RULE_TYPE(BOOL) |          \
		RULE_TYPE(INT8) | RULE_TYPE(UINT8) | RULE_TYPE(INT16) | RULE_TYPE(UINT16) |        \
		RULE_TYPE(INT32) | RULE_TYPE(UINT32) | RULE_TYPE(INT64) | RULE_TYPE(COMPLEX64))

#define TABLE_COST 32 /* comparisons for a key of a large table */

/* Of moving operand @i, or of something that takes @each for every element of it. */
static uint64_t cost_of(const struct op_context *ctx, uint32_t i, uint64_t each)
{
	const struct shape *shape = rule_shape(ctx, i);
	return rule_cost_add(1, shape_known(shape) ? rule_cost_mul(rule_elements(shape), each) : 0);
}

static int handle_in(const struct op_context *ctx, struct error *err)
{
	return rule_type_is(op_context_input(ctx, 0), "handle", DTYPE_RESOURCE, err);
}

int rule_var_handle(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	ret->shapes[0] = (struct shape){.rank = 1, .dim = {1}};
	return rule_type_is(rule_output(ctx, 0), "handle", DTYPE_RESOURCE, err);
}

/* A declared shape holds (observed: the variable's first elements fill it); a scalar's stands for
 * one that the converter did not know, and becomes the variable's. */
int rule_read_variable(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct shape *declared = &rule_output(ctx, 0)->shape;
	ret->shapes[0] = *declared;
	for (unsigned int i = 0; i < declared->rank; i++) {
		ret->shapes[0].dim[i] = declared->dim[i] < 0 ? 1 : declared->dim[i];
	}
	if (declared->rank == 0) {
		rule_set_unknown(&ret->shapes[0], 1);
	}
	int r = handle_in(ctx, err);
	return r < 0 ? r
		     : rule_type_among(ctx, rule_output(ctx, 0), "variable", VARIABLE_TYPES, err);
}

int rule_assign_variable(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = handle_in(ctx, err);
	ret->macs = cost_of(ctx, 1, 1);
	return r < 0 ? r
		     : rule_type_among(ctx, op_context_input(ctx, 1), "value", VARIABLE_TYPES, err);
}

static int check_types(unsigned int key, unsigned int value, struct error *err)
{
	bool there = (key == DTYPE_INT64 && value == DTYPE_STRING) ||
		(key == DTYPE_STRING && value == DTYPE_INT64);
	return there ? 0
		     : error_set(err, -EOPNOTSUPP,
			       "a table from %s to %s is not there yet, int64 to string and string "
			       "to int64 are",
			       dtype_name(key), dtype_name(value));
}

int rule_hashtable(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_hashtable *o = &ctx->node->options.hashtable;
	ret->shapes[0] = (struct shape){.rank = 1, .dim = {1}};
	int r = rule_type_is(rule_output(ctx, 0), "handle", DTYPE_RESOURCE, err);
	return r < 0 ? r : check_types((unsigned int)o->key_type, (unsigned int)o->value_type, err);
}

int rule_hashtable_import(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	int r = handle_in(ctx, err);
	ret->macs = cost_of(ctx, 1, TABLE_COST);
	return r < 0
		? r
		: check_types(op_context_input(ctx, 1)->type, op_context_input(ctx, 2)->type, err);
}

int rule_hashtable_find(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	unsigned int value = op_context_input(ctx, 2)->type;
	unsigned int rank = rule_shape(ctx, 1)->rank;
	rule_set_unknown(&ret->shapes[0], rank ? rank : 1);
	ret->macs = cost_of(ctx, 1, TABLE_COST);
	int r = handle_in(ctx, err);
	r = r < 0 ? r : check_types(op_context_input(ctx, 1)->type, value, err);
	return r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", value, err);
}

int rule_hashtable_size(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	ret->shapes[0] = (struct shape){.rank = 1, .dim = {1}};
	int r = handle_in(ctx, err);
	return r < 0 ? r : rule_type_is(rule_output(ctx, 0), "output", DTYPE_INT64, err);
}

/* FlexSave and FlexRestore: TensorFlow's Save and Restore (engine/run/checkpoint.h). */
int rule_flex_save(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	ret->macs = 1;
	int r = rule_type_is(op_context_input(ctx, 0), "file name", DTYPE_STRING, err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 1), "tensor names", DTYPE_STRING, err);
	for (uint32_t i = 2; r == 0 && i < ctx->node->n_inputs; i++) {
		r = rule_type_among(ctx, op_context_input(ctx, i), "data", VARIABLE_TYPES, err);
		ret->macs = rule_cost_add(ret->macs, cost_of(ctx, i, 1));
	}
	return r;
}

int rule_flex_restore(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	rule_set_unknown(&ret->shapes[0], 1);
	int r = rule_type_is(op_context_input(ctx, 0), "file name", DTYPE_STRING, err);
	r = r < 0 ? r : rule_type_is(op_context_input(ctx, 1), "tensor name", DTYPE_STRING, err);
	return r < 0 ? r : rule_type_among(ctx, rule_output(ctx, 0), "output", VARIABLE_TYPES, err);
}
