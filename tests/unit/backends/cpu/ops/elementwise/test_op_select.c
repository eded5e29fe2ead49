/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void check(
	enum op op, struct shape condition, const uint8_t *c, struct shape out, const int16_t *want)
{
	const int16_t x[6] = {1, 2, 3, 4, 5, 6}, y[6] = {-1, -2, -3, -4, -5, -6};
	int16_t z[6];
	struct op_bench b;
	op_bench_init(&b, op);
	op_bench_input(&b, DTYPE_BOOL, condition, c);
	op_bench_input(&b, DTYPE_INT16, SHAPE(2, 3), x);
	op_bench_input(&b, DTYPE_INT16, SHAPE(2, 3), y);
	op_bench_output(&b, DTYPE_INT16, out, z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(z));
}

static void condition_of_each_element_selects(void **state)
{
	(void)state;
	const uint8_t c[6] = {1, 0, 2, 0, 0, 1};
	const int16_t want[6] = {1, -2, 3, -4, -5, 6};
	check(OP_SELECT, SHAPE(2, 3), c, SHAPE(2, 3), want);
	check(OP_SELECT_V2, SHAPE(2, 3), c, SHAPE(2, 3), want);
}

static void condition_of_rank_one_selects_rows(void **state)
{
	(void)state;
	const uint8_t c[2] = {0, 1};
	const int16_t want[6] = {-1, -2, -3, 4, 5, 6};
	check(OP_SELECT, SHAPE(2), c, SHAPE(2, 3), want);
}

static void condition_of_rank_one_selects_columns_in_version_two(void **state)
{
	(void)state;
	const uint8_t c[3] = {0, 1, 0};
	const int16_t want[6] = {-1, 2, -3, -4, 5, -6};
	check(OP_SELECT_V2, SHAPE(3), c, SHAPE(2, 3), want);
}

static void scalar_condition_selects_all(void **state)
{
	(void)state;
	const uint8_t c = 1;
	const int16_t want[6] = {1, 2, 3, 4, 5, 6};
	check(OP_SELECT, (struct shape){0}, &c, SHAPE(2, 3), want);
}

static void all_three_operands_stretch(void **state)
{
	(void)state;
	const uint8_t c[2] = {1, 0};
	const double x[3] = {1, 2, 3}, y = 9;
	const double want[6] = {1, 2, 3, 9, 9, 9};
	double z[6];
	struct op_bench b;
	op_bench_init(&b, OP_SELECT_V2);
	op_bench_input(&b, DTYPE_BOOL, SHAPE(2, 1), c);
	op_bench_input(&b, DTYPE_FLOAT64, SHAPE(3), x);
	op_bench_input(&b, DTYPE_FLOAT64, (struct shape){0}, &y);
	op_bench_output(&b, DTYPE_FLOAT64, SHAPE(2, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void single_element_may_lose_its_rank(void **state)
{
	(void)state;
	const uint8_t c = 0;
	const float x = 1, y = 2;
	float z = 0;
	struct op_bench b;
	op_bench_init(&b, OP_SELECT);
	op_bench_input(&b, DTYPE_BOOL, SHAPE(1), &c);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1), &x);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1), &y);
	op_bench_output(&b, DTYPE_FLOAT32, (struct shape){0}, &z);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(condition_of_each_element_selects),
		cmocka_unit_test(condition_of_rank_one_selects_rows),
		cmocka_unit_test(condition_of_rank_one_selects_columns_in_version_two),
		cmocka_unit_test(scalar_condition_selects_all),
		cmocka_unit_test(all_three_operands_stretch),
		cmocka_unit_test(single_element_may_lose_its_rank),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
