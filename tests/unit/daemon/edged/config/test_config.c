/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/edged/config/config.h"
#include "tests/unit/daemon/log_to.h"

struct folder {
	char path[64];
	char file[96];
	int log_fd;
	struct log log;
};

static int set_up(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));
	memcpy(folder->path, "/tmp/edged-config-XXXXXX", 25);
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->file, sizeof(folder->file), "%s/edged.conf", folder->path);
	char log[96];
	snprintf(log, sizeof(log), "%s/log", folder->path);
	folder->log_fd = open(log, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(folder->log_fd >= 0);
	log_to(&folder->log, folder->log_fd, LOG_LEVEL_DEBUG);
	*state = folder;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	struct folder *folder = *state;
	close(folder->log_fd);
	nftw(folder->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(folder);
	return 0;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void drop_in(const struct folder *folder, const char *name, const char *text)
{
	char path[160];
	snprintf(path, sizeof(path), "%s.d", folder->file);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s.d/%s", folder->file, name);
	write_file(path, text);
}

static void defaults_are_what_the_table_says(void **state)
{
	(void)state;
	struct config config;
	config_init(&config);
	assert_string_equal(config.socket, "/run/edged/edged.sock");
	assert_int_equal(config.socket_mode, 0660);
	assert_int_equal(config.log_level, LOG_LEVEL_INFO);
	assert_int_equal(config.drain_timeout_ms, 5000);
	assert_int_equal(config.max_body, 64 << 20);
	assert_true(config.max_macs == 50000000000);
}

static void a_file_and_its_drop_ins_are_read_in_order(void **state)
{
	struct folder *folder = *state;
	struct config config;
	struct error err = {0};
	write_file(folder->file,
		"; a comment\n\n[limits]\n  max-body=1M  \nqueue-length = 7\n"
		"[daemon]\nmodels = /srv/a#b;c\nlog-level = debug\n");
	drop_in(folder, "20-b.conf", "[limits]\nqueue-length = 9\n");
	drop_in(folder, "10-a.conf", "[limits]\nqueue-length = 8\nheader-timeout = 2min\n");
	drop_in(folder, "30-not.txt", "nonsense");
	drop_in(folder, ".40-hidden.conf", "nonsense");
	drop_in(folder, "50-empty.conf", "[limits]\nmax-body =\n");
	assert_int_equal(config_load(&config, folder->file, &folder->log, &err), 0);
	assert_int_equal(config.queue_length, 9);
	assert_int_equal(config.header_timeout_ms, 120000);
	assert_int_equal(config.max_body, 64 << 20);
	assert_string_equal(config.models, "/srv/a#b;c");
	assert_int_equal(config.log_level, LOG_LEVEL_DEBUG);
}

static void mistakes_are_named_with_file_and_line(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{"[limits]\nmax-bodies = 1\n", ":2: there is no key max-bodies in [limits]"},
		{"[limit]\n", ":1: there is no section [limit]"},
		{"[limits\n", ":1: a section is [name], with nothing behind it"},
		{"[limits] # x\n", ":1: a section is [name], with nothing behind it"},
		{"max-body = 1M\n", ":1: max-body stands before the first [section]"},
		{"\n[limits]\nmax-body\n", ":3: neither [section] nor key = value"},
		{"[limits]\n # x\n", ":2: neither [section] nor key = value"},
		{"[limits]\nmax-body = 1X\n", ":2: max-body: \"1X\" is not a number of bytes"},
		{"[limits]\nmax-body = -1\n", ":2: max-body: \"-1\" is not a number of bytes"},
		{"[limits]\nmax-body = 1\n", ":2: max-body: 1 is not between 4096 and"},
		{"[limits]\nmax-body = 99999999999999999999\n", "is not a number of bytes"},
		{"[limits]\nmax-body = 18014398509481984K\n", "is not a number of bytes"},
		{"[limits]\nheader-timeout = 5\n", ":2: header-timeout: \"5\" is not a time"},
		{"[limits]\nheader-timeout = 5m\n", ":2: header-timeout: \"5m\" is not a time"},
		{"[limits]\nqueue-length = 1\nqueue-length = 2\n",
			":3: queue-length was given in line 2 already"},
		{"[daemon]\nsocket-mode = 0680\n", ":2: socket-mode: \"0680\" is not an octal"},
		{"[daemon]\nlog-level = loud\n", ":2: log-level: \"loud\" is not error"},
		{"[daemon]\nlog-level = \x1b[31m\n", ":2: log-level: \"\\x1b[31m\" is not"},
		{"[limits]\nmax-body = 1G\n", "max-body is above max-bytes-per-user"},
	};
	struct folder *folder = *state;
	struct config config;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = {0};
		write_file(folder->file, cases[i].text);
		assert_int_equal(config_load(&config, folder->file, &folder->log, &err), -EINVAL);
		if (!strstr(err.text, cases[i].wanted)) {
			fail_msg("\"%s\" instead of \"%s\"", err.text, cases[i].wanted);
		}
	}
}

