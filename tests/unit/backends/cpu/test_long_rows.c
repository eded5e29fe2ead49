/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that are too long for one call of a kernel come in parts, to the same bits, and can be cancelled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backends/cpu/operand/hybrid_operand.h"
#include "backends/cpu/tiles.h"
#include "kernels/reduce/argmax.h"
#include "kernels/reduce/l2norm.h"
#include "kernels/softmax/log_softmax.h"
#include "kernels/softmax/softmax.h"
#include "tests/fakes/op_bench.h"

#define LONG ((int32_t)TILE_ROW + TILE_ELEMENTS / 2 + 77)

struct rows {
	float x[LONG], z[LONG], want[LONG];
	int8_t x8[LONG], z8[LONG], want8[LONG];
};

static int make_rows(void **state)
{
	struct rows *r = calloc(1, sizeof(*r));
	uint32_t random = 1;
	for (int32_t i = 0; r && i < LONG; i++) {
		random = random * 1664525u + 1013904223u;
		r->x[i] = (float)(int32_t)random / 3e8f;
		r->x8[i] = (int8_t)(random >> 24);
	}
	*state = r;
	return r ? 0 : -1;
}

static int free_rows(void **state)
{
	free(*state);
	return 0;
}

static int run_floats(struct rows *r, enum op op, const struct run_control *control)
{
	struct op_bench b;
	op_bench_init(&b, op);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, LONG), r->x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, LONG), r->z);
	b.node.options.softmax.beta = op == OP_SOFTMAX ? 0.75f : 0;
	b.control = control;
	return op_bench_run(&b);
}

static void softmax_of_floats_is_that_of_one_call(void **state)
{
	struct rows *r = *state;
	assert_int_equal(run_floats(r, OP_SOFTMAX, NULL), 0);
	ek_softmax_f32(r->want, r->x, LONG, 0.75f);
	assert_memory_equal(r->z, r->want, sizeof(r->want));
}

static void log_softmax_of_floats_is_that_of_one_call(void **state)
{
	struct rows *r = *state;
	assert_int_equal(run_floats(r, OP_LOG_SOFTMAX, NULL), 0);
	ek_log_softmax_f32(r->want, r->x, LONG);
	assert_memory_equal(r->z, r->want, sizeof(r->want));
}

static void l2_normalization_of_floats_is_that_of_one_call(void **state)
{
	struct rows *r = *state;
	assert_int_equal(run_floats(r, OP_L2_NORMALIZATION, NULL), 0);
	ek_l2norm_f32(r->want, r->x, LONG, 0);
	assert_memory_equal(r->z, r->want, sizeof(r->want));
}

static void l2_normalization_of_codes_is_that_of_one_call(void **state)
{
	struct rows *r = *state;
	struct op_bench b;
	op_bench_init(&b, OP_L2_NORMALIZATION);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, LONG), r->x8), 0.1f, 3);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(1, LONG), r->z8), 1.0f / 128, 0);
	assert_int_equal(op_bench_run(&b), 0);
	ek_l2norm_s8(r->want8, r->x8, LONG, 3);
	assert_memory_equal(r->z8, r->want8, sizeof(r->want8));
}

/* Parts of any size, the last of one element. */
static void softmax_of_codes_in_parts_is_that_of_one_call(void **state)
{
	struct rows *r = *state;
	int32_t exp[256], max = r->x8[0];
	const struct ek_softmax_params p = {
		.exp8 = exp, .out_lo = -128, .out_hi = 127, .out_bits = 8};
	const size_t at[] = {0, 1, 1000, LONG - 1, LONG};
	uint64_t sum = 0;
	ek_softmax_exp8((struct ek_scale){1 << 30, 21}, -248, exp);
	for (int i = 0; i < 4; i++) {
		max = ek_softmax_parts_s8.max(max, r->x8 + at[i], at[i + 1] - at[i]);
	}
	for (int i = 0; i < 4; i++) {
		sum = ek_softmax_parts_s8.sum(sum, r->x8 + at[i], at[i + 1] - at[i], max, &p);
	}
	for (int i = 0; i < 4; i++) {
		ek_softmax_parts_s8.share(
			r->z8 + at[i], r->x8 + at[i], at[i + 1] - at[i], max, sum, &p);
	}
	ek_softmax_s8[0].run(r->want8, r->x8, LONG, &p);
	assert_memory_equal(r->z8, r->want8, sizeof(r->want8));
}

static void softmax_of_codes_gives_each_its_share(void **state)
{
	struct rows *r = *state;
	struct op_bench b;
	memset(r->x8, -128, LONG);
	r->x8[LONG - 1] = 127; /* e^255 times the others */
	op_bench_init(&b, OP_SOFTMAX);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT8, SHAPE(1, LONG), r->x8), 1, 0);
	op_bench_scale(
		&b, op_bench_output(&b, DTYPE_INT8, SHAPE(1, LONG), r->z8), 1.0f / 256, -128);
	b.node.options.softmax.beta = 1;
	assert_int_equal(op_bench_run(&b), 0);
	assert_int_equal(r->z8[0], -128);
	assert_int_equal(r->z8[LONG - 2], -128);
	assert_int_equal(r->z8[LONG - 1], 127);
}

static int32_t find_largest(struct rows *r, enum op op)
{
	struct op_bench b;
	const int32_t axis = 1;
	int32_t found = -1;
	op_bench_init(&b, op);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, LONG), r->x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
	op_bench_output(&b, DTYPE_INT32, SHAPE(1), &found);
	assert_int_equal(op_bench_run(&b), 0);
	return found;
}

