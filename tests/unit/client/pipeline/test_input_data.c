/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "client/pipeline/input_data.h"

static const struct pipeline_config_source rows_of_3 = {
	.kind = PIPELINE_CONFIG_SOURCE_NUMBERS, .columns = 3, .rate = 16000, .channels = 1};

static int decode(const struct pipeline_config_source *source, const char *text, const char *type,
	struct input_data **ret_input_data, struct error *err)
{
	const struct pipeline_input input = {
		.data = text, .size = strlen(text), .content_type = type};
	return input_data_decode(source, &input, ret_input_data, err);
}

/* @rows rows of 1 2 3 4 5 ... */
static void check_rows(const char *text, const char *type, size_t rows)
{
	owned(input_data_unref) struct input_data *m = NULL;
	assert_int_equal(decode(&rows_of_3, text, type, &m, NULL), 0);
	assert_int_equal(m->kind, INPUT_DATA_NUMBERS);
	assert_int_equal(m->rows, rows);
	assert_int_equal(m->columns, 3);
	for (size_t i = 0; i < 3 * rows; i++) {
		assert_true(m->values[i] == (float)(i + 1));
	}
}

static void check_refused(const char *text, const char *type, const char *why)
{
	struct input_data *none = NULL;
	struct error err = {0};
	assert_true(decode(&rows_of_3, text, type, &none, &err) < 0);
	assert_null(none);
	assert_string_equal(err.text, why);
}

static void rows_are_taken_as_they_stand(void **state)
{
	(void)state;
	check_rows("1,2,3\n4,5,6\n", "text/csv", 2);
	check_rows("\xef\xbb\xbf"
		   "1,2,3\n4,5,6\n",
		"text/csv", 2);
	check_rows("\xef\xbb\xbf x;y;z\n1;2;3", NULL, 1);
	check_rows("[1,2,3]", NULL, 1);
	check_rows("[1,2,3,4,5,6]", NULL, 2);
	check_rows("[[1,2,3],[4,5,6]]", NULL, 2);
	check_rows("[[[1,2,3]],[[4,5,6]]]", NULL, 2);
	check_rows("\xef\xbb\xbf{\"values\":[[1,2,3]]}", NULL, 1);
}

static void what_is_missing_moves_nothing_into_another_column(void **state)
{
	(void)state;
	check_refused("1,,3\n4,5,\n,8,9", "text/csv", "line 1: number 2: there is none");
	check_refused("1,2\n3,4,5,6\n", "text/csv", "line 1: 2 fields, expected 3");
	check_refused("0,5;0,7;1,2\n", "text/csv", "number 3: mixed separators");
	check_refused("x,y,z\n", "text/csv", "there are no numbers");
	check_refused("[[1,2],[3,4,5,6]]", NULL, "row 1: 2 numbers, expected 3");
	check_refused("[[1,2,3],[4,5]]", NULL, "row 2: 2 numbers, expected 3");
	check_refused("[[1,2,3],[]]", NULL, "row 2: 0 numbers, expected 3");
	check_refused("[1,2,3,4]", NULL, "JSON: 4 numbers are no rows of 3");
	check_refused("[[1,2,3],4]", NULL, "JSON: '[' wanted at byte 9");
	check_refused("[1,[2,3]]", NULL, "JSON: a number wanted at byte 3");
	check_refused("[1,2,]", NULL, "JSON: a number wanted at byte 5");
	check_refused("[]", NULL, "there are no numbers");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_taken_as_they_stand),
		cmocka_unit_test(what_is_missing_moves_nothing_into_another_column),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
