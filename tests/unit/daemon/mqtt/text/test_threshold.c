/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/mqtt/request/known_models.h"
#include "daemon/mqtt/text/threshold.h"
#include "tests/unit/daemon/temp_folder.h"

static void only_decimal_numbers_that_are_finite_are_taken(void **state)
{
	static const char *const bad[] = {" 1", "1 ", "+1", "0x1", "0x1p-2", "inf", "-inf",
		"Infinity", "nan", "nan(1)", "1e999", "-1e999", "1.", ".5", "1e", "1e+", "1,5",
		"--1", "-", "1\n", "\t1"};
	static const char *const outside[] = {"-0.1", "1.0000001", "2", "-1e300"};
	double value = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(threshold_parse(bad[i], true, &value, NULL), -EINVAL);
	}
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		assert_int_equal(threshold_parse(outside[i], false, &value, NULL), -EINVAL);
		assert_int_equal(threshold_parse(outside[i], true, &value, NULL), 0);
		assert_true(value == strtod(outside[i], NULL));
	}
	assert_int_equal(threshold_parse("", false, &value, NULL), 0);
	assert_true(isnan(value));
}

static void what_is_printed_is_the_same_number_and_short_where_it_can_be(void **state)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {{"0.6", "0.6"}, {"2.5e-1", "0.25"}, {"1000000", "1000000"}, {"1E+3", "1000"},
		{"0.123456789", "0.123456789"}, {"0.1234567891234", "0.1234567891234"},
		{"16777217", "16777217"}, {"1e-320", "9.999889e-321"}, {"-0", "-0"},
		{"1e-999", "0"}, {"-123456789.12345678", "-123456789.12345678"}, {"", ""}};
	char out[THRESHOLD_TEXT_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double value = 0, again = 0;
		assert_int_equal(threshold_parse(cases[i].text, true, &value, NULL), 0);
		assert_string_equal(threshold_print(value, out), cases[i].printed);
		assert_int_equal(threshold_parse(out, true, &again, NULL), 0);
		assert_memory_equal(&again, &value, sizeof(value));
	}
}

static void write_file(const struct temp_folder *folder, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/set.conf", folder->path);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fputs(text, file) >= 0, 1);
	assert_int_equal(fclose(file), 0);
}

/* The threshold of @name as a text. */
static void expect(const struct known_models *models, const char *name, const char *text, bool off)
{
	char out[THRESHOLD_TEXT_SIZE];
	const struct model_entry *entry = known_models_find(models, name);
	assert_non_null(entry);
	assert_string_equal(threshold_print(entry->threshold, out), text);
	assert_int_equal(entry->off, off);
}

static void a_file_gives_what_could_have_been_set_and_says_what_not(void **state)
{
	const struct temp_folder *folder = *state;
	struct known_models models = {0};
	struct error err = {0};
	write_file(folder,
		"[a]\nthreshold = 0x1p-2\nenable = no\n[b]\nthreshold = 1e999\n[c]\nthreshold = nan\n"
		"[d]\nthreshold = 0.1234567891234\nenable = maybe\n[e]\nthreshold = -7\n");
	assert_int_equal(known_models_load_settings(&models, folder->path, &err), -EINVAL);
	assert_string_equal(err.text, "set.conf:2: threshold is a number, or nothing");
	expect(&models, "a", "", true);
	expect(&models, "b", "", false);
	expect(&models, "c", "", false);
	expect(&models, "d", "0.1234567891234", false);
	expect(&models, "e", "-7", false);
	known_models_deinit(&models);
	/* What follows something that is no line of such a file is not read; what was before counts. */
	write_file(folder, "[a]\nthreshold = 0.5\nnonsense\n[b]\nenable = no\n");
	assert_int_equal(known_models_load_settings(&models, folder->path, &err), -EINVAL);
	assert_string_equal(err.text, "set.conf:3: neither [section] nor key = value");
	expect(&models, "a", "0.5", false);
	assert_null(known_models_find(&models, "b"));
	known_models_deinit(&models);
}

static void what_was_set_comes_back_to_the_bit(void **state)
{
	const struct temp_folder *folder = *state;
	struct known_models models = {0}, again = {0};
	struct error err = {0};
	const double values[] = {0.1, 1.0 / 3, 0.60000002384185791, 1e300, -5e-324, (double)NAN};
	char name[] = "a";
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++, name[0]++) {
		struct model_entry *entry = known_models_add(&models, name);
		assert_non_null(entry);
		entry->threshold = values[i];
		entry->off = i % 2;
	}
	struct bytes_writer w = {0};
	known_models_write_settings(&models, &w);
	bytes_write_u8(&w, 0);
	assert_false(w.failed);
	write_file(folder, (const char *)w.data);
	bytes_writer_deinit(&w);
	assert_int_equal(known_models_load_settings(&again, folder->path, &err), 0);
	name[0] = 'a';
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++, name[0]++) {
		const struct model_entry *entry = known_models_find(&again, name);
		assert_non_null(entry);
		assert_int_equal(entry->off, i % 2);
		assert_true(
			isnan(values[i]) ? isnan(entry->threshold) : entry->threshold == values[i]);
	}
	known_models_deinit(&models);
	known_models_deinit(&again);
}

static struct model_entry *add(struct known_models *models, unsigned int number, bool listed)
{
	char name[16];
	snprintf(name, sizeof(name), "m%u", number);
	struct model_entry *entry = known_models_add(models, name);
	if (entry) {
		entry->listed = listed;
	}
	return entry;
}

/* What was set of others stays as long as there is room. */
static void a_model_that_has_gone_leaves_its_place_to_a_new_one(void **state)
{
	struct known_models models = {0};
	(void)state;
	add(&models, 0, false)->threshold = 0.5;
	add(&models, 1, true);
	add(&models, 2, false)->published.state = 1; /* its end is still to be told */
	for (unsigned int i = 3; i < 2000; i++) {
		assert_non_null(add(&models, i, false));
	}
	assert_true(models.n == MODELS_MAX);
	assert_non_null(known_models_find(&models, "m1999"));
	assert_null(known_models_find(&models, "m3"));
	for (unsigned int i = 2000; i < 2000 + MODELS_MAX - 3; i++) {
		assert_non_null(add(&models, i, true));
	}
	assert_non_null(known_models_find(&models, "m0"));
	assert_non_null(add(&models, 5000, true)); /* now what was set gives way */
	assert_null(known_models_find(&models, "m0"));
	assert_null(add(&models, 5001, true));
	assert_non_null(known_models_find(&models, "m1"));
	assert_non_null(known_models_find(&models, "m2"));
	known_models_deinit(&models);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, temp_folder_set_up, temp_folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_decimal_numbers_that_are_finite_are_taken),
		cmocka_unit_test(what_is_printed_is_the_same_number_and_short_where_it_can_be),
		TEST(a_file_gives_what_could_have_been_set_and_says_what_not),
		TEST(what_was_set_comes_back_to_the_bit),
		TEST(a_model_that_has_gone_leaves_its_place_to_a_new_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
