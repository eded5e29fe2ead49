/* SPDX-License-Identifier: Apache-2.0 */
/* What docs/operators.md says of types, held against the rules where a node is easily made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static const struct note {
	uint16_t op;
	const char *types;
} notes[] = {
#define NOTE(name, types, text) {OP_##name, types},
#include "tests/lint/op_notes.h"
#undef NOTE
};

static const char *types_of(unsigned int op)
{
	size_t i = 0;
	while (notes[i].op != op) {
		i++;
	}
	return notes[i].types;
}

/* True when @types, a list with commas, names @type. */
static bool names(const char *types, unsigned int type)
{
	const char *name = dtype_name(type);
	size_t length = strlen(name);
	for (const char *at = types; (at = strstr(at, name)); at++) {
		bool begins = at == types || at[-1] == ' ';
		if (begins && (at[length] == ',' || at[length] == '\0')) {
			return true;
		}
	}
	return type != DTYPE_STRING && dtype_bits(type) >= 8 &&
		strstr(types, "every type of whole bytes");
}

static bool is_taken(unsigned int op, uint32_t n_inputs, unsigned int type, unsigned int result)
{
	struct node_builder b;
	node_builder_init(&b, (enum op)op, 0);
	const struct op_row *row = opinfo_find(&b.node);
	b.node.options.table = row->options;
	b.node.version = row->max_version;
	for (uint32_t i = 0; i < n_inputs; i++) {
		node_builder_input(&b, (enum dtype)type, SHAPE(2, 3));
	}
	node_builder_output(&b, (enum dtype)result);
	for (int32_t t = 0; t <= (int32_t)n_inputs; t++) {
		unsigned int of = b.tensors[t].type;
		if (of == DTYPE_INT8 || of == DTYPE_UINT8 || of == DTYPE_INT16) {
			node_builder_quantise(&b, t, 0.5f, 0);
		}
	}
	struct op_context ctx = {&b.graph, &b.subgraph, &b.node, b.shapes, b.constants};
	return opinfo_check(&ctx, &b.result, &b.err) == 0;
}

/* @result: type of the output, DTYPE_COUNT: that of the operands. */
static void compare(const uint16_t *ops, size_t n, uint32_t n_inputs, unsigned int result)
{
	for (size_t i = 0; i < n; i++) {
		for (unsigned int type = 0; type < DTYPE_COUNT; type++) {
			bool taken = is_taken(
				ops[i], n_inputs, type, result == DTYPE_COUNT ? type : result);
			if (taken != names(types_of(ops[i]), type)) {
				fail_msg("%s: %s is %s by the rule", operators_name(ops[i]),
					dtype_name(type), taken ? "taken" : "refused");
			}
		}
	}
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void types_of_one_operand_are_those_of_the_rule(void **state)
{
	(void)state;
	static const uint16_t ops[] = {OP_ABS, OP_CEIL, OP_COS, OP_ELU, OP_EXP, OP_FLOOR, OP_GELU,
		OP_HARD_SWISH, OP_LEAKY_RELU, OP_LOG, OP_LOGICAL_NOT, OP_NEG, OP_RELU, OP_RELU6,
		OP_RELU_0_TO_1, OP_RELU_N1_TO_1, OP_ROUND, OP_RSQRT, OP_SIGN, OP_SIN, OP_SQRT,
		OP_SQUARE, OP_SQUEEZE, OP_ZEROS_LIKE};
	compare(ops, COUNT(ops), 1, DTYPE_COUNT);
}

static void types_of_two_operands_are_those_of_the_rule(void **state)
{
	(void)state;
	static const uint16_t ops[] = {OP_ADD, OP_ADD_N, OP_ATAN2, OP_BITWISE_XOR, OP_DIV,
		OP_FLOOR_DIV, OP_FLOOR_MOD, OP_LOGICAL_AND, OP_LOGICAL_OR, OP_MAXIMUM, OP_MINIMUM,
		OP_MUL, OP_POW, OP_PRELU, OP_RIGHT_SHIFT, OP_SQUARED_DIFFERENCE, OP_STABLEHLO_ADD,
		OP_STABLEHLO_AND, OP_STABLEHLO_MAXIMUM, OP_STABLEHLO_MINIMUM, OP_STABLEHLO_MULTIPLY,
		OP_STABLEHLO_SHIFT_LEFT, OP_SUB};
	compare(ops, COUNT(ops), 2, DTYPE_COUNT);
}

static void types_of_comparisons_are_those_of_the_rule(void **state)
{
	(void)state;
	static const uint16_t ops[] = {
		OP_EQUAL, OP_GREATER, OP_GREATER_EQUAL, OP_LESS, OP_LESS_EQUAL, OP_NOT_EQUAL};
	compare(ops, COUNT(ops), 2, DTYPE_BOOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_of_one_operand_are_those_of_the_rule),
		cmocka_unit_test(types_of_two_operands_are_those_of_the_rule),
		cmocka_unit_test(types_of_comparisons_are_those_of_the_rule),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
