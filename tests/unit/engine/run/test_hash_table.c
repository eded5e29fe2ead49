/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/strings.h"
#include "engine/run/hash_table.h"

/* A tensor of @n strings in @room. */
static struct value strings_value(void *room, uint32_t n, const char *const *texts)
{
	struct strings_writer w = strings_writer_of(room, n);
	for (uint32_t i = 0; i < n; i++) {
		strings_put(&w, texts[i], (uint32_t)strlen(texts[i]));
	}
	return (struct value){room, w.end, {.rank = 1, .dim = {(int32_t)n}}};
}

static struct value int64_value(int64_t *numbers, uint32_t n)
{
	return (struct value){numbers, 8 * (uint64_t)n, {.rank = 1, .dim = {(int32_t)n}}};
}

static void strings_are_found_by_number_the_first_of_equals_wins(void **state)
{
	(void)state;
	struct heap heap = {.limit = 1 << 20};
	struct hash_table table = {.key_type = DTYPE_INT64, .value_type = DTYPE_STRING};
	int64_t keys[] = {7, -3, 7, 1LL << 40}, wanted[] = {1LL << 40, 8, 7, -3};
	uint8_t values_room[100], fallback_room[100], out[100];
	struct value key_value = int64_value(keys, 4), wanted_value = int64_value(wanted, 4);
	struct value values =
		strings_value(values_room, 4, (const char *[]){"seven", "", "never", "big"});
	struct value fallback = strings_value(fallback_room, 1, (const char *[]){"none"});
	struct value empty = {0};
	uint64_t bytes = 0;
	assert_int_equal(hash_table_fill(&table, &heap, &key_value, &values, NULL, NULL), 0);
	assert_int_equal(table.n, 3);
	/* A second filling changes nothing. */
	assert_int_equal(hash_table_fill(&table, &heap, &wanted_value, &values, NULL, NULL), 0);
	assert_int_equal(table.n, 3);
	assert_int_equal(
		hash_table_measure(&table, &wanted_value, &fallback, NULL, &bytes, NULL), 0);
	assert_int_equal(bytes, strings_head_bytes(4) + 3 + 4 + 5 + 0);
	assert_int_equal(
		hash_table_find(&table, &wanted_value, &fallback, NULL, out, bytes, NULL), 0);
	uint8_t expected[100];
	struct value want =
		strings_value(expected, 4, (const char *[]){"big", "none", "seven", ""});
	assert_int_equal(want.bytes, bytes);
	assert_memory_equal(out, expected, bytes);
	assert_int_equal(
		hash_table_measure(&table, &wanted_value, &empty, NULL, &bytes, NULL), -EINVAL);
	/* Measured with shorter values than those that the keys have by now: nothing goes beyond. */
	memset(out, 0xa5, sizeof(out));
	assert_int_equal(
		hash_table_find(&table, &wanted_value, &fallback, NULL, out, bytes - 1, NULL),
		-EINVAL);
	for (uint64_t i = bytes - 1; i < sizeof(out); i++) {
		assert_int_equal(out[i], 0xa5);
	}
	hash_table_clear(&table, &heap);
	assert_int_equal(heap.n_cells, 0);
	heap_deinit(&heap);
}

static void numbers_are_found_by_string(void **state)
{
	(void)state;
	struct heap heap = {.limit = 1 << 20};
	struct hash_table table = {.key_type = DTYPE_STRING, .value_type = DTYPE_INT64};
	uint8_t keys_room[100], wanted_room[100];
	int64_t numbers[] = {1, 2, 3}, fallback = -1, out[3];
	struct value keys = strings_value(keys_room, 3, (const char *[]){"b", "a", "ab"});
	struct value wanted = strings_value(wanted_room, 3, (const char *[]){"ab", "c", "b"});
	struct value values = int64_value(numbers, 3), other = int64_value(&fallback, 1);
	uint64_t bytes = 0;
	/* Before it is filled every key is missing. */
	assert_int_equal(hash_table_measure(&table, &wanted, &other, NULL, &bytes, NULL), 0);
	assert_int_equal(hash_table_find(&table, &wanted, &other, NULL, out, bytes, NULL), 0);
	assert_true(out[0] == -1 && out[1] == -1 && out[2] == -1);
	assert_int_equal(hash_table_fill(&table, &heap, &keys, &values, NULL, NULL), 0);
	assert_int_equal(hash_table_measure(&table, &wanted, &other, NULL, &bytes, NULL), 0);
	assert_int_equal(bytes, 24);
	assert_int_equal(hash_table_find(&table, &wanted, &other, NULL, out, bytes, NULL), 0);
	assert_true(out[0] == 3 && out[1] == -1 && out[2] == 1);
	hash_table_clear(&table, &heap);
	heap_deinit(&heap);
}

static void a_deadline_ends_the_filling_and_leaves_an_empty_table(void **state)
{
	(void)state;
	struct heap heap = {.limit = 1 << 20};
	struct hash_table table = {.key_type = DTYPE_INT64, .value_type = DTYPE_STRING};
	const struct run_control past = {.deadline_ns = 1};
	int64_t keys[100] = {0};
	uint8_t room[4 * 102];
	const char *texts[100];
	struct error err = {0};
	for (int i = 0; i < 100; i++) {
		texts[i] = "";
	}
	struct value key_value = int64_value(keys, 100);
	struct value values = strings_value(room, 100, texts);
	assert_int_equal(
		hash_table_fill(&table, &heap, &key_value, &values, &past, &err), -ETIMEDOUT);
	assert_string_equal(err.text, "given up in the middle of the table");
	assert_int_equal(heap.n_cells, 0);
	assert_null(table.order);
	heap_deinit(&heap);
}

static void unequal_or_malformed_operands_are_refused(void **state)
{
	(void)state;
	struct heap heap = {.limit = 1 << 20};
	struct hash_table table = {.key_type = DTYPE_STRING, .value_type = DTYPE_INT64};
	struct error err = {0};
	uint8_t room[100];
	int64_t numbers[] = {1, 2, 3};
	struct value keys = strings_value(room, 3, (const char *[]){"b", "a", "ab"});
	struct value values = int64_value(numbers, 2);
	assert_int_equal(hash_table_fill(&table, &heap, &keys, &values, NULL, &err), -EINVAL);
	assert_string_equal(err.text, "3 keys and 2 values");
	values = int64_value(numbers, 3);
	room[4] = 200; /* the first offset */
	assert_int_equal(hash_table_fill(&table, &heap, &keys, &values, NULL, NULL), -EINVAL);
	assert_int_equal(heap.n_cells, 0);
	heap_deinit(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_found_by_number_the_first_of_equals_wins),
		cmocka_unit_test(numbers_are_found_by_string),
		cmocka_unit_test(a_deadline_ends_the_filling_and_leaves_an_empty_table),
		cmocka_unit_test(unequal_or_malformed_operands_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
