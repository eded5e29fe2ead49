/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of two numbers that know no scales: MAXIMUM, MINIMUM, FLOOR_DIV, FLOOR_MOD, ATAN2,
 * LOGICAL_AND, LOGICAL_OR, BITWISE_XOR, RIGHT_SHIFT and those of StableHLO. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/broadcast.h"
#include "backends/cpu/operand/check_values.h"
#include "kernels/elementwise/binary.h"

enum function {
	FN_maximum,
	FN_minimum,
	FN_hlo_max,
	FN_hlo_min,
	FN_hlo_add,
	FN_hlo_mul,
	FN_hlo_shl,
	FN_and,
	FN_or,
	FN_xor,
	FN_right_shift,
	FN_squared_difference,
	FN_floor_div,
	FN_floor_mod,
	FN_pow,
	FN_atan2,
};

static const struct {
	uint16_t op;
	uint8_t function;
} functions[] = {
	{OP_ATAN2, FN_atan2},
	{OP_BITWISE_XOR, FN_xor},
	{OP_FLOOR_DIV, FN_floor_div},
	{OP_FLOOR_MOD, FN_floor_mod},
	{OP_LOGICAL_AND, FN_and},
	{OP_LOGICAL_OR, FN_or},
	{OP_MAXIMUM, FN_maximum},
	{OP_MINIMUM, FN_minimum},
	{OP_RIGHT_SHIFT, FN_right_shift},
	{OP_STABLEHLO_ADD, FN_hlo_add},
	{OP_STABLEHLO_AND, FN_and},
	{OP_STABLEHLO_MAXIMUM, FN_hlo_max},
	{OP_STABLEHLO_MINIMUM, FN_hlo_min},
	{OP_STABLEHLO_MULTIPLY, FN_hlo_mul},
	{OP_STABLEHLO_SHIFT_LEFT, FN_hlo_shl},
};

#define TYPE_b DTYPE_BOOL
#define TYPE_f16 DTYPE_FLOAT16
#define TYPE_f32 DTYPE_FLOAT32
#define TYPE_f64 DTYPE_FLOAT64
#define TYPE_s8 DTYPE_INT8
#define TYPE_u8 DTYPE_UINT8
#define TYPE_s16 DTYPE_INT16
#define TYPE_u16 DTYPE_UINT16
#define TYPE_s32 DTYPE_INT32
#define TYPE_u32 DTYPE_UINT32
#define TYPE_s64 DTYPE_INT64
#define TYPE_u64 DTYPE_UINT64

#define ROW(name, type) {FN_##name, TYPE_##type, ek_##name##_##type},
static const struct {
	uint8_t function, type;
	ek_binary_fn *run;
} rows[] = {EK_BINARY_ROWS(ROW) EK_BINARY_ROWS_F16(ROW) EK_BINARY_ROWS_B(ROW) ROW(maximum, f16)
		ROW(minimum, f16) ROW(hlo_max, f16) ROW(hlo_min, f16)};
#undef ROW

/* NULL for a type that the operator does not have. */
static ek_binary_fn *find_row(unsigned int op, unsigned int type)
{
	uint32_t f = 0;
	while (functions[f].op != op) {
		f++;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].function == functions[f].function && rows[i].type == type) {
			return rows[i].run;
		}
	}
	return NULL;
}

struct binary_state {
	struct broadcast shape;
	ek_binary_fn *run;
	bool divides; /* and a divisor of zero is refused */
};

static int binary_accept(const struct op_setup *setup, struct error *err)
{
	unsigned int type = op_tensor_in(setup, 0)->type;
	bool there = find_row(setup->node->op, type);
	return op_accept_same(setup, there ? 1u << type : 0, err);
}

static void binary_init(struct op_setup *setup)
{
	struct binary_state *state = setup->state;
	unsigned int op = setup->node->op, type = op_tensor_in(setup, 0)->type;
	broadcast_plan(setup, 2, &state->shape);
	state->run = find_row(op, type);
	/* FLOOR_DIV refuses zeros of float as well; the remainder by one is NaN. */
	state->divides = op == OP_FLOOR_DIV || (op == OP_FLOOR_MOD && type != DTYPE_FLOAT32);
}

static void binary_row(
	const void *state, void *dst, const void *const *src, const size_t *step, size_t n)
{
	const struct binary_state *s = state;
	s->run(dst, src[0], src[1], n, step[0], step[1]);
}

static int binary_run(const struct op_call *call, struct error *err)
{
	const struct binary_state *state = call->state;
	int r = state->divides ? check_values_nonzero(call, 0, err) : 0;
	return r < 0 ? r : broadcast_run(&state->shape, call, binary_row, state, err);
}

const struct cpu_op op_binary = {.op = OP_ATAN2,
	.also = OP_ALSO(OP_BITWISE_XOR, OP_FLOOR_DIV, OP_FLOOR_MOD, OP_LOGICAL_AND, OP_LOGICAL_OR,
		OP_MAXIMUM, OP_MINIMUM, OP_RIGHT_SHIFT, OP_STABLEHLO_ADD, OP_STABLEHLO_AND,
		OP_STABLEHLO_MAXIMUM, OP_STABLEHLO_MINIMUM, OP_STABLEHLO_MULTIPLY,
		OP_STABLEHLO_SHIFT_LEFT),
	.accept = binary_accept,
	.state_bytes = sizeof(struct binary_state),
	.init = binary_init,
	.run = binary_run};