static void a_long_line_and_a_zero_byte_are_refused(void **state)
{
	struct folder *folder = *state;
	struct config config;
	struct error err = {0};
	FILE *file = fopen(folder->file, "we");
	assert_non_null(file);
	for (int i = 0; i < 5000; i++) {
		putc('x', file);
	}
	fclose(file);
	assert_int_equal(config_load(&config, folder->file, &folder->log, &err), -EINVAL);
	assert_non_null(strstr(err.text, ":1: more than 4095 bytes"));
	file = fopen(folder->file, "we");
	fwrite("[limits]\n\0\n", 1, 11, file);
	fclose(file);
	assert_int_equal(config_load(&config, folder->file, &folder->log, &err), -EINVAL);
	assert_non_null(strstr(err.text, ":2: a byte 0"));
}

static void keys_of_others_are_warned_about(void **state)
{
	struct folder *folder = *state;
	struct config config;
	char text[512] = "";
	write_file(folder->file, "[limits]\nX-site = 1\n[X-other]\nanything = 2\n");
	assert_int_equal(config_load(&config, folder->file, &folder->log, NULL), 0);
	assert_true(pread(folder->log_fd, text, sizeof(text) - 1, 0) > 0);
	assert_non_null(strstr(text, "edged.conf:2: X-site is ignored"));
	assert_non_null(strstr(text, "edged.conf:4: anything is ignored"));
}

static void a_missing_file_is_an_error_only_when_it_was_named(void **state)
{
	struct folder *folder = *state;
	struct config config;
	assert_int_equal(config_load(&config, folder->file, &folder->log, NULL), -ENOENT);
}

static char *read_all(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file) {
		fail_msg("%s is missing", path);
	}
	char *text = calloc(1, 1 << 17);
	assert_non_null(text);
	size_t n = fread(text, 1, (1 << 17) - 1, file);
	assert_true(n > 0);
	fclose(file);
	return text;
}

static void the_shipped_file_is_the_one_that_is_printed(void **state)
{
	struct folder *folder = *state;
	FILE *file = fopen(folder->file, "we");
	assert_non_null(file);
	config_print(file);
	fclose(file);
	char *printed = read_all(folder->file);
	char *shipped = read_all(SOURCE_ROOT "/conf/edged.conf");
	assert_string_equal(shipped, printed);
	struct config config, defaults;
	config_init(&defaults);
	assert_int_equal(config_load(&config, folder->file, &folder->log, NULL), 0);
	assert_memory_equal(&config, &defaults, sizeof(config));
	free(printed);
	free(shipped);
}

static void manual_and_limits_name_every_key_with_its_default(void **state)
{
	(void)state;
	char *manual = read_all(SOURCE_ROOT "/docs/man/edged.conf.5.scd");
	char *limits = read_all(SOURCE_ROOT "/docs/limits.md");
	size_t n = 0;
	const struct config_key *keys = config_keys(&n);
	for (size_t i = 0; i < n; i++) {
		char wanted[256];
		snprintf(wanted, sizeof(wanted), "\n*%s* = _%s_%s\n", keys[i].key,
			keys[i].default_value, keys[i].reloadable ? "" : " (restart)");
		if (!strstr(manual, wanted)) {
			fail_msg("edged.conf(5) does not say%s", wanted);
		}
		snprintf(wanted, sizeof(wanted), "\n| `%s` | `%s` | ", keys[i].key,
			keys[i].default_value);
		if (!strstr(limits, wanted)) {
			fail_msg("limits.md does not say%s", wanted);
		}
	}
	free(manual);
	free(limits);
}

static void what_needs_a_restart_is_kept_at_a_reload(void **state)
{
	(void)state;
	struct config a, b;
	size_t n = 0;
	const struct config_key *keys = config_keys(&n);
	config_init(&a);
	config_init(&b);
	for (size_t i = 0; i < n; i++) {
		assert_true(config_value_same(&a, &b, &keys[i]));
	}
	assert_int_equal(config_value_set(&b, &keys[0], "/x", NULL), 0);
	assert_false(config_value_same(&a, &b, &keys[0]));
	config_value_copy(&a, &b, &keys[0]);
	assert_memory_equal(a.socket, "/x", 3);
}

static void a_fifo_is_refused_and_not_waited_for_and_the_null_device_is_empty(void **state)
{
	struct folder *folder = *state;
	struct config config;
	struct error err = {0};
	char path[160];
	write_file(folder->file, "[limits]\nmax-body = 3M\n");
	drop_in(folder, "10.conf", "");
	snprintf(path, sizeof(path), "%s.d/20.conf", folder->file);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(config_load(&config, folder->file, &folder->log, &err), 0);
	assert_int_equal(config.max_body, 3 << 20);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	int writer = open(path, O_RDWR | O_CLOEXEC);
	assert_true(writer >= 0);
	assert_int_equal(config_load(&config, folder->file, &folder->log, &err), -EINVAL);
	assert_non_null(strstr(err.text, "20.conf: not a regular file"));
	close(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_what_the_table_says),
		cmocka_unit_test_setup_teardown(
			a_file_and_its_drop_ins_are_read_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			mistakes_are_named_with_file_and_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_long_line_and_a_zero_byte_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_of_others_are_warned_about, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_missing_file_is_an_error_only_when_it_was_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_shipped_file_is_the_one_that_is_printed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_fifo_is_refused_and_not_waited_for_and_the_null_device_is_empty, set_up,
			tear_down),
		cmocka_unit_test(manual_and_limits_name_every_key_with_its_default),
		cmocka_unit_test(what_needs_a_restart_is_kept_at_a_reload),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
