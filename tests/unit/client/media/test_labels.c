/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/media/labels.h"

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

static void blanks_at_the_end_are_no_part_of_a_name(void **state)
{
	(void)state;
	char text[1024];
	snprintf(text, sizeof(text), "0 a b \t\n1 \n2:c%300s\r\n%300s\n", "", "");
	check(text, 3, (const char *const[]){"a b", "", "c"});
	snprintf(text, sizeof(text), " a b%300s\n%300s\nc \t", "", "");
	check(text, 3, (const char *const[]){" a b", "", "c"});
}

static void a_zero_byte_is_refused(void **state)
{
	(void)state;
	struct labels labels = {0};
	assert_int_equal(labels_parse("a\0b", 3, &labels, NULL), -EINVAL);
	assert_null(labels.text);
}

static void assert_length(const char *before, size_t bytes, const char *wanted)
{
	owned_labels struct labels labels = {0};
	struct error err = {0};
	char text[512];
	const size_t size =
		(size_t)snprintf(text, sizeof(text), "%s%0*d\r\n0004 end\n", before, (int)bytes, 0);
	assert_int_equal(labels_parse(text, size, &labels, &err), wanted ? -EINVAL : 0);
	assert_string_equal(err.text, wanted ? wanted : "");
	assert_true(wanted ? !labels.text : labels.n > 1);
}

static void a_label_that_is_too_long_is_refused_with_its_line(void **state)
{
	(void)state;
	assert_length("", 255, NULL);
	assert_length("", 256, "line 1: a label of 256 bytes, limit 255");
	assert_length("a\n\n", 300, "line 3: a label of 300 bytes, limit 255");
	/* The number is no part of the name. */
	assert_length("7: a\n0003: ", 255, NULL);
	assert_length("7: a\n0003: ", 256, "line 2: a label of 256 bytes, limit 255");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_forms_are_told_apart),
		cmocka_unit_test(numbers_that_are_names_stay_names),
		cmocka_unit_test(empty_lines_count_and_the_last_end_does_not),
		cmocka_unit_test(blanks_at_the_end_are_no_part_of_a_name),
		cmocka_unit_test(a_zero_byte_is_refused),
		cmocka_unit_test(a_label_that_is_too_long_is_refused_with_its_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
