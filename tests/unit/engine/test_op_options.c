/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/model/model.h"
#include "engine/model/schema.h"
#include "tests/fakes/fake_model.h"

/* The options of a node of operator @op whose options table holds @fields. */
static struct op_options decoded(
	int32_t op, uint16_t table, uint32_t n, const struct fake_option *fields)
{
	owned_mem struct fake_model *m = fake_model_new();
	m->codes[0].op = op;
	m->subgraphs[0].nodes[0].options = table;
	for (uint32_t i = 0; i < n; i++) {
		m->subgraphs[0].nodes[0].fields[i] = fields[i];
	}
	struct bytes_writer file = fake_model_write(m);
	struct model *model = NULL;
	struct error err = {0};
	if (model_open_bytes(file.data, file.size, NULL, &model, &err) < 0) {
		fail_msg("%s", err.text);
	}
	struct op_options options = model_graph(model)->subgraphs[0].nodes[0].options;
	model_free(model);
	bytes_writer_deinit(&file);
	return options;
}

static void options_decodes_numbers_of_a_convolution(void **state)
{
	(void)state;
	const struct fake_option fields[] = {
		{SLOT(CONV_2D_OPTIONS, padding), 1, PADDING_VALID, {0}},
		{SLOT(CONV_2D_OPTIONS, stride_w), 4, 2, {0}},
		{SLOT(CONV_2D_OPTIONS, stride_h), 4, -3, {0}},
		{SLOT(CONV_2D_OPTIONS, fused_activation_function), 1, ACTIVATION_RELU6, {0}},
		{SLOT(CONV_2D_OPTIONS, dilation_w_factor), 4, 5, {0}},
	};
	struct op_options o = decoded(OP_CONV_2D, OPTIONS_CONV_2D, 5, fields);
	assert_int_equal(o.table, OPTIONS_CONV_2D);
	assert_int_equal(o.conv.padding, PADDING_VALID);
	assert_int_equal(o.conv.stride_w, 2);
	assert_int_equal(o.conv.stride_h, -3);
	assert_int_equal(o.conv.activation, ACTIVATION_RELU6);
	assert_int_equal(o.conv.dilation_w, 5);
	assert_int_equal(o.conv.dilation_h, 1); /* the schema's default */
}

static void options_has_the_schemas_defaults(void **state)
{
	(void)state;
	assert_true(decoded(OP_ADD, OPTIONS_ADD, 0, NULL).arithmetic.pot_scale_int16);
	assert_true(decoded(OP_SUB, OPTIONS_SUB, 0, NULL).arithmetic.pot_scale_int16);
	assert_false(decoded(OP_MUL, OPTIONS_MUL, 0, NULL).arithmetic.pot_scale_int16);
	struct op_options lstm = decoded(
		OP_BIDIRECTIONAL_SEQUENCE_LSTM, OPTIONS_BIDIRECTIONAL_SEQUENCE_LSTM, 0, NULL);
	assert_true(lstm.recurrent.time_major);
	assert_int_equal(
		decoded(OP_DEPTHWISE_CONV_2D, OPTIONS_DEPTHWISE_CONV_2D, 0, NULL).conv.dilation_w,
		1);
}

static void options_is_zero_where_the_table_is_left_out(void **state)
{
	(void)state;
	struct op_options o = decoded(OP_ADD, OPTIONS_NONE, 0, NULL);
	assert_int_equal(o.table, 0);
	assert_false(o.arithmetic.pot_scale_int16);
}

static void options_decodes_floats_and_bools(void **state)
{
	(void)state;
	const struct fake_option beta = {SLOT(SOFTMAX_OPTIONS, beta), 4, 0x3f800000, {0}};
	struct op_options softmax = decoded(OP_SOFTMAX, OPTIONS_SOFTMAX, 1, &beta);
	assert_true(softmax.softmax.beta == 1.0f);
	const struct fake_option keep = {SLOT(REDUCER_OPTIONS, keep_dims), 1, 7, {0}};
	assert_true(decoded(OP_MEAN, OPTIONS_REDUCER, 1, &keep).reduce.keep_dims);
	const struct fake_option type = {SLOT(ARG_MAX_OPTIONS, output_type), 1, DTYPE_INT64, {0}};
	struct op_options arg = decoded(OP_ARG_MAX, OPTIONS_ARG_MAX, 1, &type);
	assert_int_equal(arg.arg.output_type, DTYPE_INT64);
}

static void options_decodes_lists(void **state)
{
	(void)state;
	const struct fake_option shape = {0, 0, 0, FAKE_LIST(1, -1, 3)};
	struct op_options reshape = decoded(OP_RESHAPE, OPTIONS_RESHAPE, 1, &shape);
	assert_true(reshape.reshape.has_new_shape);
	assert_int_equal(reshape.reshape.n, 3);
	assert_int_equal(reshape.reshape.new_shape[1], -1);
	reshape = decoded(OP_RESHAPE, OPTIONS_RESHAPE, 0, NULL);
	assert_false(reshape.reshape.has_new_shape);
	struct op_options squeeze = decoded(OP_SQUEEZE, OPTIONS_SQUEEZE, 1, &shape);
	assert_int_equal(squeeze.squeeze.n, 3);
	assert_int_equal(squeeze.squeeze.dims[2], 3);
}

static void options_names_second_tables_from_256(void **state)
{
	(void)state;
	struct op_options o = decoded(OP_STABLEHLO_PAD, OPTIONS_STABLEHLO_PAD, 0, NULL);
	assert_int_equal(o.table, 256 + 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_decodes_numbers_of_a_convolution),
		cmocka_unit_test(options_has_the_schemas_defaults),
		cmocka_unit_test(options_is_zero_where_the_table_is_left_out),
		cmocka_unit_test(options_decodes_floats_and_bools),
		cmocka_unit_test(options_decodes_lists),
		cmocka_unit_test(options_names_second_tables_from_256),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
