/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void parts_lie_side_by_side_along_the_axis(void **state)
{
	(void)state;
	const int16_t x[4] = {1, 2, 3, 4}, y[2] = {8, 9}, want[6] = {1, 2, 8, 3, 4, 9};
	int16_t z[6];
	struct op_bench b;
	op_bench_init(&b, OP_CONCATENATION);
	b.node.options.axis.axis = -1;
	op_bench_input(&b, DTYPE_INT16, SHAPE(2, 2), x);
	op_bench_input(&b, DTYPE_INT16, SHAPE(2, 1), y);
	op_bench_output(&b, DTYPE_INT16, SHAPE(2, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void uint8_of_another_scale_is_requantised(void **state)
{
	(void)state;
	const uint8_t x[2] = {10, 12}, y[3] = {10, 11, 255};
	const uint8_t want[5] = {10, 12, 0, 3, 255}; /* (y - 10) * 2.5, ties away from zero */
	uint8_t z[5];
	struct op_bench b;
	op_bench_init(&b, OP_CONCATENATION);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_UINT8, SHAPE(2), x), 0.5f, 0);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_UINT8, SHAPE(3), y), 1.25f, 10);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_UINT8, SHAPE(5), z), 0.5f, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void fused_activation_is_refused(void **state)
{
	(void)state;
	const int8_t x = 0;
	int8_t z;
	struct op_bench b;
	op_bench_init(&b, OP_CONCATENATION);
	b.node.options.axis.activation = ACTIVATION_RELU;
	op_bench_input(&b, DTYPE_INT8, SHAPE(1), &x);
	op_bench_output(&b, DTYPE_INT8, SHAPE(1), &z);
	assert_int_equal(op_bench_run(&b), -EOPNOTSUPP);
	assert_string_equal(b.err.text, "fused activation is not there yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_lie_side_by_side_along_the_axis),
		cmocka_unit_test(uint8_of_another_scale_is_requantised),
		cmocka_unit_test(fused_activation_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
