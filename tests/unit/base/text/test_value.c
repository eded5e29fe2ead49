/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text/value.h"

static void counts_have_the_suffixes_of_their_unit(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum value_unit unit;
		uint64_t count;
	} good[] = {
		{"0", VALUE_PLAIN, 0},
		{"18446744073709551615", VALUE_PLAIN, UINT64_MAX},
		{"0660", VALUE_OCTAL, 0660},
		{"3K", VALUE_BYTES, 3072},
		{"2G", VALUE_BYTES, UINT64_C(2) << 30},
		{"7", VALUE_BYTES, 7},
		{"5s", VALUE_MS, 5000},
		{"2min", VALUE_MS, 120000},
		{"5us", VALUE_US, 5},
		{"1min", VALUE_US, 60000000},
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t count = 1;
		assert_true(value_parse_count(good[i].text, good[i].unit, &count));
		assert_int_equal(count, good[i].count);
	}
	static const struct {
		const char *text;
		enum value_unit unit;
	} bad[] = {
		{"", VALUE_PLAIN},
		{"-1", VALUE_PLAIN},
		{"+1", VALUE_PLAIN},
		{" 1", VALUE_PLAIN},
		{"1x", VALUE_PLAIN},
		{"0x10", VALUE_PLAIN},
		{"18446744073709551616", VALUE_PLAIN},
		{"08", VALUE_OCTAL},
		{"18014398509481984K", VALUE_BYTES},
		{"5", VALUE_MS},
		{"5us", VALUE_MS},
		{"s", VALUE_MS},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t count = 0;
		assert_false(value_parse_count(bad[i].text, bad[i].unit, &count));
	}
}

static void a_count_is_printed_in_the_largest_unit_that_divides_it(void **state)
{
	(void)state;
	static const struct {
		uint64_t count;
		enum value_unit unit;
		const char *text;
	} rows[] = {
		{0, VALUE_MS, "0ms"},
		{0, VALUE_BYTES, "0"},
		{60000, VALUE_MS, "1min"},
		{90000, VALUE_MS, "90s"},
		{1500, VALUE_US, "1500us"},
		{2097152, VALUE_BYTES, "2M"},
		{1000, VALUE_BYTES, "1000"},
		{0660, VALUE_OCTAL, "0660"},
		{1024, VALUE_PLAIN, "1024"},
	};
	char text[32];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		value_print_count(rows[i].count, rows[i].unit, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
}

static void reals_are_finite_and_separated_by_commas(void **state)
{
	(void)state;
	double reals[3], real = 7;
	uint32_t n = 9;
	assert_true(value_parse_reals("", 3, reals, &n));
	assert_int_equal(n, 0);
	assert_true(value_parse_reals("1,-2.5 , 3e2", 3, reals, &n));
	assert_int_equal(n, 3);
	assert_true(reals[0] == 1 && reals[1] == -2.5 && reals[2] == 300);
	static const char *const bad[] = {
		"1,", ",1", "1 2", "1;2", "inf", "nan", "1e999", "1,2,3,4"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(value_parse_reals(bad[i], 3, reals, &n));
	}
	assert_true(value_parse_real("0.25", &real) && real == 0.25);
	assert_false(value_parse_real("", &real));
	assert_false(value_parse_real("1,2", &real));
	assert_true(real == 0.25);
}

static void words_are_found_by_their_whole_text(void **state)
{
	(void)state;
	char word[8];
	assert_int_equal(value_find_word("auto on off", "auto"), 0);
	assert_int_equal(value_find_word("auto on off", "off"), 2);
	assert_int_equal(value_find_word("auto on off", "o"), -1);
	assert_int_equal(value_find_word("auto on off", "auto on"), -1);
	assert_int_equal(value_find_word("auto on off", ""), -1);
	value_print_word("auto on off", 1, word, sizeof(word));
	assert_string_equal(word, "on");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_have_the_suffixes_of_their_unit),
		cmocka_unit_test(a_count_is_printed_in_the_largest_unit_that_divides_it),
		cmocka_unit_test(reals_are_finite_and_separated_by_commas),
		cmocka_unit_test(words_are_found_by_their_whole_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
