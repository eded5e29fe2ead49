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

static void uniform_goes_on_with_each_run(void **state)
{
	(void)state;
	const int32_t shape = 5;
	float first[5], second[5];
	struct op_bench b;
	op_bench_init(&b, OP_RANDOM_UNIFORM);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &shape);
	int32_t out = op_bench_output(&b, DTYPE_FLOAT32, SHAPE(5), first);
	b.node.options.random.seed = 1234;
	b.node.options.random.seed2 = 5678;
	assert_int_equal(op_bench_run(&b), 0);
	b.values[out].data = second;
	assert_int_equal(op_bench_run(&b), 0);
	for (int i = 0; i < 5; i++) {
		assert_true(first[i] >= 0 && first[i] < 1 && first[i] != second[i]);
	}
	/* Five numbers take two counters; a session that begins anew gives the same. */
	float again[5];
	memset(b.state, 0, sizeof(b.state));
	b.values[out].data = again;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(again, first, sizeof(again));
}

static void each_seed_has_numbers_of_its_own(void **state)
{
	(void)state;
	const int32_t shape = 2;
	float y[2];
	struct op_bench b;
	op_bench_init(&b, OP_RANDOM_UNIFORM);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &shape);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2), y);
	b.node.options.random.seed = 1 | INT64_C(1) << 32; /* as a seed of 1 */
	assert_int_equal(op_bench_run(&b), 0);
	float z[2];
	memcpy(z, y, sizeof(z));
	memset(b.state, 0, sizeof(b.state));
	b.node.options.random.seed = 1;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, z, sizeof(z));
	memset(b.state, 0, sizeof(b.state));
	b.node.options.random.seed2 = 1;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] != z[0] && y[1] != z[1]);
}

static void without_seeds_every_session_is_another(void **state)
{
	(void)state;
	const int32_t shape = 64;
	float first[64], second[64];
	struct op_bench b;
	op_bench_init(&b, OP_RANDOM_STANDARD_NORMAL);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &shape);
	int32_t out = op_bench_output(&b, DTYPE_FLOAT32, SHAPE(64), first);
	assert_int_equal(op_bench_run(&b), 0);
	memset(b.state, 0, sizeof(b.state));
	b.values[out].data = second;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_not_equal(first, second, sizeof(first));
	for (int i = 0; i < 64; i++) {
		assert_true(isfinite(first[i]) && fabsf(first[i]) < 10);
	}
}

static void multinomial_draws_only_what_can_be(void **state)
{
	(void)state;
	const float x[6] = {-INFINITY, 0, -INFINITY, NAN, 3, -90};
	const int32_t samples = 7;
	int64_t y[14];
	struct op_bench b;
	op_bench_init(&b, OP_MULTINOMIAL);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 3), x);
	op_bench_constant(&b, DTYPE_INT32, (struct shape){0}, &samples);
	op_bench_output(&b, DTYPE_INT64, SHAPE(2, 7), y);
	b.node.options.random.seed = 9;
	for (int run = 0; run < 3; run++) {
		assert_int_equal(op_bench_run(&b), 0);
		for (int i = 0; i < 14; i++) {
			assert_int_equal(y[i], 1);
		}
	}
}

static void multinomial_of_nothing_possible_is_beyond_the_classes(void **state)
{
	(void)state;
	const float x[2] = {NAN, INFINITY};
	const int32_t samples = 1;
	int32_t y = 7;
	struct op_bench b;
	op_bench_init(&b, OP_MULTINOMIAL);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 2), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &samples);
	op_bench_output(&b, DTYPE_INT32, SHAPE(1, 1), &y);
	b.node.options.random.seed = 9;
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(y, 2);
}

/* State of two words: key 0, counter 0, and the key as the counter's upper half. */
static void bits_come_from_the_state_and_change_it(void **state)
{
	(void)state;
	uint64_t x[3] = {0, 0, 0}, next[3];
	uint32_t y[5];
	struct op_bench b;
	op_bench_init(&b, OP_STABLEHLO_RNG_BIT_GENERATOR);
	int32_t in = op_bench_input(&b, DTYPE_UINT64, SHAPE(2), x);
	int32_t out = op_bench_output(&b, DTYPE_UINT64, SHAPE(2), next);
	op_bench_output(&b, DTYPE_UINT32, SHAPE(5), y);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] == 0x6627e8d5 && y[3] == 0x9b00dbd8);
	assert_true(next[0] == 0 && next[1] == 2); /* five words take two counters */
	b.node.options.rng.algorithm = 2;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] == 0x6b200159 && y[1] == 0x99ba4efe && next[1] == 3);
	b.node.options.rng.algorithm = 1;
	b.shapes[in] = b.shapes[out] = SHAPE(3);
	b.values[in].shape = b.values[out].shape = SHAPE(3);
	x[0] = UINT64_C(0x299f31d0a4093822);
	x[1] = UINT64_C(0x85a308d3243f6a88);
	x[2] = UINT64_C(0x0370734413198a2e);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(y[0] == 0xd16cfe09 && y[1] == 0x94fdcceb && y[3] == 0x24126ea1);
	assert_true(next[0] == x[0] && next[1] == x[1] + 2 && next[2] == x[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uniform_goes_on_with_each_run),
		cmocka_unit_test(each_seed_has_numbers_of_its_own),
		cmocka_unit_test(without_seeds_every_session_is_another),
		cmocka_unit_test(multinomial_draws_only_what_can_be),
		cmocka_unit_test(multinomial_of_nothing_possible_is_beyond_the_classes),
		cmocka_unit_test(bits_come_from_the_state_and_change_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
