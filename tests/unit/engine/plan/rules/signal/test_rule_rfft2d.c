/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build(struct node_builder *b, const int32_t *lengths)
{
	node_builder_init(b, OP_RFFT2D, OPTIONS_RFFT2D);
	node_builder_input(b, DTYPE_FLOAT32, SHAPE(3, 5, 7));
	node_builder_constant(b, DTYPE_INT32, SHAPE(2), lengths);
	node_builder_output(b, DTYPE_COMPLEX64);
}

static void lengths_make_the_shape(void **state)
{
	(void)state;
	static int32_t lengths[] = {4, 16};
	struct node_builder b;
	build(&b, lengths);
	node_builder_accepts(&b, 0, SHAPE(3, 4, 9));
	node_builder_costs(&b, 3 * 4 * 9 * (1 + 2 + 4));
	lengths[1] = 1;
	node_builder_accepts(&b, 0, SHAPE(3, 4, 1));
	b.constants[1] = NULL;
	node_builder_accepts(&b, 0, SHAPE(3, -1, -1));
}

static void lengths_are_powers_of_two_within_bounds(void **state)
{
	(void)state;
	static int32_t lengths[] = {4, 16};
	static const int32_t wrong[] = {0, -4, 3, 1 << 21, INT32_MIN};
	struct node_builder b;
	build(&b, lengths);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		lengths[i % 2] = wrong[i];
		node_builder_refuses(&b, -EBADMSG, "must be a power of two, at most 1048576");
		lengths[i % 2] = 4;
	}
}

static void types_and_ranks_are_checked(void **state)
{
	(void)state;
	static const int32_t lengths[] = {4, 16};
	struct node_builder b;
	build(&b, lengths);
	b.shapes[0] = SHAPE(7);
	node_builder_refuses(&b, -EBADMSG, "input has rank 1, must have 2 or more");
	b.shapes[1] = SHAPE(1);
	node_builder_refuses(&b, -EBADMSG, "input 1 (lengths) has 1 elements, must have 2");
	b.tensors[2].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "output is float32, must be complex64");
	b.tensors[0].type = DTYPE_INT32;
	node_builder_refuses(&b, -EOPNOTSUPP, "RFFT2D v1 with int32 input is not there yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_make_the_shape),
		cmocka_unit_test(lengths_are_powers_of_two_within_bounds),
		cmocka_unit_test(types_and_ranks_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
