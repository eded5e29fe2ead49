/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void resize_checks_its_size(void **state)
{
	(void)state;
	static int32_t size[] = {6, 16384};
	struct node_builder b;
	node_builder_init(&b, OP_RESIZE_BILINEAR, 15);
	node_builder_input(&b, DTYPE_INT8, SHAPE(1, 3, 4, 2));
	int32_t t = node_builder_constant(&b, DTYPE_INT32, SHAPE(2), size);
	node_builder_output(&b, DTYPE_INT8);
	node_builder_accepts(&b, 0, SHAPE(1, 6, 16384, 2));
	size[1] = 16385;
	node_builder_refuses(&b, -EBADMSG, "size 16385, must be 1 to 16384");
	size[1] = 0;
	node_builder_refuses(&b, -EBADMSG, "size 0, must be 1 to 16384");
	b.constants[t] = NULL;
	node_builder_accepts(&b, 0, SHAPE(1, -1, -1, 2));
	b.shapes[t] = SHAPE(3);
	node_builder_refuses(&b, -EBADMSG, "input 1 (size) has 3 elements, must have 2");
	b.shapes[t] = SHAPE(1, 2);
	node_builder_refuses(&b, -EBADMSG, "input 1 (size) has rank 2, must have 1");
	b.tensors[t].type = DTYPE_INT64;
	node_builder_refuses(&b, -EBADMSG, "input 1 (size) is int64, must be int32");
}

static void resize_checks_its_input(void **state)
{
	(void)state;
	static const int32_t size[] = {6, 8};
	struct node_builder b;
	node_builder_init(&b, OP_RESIZE_BILINEAR, 15);
	node_builder_input(&b, DTYPE_UINT8, SHAPE(1, 3, 4, 2));
	node_builder_constant(&b, DTYPE_INT32, SHAPE(2), size);
	node_builder_output(&b, DTYPE_UINT8);
	b.node.options.resize = (struct options_resize){true, true};
	node_builder_refuses(&b, -EBADMSG, "align_corners and half_pixel_centers");
	b.node.options.resize.align_corners = false;
	node_builder_accepts(&b, 0, SHAPE(1, 6, 8, 2));
	b.shapes[0] = SHAPE(1, 0, 4, 2);
	node_builder_refuses(&b, -EBADMSG, "input of shape 1x0x4x2 is empty");
	b.shapes[0] = SHAPE(1, 1 << 21, 4, 2);
	node_builder_refuses(&b, -EBADMSG, "input 2097152x4, at most 1048576 are understood");
	b.shapes[0] = SHAPE(3, 4);
	node_builder_refuses(&b, -EBADMSG, "input has rank 2, must have 4");
	b.tensors[0].type = DTYPE_INT32;
	node_builder_refuses(&b, -EOPNOTSUPP, "RESIZE_BILINEAR v1 with int32 input");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resize_checks_its_size),
		cmocka_unit_test(resize_checks_its_input),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
