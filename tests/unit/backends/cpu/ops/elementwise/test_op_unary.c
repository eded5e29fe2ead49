/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "tests/fakes/op_bench.h"

/* One operand of @n numbers without a scale, and a result of the same type. */
static int run(struct op_bench *b, enum op op, enum dtype type, int32_t n, const void *x, void *z)
{
	op_bench_init(b, op);
	op_bench_input(b, type, SHAPE(n), x);
	op_bench_output(b, type, SHAPE(n), z);
	return op_bench_run(b);
}

/* The same of codes. */
static void codes(struct op_bench *b, enum op op, enum dtype type, int32_t n, const void *x,
	float scale, int64_t zero)
{
	op_bench_init(b, op);
	op_bench_scale(b, op_bench_input(b, type, SHAPE(n), x), scale, zero);
}

static int give(struct op_bench *b, enum dtype type, int32_t n, void *z, float scale, int64_t zero)
{
	op_bench_scale(b, op_bench_output(b, type, SHAPE(n), z), scale, zero);
	return op_bench_run(b);
}

static void abs_and_neg_of_the_lowest_integer_wrap(void **state)
{
	(void)state;
	const int32_t x[2] = {INT32_MIN, -7}, abs_want[2] = {INT32_MIN, 7};
	const int64_t y[2] = {INT64_MIN, 9}, neg_want[2] = {INT64_MIN, -9};
	const int16_t s[2] = {INT16_MIN, -3}, s_want[2] = {INT16_MIN, 3};
	int32_t z[2];
	int64_t w[2];
	int16_t v[2];
	struct op_bench b;
	assert_int_equal(run(&b, OP_ABS, DTYPE_INT32, 2, x, z), 0);
	assert_memory_equal(z, abs_want, sizeof(z));
	assert_int_equal(run(&b, OP_NEG, DTYPE_INT64, 2, y, w), 0);
	assert_memory_equal(w, neg_want, sizeof(w));
	assert_int_equal(run(&b, OP_ABS, DTYPE_INT16, 2, s, v), 0);
	assert_memory_equal(v, s_want, sizeof(v));
	assert_int_equal(run(&b, OP_NEG, DTYPE_INT16, 2, s, v), 0);
	assert_memory_equal(v, s_want, sizeof(v));
}

static void abs_of_codes_rescales_the_distance_from_the_zero_point(void **state)
{
	(void)state;
	const int8_t x[4] = {-128, 9, 10, 127}; /* -13.8, -0.1, 0, 11.7 */
	const int8_t want[4] = {-31, -99, -100, -41}; /* steps of 0.2 from -100; ties away from 0 */
	int8_t z[4];
	struct op_bench b;
	codes(&b, OP_ABS, DTYPE_INT8, 4, x, 0.125f, 10);
	assert_int_equal(give(&b, DTYPE_INT8, 4, z, 0.25f, -100), 0);
	assert_memory_equal(z, want, sizeof(want));
	const int16_t y[3] = {-32768, -4, 5}, y_want[3] = {32767, 8, 10};
	int16_t w[3];
	codes(&b, OP_ABS, DTYPE_INT16, 3, y, 0.5f, 0);
	assert_int_equal(give(&b, DTYPE_INT16, 3, w, 0.25f, 0), 0);
	assert_memory_equal(w, y_want, sizeof(w));
}