static void argmax_gives_the_first_of_equals_in_other_parts(void **state)
{
	struct rows *r = *state;
	r->x[3 * TILE_ELEMENTS + 5] = r->x[5 * TILE_ELEMENTS] = 1e9f;
	assert_int_equal(find_largest(r, OP_ARG_MAX), 3 * TILE_ELEMENTS + 5);
	r->x[LONG - 1] = 2e9f;
	assert_int_equal(find_largest(r, OP_ARG_MAX), LONG - 1);
	r->x[0] = -2e9f;
	assert_int_equal(find_largest(r, OP_ARG_MIN), 0);
}

static void argmax_passes_over_nan_at_the_start_of_a_part(void **state)
{
	struct rows *r = *state;
	r->x[TILE_ELEMENTS] = r->x[2 * TILE_ELEMENTS] = NAN;
	r->x[2 * TILE_ELEMENTS + 9] = 1e9f;
	assert_int_equal(find_largest(r, OP_ARG_MAX), 2 * TILE_ELEMENTS + 9);
	assert_int_equal(ek_argmax_f32(r->x, LONG, 1), 2 * TILE_ELEMENTS + 9);
	r->x[0] = NAN;
	assert_int_equal(find_largest(r, OP_ARG_MAX), 0);
}

static void hybrid_codes_are_those_of_one_call(void **state)
{
	struct rows *r = *state;
	for (int asymmetric = 0; asymmetric < 2; asymmetric++) {
		struct ek_hybrid_row made;
		assert_int_equal(
			hybrid_quantise(ek_hybrid, r->x, LONG, asymmetric, NULL, r->z8, &made), 0);
		const struct ek_hybrid_row want =
			ek_hybrid_quantise(ek_hybrid, r->x, LONG, asymmetric, r->want8);
		assert_true(made.scale == want.scale && made.zero == want.zero);
		assert_memory_equal(r->z8, r->want8, sizeof(r->want8));
	}
}

static void sums_go_on_from_part_to_part(void **state)
{
	struct rows *r = *state;
	int32_t *x = (int32_t *)r->x, *z = (int32_t *)r->z;
	const int32_t axis = 0;
	struct op_bench b;
	for (int32_t i = 0; i < LONG; i++) {
		x[i] = i % 7;
	}
	op_bench_init(&b, OP_CUMSUM);
	op_bench_input(&b, DTYPE_INT32, SHAPE(LONG), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(1), &axis);
	op_bench_output(&b, DTYPE_INT32, SHAPE(LONG), z);
	assert_int_equal(op_bench_run(&b), 0);
	for (int32_t i = 0, sum = 0; i < LONG; i++) {
		sum += i % 7;
		assert_int_equal(z[i], sum);
	}
}

/* 1 x 2 pixels become 1 x 3. */
static void resize(const float *x, int32_t channels, float *ret_z)
{
	const int32_t size[] = {1, 3};
	struct op_bench b;
	op_bench_init(&b, OP_RESIZE_BILINEAR);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(1, 1, 2, channels), x);
	op_bench_constant(&b, DTYPE_INT32, SHAPE(2), size);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1, 3, channels), ret_z);
	assert_int_equal(op_bench_run(&b), 0);
}

/* Where two parts meet they are those of a pixel that has these alone. */
static void channels_are_resized_in_parts(void **state)
{
	struct rows *r = *state;
	enum {
		FEW = 64,
		FIRST = TILE_ELEMENTS - FEW / 2
	};
	float few[2 * FEW], few_z[3 * FEW];
	float *z = calloc(3 * (size_t)LONG, sizeof(*z));
	float *x = calloc(2 * (size_t)LONG, sizeof(*x));
	assert_true(x && z);
	memcpy(x, r->x, sizeof(r->x));
	for (int32_t i = 0; i < LONG; i++) {
		x[LONG + i] = r->x[LONG - 1 - i];
	}
	memcpy(few, x + FIRST, sizeof(few) / 2);
	memcpy(few + FEW, x + LONG + FIRST, sizeof(few) / 2);
	resize(x, LONG, z);
	resize(few, FEW, few_z);
	for (int32_t i = 0; i < 3; i++) {
		assert_memory_equal(z + i * LONG + FIRST, few_z + i * FEW, sizeof(few_z) / 3);
	}
	free(x);
	free(z);
}

/* The clock is past the deadline: no part is made. */
static void a_long_row_ends_at_its_deadline(void **state)
{
	static const enum op ops[] = {OP_SOFTMAX, OP_LOG_SOFTMAX, OP_L2_NORMALIZATION};
	struct rows *r = *state;
	const struct run_control control = {.deadline_ns = 1};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(run_floats(r, ops[i], &control), -ETIMEDOUT);
	}
	struct ek_hybrid_row row;
	assert_int_equal(
		hybrid_quantise(ek_hybrid, r->x, LONG, false, &control, r->z8, &row), -ETIMEDOUT);
}

#define ROWS_TEST(name) cmocka_unit_test_setup_teardown(name, make_rows, free_rows)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROWS_TEST(softmax_of_floats_is_that_of_one_call),
		ROWS_TEST(log_softmax_of_floats_is_that_of_one_call),
		ROWS_TEST(l2_normalization_of_floats_is_that_of_one_call),
		ROWS_TEST(l2_normalization_of_codes_is_that_of_one_call),
		ROWS_TEST(softmax_of_codes_in_parts_is_that_of_one_call),
		ROWS_TEST(softmax_of_codes_gives_each_its_share),
		ROWS_TEST(argmax_gives_the_first_of_equals_in_other_parts),
		ROWS_TEST(argmax_passes_over_nan_at_the_start_of_a_part),
		ROWS_TEST(hybrid_codes_are_those_of_one_call),
		ROWS_TEST(sums_go_on_from_part_to_part),
		ROWS_TEST(channels_are_resized_in_parts),
		ROWS_TEST(a_long_row_ends_at_its_deadline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
