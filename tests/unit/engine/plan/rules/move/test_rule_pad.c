/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void pad_checks_its_paddings(void **state)
{
	(void)state;
	static int64_t paddings[] = {1, 2, 0, 1};
	struct node_builder b;
	node_builder_init(&b, OP_PAD, 22);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(2, 0));
	node_builder_output(&b, DTYPE_FLOAT32);
	int32_t t = node_builder_constant(&b, DTYPE_INT64, SHAPE(2, 2), paddings);
	node_builder_accepts(&b, 0, SHAPE(5, 1));
	paddings[3] = -1;
	node_builder_refuses(&b, -EBADMSG, "padding 0 and -1 of dimension 1");
	paddings[3] = INT64_MAX;
	node_builder_refuses(&b, -EBADMSG, "padding 0 and 9223372036854775807 of dimension 1");
	paddings[3] = 1 << 24;
	paddings[2] = 1;
	node_builder_refuses(
		&b, -EBADMSG, "dimension 1 of the output is 16777217, must be 0..16777216");
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1));
	b.shapes[t] = SHAPE(3, 2);
	node_builder_refuses(&b, -EBADMSG, "input 1 (paddings) is 3x2, must be 2x2");
	b.tensors[t].type = DTYPE_UINT8;
	node_builder_refuses(&b, -EBADMSG, "input 1 (paddings) is uint8, must be a signed integer");
	b.tensors[t].type = DTYPE_INT64;
	b.shapes[0] = SHAPE(1, 1, 1, 1, 1, 1);
	b.shapes[t] = SHAPE(6, 2);
	node_builder_refuses(&b, -EOPNOTSUPP, "PAD v1 of rank 6 (above 5) is not there yet");
	b.tensors[0].type = DTYPE_COMPLEX64;
	node_builder_refuses(&b, -EOPNOTSUPP, "PAD v1 with complex64 input is not there yet");
}

static void padv2_wants_one_value_coded_as_the_output(void **state)
{
	(void)state;
	static const int32_t paddings[] = {1, 1};
	struct node_builder b;
	node_builder_init(&b, OP_PADV2, 43);
	node_builder_quantise(&b, node_builder_input(&b, DTYPE_INT8, SHAPE(3)), 0.5f, 1);
	node_builder_constant(&b, DTYPE_INT32, SHAPE(1, 2), paddings);
	int32_t value = node_builder_input(&b, DTYPE_INT8, SHAPE(1));
	node_builder_quantise(&b, value, 0.5f, 1);
	node_builder_quantise(&b, node_builder_output(&b, DTYPE_INT8), 0.5f, 1);
	node_builder_accepts(&b, 0, SHAPE(5));
	b.zeros[value][0] = 2;
	node_builder_refuses(&b, -EBADMSG, "input 2 (value) has another scale than the output");
	b.shapes[value] = SHAPE(2);
	node_builder_refuses(&b, -EBADMSG, "input 2 (value) is 2, must have one element");
	b.shapes[value] = (struct shape){0};
	b.tensors[value].type = DTYPE_INT16;
	node_builder_refuses(&b, -EBADMSG, "input 2 (value) is int16, must be int8");
}

static void mirrored_elements_are_there(void **state)
{
	(void)state;
	struct node_builder b;
	int32_t paddings[4] = {1, 1, 0, 2};
	node_builder_init(&b, OP_MIRROR_PAD, OPTIONS_MIRROR_PAD);
	node_builder_input(&b, DTYPE_COMPLEX64, SHAPE(2, 3));
	int32_t t = node_builder_constant(&b, DTYPE_INT32, SHAPE(2, 2), paddings);
	node_builder_output(&b, DTYPE_COMPLEX64);
	node_builder_accepts(&b, 0, SHAPE(4, 5));
	paddings[1] = 2;
	node_builder_refuses(&b, -EBADMSG, "dimension 0 of 2 mirrored by 1 and 2");
	b.node.options.mirror_pad.mode = 1;
	node_builder_accepts(&b, 0, SHAPE(5, 5));
	paddings[1] = 3;
	node_builder_refuses(&b, -EBADMSG, "dimension 0 of 2 mirrored by 1 and 3");
	paddings[1] = -1;
	node_builder_refuses(&b, -EBADMSG, "dimension 0 of 2 mirrored by 1 and -1");
	b.node.options.mirror_pad.mode = 2;
	node_builder_refuses(&b, -EBADMSG, "mode 2");
	b.node.options.mirror_pad.mode = 0;
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1));
	b.shapes[t] = SHAPE(2, 3);
	node_builder_refuses(&b, -EBADMSG, "input 1 (paddings) is 2x3, must be 2x2");
}

