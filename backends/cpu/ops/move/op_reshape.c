/* SPDX-License-Identifier: Apache-2.0 */
/* RESHAPE, SQUEEZE, EXPAND_DIMS: the same bytes under another shape. Where the planner gave the
 * result the operand's memory there is nothing to do. Strings are copied. */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/string_tensor.h"
#include "backends/cpu/tiles.h"

#define RESHAPED (ACCEPT_FIXED | ACCEPT(INT4) | ACCEPT(STRING))

#define BYTES_AT_ONCE (1 << 20)

struct reshape_state {
	bool is_strings;
	struct shape shape; /* of the result */
};

static void reshape_init(struct op_setup *setup)
{
	struct reshape_state *s = setup->state;
	s->is_strings = op_tensor_in(setup, 0)->type == DTYPE_STRING;
	s->shape = *op_shape_out(setup, 0);
}

static int reshape_run(const struct op_call *call, struct error *err)
{
	const struct reshape_state *s = call->state;
	const struct value *in = op_in(call, 0), *out = op_out(call, 0);
	if (s->is_strings) {
		return string_tensor_copy(call, 0, &s->shape, 0, err);
	}
	if (in->bytes != out->bytes) {
		return error_set(err, -EINVAL, "%llu bytes do not become %llu",
			(unsigned long long)in->bytes, (unsigned long long)out->bytes);
	}
	struct tiles t = {.total = in->data != out->data ? out->bytes : 0,
		.control = call->control,
		.each = BYTES_AT_ONCE};
	while (tiles_next(&t)) {
		memcpy((char *)out->data + t.at, (const char *)in->data + t.at, (size_t)t.count);
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_reshape = {.op = OP_RESHAPE,
	.also = OP_ALSO(OP_SQUEEZE, OP_EXPAND_DIMS),
	.types = RESHAPED,
	.state_bytes = sizeof(struct reshape_state),
	.init = reshape_init,
	.run = reshape_run};
