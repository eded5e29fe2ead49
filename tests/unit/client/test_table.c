/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "client/pipeline/table.h"

static int parse(const char *text, struct table *table, struct error *err)
{
	return table_parse(text, strlen(text), table, err);
}

static void numbers_are_read_row_after_row(void **state)
{
	(void)state;
	owned_table struct table t = {0};
	assert_int_equal(parse("# remark\n1,2.5;-3e2\r\n\n 4\tnan\n", &t, NULL), 0);
	assert_int_equal(t.rows, 2);
	assert_int_equal(t.n, 5);
	assert_true(t.values[1] == 2.5 && t.values[2] == -300 && t.values[3] == 4);
	assert_true(isnan(t.values[4]));
}

static void a_heading_is_skipped_once(void **state)
{
	(void)state;
	owned_table struct table t = {0};
	struct table none = {0};
	struct error err = {0};
	assert_int_equal(parse("x,y,z\n1,2,3", &t, NULL), 0);
	assert_int_equal(t.n, 3);
	assert_int_equal(parse("x\ny\n", &none, &err), -EBADMSG);
	assert_string_equal(err.text, "line 2, number 1: not a number");
}

static void what_is_not_a_number_is_named(void **state)
{
	(void)state;
	struct table none = {0};
	struct error err = {0};
	assert_int_equal(parse("1,2\n3,4x\n", &none, &err), -EBADMSG);
	assert_string_equal(err.text, "line 2, number 2: not a number");
	assert_null(none.values);
}

static void an_empty_file_has_no_numbers(void **state)
{
	(void)state;
	owned_table struct table t = {0};
	assert_int_equal(parse("", &t, NULL), 0);
	assert_int_equal(t.n, 0);
	assert_int_equal(parse("\n \n,,\n", &t, NULL), 0);
	assert_int_equal(t.rows, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_row_after_row),
		cmocka_unit_test(a_heading_is_skipped_once),
		cmocka_unit_test(what_is_not_a_number_is_named),
		cmocka_unit_test(an_empty_file_has_no_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
