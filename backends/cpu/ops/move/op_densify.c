/* SPDX-License-Identifier: Apache-2.0 */
/* DENSIFY of a constant is folded at load as a rule; it runs where the budget of folding is out. */
#include "backends/cpu/op.h"
#include "backends/cpu/operand/sparse.h"

static int densify_run(const struct op_call *call, struct error *err)
{
	(void)err;
	const struct tensor *in = &call->subgraph->tensors[call->node->inputs[0]];
	sparse_densify(in, op_in(call, 0)->data, op_out(call, 0)->data);
	return 0;
}

const struct cpu_op op_densify = {.op = OP_DENSIFY, .run = densify_run};
