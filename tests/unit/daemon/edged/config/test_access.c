/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/edged/config/access.h"
#include "daemon/edged/config/config.h"

#define STRANGER 54321u

struct bench {
	struct access access;
	struct config config;
	struct log log;
	int sockets[2];
};

static int set_up(void **state)
{
	static struct bench bench;
	memset(&bench, 0, sizeof(bench));
	bench.log.level = -1;
	config_init(&bench.config);
	*state = &bench;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, bench.sockets);
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	close(bench->sockets[0]);
	close(bench->sockets[1]);
	return 0;
}

static bool may(struct bench *bench, uid_t uid, enum access_right right)
{
	struct access_peer peer = {0};
	return access_may(&bench->access, &peer, bench->sockets[0], uid, right);
}

static void without_a_word_control_and_managing_are_roots(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(access_read(&bench->access, &bench->config, &bench->log, NULL), 0);
	assert_true(may(bench, 0, ACCESS_CLASS + QUEUE_CONTROL));
	assert_true(may(bench, geteuid(), ACCESS_MANAGE));
	assert_false(may(bench, STRANGER, ACCESS_CLASS + QUEUE_CONTROL));
	assert_false(may(bench, STRANGER, ACCESS_MANAGE));
	assert_true(may(bench, STRANGER, ACCESS_CLASS + QUEUE_REALTIME));
	assert_true(may(bench, STRANGER, ACCESS_CLASS + QUEUE_NORMAL));
	assert_true(may(bench, STRANGER, ACCESS_CLASS + QUEUE_BATCH));
}

static void users_and_groups_are_named_or_numbered(void **state)
{
	struct bench *bench = *state;
	snprintf(bench->config.access_control, sizeof(bench->config.access_control),
		"no-such-user %u\t@no-such-group", STRANGER);
	snprintf(bench->config.access_realtime, sizeof(bench->config.access_realtime), "@%u",
		(unsigned int)getegid());
	snprintf(bench->config.access_normal, sizeof(bench->config.access_normal), "root");
	assert_int_equal(access_read(&bench->access, &bench->config, &bench->log, NULL), 0);
	assert_true(may(bench, STRANGER, ACCESS_CLASS + QUEUE_CONTROL));
	assert_false(may(bench, STRANGER + 1, ACCESS_CLASS + QUEUE_CONTROL));
	assert_true(may(bench, STRANGER,
		ACCESS_CLASS + QUEUE_REALTIME)); /* the socket's peer is of that group */
	assert_false(may(bench, STRANGER, ACCESS_CLASS + QUEUE_NORMAL));
}

/* What emulates another CPU's programs may have room for one number only. */
static bool system_tells_groups(int socket)
{
	gid_t groups[300];
	socklen_t size = sizeof(groups);
	return getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0;
}

/* In a child, which is somebody in 300 groups. */
static int ask_as_one_of_many_groups(struct bench *bench)
{
	gid_t groups[300];
	int pair[2];
	for (gid_t i = 0; i < 300; i++) {
		groups[i] = 70000 + i;
	}
	if (setgroups(300, groups) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ||
		!system_tells_groups(pair[0])) {
		return 2;
	}
	bench->sockets[0] = pair[0];
	return may(bench, STRANGER, ACCESS_CLASS + QUEUE_REALTIME) &&
			!may(bench, STRANGER, ACCESS_CLASS + QUEUE_NORMAL)
		? 0
		: 1;
}

static void who_is_in_hundreds_of_groups_is_in_each(void **state)
{
	struct bench *bench = *state;
	int status = 0;
	if (geteuid() != 0) {
		print_message("SKIPPED: only root can join groups\n");
		return;
	}
	snprintf(bench->config.access_realtime, sizeof(bench->config.access_realtime), "@70299");
	snprintf(bench->config.access_normal, sizeof(bench->config.access_normal), "@70300");
	assert_int_equal(access_read(&bench->access, &bench->config, &bench->log, NULL), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		_exit(ask_as_one_of_many_groups(bench));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2) {
		print_message(
			"SKIPPED: this user may not join so many groups, or the system tells none\n");
		return;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_rule_for_models_binds_root_too(void **state)
{
	struct bench *bench = *state;
	struct access_peer peer = {0};
	const struct access *access = &bench->access;
	snprintf(bench->config.access_models, sizeof(bench->config.access_models),
		"door=%u,%u cam-*=everybody cam-attic=1 vault=1", STRANGER, STRANGER + 1);
	assert_int_equal(access_read(&bench->access, &bench->config, &bench->log, NULL), 0);
	assert_true(access_may_use(access, &peer, bench->sockets[0], STRANGER, "door"));
	assert_false(access_may_use(access, &peer, bench->sockets[0], STRANGER, "vault"));
	assert_true(access_may_use(access, &peer, bench->sockets[0], STRANGER, "cam-attic"));
	assert_true(access_may_use(access, &peer, bench->sockets[0], STRANGER, "doorbell"));
	peer = (struct access_peer){0};
	assert_false(access_may_use(access, &peer, bench->sockets[0], 0, "door"));
}

static void another_configuration_counts_at_once(void **state)
{
	struct bench *bench = *state;
	struct access_peer peer = {0};
	const int socket = bench->sockets[0];
	assert_int_equal(access_read(&bench->access, &bench->config, &bench->log, NULL), 0);
	assert_true(
		access_may(&bench->access, &peer, socket, STRANGER, ACCESS_CLASS + QUEUE_BATCH));
	snprintf(bench->config.access_batch, sizeof(bench->config.access_batch), "root");
	assert_int_equal(access_read(&bench->access, &bench->config, &bench->log, NULL), 0);
	assert_false(
		access_may(&bench->access, &peer, socket, STRANGER, ACCESS_CLASS + QUEUE_BATCH));
}

static void what_is_no_rule_is_refused_and_changes_nothing(void **state)
{
	static const char *const wrong[] = {"door", "=1", "a=1 b"};
	struct bench *bench = *state;
	struct error err = {0};
	assert_int_equal(access_read(&bench->access, &bench->config, &bench->log, NULL), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(bench->config.access_models, sizeof(bench->config.access_models), "%s",
			wrong[i]);
		assert_int_equal(
			access_read(&bench->access, &bench->config, &bench->log, &err), -EINVAL);
		assert_non_null(strstr(err.text, "[access]"));
	}
	assert_int_equal(bench->access.generation, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			without_a_word_control_and_managing_are_roots, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			users_and_groups_are_named_or_numbered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			who_is_in_hundreds_of_groups_is_in_each, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_rule_for_models_binds_root_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			another_configuration_counts_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_no_rule_is_refused_and_changes_nothing, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
