/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void slice_takes_the_rest_for_minus_one(void **state)
{
	(void)state;
	struct node_builder b;
	int64_t begin[2] = {1, 2}, size[2] = {2, -1};
	node_builder_init(&b, OP_SLICE, 0);
	node_builder_input(&b, DTYPE_STRING, SHAPE(3, 4));
	int32_t t = node_builder_constant(&b, DTYPE_INT64, SHAPE(2), begin);
	node_builder_constant(&b, DTYPE_INT64, SHAPE(2), size);
	int32_t out = node_builder_output(&b, DTYPE_STRING);
	node_builder_accepts(&b, 0, SHAPE(2, 2));
	b.tensors[out].shape = SHAPE(2, 3);
	node_builder_refuses(&b, -EBADMSG, "output 0: declared 2x3, begin and size give 2x2");
	b.shapes[0] = SHAPE(5, 4); /* resized since */
	node_builder_accepts(&b, 0, SHAPE(2, 2));
	size[0] = 5;
	node_builder_refuses(&b, -EBADMSG, "begin 1 and size 5 of dimension 0 of 5");
	size[0] = -2;
	node_builder_refuses(&b, -EBADMSG, "begin 1 and size -2 of dimension 0 of 5");
	begin[0] = INT64_MIN;
	node_builder_refuses(&b, -EBADMSG, "begin -9223372036854775808 and");
	begin[0] = INT64_MAX;
	node_builder_refuses(&b, -EBADMSG, "begin 9223372036854775807 and");
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1));
	b.shapes[t] = SHAPE(1);
	node_builder_refuses(&b, -EBADMSG, "input 1 (begin) is 1, must be 2");
	b.shapes[t] = SHAPE(2);
	b.tensors[t].type = DTYPE_INT32;
	node_builder_refuses(&b, -EBADMSG, "input 2 (size) is int64, must be int32");
	b.tensors[t].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "input 1 (begin) is float32, must be int32 or int64");
}

static void strided_slice_knows_its_rank_before_its_shape(void **state)
{
	(void)state;
	struct node_builder b;
	int32_t begin[3] = {0, 1, 2}, end[3] = {2, 3, 0}, strides[3] = {1, 1, 1};
	node_builder_init(&b, OP_STRIDED_SLICE, OPTIONS_STRIDED_SLICE);
	node_builder_input(&b, DTYPE_INT8, SHAPE(4, 5, 6));
	int32_t t = node_builder_constant(&b, DTYPE_INT32, SHAPE(3), begin);
	node_builder_constant(&b, DTYPE_INT32, SHAPE(3), end);
	node_builder_constant(&b, DTYPE_INT32, SHAPE(3), strides);
	node_builder_output(&b, DTYPE_INT8);
	b.node.options.strided_slice.shrink_axis_mask = 4;
	node_builder_accepts(&b, 0, SHAPE(2, 2));
	begin[2] = 6;
	node_builder_refuses(&b, -EBADMSG, "index 6 of a dimension of 6");
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1));
	b.node.options.strided_slice.ellipsis_mask = 3;
	node_builder_refuses(&b, -EBADMSG, "more than one ellipsis");
	b.shapes[t] = SHAPE(17);
	node_builder_refuses(&b, -EBADMSG, "input 1 (begin): 17, must be a list of at most 16");
	b.shapes[t] = SHAPE(2);
	node_builder_refuses(&b, -EBADMSG, "input 2 (end) is 3, must be 2");
}

static void update_fits_into_what_it_updates(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_DYNAMIC_UPDATE_SLICE, 0);
	node_builder_input(&b, DTYPE_BOOL, SHAPE(3, 4));
	int32_t update = node_builder_input(&b, DTYPE_BOOL, SHAPE(3, 0));
	int32_t start = node_builder_input(&b, DTYPE_INT64, SHAPE(2));
	node_builder_output(&b, DTYPE_BOOL);
	node_builder_accepts(&b, 0, SHAPE(3, 4));
	b.shapes[update] = SHAPE(4, 4);
	node_builder_refuses(&b, -EBADMSG, "dimension 0 of the update is 4, of 3");
	b.shapes[update] = SHAPE(4);
	node_builder_refuses(&b, -EBADMSG, "input 1 (update) has rank 1, must have 2");
	b.shapes[update] = SHAPE(1, 1);
	b.shapes[start] = SHAPE(2, 1);
	node_builder_refuses(&b, -EBADMSG, "input 2 (start) is 2x1, must be 2");
	b.tensors[update].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "input 1 (update) is int8, must be bool");
}

static void reversed_axes_stand_together(void **state)
{
	(void)state;
	struct node_builder b;
	int32_t axes[2] = {-1, 1};
	node_builder_init(&b, OP_REVERSE_V2, 0);
	node_builder_input(&b, DTYPE_FLOAT16, SHAPE(2, 3, 4));
	int32_t t = node_builder_constant(&b, DTYPE_INT32, SHAPE(2), axes);
	node_builder_output(&b, DTYPE_FLOAT16);
	node_builder_accepts(&b, 0, SHAPE(2, 3, 4));
	axes[1] = 0;
	node_builder_refuses(&b, -EBADMSG, "a gap between the axes");
	axes[1] = 2;
	node_builder_refuses(&b, -EBADMSG, "axis 2 twice");
	axes[1] = 3;
	node_builder_refuses(&b, -EBADMSG, "axis 3 of a tensor of rank 3");
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(2, 3, 4));
	b.shapes[t] = SHAPE(4);
	node_builder_refuses(&b, -EBADMSG, "input 1 (axes) is 4 for a tensor of rank 3");
	b.shapes[t] = SHAPE(2);
	b.tensors[t].type = DTYPE_INT64;
	node_builder_refuses(&b, -EBADMSG, "input 1 (axes) is int64, must be int32");
	b.tensors[0].type = DTYPE_FLOAT64;
	node_builder_refuses(&b, -EOPNOTSUPP, "REVERSE_V2 v1 with float64 input is not there yet");
}

static void reverse_sequence_has_a_length_for_each_entry(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_REVERSE_SEQUENCE, OPTIONS_REVERSE_SEQUENCE);
	node_builder_input(&b, DTYPE_UINT8, SHAPE(2, 3));
	node_builder_input(&b, DTYPE_INT32, SHAPE(2));
	node_builder_output(&b, DTYPE_UINT8);
	struct options_reverse_sequence *o = &b.node.options.reverse_sequence;
	*o = (struct options_reverse_sequence){.seq_dim = 1, .batch_dim = 0};
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	o->batch_dim = 1;
	node_builder_refuses(&b, -EBADMSG, "dimension 1 reversed along 1 of a tensor of rank 2");
	o->batch_dim = -1;
	node_builder_refuses(&b, -EBADMSG, "dimension 1 reversed along -1");
	*o = (struct options_reverse_sequence){.seq_dim = 0, .batch_dim = 1};
	node_builder_refuses(&b, -EBADMSG, "input 1 (lengths) is 2, must be 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slice_takes_the_rest_for_minus_one),
		cmocka_unit_test(strided_slice_knows_its_rank_before_its_shape),
		cmocka_unit_test(update_fits_into_what_it_updates),
		cmocka_unit_test(reversed_axes_stand_together),
		cmocka_unit_test(reverse_sequence_has_a_length_for_each_entry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
