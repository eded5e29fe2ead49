/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "tests/fakes/op_bench.h"

static void expect(enum op op, enum dtype type, const void *x, const void *y, const char *want)
{
	struct op_bench b;
	uint8_t z[8] = {0};
	int n = (int)strlen(want);
	op_bench_init(&b, op);
	op_bench_input(&b, type, SHAPE(n), x);
	op_bench_input(&b, type, SHAPE(n), y);
	op_bench_output(&b, DTYPE_BOOL, SHAPE(n), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < n; i++) {
		assert_int_equal(z[i], want[i] - '0');
	}
}

static void nan_is_only_unequal(void **state)
{
	(void)state;
	const float x[4] = {1, NAN, -0.0f, 2}, y[4] = {1, NAN, 0.0f, INFINITY};
	expect(OP_EQUAL, DTYPE_FLOAT32, x, y, "1010");
	expect(OP_NOT_EQUAL, DTYPE_FLOAT32, x, y, "0101");
	expect(OP_LESS, DTYPE_FLOAT32, x, y, "0001");
	expect(OP_LESS_EQUAL, DTYPE_FLOAT32, x, y, "1011");
	expect(OP_GREATER, DTYPE_FLOAT32, x, y, "0000");
	expect(OP_GREATER_EQUAL, DTYPE_FLOAT32, x, y, "1010");
}

/* Rows of no elements, which stretch over others of none. */
static void nothing_compares_with_nothing(void **state)
{
	(void)state;
	const struct shape shapes[] = {SHAPE(3, 0), SHAPE(1, 0), SHAPE(2, 3, 0), SHAPE(3, 1)};
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct op_bench b;
		uint8_t none = 0, z = 7;
		const bool stretched = i == 3; /* 1 to 0 */
		const struct shape out = stretched ? SHAPE(3, 0) : shapes[i];
		op_bench_init(&b, OP_EQUAL);
		op_bench_input(&b, DTYPE_BOOL, stretched ? SHAPE(1, 0) : shapes[i], &none);
		op_bench_input(&b, DTYPE_BOOL, stretched ? SHAPE(3, 1) : SHAPE(1, 0), &none);
		op_bench_output(&b, DTYPE_BOOL, out, &z);
		assert_int_equal(op_bench_run(&b), 0);
		assert_int_equal(z, 7);
	}
}

/* -1, NaN, the zeros, the largest half and infinity */
static void halves_compare_as_numbers(void **state)
{
	(void)state;
	const uint16_t x[4] = {0xbc00, 0x7e00, 0x8000, 0x7bff}, y[4] = {0x3c00, 0x7e00, 0, 0x7c00};
	expect(OP_LESS, DTYPE_FLOAT16, x, y, "1001");
	expect(OP_EQUAL, DTYPE_FLOAT16, x, y, "0010");
}

static void wide_integers_and_bools_compare(void **state)
{
	(void)state;
	const int64_t x[2] = {INT64_MIN, 5}, y[2] = {INT64_MAX, 5};
	expect(OP_LESS_EQUAL, DTYPE_INT64, x, y, "11");
	expect(OP_GREATER, DTYPE_INT64, x, y, "00");
	const uint8_t a[3] = {0, 1, 7}, b[3] = {2, 0, 1};
	expect(OP_EQUAL, DTYPE_BOOL, a, b, "001");
}

static void expect_codes(enum op op, enum dtype type, const void *x, const void *y, float x_scale,
	float y_scale, const char *want)
{
	struct op_bench b;
	uint8_t z[8] = {0};
	int n = (int)strlen(want);
	op_bench_init(&b, op);
	op_bench_scale(&b, op_bench_input(&b, type, SHAPE(n), x), x_scale, 0);
	op_bench_scale(&b, op_bench_input(&b, type, SHAPE(n), y), y_scale, 0);
	op_bench_output(&b, DTYPE_BOOL, SHAPE(n), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < n; i++) {
		assert_int_equal(z[i], want[i] - '0');
	}
}

static void codes_compare_by_what_they_stand_for(void **state)
{
	(void)state;
	const int8_t x[4] = {10, 11, -20, 9}, y[4] = {5, 5, -10, 5};
	expect_codes(OP_EQUAL, DTYPE_INT8, x, y, 0.25f, 0.5f, "1010");
	expect_codes(OP_LESS, DTYPE_INT8, x, y, 0.25f, 0.5f, "0001");
	expect(OP_LESS, DTYPE_INT8, x, y, "0010");
}

static void int16_knows_scales_in_equality_only(void **state)
{
	(void)state;
	const int16_t x[3] = {1000, 500, 32767}, y[3] = {500, 500, -32768};
	expect_codes(OP_EQUAL, DTYPE_INT16, x, y, 0.25f, 0.5f, "100");
	expect_codes(OP_GREATER, DTYPE_INT16, x, y, 0.25f, 0.5f, "101");
	expect(OP_NOT_EQUAL, DTYPE_INT16, x, y, "101");
}