static void square_roots_of_codes_are_cut(void **state)
{
	(void)state;
	const int8_t x[4] = {-128, -127, -118, 127}; /* 0, 1, 10, 255 */
	const int8_t want[4] = {0, 10, 31, 127}; /* tenths: 31.6 is 31; 159 is beyond */
	int8_t z[4];
	struct op_bench b;
	codes(&b, OP_SQRT, DTYPE_INT8, 4, x, 1, -128);
	assert_int_equal(give(&b, DTYPE_INT8, 4, z, 0.1f, 0), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void inverse_root_of_the_zero_point_is_the_highest_code(void **state)
{
	(void)state;
	const int8_t x[4] = {0, 1, 4, 100}, want[4] = {127, 100, 50, 10};
	int8_t z[4];
	struct op_bench b;
	codes(&b, OP_RSQRT, DTYPE_INT8, 4, x, 1, 0);
	assert_int_equal(give(&b, DTYPE_INT8, 4, z, 0.01f, 0), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void a_root_of_a_negative_number_ends_the_run(void **state)
{
	(void)state;
	const int8_t x[3] = {3, 2, 1};
	const int16_t y[2] = {5, -1};
	int8_t z[3];
	int16_t w[2];
	struct op_bench b;
	codes(&b, OP_RSQRT, DTYPE_INT8, 3, x, 1, 2);
	assert_int_equal(give(&b, DTYPE_INT8, 3, z, 1, 0), -EINVAL);
	assert_string_equal(b.err.text, "RSQRT: element 2 of input 0 is negative");
	codes(&b, OP_SQRT, DTYPE_INT16, 2, y, 1, 0);
	assert_int_equal(give(&b, DTYPE_INT16, 2, w, 1, 0), -EINVAL);
	codes(&b, OP_RSQRT, DTYPE_INT16, 2, y, 1, 0);
	assert_int_equal(give(&b, DTYPE_INT16, 2, w, 1, 0), -EINVAL);
}

static void logarithm_of_what_has_none_is_the_lowest_code(void **state)
{
	(void)state;
	const int8_t x[4] = {-5, 0, 1, 100}; /* 1 and 100 */
	const int8_t want[4] = {-128, -128, 0, 46}; /* 4.605 in tenths */
	int8_t z[4];
	struct op_bench b;
	codes(&b, OP_LOG, DTYPE_INT8, 4, x, 1, 0);
	assert_int_equal(give(&b, DTYPE_INT8, 4, z, 0.1f, 0), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void an_exponential_beyond_all_codes_is_the_highest(void **state)
{
	(void)state;
	const int8_t x[3] = {0, 2, 127}, want[3] = {-90, -26, 127}; /* 1, 7.389 in tenths, e^127 */
	int8_t z[3];
	struct op_bench b;
	codes(&b, OP_EXP, DTYPE_INT8, 3, x, 1, 0);
	assert_int_equal(give(&b, DTYPE_INT8, 3, z, 0.1f, -100), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void a_negative_slope_turns_the_sign_after_rounding(void **state)
{
	(void)state;
	const int8_t x[4] = {-1, -3, -4, 5}; /* halves: 0.5, 1.5, 2, 5 */
	const int8_t want[4] = {0, 1, 2, 5}; /* -0.5 and -1.5 are rounded up before the sign */
	int8_t z[4];
	struct op_bench b;
	codes(&b, OP_LEAKY_RELU, DTYPE_INT8, 4, x, 1, 0);
	b.node.options.leaky_relu.alpha = -0.5f;
	assert_int_equal(give(&b, DTYPE_INT8, 4, z, 1, 0), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void a_leaky_float_keeps_what_is_positive(void **state)
{
	(void)state;
	const float x[3] = {4, -4, -0.5f};
	float z[3];
	struct op_bench b;
	op_bench_init(&b, OP_LEAKY_RELU);
	b.node.options.leaky_relu.alpha = 0.25f;
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(3), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 4 && z[1] == -1 && z[2] == -0.125f);
}

static void hard_swish_is_zero_below_minus_3_and_the_number_above_3(void **state)
{
	(void)state;
	const int8_t x[4] = {-64, -48, 48, 64}; /* sixteenths: -4, -3, 3, 4 */
	int8_t z[4];
	struct op_bench b;
	codes(&b, OP_HARD_SWISH, DTYPE_INT8, 4, x, 0.0625f, 0);
	assert_int_equal(give(&b, DTYPE_INT8, 4, z, 0.0625f, 0), 0);
	assert_memory_equal(z, ((const int8_t[4]){0, 0, 48, 64}), sizeof(z));
	const float y[3] = {1, 4, -INFINITY};
	float w[3];
	assert_int_equal(run(&b, OP_HARD_SWISH, DTYPE_FLOAT32, 3, y, w), 0);
	assert_true(fabsf(w[0] - 2.0f / 3) < 1e-6f && w[1] == 4 && isnan(w[2]));
}

static void rounding_goes_to_the_even_neighbour(void **state)
{
	(void)state;
	const float x[5] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f};
	const float round[5] = {0, 2, 2, 0, -2}, ceil[5] = {1, 2, 3, 0, -1};
	float z[5];
	struct op_bench b;
	assert_int_equal(run(&b, OP_ROUND, DTYPE_FLOAT32, 5, x, z), 0);
	for (int i = 0; i < 5; i++) {
		assert_true(z[i] == round[i]);
	}
	assert_int_equal(run(&b, OP_CEIL, DTYPE_FLOAT32, 5, x, z), 0);
	for (int i = 0; i < 5; i++) {
		assert_true(z[i] == ceil[i]);
	}
}

static void halves_are_computed_as_floats(void **state)
{
	(void)state;
	const uint16_t x[3] = {0x3c01, 0xbc01, 0x7c00}; /* 1 + 2^-10, its negative, infinity */
	const uint16_t want[3] = {0x3c00, 0xc000, 0x7c00};
	uint16_t z[3];
	struct op_bench b;
	assert_int_equal(run(&b, OP_FLOOR, DTYPE_FLOAT16, 3, x, z), 0);
	assert_memory_equal(z, want, sizeof(want));
	assert_int_equal(run(&b, OP_COS, DTYPE_FLOAT16, 1, &(uint16_t){0}, z), 0);
	assert_int_equal(z[0], 0x3c00);
}

static void sign_keeps_nan(void **state)
{
	(void)state;
	const double x[4] = {-2, 0, 1e-300, NAN};
	double z[4];
	struct op_bench b;
	assert_int_equal(run(&b, OP_SIGN, DTYPE_FLOAT64, 4, x, z), 0);
	assert_true(z[0] == -1 && z[1] == 0 && z[2] == 1 && isnan(z[3]));
}

static void every_byte_but_zero_is_true(void **state)
{
	(void)state;
	const uint8_t x[3] = {0, 1, 2};
	uint8_t z[3];
	struct op_bench b;
	assert_int_equal(run(&b, OP_LOGICAL_NOT, DTYPE_BOOL, 3, x, z), 0);
	assert_memory_equal(z, ((const uint8_t[3]){1, 0, 0}), 3);
}

static void zeros_like_takes_the_shape_only(void **state)
{
	(void)state;
	const int64_t x[2] = {5, -1};
	int64_t z[2] = {9, 9};
	struct op_bench b;
	assert_int_equal(run(&b, OP_ZEROS_LIKE, DTYPE_INT64, 2, x, z), 0);
	assert_true(z[0] == 0 && z[1] == 0);
}

static void complex_numbers_have_parts_and_a_length(void **state)
{
	(void)state;
	static const enum op op[3] = {OP_REAL, OP_IMAG, OP_COMPLEX_ABS};
	const float x[4] = {3, -4, INFINITY, NAN}, want[3] = {3, -4, 5};
	for (int i = 0; i < 3; i++) {
		float z[2];
		struct op_bench b;
		op_bench_init(&b, op[i]);
		op_bench_input(&b, DTYPE_COMPLEX64, SHAPE(2), x);
		op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2), z);
		assert_int_equal(op_bench_run(&b), 0);
		assert_true(z[0] == want[i]);
		assert_true(i == 1 ? isnan(z[1]) : z[1] == INFINITY);
	}
}

static void fake_quant_moves_the_range_so_that_zero_is_a_step(void **state)
{
	(void)state;
	const float x[5] = {-9, -0.3f, 0, 0.8f, 9};
	/* -1..2 by 2 bits: steps of 1, zero point 1 */
	const float want[5] = {-1, 0, 0, 1, 2};
	float z[5];
	struct op_bench b;
	op_bench_init(&b, OP_FAKE_QUANT);
	b.node.options.fake_quant.min = -1.2f;
	b.node.options.fake_quant.max = 1.8f;
	b.node.options.fake_quant.num_bits = 2;
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(5), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(5), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 5; i++) {
		assert_true(z[i] == want[i]);
	}
}

static void gelu_of_int16_is_the_number_itself_far_above_zero(void **state)
{
	(void)state;
	const int16_t x[3] = {-30000, 0, 30000}; /* -15, 0, 15 */
	int16_t z[3];
	struct op_bench b;
	for (int approximate = 0; approximate < 2; approximate++) {
		codes(&b, OP_GELU, DTYPE_INT16, 3, x, 0.0005f, 0);
		b.node.options.gelu.approximate = approximate;
		assert_int_equal(give(&b, DTYPE_INT16, 3, z, 0.0005f, 0), 0);
		assert_memory_equal(z, ((const int16_t[3]){0, 0, 30000}), sizeof(z));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(abs_and_neg_of_the_lowest_integer_wrap),
		cmocka_unit_test(abs_of_codes_rescales_the_distance_from_the_zero_point),
		cmocka_unit_test(square_roots_of_codes_are_cut),
		cmocka_unit_test(inverse_root_of_the_zero_point_is_the_highest_code),
		cmocka_unit_test(a_root_of_a_negative_number_ends_the_run),
		cmocka_unit_test(logarithm_of_what_has_none_is_the_lowest_code),
		cmocka_unit_test(an_exponential_beyond_all_codes_is_the_highest),
		cmocka_unit_test(a_negative_slope_turns_the_sign_after_rounding),
		cmocka_unit_test(a_leaky_float_keeps_what_is_positive),
		cmocka_unit_test(hard_swish_is_zero_below_minus_3_and_the_number_above_3),
		cmocka_unit_test(rounding_goes_to_the_even_neighbour),
		cmocka_unit_test(halves_are_computed_as_floats),
		cmocka_unit_test(sign_keeps_nan),
		cmocka_unit_test(every_byte_but_zero_is_true),
		cmocka_unit_test(zeros_like_takes_the_shape_only),
		cmocka_unit_test(complex_numbers_have_parts_and_a_length),
		cmocka_unit_test(fake_quant_moves_the_range_so_that_zero_is_a_step),
		cmocka_unit_test(gelu_of_int16_is_the_number_itself_far_above_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
