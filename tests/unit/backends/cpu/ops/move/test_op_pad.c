/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void pad_fills_with_the_zero_point_of_the_result(void **state)
{
	(void)state;
	const int32_t paddings[4] = {1, 0, 0, 2};
	const int8_t x[2] = {1, 2}, want[8] = {-5, -5, -5, -5, 1, 2, -5, -5};
	int8_t z[8];
	struct op_bench b;
	op_bench_init(&b, OP_PAD);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, 2), x), 1, 3);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2, 2), paddings);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(2, 4), z), 1, -5);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void padv2_fills_with_its_operand(void **state)
{
	(void)state;
	const int64_t paddings[2] = {1, 1};
	const float x[1] = {1}, fill = 2.5f;
	float z[3];
	struct op_bench b;
	op_bench_init(&b, OP_PADV2);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1), x);
	op_bench_constant(&b, DTYPE_INT64, SHAPE(1, 2), paddings);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1), &fill);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 2.5f && z[1] == 1 && z[2] == 2.5f);
}

static void dilate_puts_a_value_between(void **state)
{
	(void)state;
	const int16_t x[4] = {1, 2, 3, 4}, fill = 9;
	const int16_t want[9] = {1, 9, 2, 9, 9, 9, 3, 9, 4};
	const int32_t factors[2] = {2, 2};
	int16_t z[9];
	struct op_bench b;
	op_bench_init(&b, OP_DILATE);
	op_bench_input(&b, DTYPE_INT16, SHAPE(2, 2), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), factors);
	op_bench_input(&b, DTYPE_INT16, (struct shape){0}, &fill);
	op_bench_output(&b, DTYPE_INT16, SHAPE(3, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

/* 1 9 9 2 9 9 3 and edges: @low, @high. */
static void hlo_padded(int64_t low, int64_t high, int32_t n, const uint8_t *want)
{
	const uint8_t x[3] = {1, 2, 3}, fill = 9;
	const int64_t interior = 2;
	uint8_t z[16];
	struct op_bench b;
	op_bench_init(&b, OP_STABLEHLO_PAD);
	b.node.options.hlo_pad = (struct options_hlo_pad){{(const uint8_t *)&low, 1},
		{(const uint8_t *)&high, 1}, {(const uint8_t *)&interior, 1}};
	op_bench_input(&b, DTYPE_UINT8, SHAPE(3), x);
	op_bench_input(&b, DTYPE_UINT8, (struct shape){0}, &fill);
	op_bench_output(&b, DTYPE_UINT8, SHAPE(n), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, (size_t)n);
}

static void stablehlo_pad_crops_into_its_own_padding(void **state)
{
	(void)state;
	hlo_padded(1, 2, 10, (const uint8_t[]){9, 1, 9, 9, 2, 9, 9, 3, 9, 9});
	hlo_padded(-1, 0, 6, (const uint8_t[]){9, 9, 2, 9, 9, 3});
	hlo_padded(-3, -1, 3, (const uint8_t[]){2, 9, 9});
	hlo_padded(-4, -1, 2, (const uint8_t[]){9, 9});
	hlo_padded(-8, 3, 2, (const uint8_t[]){9, 9});
	hlo_padded(3, -8, 2, (const uint8_t[]){9, 9});
}

static void mirrored(uint8_t mode, const int32_t *paddings, struct shape shape, const char *want)
{
	static const char x[7] = "abcdef"; /* abc / def */
	char z[64] = {0};
	struct op_bench b;
	op_bench_init(&b, OP_MIRROR_PAD);
	b.node.options.mirror_pad.mode = mode;
	op_bench_input(&b, DTYPE_UINT8, SHAPE(2, 3), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2, 2), paddings);
	op_bench_output(&b, DTYPE_UINT8, shape, z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_string_equal(z, want);
}

static void mirror_pad_reflects_with_and_without_the_edge(void **state)
{
	(void)state;
	mirrored(0, (const int32_t[]){1, 1, 2, 1}, SHAPE(4, 6),
		"fedefe"
		"cbabcb"
		"fedefe"
		"cbabcb");
	mirrored(1, (const int32_t[]){2, 0, 1, 3}, SHAPE(4, 7),
		"ddeffed"
		"aabccba"
		"aabccba"
		"ddeffed");
	mirrored(0, (const int32_t[]){0, 0, 0, 0}, SHAPE(2, 3), "abcdef");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pad_fills_with_the_zero_point_of_the_result),
		cmocka_unit_test(padv2_fills_with_its_operand),
		cmocka_unit_test(dilate_puts_a_value_between),
		cmocka_unit_test(stablehlo_pad_crops_into_its_own_padding),
		cmocka_unit_test(mirror_pad_reflects_with_and_without_the_edge),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
