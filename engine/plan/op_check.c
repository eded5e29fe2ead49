/* SPDX-License-Identifier: Apache-2.0 */
/* Why a model is refused for one of its operators. What the rule of an operator refuses is said in
 * rules/. */
#include <errno.h>

#include "engine/plan/opinfo.h"
#include "engine/plan/rules/rule.h"

static int refuse_operator(const struct node *node, struct error *err)
{
	if (node->op == OP_CUSTOM) {
		char name[48]; /* it stands before this too, and the verdict comes behind both */
		const char *need =
			operators_custom_need(node->custom_name.data, node->custom_name.length);
		error_escape(name, sizeof(name), node->custom_name.data, node->custom_name.length);
		if (need) {
			return error_set(err, -EOPNOTSUPP, "%s: %s", name, need);
		}
		return error_set(err, -EOPNOTSUPP, "custom operator '%s' v%u is not there yet",
			name, node->version);
	}
	return error_set(err, -EOPNOTSUPP, "operator %s v%u is not there yet",
		operators_name(node->op), node->version);
}

static int check_count(
	uint32_t n, unsigned int min, unsigned int max, const char *what, struct error *err)
{
	if (n >= min && (max == OPINFO_ANY_NUMBER || n <= max)) {
		return 0;
	}
	return max == OPINFO_ANY_NUMBER
		? error_set(err, -EBADMSG, "%u %s, must be %u or more", n, what, min)
		: min == max
		? error_set(err, -EBADMSG, "%u %s, must be %u", n, what, min)
		: error_set(err, -EBADMSG, "%u %s, must be %u to %u", n, what, min, max);
}

static int check_row(const struct op_row *row, const struct node *node, struct error *err)
{
	uint16_t table = node->options.table;
	if (node->version < 1 || node->version > row->max_version) {
		return error_set(err, -EOPNOTSUPP,
			"operator %s v%u is not there yet, v1 to v%u are", operators_name(node->op),
			node->version, row->max_version);
	}
	if (row->options != OPTIONS_NONE && table != row->options &&
		((row->flags & OPINFO_NEEDS_OPTIONS) || table != OPTIONS_NONE)) {
		return table == OPTIONS_NONE
			? error_set(err, -EBADMSG, "options are missing")
			: error_set(err, -EBADMSG, "options are of table %u, must be of %u", table,
				  row->options);
	}
	int r = check_count(node->n_inputs, row->min_inputs, row->max_inputs, "inputs", err);
	return r < 0
		? r
		: check_count(node->n_outputs, row->min_outputs, row->max_outputs, "outputs", err);
}

static bool type_is_there(const struct op_row *row, unsigned int type)
{
	return dtype_bits(type) > 0 || (type == DTYPE_STRING && row->flags & OPINFO_STRINGS) ||
		(type == DTYPE_RESOURCE && row->flags & OPINFO_RESOURCES);
}

/* Types that the row takes, dense unless it takes sparse ones, at most 2^31 - 1 elements. *ret_known turns false where a
 * dimension is not known. */
static int check_input(const struct op_context *ctx, const struct op_row *row, uint32_t i,
	bool *ret_known, struct error *err)
{
	const struct tensor *t = op_context_input(ctx, i);
	if (!t) {
		return i < 64 && row->optional >> i & 1
			? 0
			: error_set(err, -EBADMSG, "input %u must be there", i);
	}
	const struct shape *shape = rule_shape(ctx, i);
	uint64_t elements = 0;
	if (!type_is_there(row, t->type)) {
		return error_set(err, -EOPNOTSUPP, "%s v%u with %s input is not there yet",
			operators_name(ctx->node->op), ctx->node->version, dtype_name(t->type));
	}
	if (t->sparsity && !(row->flags & OPINFO_SPARSE)) {
		return error_set(err, -EOPNOTSUPP, "%s v%u with sparse input %u is not there yet",
			operators_name(ctx->node->op), ctx->node->version, i);
	}
	if (!shape_known(shape)) {
		*ret_known = false;
		return 0;
	}
	if (shape_elements(shape, &elements) < 0) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input %u of shape %s is too large", i,
			shape_format(text, sizeof(text), shape));
	}
	return 0;
}

/* An output is no constant and none of the inputs. (A variable may be written by a node.) */
static int check_output(const struct op_context *ctx, uint32_t i, struct error *err)
{
	const struct node *node = ctx->node;
	if (node->outputs[i] < 0) {
		return error_set(err, -EBADMSG, "output %u must be there", i);
	}
	const struct tensor *t = rule_output(ctx, i);
	if (t->data) {
		return error_set(err, -EBADMSG, "output %u is a constant", i);
	}
	for (uint32_t k = 0; k < node->n_inputs; k++) {
		if (node->inputs[k] == node->outputs[i]) {
			return error_set(err, -EBADMSG, "output %u is input %u", i, k);
		}
	}
	return 0;
}

static int check_operands(
	const struct op_context *ctx, const struct op_row *row, bool *ret_known, struct error *err)
{
	*ret_known = true;
	for (uint32_t i = 0; i < ctx->node->n_inputs; i++) {
		int r = check_input(ctx, row, i, ret_known, err);
		if (r < 0) {
			return r;
		}
	}
	for (uint32_t i = 0; i < ctx->node->n_outputs; i++) {
		int r = check_output(ctx, i, err);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* A table of strings is read as a whole, be it that one string of it is wanted. */
static uint64_t count_strings(const struct op_context *ctx)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < ctx->node->n_inputs; i++) {
		const struct tensor *t = op_context_input(ctx, i);
		if (t && t->type == DTYPE_STRING) {
			sum = rule_cost_add(sum, rule_cost_elements(rule_shape(ctx, i)));
		}
	}
	return sum;
}

/* Sizes of the outputs, and the cost where the rule has left it to them. */
static int finish(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < ctx->node->n_outputs; i++) {
		const struct shape *shape = &ret->shapes[i];
		uint64_t elements = 0;
		if (shape_known(shape) && shape_elements(shape, &elements) < 0) {
			char text[SHAPE_TEXT_SIZE];
			return error_set(err, -EBADMSG, "output %u of shape %s is too large", i,
				shape_format(text, sizeof(text), shape));
		}
		sum = rule_cost_add(sum, elements);
	}
	ret->macs = rule_cost_add(ret->macs ? ret->macs : sum, count_strings(ctx));
	return 0;
}

int opinfo_check(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct op_row *row = opinfo_find(ctx->node);
	bool known = true;
	if (!row) {
		return refuse_operator(ctx->node, err);
	}
	int r = check_row(row, ctx->node, err);
	r = r < 0 ? r : check_operands(ctx, row, &known, err);
	if (r < 0) {
		return r;
	}
	ret->macs = 0;
	if (!known && !(row->flags & OPINFO_SESSION)) {
		for (uint32_t i = 0; i < ctx->node->n_outputs; i++) {
			unsigned int rank = rule_output(ctx, i)->shape.rank;
			rule_set_unknown(&ret->shapes[i], rank ? rank : 1);
		}
		return 0;
	}
	r = row->check(ctx, ret, err);
	return r < 0 ? r : finish(ctx, ret, err);
}
