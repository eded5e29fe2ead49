/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

/* Input 2x4x5x6x3, weights 2x3x3x3x7: without padding 2x3x2x4x7. */
static void build(struct node_builder *b)
{
	node_builder_init(b, OP_CONV_3D, OPTIONS_CONV_3D);
	node_builder_input(b, DTYPE_FLOAT32, SHAPE(2, 4, 5, 6, 3));
	node_builder_input(b, DTYPE_FLOAT32, SHAPE(2, 3, 3, 3, 7));
	node_builder_input(b, DTYPE_FLOAT32, SHAPE(7));
	node_builder_output(b, DTYPE_FLOAT32);
	b->node.options.conv_3d = (struct options_conv_3d){.stride_d = 1,
		.stride_h = 2,
		.stride_w = 1,
		.dilation_d = 1,
		.dilation_h = 1,
		.dilation_w = 1,
		.padding = PADDING_VALID};
}

static void windows_slide_in_three_directions(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b);
	node_builder_accepts(&b, 0, SHAPE(2, 3, 2, 4, 7));
	node_builder_costs(&b, 2 * 3 * 2 * 4 * 7 * 2 * 3 * 3 * 3);
	b.node.options.conv_3d.padding = PADDING_SAME;
	node_builder_accepts(&b, 0, SHAPE(2, 4, 3, 6, 7));
	b.node.n_inputs = 2;
	node_builder_accepts(&b, 0, SHAPE(2, 4, 3, 6, 7));
}

static void what_does_not_fit_is_refused(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b);
	b.shapes[1] = SHAPE(2, 3, 3, 4, 7);
	node_builder_refuses(&b, -EBADMSG, "weights have 4 input channels, input has 3");
	b.shapes[1] = SHAPE(2, 3, 3, 3, 6);
	node_builder_refuses(&b, -EBADMSG, "bias is 7, output has 6 channels");
	build(&b);
	b.node.options.conv_3d.stride_w = 0;
	node_builder_refuses(&b, -EBADMSG, "stride 2x0");
	build(&b);
	b.node.options.conv_3d.dilation_d = 0;
	node_builder_refuses(&b, -EBADMSG, "dilation 0x1");
	build(&b);
	b.shapes[0] = SHAPE(4, 5, 6, 3);
	node_builder_refuses(&b, -EBADMSG, "input has rank 4, must have 5");
	build(&b);
	b.tensors[0].type = DTYPE_INT8;
	node_builder_refuses(&b, -EOPNOTSUPP, "CONV_3D v1 with int8 input is not there yet");
}

static void a_filter_that_takes_long_is_refused(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b);
	b.shapes[0] = SHAPE(1, 512, 512, 512, 1);
	b.shapes[1] = SHAPE(512, 512, 512, 1, 1);
	b.shapes[2] = SHAPE(1);
	node_builder_refuses(&b, -EFBIG, "filter 512x512x512");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_slide_in_three_directions),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(a_filter_that_takes_long_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
