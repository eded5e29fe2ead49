/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/system/daemon.h"

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

/* Runs edged with @arguments; what it printed, and its exit status. */
static int run(const char *arguments, char *out, size_t size)
{
	char command[1024];
	snprintf(command, sizeof(command), "%s %s 2>&1", getenv("EDGED_FAKE"), arguments);
	FILE *pipe = popen(command, "re");
	assert_non_null(pipe);
	size_t n = fread(out, 1, size - 1, pipe);
	out[n] = 0;
	int status = pclose(pipe);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void version_and_help_are_printed(void **state)
{
	(void)state;
	char out[4096];
	assert_int_equal(run("--version", out, sizeof(out)), 0);
	assert_int_equal(strncmp(out, "edged 0.", 8), 0);
	assert_int_equal(run("--help", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "--check-config"));
}

static void a_wrong_command_line_is_refused(void **state)
{
	(void)state;
	char out[4096];
	assert_int_equal(run("--nothing", out, sizeof(out)), 2);
	assert_int_equal(run("stray", out, sizeof(out)), 2);
	assert_int_equal(run("--config", out, sizeof(out)), 2);
	assert_int_equal(run("--config /nowhere/edged.conf", out, sizeof(out)), 2);
	assert_non_null(strstr(out, "/nowhere/edged.conf: No such file"));
}

static void check_config_says_what_is_wrong(void **state)
{
	struct daemon *daemon = *state;
	char out[4096], arguments[256];
	snprintf(arguments, sizeof(arguments), "--check-config --config %s/edged.conf",
		daemon->folder);
	assert_int_equal(run(arguments, out, sizeof(out)), 0);
	assert_string_equal(out, "");
	daemon_config(daemon, "[limits]\n\nmax-client = 4\n");
	assert_int_equal(run(arguments, out, sizeof(out)), 1);
	assert_non_null(strstr(out, "test.conf:3: there is no key max-client in [limits]"));
}

static void a_socket_path_that_cannot_be_is_refused(void **state)
{
	struct daemon *daemon = *state;
	char out[4096], arguments[1024], path[200];
	memset(path, 'x', sizeof(path));
	path[199] = 0;
	snprintf(arguments, sizeof(arguments), "--config %s/edged.conf --socket /tmp/%s",
		daemon->folder, path);
	assert_int_equal(run(arguments, out, sizeof(out)), 2);
	assert_non_null(strstr(out, "the socket is longer than 107 bytes"));
	snprintf(arguments, sizeof(arguments),
		"--config %s/edged.conf --state %s/state --socket %s/edged.conf", daemon->folder,
		daemon->folder, daemon->folder);
	assert_int_equal(run(arguments, out, sizeof(out)), 1);
	assert_non_null(strstr(out, "the socket's path is taken by another file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(version_and_help_are_printed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_wrong_command_line_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(check_config_says_what_is_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_socket_path_that_cannot_be_is_refused, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
