/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "client/pipeline/labels.h"

static void check(const char *text, size_t n, const char *const *wanted)
{
	owned_labels struct labels labels = {0};
	assert_int_equal(labels_parse(text, strlen(text), &labels, NULL), 0);
	assert_int_equal(labels.n, n);
	for (size_t i = 0; i < n; i++) {
		const char *name = labels_get(&labels, i);
		if (wanted[i]) {
			assert_non_null(name);
			assert_string_equal(name, wanted[i]);
		} else {
			assert_null(name);
		}
	}
	assert_null(labels_get(&labels, n));
}

static void three_forms_are_told_apart(void **state)
{
	(void)state;
	check("cat\ndog, hound\r\n", 2, (const char *const[]){"cat", "dog, hound"});
	check("0 cat\n2  dog\n", 3, (const char *const[]){"cat", NULL, "dog"});
	check("0:cat\n 1: dog house\n", 2, (const char *const[]){"cat", "dog house"});
}

static void numbers_that_are_names_stay_names(void **state)
{
	(void)state;
	check("0\n1\n2\n", 3, (const char *const[]){"0", "1", "2"});
	check("3 apples\n3 pears\n", 2, (const char *const[]){"3 apples", "3 pears"});
	check("1 one\ntwo\n", 2, (const char *const[]){"1 one", "two"});
	check("99999999999 much\n", 1, (const char *const[]){"99999999999 much"});
}

static void empty_lines_count_and_the_last_end_does_not(void **state)
{
	(void)state;
	check("a\n\nb", 3, (const char *const[]){"a", "", "b"});
	check("", 0, NULL);
}

static void a_zero_byte_is_refused(void **state)
{
	(void)state;
	struct labels labels = {0};
	assert_int_equal(labels_parse("a\0b", 3, &labels, NULL), -EINVAL);
	assert_null(labels.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_forms_are_told_apart),
		cmocka_unit_test(numbers_that_are_names_stay_names),
		cmocka_unit_test(empty_lines_count_and_the_last_end_does_not),
		cmocka_unit_test(a_zero_byte_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
