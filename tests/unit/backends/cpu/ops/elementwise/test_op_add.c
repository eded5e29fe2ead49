/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>

#include "tests/fakes/op_bench.h"

static void quantised_sum_saturates(void **state)
{
	(void)state;
	const int8_t x[4] = {100, -100, 1, -1}, y[4] = {100, -100, 2, 0};
	const int8_t want[4] = {127, -128, 3, -1};
	int8_t z[4];
	struct op_bench b;
	op_bench_init(&b, OP_ADD);
	b.cpu_features = 0;
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(4), x), 0.5f, 0);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(4), y), 0.5f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(4), z), 0.5f, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
	assert_string_equal(b.detail, "add_s8__c");
}

/* Numbers of a case of the reference: 147 - 155 with three scales and RELU_N1_TO_1. */
static void quantised_difference_rescales_and_clamps(void **state)
{
	(void)state;
	const uint8_t x = 147, y = 155;
	uint8_t z = 0;
	struct op_bench b;
	op_bench_init(&b, OP_SUB);
	b.node.options.arithmetic.activation = ACTIVATION_RELU_N1_TO_1;
	op_bench_scale(
		&b, op_bench_input(&b, DTYPE_UINT8, (struct shape){0}, &x), 0x1.9d2c12p-6f, 127);
	op_bench_scale(
		&b, op_bench_input(&b, DTYPE_UINT8, (struct shape){0}, &y), 0x1.1a337ep-6f, 255);
	op_bench_scale(
		&b, op_bench_output(&b, DTYPE_UINT8, (struct shape){0}, &z), 0x1.90f61ap-7f, 128);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z, 210);
}

static void int16_of_powers_of_two_rounds_away_from_zero(void **state)
{
	(void)state;
	const int16_t x[4] = {3, -3, 32767, 1}, y[4] = {0, 0, 32767, -1};
	const int16_t want[4] = {2, -2, 32767, 0};
	int16_t z[4];
	struct op_bench b;
	op_bench_init(&b, OP_ADD);
	b.cpu_features = 0;
	b.node.options.arithmetic.pot_scale_int16 = true;
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(4), x), 0.125f, 0);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(4), y), 0.25f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT16, SHAPE(4), z), 0.25f, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
	assert_string_equal(b.detail, "add_s16_pot__c");
}

static void both_operands_stretch(void **state)
{
	(void)state;
	const int32_t x[2] = {10, 20}, y[3] = {1, 2, 3};
	const int32_t want[6] = {11, 12, 13, 21, 22, 23};
	int32_t z[6];
	struct op_bench b;
	op_bench_init(&b, OP_ADD);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2, 1), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(3), y);
	op_bench_output(&b, DTYPE_INT32, SHAPE(2, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void stretching_skips_a_dimension_in_the_middle(void **state)
{
	(void)state;
	int32_t x[12], z[24];
	const int32_t y[2] = {0, 1000};
	for (int i = 0; i < 12; i++) {
		x[i] = i;
	}
	struct op_bench b;
	op_bench_init(&b, OP_SUB);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2, 1, 2, 3), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2, 1, 1), y);
	op_bench_output(&b, DTYPE_INT32, SHAPE(2, 2, 2, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 24; i++) {
		assert_int_equal(z[i], x[i / 12 * 6 + i % 6] - y[i / 6 % 2]);
	}
}

static void integers_wrap_before_the_clamp(void **state)
{
	(void)state;
	const int32_t x[2] = {INT32_MAX, 4}, y[2] = {1, 4};
	int32_t z[2];
	struct op_bench b;
	op_bench_init(&b, OP_ADD);
	b.node.options.arithmetic.activation = ACTIVATION_RELU6;
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), y);
	op_bench_output(&b, DTYPE_INT32, SHAPE(2), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(z[0], 0);
	assert_int_equal(z[1], 6);
}

static void float_sum_is_made_finite_but_keeps_nan(void **state)
{
	(void)state;
	const float x[3] = {INFINITY, -INFINITY, NAN}, y[3] = {1, 1, 1};
	float z[3];
	struct op_bench b;
	op_bench_init(&b, OP_ADD);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(3), x);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(3), y);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == FLT_MAX && z[1] == -FLT_MAX && isnan(z[2]));
}

