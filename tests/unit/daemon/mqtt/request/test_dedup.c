/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/mqtt/request/dedup.h"

static int setup(void **state)
{
	struct dedup *dedup = calloc(1, sizeof(*dedup));
	assert_non_null(dedup);
	dedup_init(dedup);
	*state = dedup;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void hashes_are_keyed_by_the_seed(void **state)
{
	struct dedup *dedup = *state;
	uint64_t other = dedup_keyed_hash(dedup, 0, "abc", 3);
	assert_int_equal(dedup_keyed_hash(dedup, 0, "abc", 3), other);
	assert_int_not_equal(dedup_keyed_hash(dedup, 0, "abd", 3), other);
	assert_int_not_equal(dedup_keyed_hash(dedup, 0, "abc", 2), other);
	dedup->seed[1] ^= 1;
	assert_int_not_equal(dedup_keyed_hash(dedup, 0, "abc", 3), other);
}

static void a_continued_hash_depends_on_where_one_text_ends(void **state)
{
	const struct dedup *dedup = *state;
	uint64_t a = dedup_keyed_hash(dedup, dedup_keyed_hash(dedup, 0, "ab", 2), "c", 1);
	uint64_t b = dedup_keyed_hash(dedup, dedup_keyed_hash(dedup, 0, "a", 1), "bc", 2);
	assert_int_not_equal(a, b);
	assert_int_equal(a, dedup_keyed_hash(dedup, dedup_keyed_hash(dedup, 0, "ab", 2), "c", 1));
}

static void every_byte_of_a_long_text_counts(void **state)
{
	const struct dedup *dedup = *state;
	char text[25];
	memset(text, 'x', sizeof(text));
	for (size_t size = 1; size <= sizeof(text); size++) {
		const uint64_t before = dedup_keyed_hash(dedup, 0, text, size);
		for (size_t i = 0; i < size; i++) {
			text[i] = 'y';
			assert_int_not_equal(dedup_keyed_hash(dedup, 0, text, size), before);
			text[i] = 'x';
		}
	}
}

static void a_key_is_seen_until_its_time(void **state)
{
	struct dedup *dedup = *state;
	assert_false(dedup_check(dedup, 7, 100, 200));
	assert_true(dedup_check(dedup, 7, 199, 299));
	assert_false(dedup_check(dedup, 7, 200, 300)); /* recorded anew */
	assert_true(dedup_check(dedup, 7, 299, 399));
	assert_false(dedup_check(dedup, 8, 299, 399));
}

static void a_forgotten_key_is_new(void **state)
{
	struct dedup *dedup = *state;
	assert_false(dedup_check(dedup, 7, 100, 200));
	dedup_forget(dedup, 7);
	dedup_forget(dedup, 9); /* was never there */
	assert_false(dedup_check(dedup, 7, 100, 200));
	assert_true(dedup_check(dedup, 7, 100, 200));
	assert_false(dedup_check(dedup, 9, 100, 200));
}

static void keys_of_the_same_index_are_told_apart(void **state)
{
	struct dedup *dedup = *state;
	for (uint64_t i = 0; i < 5; i++) {
		assert_false(dedup_check(dedup, 3 + i * DEDUP_SLOTS, 0, 1));
	}
	for (uint64_t i = 0; i < 5; i++) {
		assert_true(dedup_check(dedup, 3 + i * DEDUP_SLOTS, 0, 1));
	}
	assert_false(dedup_check(dedup, 3 + 5 * DEDUP_SLOTS, 0, 1));
	assert_int_equal(dedup->n, 6); /* what was seen is not recorded twice */
}

static void the_oldest_key_makes_room_for_the_newest(void **state)
{
	struct dedup *dedup = *state;
	for (uint64_t i = 1; i <= DEDUP_SLOTS; i++) {
		assert_false(dedup_check(dedup, i, 0, UINT64_MAX));
	}
	assert_true(dedup_check(dedup, 1, 0, UINT64_MAX));
	assert_false(dedup_check(dedup, DEDUP_SLOTS + 1, 0, UINT64_MAX)); /* has the index of 1 */
	assert_true(dedup_check(dedup, 2, 0, UINT64_MAX));
	assert_false(dedup_check(dedup, 1, 0, UINT64_MAX)); /* takes the place of 2 */
	assert_true(dedup_check(dedup, 3, 0, UINT64_MAX));
	assert_false(dedup_check(dedup, 2, 0, UINT64_MAX));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hashes_are_keyed_by_the_seed),
		TEST(a_continued_hash_depends_on_where_one_text_ends),
		TEST(every_byte_of_a_long_text_counts),
		TEST(a_key_is_seen_until_its_time),
		TEST(a_forgotten_key_is_new),
		TEST(keys_of_the_same_index_are_told_apart),
		TEST(the_oldest_key_makes_room_for_the_newest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
