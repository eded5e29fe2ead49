/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fakes/op_bench.h"

static void gather_takes_slices_along_the_axis(void **state)
{
	(void)state;
	const int16_t x[12] = {0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32};
	const int64_t picks[2] = {1, 0};
	int16_t z[8] = {0};
	struct op_bench b;
	op_bench_init(&b, OP_GATHER);
	op_bench_input(&b, DTYPE_INT16, SHAPE(2, 2, 3), x);
	op_bench_input(&b, DTYPE_INT64, SHAPE(2), picks);
	int32_t out = op_bench_output(&b, DTYPE_INT16, SHAPE(2, 2, 2), z);
	b.node.options.axis.axis = -1;
	assert_int_equal(op_bench_run(&b), 0);
	const int16_t last[8] = {1, 0, 11, 10, 21, 20, 31, 30};
	assert_memory_equal(z, last, sizeof(z));
	b.shapes[0] = b.values[0].shape = SHAPE(2, 3, 2);
	b.shapes[out] = b.values[out].shape = SHAPE(2, 2);
	b.node.options.axis.axis = 1;
	b.node.options.axis.count = 1;
	assert_int_equal(op_bench_run(&b), 0);
	const int16_t batched[4] = {2, 10, 20, 21}; /* row 1 of batch 0, row 0 of batch 1 */
	assert_memory_equal(z, batched, sizeof(batched));
}

static void an_index_out_of_range_is_named(void **state)
{
	(void)state;
	const uint8_t x[4] = {0};
	int16_t picks[3] = {3, 0, 4};
	uint8_t z[3];
	struct op_bench b;
	op_bench_init(&b, OP_GATHER);
	op_bench_input(&b, DTYPE_UINT8, SHAPE(4), x);
	op_bench_input(&b, DTYPE_INT16, SHAPE(3), picks);
	op_bench_output(&b, DTYPE_UINT8, SHAPE(3), z);
	assert_int_equal(op_bench_run(&b), -EINVAL);
	assert_non_null(strstr(b.err.text, "indices[2] is 4, must be below 4"));
	picks[1] = -1;
	assert_int_equal(op_bench_run(&b), -EINVAL);
	assert_non_null(strstr(b.err.text, "indices[1] is -1, must not be negative"));
}

static void nibbles_of_odd_rows_are_moved(void **state)
{
	(void)state;
	const uint8_t x[5] = {0x21, 0x43, 0x65, 0x87, 0x09}; /* rows 1 2 3, 4 5 6, 7 8 9 */
	const int32_t picks[3] = {1, 2, 0};
	uint8_t z[5];
	struct op_bench b;
	memset(z, 0xff, sizeof(z));
	op_bench_init(&b, OP_GATHER);
	op_bench_input(&b, DTYPE_INT4, SHAPE(3, 3), x);
	op_bench_input(&b, DTYPE_INT32, SHAPE(3), picks);
	op_bench_output(&b, DTYPE_INT4, SHAPE(3, 3), z);
	assert_int_equal(op_bench_run(&b), 0);
	const uint8_t moved[5] = {0x54, 0x76, 0x98, 0x21, 0x03};
	assert_memory_equal(z, moved, sizeof(z));
}

/* Strings "", "ab", "c", each behind the head of 5 numbers. */
static const uint32_t texts[6] = {3, 20, 20, 22, 23, 'a' | 'b' << 8 | 'c' << 16};
#define TEXTS_BYTES 23

static void a_string_input(struct op_bench *b)
{
	int32_t in = op_bench_input(b, DTYPE_INT8, SHAPE(3), texts);
	b->tensors[in].type = DTYPE_STRING;
	b->values[in].bytes = TEXTS_BYTES;
}

static void strings_are_gathered_into_memory_of_their_own(void **state)
{
	(void)state;
	const int32_t picks[4] = {2, 1, 0, 1};
	struct op_bench b;
	op_bench_init(&b, OP_GATHER_ND);
	a_string_input(&b);
	op_bench_input(&b, DTYPE_INT32, SHAPE(4, 1), picks);
	int32_t out = op_bench_given(&b, DTYPE_STRING);
	b.shapes[out] = SHAPE(4);
	assert_int_equal(op_bench_run(&b), 0);
	const uint32_t head[6] = {4, 24, 25, 27, 27, 29};
	assert_int_equal(b.values[out].bytes, 29);
	assert_true(shape_equal(&b.values[out].shape, &SHAPE(4)));
	assert_memory_equal(b.values[out].data, head, sizeof(head));
	assert_memory_equal((char *)b.values[out].data + 24, "cabab", 5);
}