static void nothing_to_mirror_needs_no_elements(void **state)
{
	(void)state;
	struct node_builder b;
	static const int32_t paddings[4] = {0, 0, 0, 0};
	node_builder_init(&b, OP_MIRROR_PAD, OPTIONS_MIRROR_PAD);
	node_builder_input(&b, DTYPE_INT32, SHAPE(0, 3));
	node_builder_constant(&b, DTYPE_INT32, SHAPE(2, 2), paddings);
	node_builder_output(&b, DTYPE_INT32);
	node_builder_accepts(&b, 0, SHAPE(0, 3));
}

static void dilation_spreads_elements(void **state)
{
	(void)state;
	struct node_builder b;
	int32_t factors[2] = {3, 1};
	node_builder_init(&b, OP_DILATE, 0);
	node_builder_input(&b, DTYPE_INT8, SHAPE(3, 0));
	node_builder_constant(&b, DTYPE_INT32, SHAPE(2), factors);
	int32_t value = node_builder_input(&b, DTYPE_INT8, (struct shape){0});
	node_builder_output(&b, DTYPE_INT8);
	node_builder_accepts(&b, 0, SHAPE(7, 0));
	factors[0] = 0;
	node_builder_refuses(&b, -EBADMSG, "dilation 0");
	factors[0] = INT32_MAX;
	node_builder_refuses(&b, -EBADMSG, "dimension 0 of the output is 4294967295");
	b.shapes[value] = SHAPE(2);
	node_builder_refuses(&b, -EBADMSG, "input 2 (padding value) is 2, must have one element");
	b.tensors[value].type = DTYPE_INT16;
	node_builder_refuses(&b, -EBADMSG, "padding value is int16, must be int8");
}

static void stablehlo_pad_crops_and_spreads(void **state)
{
	(void)state;
	struct node_builder b;
	int64_t low[2] = {-1, 2}, high[2] = {0, -1}, interior[2] = {2, 0};
	node_builder_init(&b, OP_STABLEHLO_PAD, OPTIONS_STABLEHLO_PAD);
	node_builder_input(&b, DTYPE_UINT16, SHAPE(3, 4));
	node_builder_input(&b, DTYPE_UINT16, (struct shape){0});
	node_builder_output(&b, DTYPE_UINT16);
	struct options_hlo_pad *o = &b.node.options.hlo_pad;
	o->low = (struct options_list){(const uint8_t *)low, 2};
	o->high = (struct options_list){(const uint8_t *)high, 2};
	o->interior = (struct options_list){(const uint8_t *)interior, 2};
	node_builder_accepts(&b, 0, SHAPE(6, 5));
	low[0] = -7; /* LiteRT's shape of nothing */
	node_builder_accepts(&b, 0, SHAPE(0, 0));
	low[0] = INT64_MIN;
	node_builder_refuses(&b, -EBADMSG, "dimension 0 padded by -9223372036854775808, 0 and 2");
	low[0] = 1 << 24;
	node_builder_refuses(&b, -EBADMSG, "dimension 0 of the output is 16777223");
	interior[0] = -1;
	node_builder_refuses(&b, -EBADMSG, "dimension 0 padded by 16777216, 0 and -1");
	o->high.count = 1;
	node_builder_refuses(&b, -EBADMSG, "2, 1 and 2 paddings for a tensor of rank 2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pad_checks_its_paddings),
		cmocka_unit_test(padv2_wants_one_value_coded_as_the_output),
		cmocka_unit_test(mirrored_elements_are_there),
		cmocka_unit_test(nothing_to_mirror_needs_no_elements),
		cmocka_unit_test(dilation_spreads_elements),
		cmocka_unit_test(stablehlo_pad_crops_and_spreads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