/* 1 + 2^-11 is half way to the next half; 65504 + 65504 stays finite. */
static void halves_round_to_even_and_stay_finite(void **state)
{
	(void)state;
	const uint16_t x[4] = {0x3c00, 0x3c01, 0x7bff, 0xfc00}, y[4] = {0x1000, 0x1000, 0x7bff, 0};
	const uint16_t want[4] = {0x3c00, 0x3c02, 0x7bff, 0xfbff};
	uint16_t z[4];
	struct op_bench b;
	op_bench_init(&b, OP_ADD);
	op_bench_input(&b, DTYPE_FLOAT16, SHAPE(4), x);
	op_bench_input(&b, DTYPE_FLOAT16, SHAPE(4), y);
	op_bench_output(&b, DTYPE_FLOAT16, SHAPE(4), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
	b.node.op = OP_SUB;
	assert_int_equal(op_bench_run(&b), -EOPNOTSUPP);
	assert_string_equal(b.err.text, "type float16 is not there yet");
}

static void cancelled_run_gives_up(void **state)
{
	(void)state;
	static float x[40000], z[40000];
	const atomic_bool cancelled = true;
	const struct run_control control = {.cancelled = &cancelled};
	struct op_bench b;
	op_bench_init(&b, OP_ADD);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(40000), x);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(40000), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(40000), z);
	b.control = &control;
	assert_int_equal(op_bench_run(&b), -ECANCELED);
}

static void a_number_for_each_short_row_meets_a_row_for_all(void **state)
{
	(void)state;
	enum {
		ROWS = 700
	};
	static int8_t x[ROWS];
	static int64_t wide_x[ROWS], wide_z[ROWS][3];
	static int8_t z[ROWS][3];
	const int8_t y[3] = {1, 2, -3};
	const int64_t wide_y[3] = {1, 2, -3};
	for (int i = 0; i < ROWS; i++) {
		x[i] = (int8_t)(i % 100 - 50);
		wide_x[i] = (int64_t)i << 33;
	}
	struct op_bench b;
	op_bench_init(&b, OP_SUB);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(ROWS, 1), x), 0.5f, 0);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(3), y), 0.5f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(ROWS, 3), z), 0.5f, 0);
	assert_int_equal(op_bench_run(&b), 0);
	op_bench_init(&b, OP_SUB);
	op_bench_input(&b, DTYPE_INT64, SHAPE(ROWS, 1), wide_x);
	op_bench_input(&b, DTYPE_INT64, SHAPE(3), wide_y);
	op_bench_output(&b, DTYPE_INT64, SHAPE(ROWS, 3), wide_z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < ROWS * 3; i++) {
		assert_int_equal(z[i / 3][i % 3], x[i / 3] - y[i % 3]);
		assert_true(wide_z[i / 3][i % 3] == wide_x[i / 3] - wide_y[i % 3]);
	}
}

static void short_rows_that_repeat_are_added_to_each_row(void **state)
{
	(void)state;
	enum {
		ROWS = 1100
	};
	static int32_t x[ROWS][3], z[ROWS][3], twice[2][ROWS][3];
	const int32_t y[3] = {10, 20, 30};
	for (int32_t i = 0; i < ROWS * 3; i++) {
		x[i / 3][i % 3] = i * 100;
	}
	struct op_bench b;
	op_bench_init(&b, OP_ADD);
	op_bench_input(&b, DTYPE_INT32, SHAPE(ROWS, 3), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(3), y);
	op_bench_output(&b, DTYPE_INT32, SHAPE(ROWS, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int32_t i = 0; i < ROWS * 3; i++) {
		assert_int_equal(z[i / 3][i % 3], i * 100 + y[i % 3]);
	}
	/* One row of each of two pictures, which all rows of the other operand meet. */
	op_bench_init(&b, OP_SUB);
	op_bench_input(&b, DTYPE_INT32, SHAPE(1, ROWS, 3), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2, 1, 3), ((const int32_t[]){1, 2, 3, 4, 5, 6}));
	op_bench_output(&b, DTYPE_INT32, SHAPE(2, ROWS, 3), twice);
	assert_int_equal(op_bench_run(&b), 0);
	for (int32_t i = 0; i < 2 * ROWS * 3; i++) {
		int32_t picture = i / (ROWS * 3), at = i % (ROWS * 3);
		assert_int_equal(
			twice[picture][at / 3][at % 3], at * 100 - (1 + at % 3 + 3 * picture));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantised_sum_saturates),
		cmocka_unit_test(quantised_difference_rescales_and_clamps),
		cmocka_unit_test(int16_of_powers_of_two_rounds_away_from_zero),
		cmocka_unit_test(both_operands_stretch),
		cmocka_unit_test(stretching_skips_a_dimension_in_the_middle),
		cmocka_unit_test(integers_wrap_before_the_clamp),
		cmocka_unit_test(float_sum_is_made_finite_but_keeps_nan),
		cmocka_unit_test(halves_round_to_even_and_stay_finite),
		cmocka_unit_test(cancelled_run_gives_up),
		cmocka_unit_test(a_number_for_each_short_row_meets_a_row_for_all),
		cmocka_unit_test(short_rows_that_repeat_are_added_to_each_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
