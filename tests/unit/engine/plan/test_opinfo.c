/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void unknown_operators_are_named(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_CONCAT_EMBEDDINGS, 0);
	node_builder_refuses(&b, -EOPNOTSUPP, "operator CONCAT_EMBEDDINGS v1 is not there yet");
	node_builder_init(&b, OP_CUSTOM, 0);
	b.node.custom_name = (struct text){"x\x1byz", 4};
	node_builder_refuses(&b, -EOPNOTSUPP, "custom operator 'x\\x1byz' v1 is not there yet");
}

static void refuses_custom(const char *name, const char *text)
{
	struct node_builder b;
	node_builder_init(&b, OP_CUSTOM, 0);
	b.node.custom_name = (struct text){name, strlen(name)};
	node_builder_refuses(&b, -EOPNOTSUPP, text);
}

static void a_long_name_leaves_room_for_the_verdict(void **state)
{
	char name[501];
	(void)state;
	memset(name, 'A', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	refuses_custom(name,
		"custom operator 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' v1 is not there "
		"yet");
}

static void compiled_operators_name_what_they_are_for(void **state)
{
	(void)state;
	refuses_custom("edgetpu-custom-op",
		"edgetpu-custom-op: compiled for an Edge TPU; needs the edgetpu delegate");
	refuses_custom("ethos-u",
		"ethos-u: compiled for an Arm Ethos-U NPU; needs that NPU and its driver");
	refuses_custom("NeutronGraph",
		"NeutronGraph: compiled for an NXP Neutron NPU; needs the Neutron delegate");
	refuses_custom("DISPATCH_OP", "DISPATCH_OP: compiled for an NPU by LiteRT");
	refuses_custom("FlexErf", "FlexErf: an operator of TensorFlow itself");
	refuses_custom("Flex", "custom operator 'Flex' v1 is not there yet");
	refuses_custom("ethos-u65", "custom operator 'ethos-u65' v1 is not there yet");
}

static void build_tanh(struct node_builder *b)
{
	node_builder_init(b, OP_TANH, 0);
	node_builder_input(b, DTYPE_FLOAT32, SHAPE(2, 3));
	node_builder_output(b, DTYPE_FLOAT32);
}

static void versions_beyond_the_table_are_refused(void **state)
{
	(void)state;
	struct node_builder b;
	build_tanh(&b);
	b.node.version = 4;
	node_builder_refuses(&b, -EOPNOTSUPP, "operator TANH v4 is not there yet, v1 to v3 are");
	b.node.version = 0;
	node_builder_refuses(&b, -EOPNOTSUPP, "operator TANH v0 is not there yet");
	b.node.version = 3;
	node_builder_accepts(&b, 0, SHAPE(2, 3));
}

static void counts_of_operands_are_checked(void **state)
{
	(void)state;
	struct node_builder b;
	build_tanh(&b);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(2, 3));
	node_builder_refuses(&b, -EBADMSG, "2 inputs, must be 1");
	b.node.n_inputs = 1;
	node_builder_output(&b, DTYPE_FLOAT32);
	node_builder_refuses(&b, -EBADMSG, "2 outputs, must be 1");
	b.node.n_outputs = 0;
	node_builder_refuses(&b, -EBADMSG, "0 outputs, must be 1");
}

static void outputs_are_tensors_of_their_own(void **state)
{
	(void)state;
	struct node_builder b;
	build_tanh(&b);
	b.outputs[0] = b.inputs[0];
	node_builder_refuses(&b, -EBADMSG, "output 0 is input 0");
	b.outputs[0] = TENSOR_NONE;
	node_builder_refuses(&b, -EBADMSG, "output 0 must be there");
	b.outputs[0] = 1;
	b.tensors[1].data = (const uint8_t *)"";
	node_builder_refuses(&b, -EBADMSG, "output 0 is a constant");
	b.tensors[1].data = NULL;
	b.inputs[0] = TENSOR_NONE;
	node_builder_refuses(&b, -EBADMSG, "input 0 must be there");
}

static void options_must_be_of_the_operator(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_MAX_POOL_2D, 0);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(1, 2, 2, 1));
	node_builder_output(&b, DTYPE_FLOAT32);
	node_builder_refuses(&b, -EBADMSG, "options are missing");
	b.node.options.table = 1;
	node_builder_refuses(&b, -EBADMSG, "options are of table 1, must be of 5");
}

static void shapes_of_a_run_make_the_outputs_unknown(void **state)
{
	(void)state;
	struct node_builder b;
	build_tanh(&b);
	b.shapes[0] = SHAPE(-1, 3);
	b.tensors[1].shape = SHAPE(2, 3);
	node_builder_accepts(&b, 0, SHAPE(-1, -1));
	node_builder_costs(&b, 0);
	b.shapes[0] = SHAPE(65536, 65536);
	node_builder_refuses(&b, -EBADMSG, "input 0 of shape 65536x65536 is too large");
	b.tensors[0].type = DTYPE_STRING;
	node_builder_refuses(&b, -EOPNOTSUPP, "TANH v1 with string input is not there yet");
}

static void rows_are_in_order_and_found(void **state)
{
	(void)state;
	uint32_t n = 0;
	const struct op_row *rows = opinfo_rows(&n);
	assert_true(n >= 33);
	for (uint32_t i = 0; i < n; i++) {
		const struct node node = {.op = rows[i].op};
		assert_ptr_equal(opinfo_find(&node), &rows[i]);
		assert_true(i == 0 || rows[i].op >= OP_CUSTOM_FIRST ||
			strcmp(operators_name(rows[i - 1].op), operators_name(rows[i].op)) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_operators_are_named),
		cmocka_unit_test(a_long_name_leaves_room_for_the_verdict),
		cmocka_unit_test(compiled_operators_name_what_they_are_for),
		cmocka_unit_test(versions_beyond_the_table_are_refused),
		cmocka_unit_test(counts_of_operands_are_checked),
		cmocka_unit_test(outputs_are_tensors_of_their_own),
		cmocka_unit_test(options_must_be_of_the_operator),
		cmocka_unit_test(shapes_of_a_run_make_the_outputs_unknown),
		cmocka_unit_test(rows_are_in_order_and_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
