/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "tests/unit/memory.h"

static void items_stay_while_an_array_grows_and_shrinks(void **state)
{
	(void)state;
	uint32_t *items = NULL;
	size_t n = 0;
	while (n < 1000) {
		assert_true(array_room(&items, n, sizeof(items[0])));
		items[n] = (uint32_t)(3 * n);
		n++;
	}
	n = 15;
	while (n < 40) {
		assert_true(array_room(&items, n, sizeof(items[0])));
		items[n] = (uint32_t)(3 * n);
		n++;
	}
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(items[i], 3 * i);
	}
	free(items);
}

static void elements_stay_in_order_while_the_array_grows(void **state)
{
	(void)state;
	uint32_t *numbers = NULL;
	size_t n = 0;
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t *one = array_add(&numbers, &n, sizeof(*one));
		assert_non_null(one);
		assert_int_equal(*one, 0);
		*one = i;
	}
	assert_int_equal(n, 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(numbers[i], i);
	}
	free(numbers);
}

static void an_element_is_inserted_and_removed_at_its_index(void **state)
{
	(void)state;
	char *text = NULL;
	size_t n = 0;
	for (const char *at = "dcba"; *at; at++) {
		*(char *)array_insert(&text, 0, &n, 1) = *at;
	}
	*(char *)array_insert(&text, 2, &n, 1) = '-';
	assert_int_equal(n, 5);
	assert_memory_equal(text, "ab-cd", 5);
	array_remove(&text, 0, &n, 1);
	array_remove(&text, 3, &n, 1);
	assert_int_equal(n, 3);
	assert_memory_equal(text, "b-c", 3);
	free(text);
}

static void an_array_too_large_for_memory_stays_as_it_was(void **state)
{
	(void)state;
	char *items = NULL;
	if (SANITIZED) { /* which ends the process at such a size */
		return;
	}
	assert_true(array_room(&items, 0, 1));
	items[7] = 'x';
	char *before = items;
	assert_false(array_room(&items, 8, SIZE_MAX / 2));
	assert_ptr_equal(items, before);
	assert_int_equal(items[7], 'x');
	size_t n = 8;
	assert_null(array_add(&items, &n, SIZE_MAX / 2));
	assert_int_equal(n, 8);
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_stay_while_an_array_grows_and_shrinks),
		cmocka_unit_test(elements_stay_in_order_while_the_array_grows),
		cmocka_unit_test(an_element_is_inserted_and_removed_at_its_index),
		cmocka_unit_test(an_array_too_large_for_memory_stays_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
