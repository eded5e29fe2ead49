/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "tests/fakes/op_bench.h"

static void floats_round_away_from_zero_and_saturate(void **state)
{
	(void)state;
	const float x[7] = {0.25f, -0.25f, 0.2499f, 1e9f, -1e30f, INFINITY, 0.75f};
	const int8_t want[7] = {2, 0, 1, 127, -128, 127, 3};
	int8_t z[7];
	struct op_bench b;
	op_bench_init(&b, OP_QUANTIZE);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(7), x);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(7), z), 0.5f, 1);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void each_channel_has_its_scale(void **state)
{
	(void)state;
	static const float scales[2] = {1, 0.5f};
	const float x[8] = {1, 2, 1, 2, 3, 4, 3, 4};
	const int8_t want[8] = {1, 2, 2, 4, 3, 4, 6, 8};
	int8_t z[8];
	struct op_bench b;
	op_bench_init(&b, OP_QUANTIZE);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 2, 2), x);
	int32_t out = op_bench_output(&b, DTYPE_INT8, SHAPE(2, 2, 2), z);
	b.tensors[out].quant = (struct quant){.scale = scales, .n_scales = 2, .dimension = 1};
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void int4_codes_are_packed_low_nibble_first(void **state)
{
	(void)state;
	const float x[3] = {1, -2, 100};
	const uint8_t want[2] = {0xe1, 0x07};
	uint8_t z[2];
	struct op_bench b;
	op_bench_init(&b, OP_QUANTIZE);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(3), x);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT4, SHAPE(3), z), 1, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void codes_of_8_bits_move_to_another_zero_point(void **state)
{
	(void)state;
	const uint8_t x[3] = {0, 128, 255};
	const int8_t want[3] = {-128, 0, 127};
	int8_t z[3];
	struct op_bench b;
	op_bench_init(&b, OP_QUANTIZE);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_UINT8, SHAPE(3), x), 0.3f, 128);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(3), z), 0.3f, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
}

static void codes_of_16_bits_are_rescaled(void **state)
{
	(void)state;
	const int16_t x[3] = {-3, 5, 30000};
	const int8_t want[3] = {-1, 3, 127}; /* -1.5 and 2.5: ties go up where no shift follows */
	int8_t z[3];
	struct op_bench b;
	op_bench_init(&b, OP_QUANTIZE);
	b.cpu_features = 0;
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(3), x), 0.25f, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_INT8, SHAPE(3), z), 0.5f, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(z, want, sizeof(want));
	assert_string_equal(b.detail, "requant_s16s8__c");
}

static void int16_to_uint8_is_refused(void **state)
{
	(void)state;
	const int16_t x = 0;
	uint8_t z;
	struct op_bench b;
	op_bench_init(&b, OP_QUANTIZE);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_INT16, SHAPE(1), &x), 1, 0);
	op_bench_scale(&b, op_bench_output(&b, DTYPE_UINT8, SHAPE(1), &z), 1, 0);
	assert_int_equal(op_bench_run(&b), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floats_round_away_from_zero_and_saturate),
		cmocka_unit_test(each_channel_has_its_scale),
		cmocka_unit_test(int4_codes_are_packed_low_nibble_first),
		cmocka_unit_test(codes_of_8_bits_move_to_another_zero_point),
		cmocka_unit_test(codes_of_16_bits_are_rescaled),
		cmocka_unit_test(int16_to_uint8_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
