/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/op_accept.h"

int op_accept_type(const struct tensor *t, uint32_t types, struct error *err)
{
	if (t->type < 32 && (types >> t->type & 1)) {
		return 0;
	}
	return error_set(err, -EOPNOTSUPP, "type %s is not there yet", dtype_name(t->type));
}

int op_accept_same(const struct op_setup *setup, uint32_t types, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	if (in->type != out->type) {
		return op_accept_missing("a result of another type", err);
	}
	return op_accept_type(in, types, err);
}

int op_accept_types(const struct op_setup *setup, const struct cpu_op *op, struct error *err)
{
	int r = op->types ? op_accept_same(setup, op->types, err) : 0;
	for (uint32_t i = 0; r == 0 && i < 2; i++) {
		const uint32_t types = op->types_in[i];
		r = types ? op_accept_type(op_tensor_in(setup, i), types, err) : 0;
	}
	return r < 0 || !op->types_out
		? r
		: op_accept_type(op_tensor_out(setup, 0), op->types_out, err);
}

int op_accept_missing(const char *what, struct error *err)
{
	return error_set(err, -EOPNOTSUPP, "%s is not there yet", what);
}