static void strings_of_missing_keys_are_empty(void **state)
{
	(void)state;
	const int32_t lookups[2] = {5, 30}, keys[3] = {10, 20, 30};
	uint8_t hits[2];
	struct op_bench b;
	op_bench_init(&b, OP_HASHTABLE_LOOKUP);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), lookups);
	op_bench_input(&b, DTYPE_INT32, SHAPE(3), keys);
	a_string_input(&b);
	int32_t out = op_bench_given(&b, DTYPE_STRING);
	op_bench_output(&b, DTYPE_UINT8, SHAPE(2), hits);
	b.shapes[out] = SHAPE(2);
	assert_int_equal(op_bench_run(&b), 0);
	const uint32_t head[4] = {2, 16, 16, 17};
	assert_int_equal(b.values[out].bytes, 17);
	assert_memory_equal(b.values[out].data, head, sizeof(head));
	assert_int_equal(((char *)b.values[out].data)[16], 'c');
	assert_true(hits[0] == 0 && hits[1] == 1);
}

static void rows_of_codes_become_floats(void **state)
{
	(void)state;
	const int32_t ids[2] = {2, 0};
	const int8_t x[6] = {1, -2, 3, 4, 127, -128};
	float z[4];
	struct op_bench b;
	op_bench_init(&b, OP_EMBEDDING_LOOKUP);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), ids);
	int32_t table = op_bench_input(&b, DTYPE_INT8, SHAPE(3, 2), x);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(2, 2), z);
	op_bench_scale(&b, table, 0.5f, 0);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 63.5f && z[1] == -64 && z[2] == 0.5f && z[3] == -1);
	const float scales[3] = {1, 2, 4};
	b.tensors[table].quant = (struct quant){.scale = scales, .n_scales = 3};
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 508 && z[1] == -512 && z[2] == 1 && z[3] == -2);
	/* Two to a byte; row 2 is -1 -8. */
	b.tensors[table].type = DTYPE_INT4;
	const uint8_t nibbles[3] = {0x21, 0x43, 0x8f};
	b.values[table].data = (void *)(uintptr_t)nibbles;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == -4 && z[1] == -32 && z[2] == 1 && z[3] == 2);
}

static void sparse_rows_are_weighted_and_divided(void **state)
{
	(void)state;
	const int32_t ids[3] = {1, 0, 1}, places[6] = {0, 0, 0, 1, 2, 0}, dense[2] = {3, 2};
	const float weights[3] = {3, 1, 2}, table[4] = {1, 10, 2, 20};
	float z[6];
	struct op_bench b;
	op_bench_init(&b, OP_EMBEDDING_LOOKUP_SPARSE);
	op_bench_input(&b, DTYPE_INT32, SHAPE(3), ids);
	op_bench_input(&b, DTYPE_INT32, SHAPE(3, 2), places);
	op_bench_input(&b, DTYPE_INT32, SHAPE(2), dense);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(3), weights);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 2), table);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(3, 2), z);
	b.node.options.embedding_sparse.combiner = 1;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 1.75f && z[1] == 17.5f && z[2] == 0 && z[3] == 0);
	assert_true(z[4] == 2 && z[5] == 20);
	b.node.options.embedding_sparse.combiner = 0;
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 7 && z[1] == 70 && z[4] == 4 && z[5] == 40);
	b.shapes[5] = b.values[5].shape = SHAPE(2, 2); /* place 2 is not there */
	assert_int_equal(op_bench_run(&b), -EINVAL);
	assert_non_null(strstr(b.err.text, "indices[4] is 2, must be below 2"));
}

static void keys_that_are_not_there_give_zeros(void **state)
{
	(void)state;
	const int32_t lookups[3] = {7, 6, -9}, keys[3] = {-9, 2, 7};
	const uint16_t values[6] = {1, 2, 3, 4, 5, 6};
	uint16_t z[6];
	uint8_t hits[3];
	struct op_bench b;
	op_bench_init(&b, OP_HASHTABLE_LOOKUP);
	op_bench_input(&b, DTYPE_INT32, SHAPE(3), lookups);
	op_bench_input(&b, DTYPE_INT32, SHAPE(3), keys);
	op_bench_input(&b, DTYPE_UINT16, SHAPE(3, 2), values);
	op_bench_output(&b, DTYPE_UINT16, SHAPE(3, 2), z);
	op_bench_output(&b, DTYPE_UINT8, SHAPE(3), hits);
	assert_int_equal(op_bench_run(&b), 0);
	const uint16_t found[6] = {5, 6, 0, 0, 1, 2};
	assert_memory_equal(z, found, sizeof(z));
	assert_true(hits[0] == 1 && hits[1] == 0 && hits[2] == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gather_takes_slices_along_the_axis),
		cmocka_unit_test(an_index_out_of_range_is_named),
		cmocka_unit_test(nibbles_of_odd_rows_are_moved),
		cmocka_unit_test(strings_are_gathered_into_memory_of_their_own),
		cmocka_unit_test(strings_of_missing_keys_are_empty),
		cmocka_unit_test(rows_of_codes_become_floats),
		cmocka_unit_test(sparse_rows_are_weighted_and_divided),
		cmocka_unit_test(keys_that_are_not_there_give_zeros),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
