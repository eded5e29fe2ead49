/* SPDX-License-Identifier: Apache-2.0 */
/* EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL (tflite kernels/comparisons.cc) */
#include <string.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/broadcast.h"
#include "backends/cpu/operand/quant_params.h"
#include "base/strings.h"
#include "kernels/elementwise/compare.h"

#define OP_OF_equal OP_EQUAL
#define OP_OF_not_equal OP_NOT_EQUAL
#define OP_OF_less OP_LESS
#define OP_OF_less_equal OP_LESS_EQUAL
#define OP_OF_greater OP_GREATER
#define OP_OF_greater_equal OP_GREATER_EQUAL

/* Type of the operands, and whether they are compared by what their codes stand for. */
#define TYPE_b DTYPE_BOOL, false
#define TYPE_f16 DTYPE_FLOAT16, false
#define TYPE_f32 DTYPE_FLOAT32, false
#define TYPE_s16 DTYPE_INT16, false
#define TYPE_s32 DTYPE_INT32, false
#define TYPE_s64 DTYPE_INT64, false
#define TYPE_q8 DTYPE_INT8, true
#define TYPE_qu8 DTYPE_UINT8, true
#define TYPE_q16 DTYPE_INT16, true

#define ROW(relation, type) {OP_OF_##relation, TYPE_##type, ek_##relation##_##type},
static const struct {
	uint16_t op;
	uint8_t type;
	bool by_scale;
	ek_compare_fn *run;
} rows[] = {EK_COMPARE_ROWS(ROW)};
#undef ROW

struct compare_state {
	struct broadcast shape;
	ek_compare_fn *run; /* NULL for strings */
	struct ek_compare_params params;
	bool wants_equal; /* of strings */
};

static int compare_accept(const struct op_setup *setup, struct error *err)
{
	const uint32_t ordered = ACCEPT(FLOAT32) | ACCEPT(FLOAT16) | ACCEPT(INT32) | ACCEPT(INT64) |
		ACCEPT_QUANTISED;
	unsigned int op = setup->node->op;
	bool is_equality = op == OP_EQUAL || op == OP_NOT_EQUAL;
	return op_accept_type(op_tensor_in(setup, 0),
		is_equality ? ordered | ACCEPT(BOOL) | ACCEPT(STRING) : ordered, err);
}

/* 8-bit numbers always go by their scales; int16 only in EQUAL and NOT_EQUAL, and only when there
 * are any. */
static ek_compare_fn *find_row(const struct op_setup *setup)
{
	const struct tensor *in = op_tensor_in(setup, 0);
	unsigned int op = setup->node->op;
	bool by_scale = in->type == DTYPE_INT8 || in->type == DTYPE_UINT8 ||
		(in->type == DTYPE_INT16 && in->quant.n_scales > 0 &&
			(op == OP_EQUAL || op == OP_NOT_EQUAL));
	size_t i = 0;
	while (rows[i].op != op || rows[i].type != in->type || rows[i].by_scale != by_scale) {
		i++;
	}
	return rows[i].run;
}

/* At a scale of 1, where the reference aborts, codes are multiplied by almost 1, which leaves them.
 * So they are without any scale. */
static struct ek_scale split_scale(const struct tensor *t)
{
	float scale = quant_params_scale(t, 0);
	return scale == 1 ? (struct ek_scale){INT32_MAX, 0} : quant_params_split((double)scale);
}

static void prepare_scales(const struct op_setup *setup, struct ek_compare_params *p)
{
	const struct tensor *a = op_tensor_in(setup, 0), *b = op_tensor_in(setup, 1);
	p->a_zero = (int32_t)quant_zero(&a->quant, 0);
	p->b_zero = (int32_t)quant_zero(&b->quant, 0);
	p->a_scale = split_scale(a);
	p->b_scale = split_scale(b);
}

static void compare_init(struct op_setup *setup)
{
	struct compare_state *state = setup->state;
	broadcast_plan(setup, 2, &state->shape);
	if (op_tensor_in(setup, 0)->type == DTYPE_STRING) {
		/* What is stepped through are the offsets in the tables' heads. */
		state->shape.bytes[0] = state->shape.bytes[1] = 4;
		state->wants_equal = setup->node->op == OP_EQUAL;
		return;
	}
	prepare_scales(setup, &state->params);
	state->run = find_row(setup);
}

static void compare_row(
	const void *state, void *dst, const void *const *src, const size_t *step, size_t n)
{
	const struct compare_state *s = state;
	s->run(dst, src[0], src[1], n, step[0], step[1], &s->params);
}

struct string_rows {
	struct strings a, b;
	bool wants_equal;
};

static const void *string_at(const struct strings *s, const uint8_t *offset, uint32_t *ret_length)
{
	return strings_get(s, (uint32_t)((offset - (s->data + 4)) / 4), ret_length);
}

static void string_row(
	const void *state, void *dst, const void *const *src, const size_t *step, size_t n)
{
	const struct string_rows *s = state;
	const uint8_t *a = src[0], *b = src[1];
	uint8_t *z = dst;
	for (size_t i = 0; i < n; i++) {
		uint32_t x_length = 0, y_length = 0;
		const void *x = string_at(&s->a, a + 4 * i * step[0], &x_length);
		const void *y = string_at(&s->b, b + 4 * i * step[1], &y_length);
		bool equal = x_length == y_length && memcmp(x, y, x_length) == 0;
		z[i] = equal == s->wants_equal;
	}
}

static int open_strings(
	const struct op_call *call, uint32_t i, struct strings *ret, struct error *err)
{
	const struct value *v = op_in(call, i);
	int r = run_control_open_strings(call->control, ret, v, op_elements(&v->shape), err);
	if (r < 0) {
		error_prefix(err, "input %u", i);
	}
	return r;
}

static int run_strings(
	const struct op_call *call, const struct compare_state *state, struct error *err)
{
	struct string_rows rows_of = {.wants_equal = state->wants_equal};
	int r = open_strings(call, 0, &rows_of.a, err);
	r = r < 0 ? r : open_strings(call, 1, &rows_of.b, err);
	if (r < 0) {
		return r;
	}
	const void *src[BROADCAST_OPERANDS] = {rows_of.a.data + 4, rows_of.b.data + 4};
	return broadcast_run_at(&state->shape, call->control, op_out(call, 0)->data, src,
		string_row, &rows_of, err);
}

static int compare_run(const struct op_call *call, struct error *err)
{
	const struct compare_state *state = call->state;
	return state->run ? broadcast_run(&state->shape, call, compare_row, state, err)
			  : run_strings(call, state, err);
}

const struct cpu_op op_compare = {.op = OP_EQUAL,
	.also = OP_ALSO(OP_GREATER, OP_GREATER_EQUAL, OP_LESS, OP_LESS_EQUAL, OP_NOT_EQUAL),
	.accept = compare_accept,
	.state_bytes = sizeof(struct compare_state),
	.init = compare_init,
	.run = compare_run};
