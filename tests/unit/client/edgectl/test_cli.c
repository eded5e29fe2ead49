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

#include "client/edgectl/cli.h"
#include "client/edgectl/completion.h"

#define PARSE(settings, err, ...)                                                                  \
	parse((const char *[]){"edgectl", __VA_ARGS__, NULL}, settings, err)

static int parse(const char **argv, struct cli_settings *settings, struct error *err)
{
	int argc = 0;
	while (argv[argc]) {
		argc++;
	}
	return cli_parse(argc, (char **)argv, settings, err);
}

static void options_stand_anywhere_and_arguments_keep_their_order(void **state)
{
	(void)state;
	struct cli_settings s;
	assert_int_equal(PARSE(&s, NULL, "-k", "3", "infer", "m", "-t0.25", "a", "--mean=1,2.5,3",
				 "b", "-o", "jsonl"),
		0);
	assert_int_equal(s.command, CLI_INFER);
	assert_int_equal(s.n_arguments, 3);
	assert_string_equal(s.arguments[0], "m");
	assert_string_equal(s.arguments[2], "b");
	assert_int_equal(s.top_k, 3);
	assert_true(s.threshold == 0.25);
	assert_int_equal(s.mean.n, 3);
	assert_true(s.mean.value[1] == 2.5);
	assert_int_equal(s.format, CLI_FORMAT_JSONL);
}

static void defaults_hold_where_nothing_is_said(void **state)
{
	(void)state;
	struct cli_settings s;
	assert_int_equal(PARSE(&s, NULL, "bench", "m"), 0);
	assert_int_equal(s.count, 100);
	assert_int_equal(s.threads, 1);
	assert_true(isnan(s.threshold));
	assert_int_equal(s.format, CLI_FORMAT_TABLE);
	assert_int_equal(PARSE(&s, NULL, "list", "--json"), 0);
	assert_int_equal(s.format, CLI_FORMAT_JSON);
	assert_int_equal(PARSE(&s, NULL, "--version"), 0);
	assert_true(s.version);
}

static void two_dashes_end_the_options(void **state)
{
	(void)state;
	struct cli_settings s;
	assert_int_equal(PARSE(&s, NULL, "verify", "--", "--run"), 0);
	assert_false(s.run);
	assert_string_equal(s.arguments[0], "--run");
}

static void mistakes_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *argv[6];
		const char *text;
	} cases[] = {
		{{"edgectl"}, "which command?"},
		{{"edgectl", "frobnicate"}, "no such command: frobnicate"},
		{{"edgectl", "list", "--frob"}, "--frob: no such option"},
		{{"edgectl", "list", "--output"}, "--output: needs a value"},
		{{"edgectl", "list", "-o", "xml"}, "--output: one of: table json jsonl; not 'xml'"},
		{{"edgectl", "bench", "m", "-c", "0"},
			"--count: a number from 1 to 10000000, not '0'"},
		{{"edgectl", "bench", "m", "-c", "1x"},
			"--count: a number from 1 to 10000000, not '1x'"},
		{{"edgectl", "infer", "m", "f", "--mean", "1,,2"},
			"--mean: numbers with commas between, not '1,,2'"},
		{{"edgectl", "infer", "m", "f", "--threshold=inf"},
			"--threshold: a number, not 'inf'"},
		{{"edgectl", "list", "--run"}, "--run does not belong to 'list'"},
		{{"edgectl", "list", "x"}, "list: takes no arguments"},
		{{"edgectl", "infer"}, "infer: needs MODEL [INPUT...]"},
		{{"edgectl", "show", "a", "b"}, "show: too many arguments"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cli_settings s;
		struct error err = {0};
		const char *argv[7] = {0};
		memcpy(argv, cases[i].argv, sizeof(cases[i].argv));
		assert_int_equal(parse(argv, &s, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].text);
	}
}

static char *print_to_text(int (*print)(FILE *out, const char *arg), const char *arg)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_int_equal(print(out, arg), 0);
	fclose(out);
	return text;
}

static void every_shell_knows_every_command_and_option(void **state)
{
	(void)state;
	static const char *const shells[] = {"bash", "zsh", "fish"};
	for (size_t s = 0; s < 3; s++) {
		char *text = print_to_text(completion_print, shells[s]);
		for (int i = 0; i < CLI_COMMAND_COUNT; i++) {
			assert_non_null(strstr(text, cli_commands[i].name));
		}
		for (size_t i = 0; i < cli_n_options; i++) {
			assert_non_null(strstr(text, cli_options[i].name));
		}
		free(text);
	}
	assert_int_equal(completion_print(stdout, "csh"), -EINVAL);
}

static int print_help(FILE *out, const char *command)
{
	cli_print_help(out, command ? CLI_INFER : CLI_COMMAND_COUNT);
	return 0;
}

static void help_shows_what_belongs_to_the_command(void **state)
{
	(void)state;
	char *all = print_to_text(print_help, NULL);
	assert_non_null(strstr(all, "verify FILE..."));
	assert_non_null(strstr(all, "--color"));
	assert_null(strstr(all, "--per-op"));
	free(all);
	char *infer = print_to_text(print_help, "infer");
	assert_non_null(strstr(infer, "-k --top-k N"));
	assert_null(strstr(infer, "--per-op"));
	free(infer);
}

static void rows_fit_their_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < cli_n_options; i++) {
		const struct cli_option *o = &cli_options[i];
		assert_true(o->offset < sizeof(struct cli_settings));
		assert_true((o->kind == CLI_FLAG) == (o->argument == NULL));
		assert_true((o->kind == CLI_CHOICE) == (o->words != NULL));
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(o->name, cli_options[k].name);
			assert_true(!o->letter || o->letter != cli_options[k].letter);
			assert_true(o->offset != cli_options[k].offset);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_anywhere_and_arguments_keep_their_order),
		cmocka_unit_test(defaults_hold_where_nothing_is_said),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(every_shell_knows_every_command_and_option),
		cmocka_unit_test(help_shows_what_belongs_to_the_command),
		cmocka_unit_test(rows_fit_their_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
