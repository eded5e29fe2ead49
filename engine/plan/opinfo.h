/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opinfo - the operator table: what each operator accepts, what shape it gives, what it costs
 *
 * One row per operator that edged knows. opinfo_check() proves every invariant that a kernel relies
 * on (design: "no kernel checks anything"): counts and presence of operands, types, quantisation,
 * ranks, strides, axes, sizes of constants; and computes the shapes of the outputs from those of
 * the inputs, the options and constant parameter tensors. What depends on values that only a run
 * knows (computed RESHAPE targets, run-time indices) is marked, and checked by the backend each
 * time.
 *
 * Where an input's shape holds -1, only operands are checked and the outputs are -1 as well. Such a
 * node, and one whose outputs came out as -1, must pass opinfo_check() again in each run, with the
 * shapes of that run and with private copies of the run's parameter values in @constants.
 */
#ifndef ENGINE_PLAN_OPINFO_H
#define ENGINE_PLAN_OPINFO_H

#include "base/error.h"
#include "engine/operators.h"
#include "engine/plan/op_context.h"

#define OPINFO_ANY_NUMBER 255

enum op_row_flag {
	OPINFO_NEEDS_OPTIONS = 1 << 0, /* else an absent table means defaults */
	OPINFO_STATE = 1 << 1, /* the same inputs may give other outputs in a later run */
	OPINFO_SESSION = 1 << 2, /* run by the session itself, never by a backend */
	OPINFO_STRINGS = 1 << 3, /* operands may be strings; without it their types have a width */
	OPINFO_RESOURCES = 1 << 4, /* operands may be resources */
	OPINFO_SPARSE = 1 << 5, /* constant inputs may be sparse */
};

/* What an operator's time depends on most (engine/plan/cost.h). */
enum cost_class {
	COST_COPY, /* bytes alone */
	COST_ELEMENT, /* a few instructions for each element */
	COST_FUNCTION, /* exp, tanh, division and such for each element */
	COST_PRODUCTS, /* multiply-accumulates with weights that many outputs share */
	COST_WINDOW, /* a window for each output: depthwise, pooling, resize */
	COST_CLASSES
};

struct op_row {
	uint16_t op;
	uint16_t max_version; /* versions 1..max_version are understood */
	uint8_t min_inputs, max_inputs, min_outputs,
		max_outputs; /* OPINFO_ANY_NUMBER: no upper bound */
	uint64_t optional; /* bit i: input i may be TENSOR_NONE */
	/* Bit i: what rule or kernel conclude from the values of input i (an axis, a size, an
	 * index) must still hold when they use them. A run gives private copies of such inputs. */
	uint64_t params;
	uint16_t options; /* op_options.table of the operator, 0 when it has none */
	uint16_t flags; /* enum op_row_flag */
	uint8_t cost; /* enum cost_class */
	int (*check)(const struct op_context *ctx, struct op_result *ret, struct error *err);
};

/* The row, or NULL for an operator that edged does not know (a custom operator, say). */
const struct op_row *opinfo_find(const struct node *node);

/*
 * All checks of the row, then shapes and cost. -EOPNOTSUPP for operators, versions and types that
 * are not there: the text has the operator's name, version, and what is missing; -EBADMSG for a
 * broken rule. The caller puts the node's place in front. ret->shapes must have room for
 * node->n_outputs; on an error *ret is undefined. Declared output shapes are compared by the
 * planner, not here.
 */
int must_check opinfo_check(const struct op_context *ctx, struct op_result *ret, struct error *err);

/* All rows, for docs, `edgectl` and tests. */
const struct op_row *opinfo_rows(uint32_t *ret_count);

#endif
