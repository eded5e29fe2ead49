/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "client/media/csv.h"

static int parse(const char *text, struct number_table *table, struct error *err)
{
	return csv_parse(text, strlen(text), 0, table, err);
}

/* A file of rows of @columns is refused with that text. */
static void check_refused(const char *text, size_t columns, const char *why)
{
	struct number_table none = {0};
	struct error err = {0};
	assert_int_equal(csv_parse(text, strlen(text), columns, &none, &err), -EBADMSG);
	assert_string_equal(err.text, why);
	assert_null(none.values);
}

static void numbers_are_read_row_after_row(void **state)
{
	(void)state;
	owned_table struct number_table t = {0};
	assert_int_equal(parse("# remark\n1, 2.5 ,-3e2\r\n\n 4 \tnan\n", &t, NULL), 0);
	assert_int_equal(t.rows, 2);
	assert_int_equal(t.n, 5);
	assert_true(t.values[1] == 2.5 && t.values[2] == -300 && t.values[3] == 4);
	assert_true(isnan(t.values[4]));
}

static void a_heading_is_skipped_once(void **state)
{
	(void)state;
	owned_table struct number_table t = {0};
	struct number_table none = {0};
	struct error err = {0};
	assert_int_equal(parse("x,y,z\n1,2,3", &t, NULL), 0);
	assert_int_equal(t.n, 3);
	assert_int_equal(parse("x\ny\n", &none, &err), -EBADMSG);
	assert_string_equal(err.text, "line 2: number 1: not a number");
}

static void what_is_not_a_number_is_named(void **state)
{
	(void)state;
	struct number_table none = {0};
	struct error err = {0};
	assert_int_equal(parse("1,2\n3,4x\n", &none, &err), -EBADMSG);
	assert_string_equal(err.text, "line 2: number 2: not a number");
	assert_null(none.values);
}

static void an_empty_file_has_no_numbers(void **state)
{
	(void)state;
	owned_table struct number_table t = {0};
	assert_int_equal(parse("", &t, NULL), 0);
	assert_int_equal(t.n, 0);
	assert_int_equal(parse("\n \n\r\n", &t, NULL), 0);
	assert_int_equal(t.rows, 0);
}

static void a_missing_number_is_no_number(void **state)
{
	(void)state;
	check_refused("1,,3\n4,5,\n,8,9", 3, "line 1: number 2: there is none");
	check_refused("1,2,3\n4,5,\n", 3, "line 2: number 3: there is none");
	check_refused("1,2,3\n,8,9\n", 3, "line 2: number 1: there is none");
	check_refused(",8,9\n", 0, "number 1: there is none");
	check_refused(",,\n", 0, "number 1: there is none");
	check_refused("1;2; ;4\n", 0, "number 3: there is none");
	check_refused("1\t\t3", 0, "number 2: there is none");
}

static void a_row_has_as_many_numbers_as_all(void **state)
{
	(void)state;
	owned_table struct number_table t = {0};
	assert_int_equal(csv_parse("1 2  3\n4\t5\t6\n", 13, 3, &t, NULL), 0);
	assert_int_equal(t.rows, 2);
	assert_int_equal(t.n, 6);
	check_refused("x,y,z\n1,2\n3,4,5,6\n", 3, "line 2: 2 fields, expected 3");
	check_refused("1,2,3\n3,4,5,6\n", 3, "line 2: 4 fields, expected 3");
	check_refused("1,2,3,4,5,6\n", 3, "6 fields, expected 3");
}

static void a_row_has_one_separator(void **state)
{
	(void)state;
	check_refused("0,5;0,7;1,2\n", 6, "number 3: mixed separators");
	check_refused("1,2 3\n", 0, "number 3: mixed separators");
	check_refused("1 2,3\n", 0, "number 3: mixed separators");
}

static void a_byte_order_mark_is_no_heading(void **state)
{
	(void)state;
	owned_table struct number_table t = {0}, named = {0};
	assert_int_equal(parse("\xef\xbb\xbf"
			       "1,2\n3,4\n",
				 &t, NULL),
		0);
	assert_int_equal(t.rows, 2);
	assert_true(t.values[0] == 1);
	assert_int_equal(parse("\xef\xbb\xbf,x\n3,4\n", &named, NULL), 0);
	assert_int_equal(named.rows, 1);
}

static void a_heading_starts_with_no_number(void **state)
{
	(void)state;
	assert_true(csv_is_header("x,1\n") && csv_is_header(",x\n"));
	assert_false(csv_is_header("1,x\n") || csv_is_header(" \n") || csv_is_header("# x\n") ||
		csv_is_header(",2\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_row_after_row),
		cmocka_unit_test(a_heading_is_skipped_once),
		cmocka_unit_test(what_is_not_a_number_is_named),
		cmocka_unit_test(an_empty_file_has_no_numbers),
		cmocka_unit_test(a_missing_number_is_no_number),
		cmocka_unit_test(a_row_has_as_many_numbers_as_all),
		cmocka_unit_test(a_row_has_one_separator),
		cmocka_unit_test(a_byte_order_mark_is_no_heading),
		cmocka_unit_test(a_heading_starts_with_no_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
