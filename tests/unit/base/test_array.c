/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"

static void elements_stay_in_order_while_the_array_grows(void **state)
{
	(void)state;
	uint32_t *numbers = NULL;
	size_t n = 0, capacity = 0;
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t *one = array_add(&numbers, &n, &capacity, sizeof(*one));
		assert_non_null(one);
		assert_int_equal(*one, 0);
		*one = i;
	}
	assert_int_equal(n, 1000);
	assert_true(capacity >= n);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(numbers[i], i);
	}
	free(numbers);
}

static void an_element_is_inserted_and_removed_at_its_index(void **state)
{
	(void)state;
	char *text = NULL;
	size_t n = 0, capacity = 0;
	for (const char *at = "dcba"; *at; at++) {
		*(char *)array_insert(&text, 0, &n, &capacity, 1) = *at;
	}
	*(char *)array_insert(&text, 2, &n, &capacity, 1) = '-';
	assert_int_equal(n, 5);
	assert_memory_equal(text, "ab-cd", 5);
	array_remove(&text, 0, &n, 1);
	array_remove(&text, 3, &n, 1);
	assert_int_equal(n, 3);
	assert_memory_equal(text, "b-c", 3);
	free(text);
}

static void without_memory_nothing_changes(void **state)
{
	(void)state;
	char *text = NULL;
	size_t n = 0, capacity = 0;
	assert_null(array_add(&text, &n, &capacity, SIZE_MAX / 4));
	assert_null(text);
	assert_int_equal(n, 0);
	assert_int_equal(capacity, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_stay_in_order_while_the_array_grows),
		cmocka_unit_test(an_element_is_inserted_and_removed_at_its_index),
		cmocka_unit_test(without_memory_nothing_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