/* So the reference answers: what is left of a scale above 1 is a sign. At 1 it has no answer. */
static void scales_above_one_leave_the_sign(void **state)
{
	(void)state;
	const int8_t x[4] = {3, -3, 0, 9}, y[4] = {5, -1, -1, 9};
	expect_codes(OP_EQUAL, DTYPE_INT8, x, y, 1.5f, 300, "1101");
	expect_codes(OP_LESS, DTYPE_INT8, x, y, 1.5f, 1.5f, "0000");
	expect_codes(OP_LESS, DTYPE_INT8, x, y, 1, 1, "1100");
}

/* Tables of strings: a count, offsets, bytes. */
struct table {
	uint32_t count, offset[4];
	char bytes[8];
};

static int compare_strings(
	struct op_bench *b, enum op op, const struct table *x, const struct table *y, uint8_t *z)
{
	op_bench_init(b, op);
	int32_t first = op_bench_input(b, DTYPE_BOOL, SHAPE(3), x),
		second = op_bench_input(b, DTYPE_BOOL, SHAPE((int)y->count), y);
	op_bench_output(b, DTYPE_BOOL, SHAPE(3), z);
	b->tensors[first].type = b->tensors[second].type = DTYPE_STRING;
	b->values[first].bytes = x->offset[x->count];
	b->values[second].bytes = y->count == 3 ? y->offset[3] : y->offset[1];
	return op_bench_run(b);
}

static void strings_compare_by_their_bytes(void **state)
{
	(void)state;
	const struct table x = {3, {20, 21, 23, 23}, "abc"}, y = {3, {20, 21, 22, 22}, "ab"};
	uint8_t z[3];
	struct op_bench b;
	assert_int_equal(compare_strings(&b, OP_EQUAL, &x, &y, z), 0);
	assert_true(z[0] == 1 && z[1] == 0 && z[2] == 1);
	assert_int_equal(compare_strings(&b, OP_NOT_EQUAL, &x, &y, z), 0);
	assert_true(z[0] == 0 && z[1] == 1 && z[2] == 0);
}

static void one_string_stretches(void **state)
{
	(void)state;
	const struct table x = {3, {20, 22, 23, 25}, "bcabc"};
	const struct table y = {1, {12, 14, 0x6362}, ""}; /* "bc" stands at byte 12 */
	uint8_t z[3];
	struct op_bench b;
	assert_int_equal(compare_strings(&b, OP_EQUAL, &x, &y, z), 0);
	assert_true(z[0] == 1 && z[1] == 0 && z[2] == 1);
}

static void a_row_of_strings_meets_each_row_of_another(void **state)
{
	(void)state;
	/* Five rows of two strings of one byte each. */
	const struct {
		uint32_t count, offset[11];
		char bytes[12];
	} x = {10, {48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58}, "abaabbbaab"};
	const struct table y = {2, {16, 17, 18, 0x6261}, ""}; /* "a" and "b" stand at byte 16 */
	const uint8_t want[10] = {1, 1, 1, 0, 0, 1, 0, 0, 1, 1};
	uint8_t z[10];
	struct op_bench b;
	op_bench_init(&b, OP_EQUAL);
	int32_t first = op_bench_input(&b, DTYPE_BOOL, SHAPE(5, 2), &x);
	int32_t second = op_bench_input(&b, DTYPE_BOOL, SHAPE(2), &y);
	op_bench_output(&b, DTYPE_BOOL, SHAPE(5, 2), z);
	b.tensors[first].type = b.tensors[second].type = DTYPE_STRING;
	b.values[first].bytes = 58;
	b.values[second].bytes = 18;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void torn_tables_of_strings_are_refused(void **state)
{
	(void)state;
	const struct table x = {3, {20, 21, 23, 23}, "abc"}, y = {3, {20, 29, 22, 22}, "ab"};
	uint8_t z[3];
	struct op_bench b;
	assert_int_equal(compare_strings(&b, OP_EQUAL, &x, &y, z), -EBADMSG);
	assert_non_null(strstr(b.err.text, "input 1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nan_is_only_unequal),
		cmocka_unit_test(nothing_compares_with_nothing),
		cmocka_unit_test(halves_compare_as_numbers),
		cmocka_unit_test(wide_integers_and_bools_compare),
		cmocka_unit_test(codes_compare_by_what_they_stand_for),
		cmocka_unit_test(int16_knows_scales_in_equality_only),
		cmocka_unit_test(scales_above_one_leave_the_sign),
		cmocka_unit_test(strings_compare_by_their_bytes),
		cmocka_unit_test(one_string_stretches),
		cmocka_unit_test(a_row_of_strings_meets_each_row_of_another),
		cmocka_unit_test(torn_tables_of_strings_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
