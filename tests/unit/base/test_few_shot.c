/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/few_shot.h"

static void what_is_written_is_read_back(void **state)
{
	(void)state;
	const float vectors[2][3] = {{0.1f, -1e-20f, 0.333333343f}, {1, 0, -0.0f}};
	owned_examples struct few_shot examples = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	assert_int_equal(few_shot_write(file, "north west", vectors[0], 3, NULL), 0);
	assert_int_equal(few_shot_write(file, "\xc3\xa9t\xc3\xa9", vectors[1], 3, NULL), 0);
	fclose(file);
	assert_int_equal(few_shot_parse(text, size, &examples, NULL), 0);
	assert_int_equal(examples.n, 2);
	assert_int_equal(examples.length, 3);
	assert_string_equal(examples.items[0].label, "north west");
	assert_string_equal(examples.items[1].label, "\xc3\xa9t\xc3\xa9");
	for (size_t i = 0; i < 2; i++) {
		assert_memory_equal(examples.items[i].vector, vectors[i], sizeof(vectors[i]));
	}
	free(text);
}

static void they_are_told_by_line_when_they_are_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t size;
	} wrong[] = {
#define TEXT(t) {t, sizeof(t) - 1}
		TEXT("b\t1\na 1 2\n"),
		TEXT("b\t1\n\t1 2\n"),
		TEXT("a\t1 2\nb\t1\n"),
		TEXT("b\t1\na\tx\n"),
		TEXT("b\t1\na\tnan\n"),
		TEXT("b\t1\na\t\n"),
		TEXT("b\t1\na\t1x\n"),
		TEXT("b\t1\na\t1\0\n"),
		TEXT("b\t1\na\0b\t1\n"),
		TEXT("b\t1\na\x1b\t1\n"),
		TEXT("b\t1\na\t0x1p3\n"),
		TEXT("b\t1\na\tinf\n"),
		TEXT("b\t1\na\t\v1\n"),
		TEXT("b\t1\na\t\t1\n"),
		TEXT("b\t1\na\t1\r\n"),
		TEXT("b\t1\na\t1e\n"),
		TEXT("b\t1\na\t1-2\n"),
		TEXT("b\t1\na\t1e99\n"),
#undef TEXT
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct few_shot examples = {0};
		struct error err = {0};
		assert_int_equal(
			few_shot_parse(wrong[i].text, wrong[i].size, &examples, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "line 2"));
		assert_null(examples.items);
	}
}

static void labels_that_no_line_can_have_are_not_written(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "a\tb", "a\nb", "a\rb", "\x7f",
		"0123456789012345678901234567890123456789012345678901234567890123"};
	const float one = 1;
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(few_shot_write(file, wrong[i], &one, 1, NULL), -EINVAL);
	}
	fclose(file);
	assert_int_equal(size, 0);
	free(text);
}

static void blanks_between_numbers_may_be_many(void **state)
{
	(void)state;
	static const char text[] = "a\t 1  -2.5e-1 \nb\t+3 .5";
	owned_examples struct few_shot examples = {0};
	assert_int_equal(few_shot_parse(text, sizeof(text) - 1, &examples, NULL), 0);
	assert_int_equal(examples.n, 2);
	assert_float_equal(examples.items[0].vector[1], -0.25, 0);
	assert_float_equal(examples.items[1].vector[0], 3, 0);
	assert_float_equal(examples.items[1].vector[1], 0.5, 0);
}

static void what_is_joined_ends_each_line(void **state)
{
	(void)state;
	static const char *const cases[][3] = {{"", "", ""}, {"a\t1", "", "a\t1\n"},
		{"", "a\t1", "a\t1\n"}, {"a\t1", "b\t2", "a\t1\nb\t2\n"},
		{"a\t1\n", "b\t2\n", "a\t1\nb\t2\n"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = NULL;
		size_t size = 0;
		assert_int_equal(few_shot_join(cases[i][0], strlen(cases[i][0]), cases[i][1],
					 strlen(cases[i][1]), &text, &size),
			0);
		assert_int_equal(size, strlen(cases[i][2]));
		assert_string_equal(text, cases[i][2]);
		free(text);
	}
}

/* On the heap, as large as said, so that a byte too far is found. */
static void lines_of_a_label_are_taken_out_of_any_bytes(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t size;
		const char *left;
		size_t left_size, n;
	} cases[] = {
#define CASE(t, l, n) {t, sizeof(t) - 1, l, sizeof(l) - 1, n}
		CASE("", "", 0),
		CASE("a\t1", "", 1),
		CASE("a", "a", 0),
		CASE("b\t1\na", "b\t1\na", 0),
		CASE("a\t1\nb\t2", "b\t2", 1),
		CASE("b\t2\na\t1", "b\t2\n", 1),
		CASE("a\t1\nab\t2\na\t3\n", "ab\t2\n", 2),
		CASE("\n\na\t1\n\n", "\n\n\n", 1),
		CASE("b\0\na\t\0\n\0", "b\0\n\0", 1),
#undef CASE
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = cases[i].size;
		char *text = malloc(size + 1);
		memcpy(text, cases[i].text, size + 1);
		assert_int_equal(few_shot_remove(text, &size, "a"), cases[i].n);
		assert_int_equal(size, cases[i].left_size);
		assert_memory_equal(text, cases[i].left, size + 1);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(they_are_told_by_line_when_they_are_wrong),
		cmocka_unit_test(labels_that_no_line_can_have_are_not_written),
		cmocka_unit_test(blanks_between_numbers_may_be_many),
		cmocka_unit_test(what_is_joined_ends_each_line),
		cmocka_unit_test(lines_of_a_label_are_taken_out_of_any_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
