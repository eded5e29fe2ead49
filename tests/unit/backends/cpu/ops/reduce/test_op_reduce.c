/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void run_f32(enum op op, struct shape shape, const float *x, const int32_t *axes, int32_t n,
	struct shape out, float *z)
{
	struct op_bench b;
	op_bench_init(&b, op);
	op_bench_input(&b, DTYPE_FLOAT32, shape, x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(n), axes);
	op_bench_output(&b, DTYPE_FLOAT32, out, z);
	assert_int_equal(op_bench_run(&b), 0);
}

/* NaN is passed over but where it stands first of all and all is reduced. */
static void nan_among_extremes(void **state)
{
	(void)state;
	const float x[] = {NAN, 2, 3, NAN, -INFINITY, -INFINITY};
	const int32_t axes[] = {1, 0};
	float z[3];
	run_f32(OP_REDUCE_MAX, SHAPE(3, 2), x, axes, 1, SHAPE(3), z);
	assert_true(z[0] == 2 && z[1] == 3 && z[2] == -0x1.fffffep+127f);
	run_f32(OP_REDUCE_MIN, SHAPE(3, 2), x, axes, 2, (struct shape){0}, z);
	assert_true(isnan(z[0]));
	run_f32(OP_REDUCE_MAX, SHAPE(2), x + 1, axes + 1, 1, (struct shape){0}, z);
	assert_true(z[0] == 3);
	run_f32(OP_REDUCE_MAX, SHAPE(2), x + 4, axes + 1, 1, (struct shape){0}, z);
	assert_true(z[0] == -INFINITY);
}

static void nothing_gives_what_the_operator_starts_with(void **state)
{
	(void)state;
	const int32_t axis = 1;
	static const struct {
		uint16_t op;
		uint8_t type;
		int32_t want;
	} cases[] = {
		{OP_REDUCE_MAX, DTYPE_INT8, -128},
		{OP_REDUCE_MIN, DTYPE_INT8, 127},
		{OP_REDUCE_MAX, DTYPE_UINT8, 0},
		{OP_REDUCE_MIN, DTYPE_UINT8, 255},
		{OP_REDUCE_MAX, DTYPE_INT16, -32768},
		{OP_REDUCE_MIN, DTYPE_INT32, INT32_MAX},
		{OP_REDUCE_PROD, DTYPE_INT32, 1},
		{OP_REDUCE_ANY, DTYPE_BOOL, 0},
		{OP_REDUCE_ALL, DTYPE_BOOL, 1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		union {
			int8_t s8[4];
			uint8_t u8[4];
			int16_t s16[4];
			int32_t s32[4];
		} z = {.s32 = {7, 7, 7, 7}};
		struct op_bench b;
		op_bench_init(&b, cases[i].op);
		op_bench_input(&b, cases[i].type, SHAPE(2, 0), &z);
		op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
		op_bench_output(&b, cases[i].type, SHAPE(2), &z);
		assert_int_equal(op_bench_run(&b), 0);
		int32_t got = cases[i].type == DTYPE_INT32 ? z.s32[1]
			: cases[i].type == DTYPE_INT16     ? z.s16[1]
			: cases[i].type == DTYPE_INT8      ? z.s8[1]
							   : z.u8[1];
		assert_int_equal(got, cases[i].want);
	}
}

/* (3 - 1) * 0.5 times (-5 - 1) * 0.5 times (9 - 1) * 0.5 is -12: code -12 / 0.125 + 2. */
static void product_of_codes_is_that_of_their_values(void **state)
{
	(void)state;
	const int8_t x[] = {3, 2, -5, 1, 9, 4};
	const int32_t axis = 0;
	int8_t z[2];
	struct op_bench b;
	op_bench_init(&b, OP_REDUCE_PROD);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(3, 2), x), 0.5f, 1);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(2), z), 0.125f, 2);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z[0], -94);
	assert_int_equal(z[1], 2);
	b.shapes[0] = b.values[0].shape = SHAPE(0, 2);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z[0], 10); /* a product of nothing is 1 */
}

static void integer_products_wrap(void **state)
{
	(void)state;
	const int32_t x[] = {1 << 30, 2, 3, -7}, axis = 0;
	int32_t z[1];
	struct op_bench b;
	op_bench_init(&b, OP_REDUCE_PROD);
	op_bench_input(&b, DTYPE_INT32, SHAPE(4), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
	op_bench_output(&b, DTYPE_INT32, (struct shape){0}, z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == INT32_MIN);
}

static void logic_gives_0_or_1_whatever_the_bytes(void **state)
{
	(void)state;
	const uint8_t x[] = {0, 6, 2, 4};
	const int32_t axis = 1;
	uint8_t z[2];
	struct op_bench b;
	op_bench_init(&b, OP_REDUCE_ANY);
	op_bench_input(&b, DTYPE_BOOL, SHAPE(2, 2), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
	op_bench_output(&b, DTYPE_BOOL, SHAPE(2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 1 && z[1] == 1);
	b.node.op = OP_REDUCE_ALL;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 0 && z[1] == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nan_among_extremes),
		cmocka_unit_test(nothing_gives_what_the_operator_starts_with),
		cmocka_unit_test(product_of_codes_is_that_of_their_values),
		cmocka_unit_test(integer_products_wrap),
		cmocka_unit_test(logic_gives_0_or_1_whatever_the_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
