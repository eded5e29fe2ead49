/* SPDX-License-Identifier: Apache-2.0 */
/* Models are opened in another process first, and what they do there stays there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"

static int start(void **state, const char *program, bool real)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	char config[1200];
	assert_non_null(getenv(program));
	snprintf(config, sizeof(config),
		"[daemon]\ncheck-program = %s\n[models]\nself-test-time = 100ms\n",
		getenv(program));
	daemon_prepare(daemon);
	daemon_config(daemon, config);
	daemon_put(daemon, "good.tflite", "echo 4");
	daemon_start(daemon, real);
	*state = daemon;
	return 0;
}

static int set_up(void **state)
{
	return start(state, "EDGED_CHECK_FAKE", false);
}

static int set_up_real(void **state)
{
	return start(state, "EDGED_CHECK", true);
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

static void expect_item(struct peer *peer, const char *state, const char *reason)
{
	peer_send(peer, WIRE_LIST, 2, 0, NULL);
	struct answer answer = peer_receive(peer);
	struct wire_list_item item = answer_find(&answer, "m");
	if (!wire_text_is(item.state, state) || item.reason.length < strlen(reason) ||
		memcmp(item.reason.data, reason, strlen(reason)) != 0) {
		fail_msg("%.*s: %.*s", (int)item.state.length, item.state.data,
			(int)item.reason.length, item.reason.data);
	}
	answer_free(&answer);
}

static void put_and_expect(
	struct daemon *daemon, const char *line, const char *state, const char *reason)
{
	daemon_put(daemon, "m.tflite", line);
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 1, 0, NULL);
	peer_expect(&peer, 1, EDGE_OK);
	expect_item(&peer, state, reason);
	peer_close(&peer);
}

static void expect_good_serves(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "good", 4, 7, 0);
	peer_expect_echo(&peer, 1, 4, 7);
	peer_close(&peer);
}

static void who_takes_more_memory_than_the_limits_say_is_tried_again(void **state)
{
	struct daemon *daemon = *state;
	char config[1200];
	const char *out = "edged-check ran out of memory";
	if (!daemon_memory_counts()) {
		print_message(
			"SKIPPED: a sanitizer's malloc() ends the process instead of failing\n");
		return;
	}
	put_and_expect(daemon, "hog 1000000000", "ready", "");
	put_and_expect(daemon, "hog 2000000000", "ready", out);
	expect_good_serves(daemon);
	/* The same file, which nobody touches, with more room. */
	snprintf(config, sizeof(config),
		"[daemon]\ncheck-program = %s\n[models]\nmax-arena-bytes = 2G\n",
		getenv("EDGED_CHECK_FAKE"));
	daemon_config(daemon, config);
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "reloading");
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 1, 0, NULL);
	peer_expect(&peer, 1, EDGE_OK);
	peer_send(&peer, WIRE_LIST, 2, 0, NULL);
	struct answer answer = peer_receive(&peer);
	struct wire_list_item item = answer_find(&answer, "m");
	assert_true(wire_text_is(item.reason, ""));
	answer_free(&answer);
	peer_close(&peer);
}

static void what_the_system_killed_is_not_held_against_the_file(void **state)
{
	put_and_expect(*state, "killed 1", "ready", "the process that opened it was killed");
	expect_good_serves(*state);
}

static void what_it_refuses_is_refused_with_its_words(void **state)
{
	put_and_expect(*state, "offset 12 past the end", "refused", "offset 12 past the end");
	put_and_expect(*state, "echo 4", "ready", "");
	expect_good_serves(*state);
}

static void what_kills_it_does_not_kill_edged(void **state)
{
	put_and_expect(*state, "poison 4", "ready", "opening it ended a process by signal 6");
	expect_good_serves(*state);
}

static void what_never_ends_in_it_is_ended(void **state)
{
	put_and_expect(*state, "spin 4", "ready", "opening it took too long");
	expect_good_serves(*state);
}

/* The first child of edged, whichever of its threads made it; 0: there is none. */
static pid_t child_of(const struct daemon *daemon)
{
	char pattern[64];
	glob_t found = {0};
	long pid = 0;
	snprintf(pattern, sizeof(pattern), "/proc/%d/task/*/children", (int)daemon->pid);
	int code = glob(pattern, 0, NULL, &found);
	assert_int_equal(code, 0);
	for (size_t i = 0; i < found.gl_pathc && pid == 0; i++) {
		FILE *file = fopen(found.gl_pathv[i], "re");
		if (file && fscanf(file, "%ld", &pid) != 1) {
			pid = 0;
		}
		if (file) {
			fclose(file);
		}
	}
	globfree(&found);
	return (pid_t)pid;
}

/* INT_MIN: it is gone. */
static int oom_score_adj_of(pid_t pid)
{
	char path[64];
	int adj = INT_MIN;
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	FILE *file = fopen(path, "re");
	if (file && fscanf(file, "%d", &adj) != 1) {
		adj = INT_MIN;
	}
	if (file) {
		fclose(file);
	}
	return adj;
}

static void what_opens_a_file_goes_before_edged_when_memory_runs_out(void **state)
{
	struct daemon *daemon = *state;
	const uint64_t end_ns = clock_now_ns() + UINT64_C(9000000000); /* it is ended after 10 s */
	pid_t child = 0;
	daemon_put(daemon, "m.tflite", "spin 5");
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 1, 0, NULL);
	while (clock_now_ns() < end_ns && (child == 0 || oom_score_adj_of(child) != 1000)) {
		child = child_of(daemon);
		sched_yield();
	}
	assert_int_equal(oom_score_adj_of(child), 1000);
	assert_true(oom_score_adj_of(daemon->pid) < 1000);
	kill(child, SIGKILL); /* as the system would */
	peer_expect(&peer, 1, EDGE_OK);
	peer_close(&peer);
	expect_good_serves(daemon);
}

static void what_closes_its_pipe_and_stays_is_ended(void **state)
{
	put_and_expect(
		*state, "hang 4", "ready", "opening it ended a process by signal 9 (Killed)");
	expect_good_serves(*state);
}

static void it_reaches_no_file(void **state)
{
	put_and_expect(*state, "reach /etc/passwd", "ready", "");
	put_and_expect(*state, "reach /proc/self/status", "ready", "");
}

static void what_answers_otherwise_each_time_is_refused(void **state)
{
	put_and_expect(*state, "moody 4", "ready", "it answers otherwise to the same question");
}

static void the_real_one_judges_real_models(void **state)
{
	struct daemon *daemon = *state;
	static char bytes[1 << 20];
	FILE *file = fopen("packaging/models/digits.tflite", "re");
	assert_non_null(file);
	size_t n = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	daemon_put_bytes(daemon, "digits.tflite", bytes, n);
	daemon_put_bytes(daemon, "cut.tflite", bytes, n / 2);
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 1, 0, NULL);
	peer_expect(&peer, 1, EDGE_OK);
	peer_send(&peer, WIRE_LIST, 2, 0, NULL);
	struct answer answer = peer_receive(&peer);
	assert_true(wire_text_is(answer_find(&answer, "digits").state, "ready"));
	assert_true(wire_text_is(answer_find(&answer, "cut").state, "refused"));
	answer_free(&answer);
	peer_close(&peer);
}

/* A program, in place of edged-check. */
static void script_put(struct daemon *daemon, const char *command, char *ret_path, size_t size)
{
	char script[1200];
	snprintf(script, sizeof(script), "#!/bin/sh\nexec %s\n", command);
	daemon_put_bytes(daemon, ".script", script, strlen(script));
	snprintf(ret_path, size, "%s/models/.script", daemon->folder);
	assert_int_equal(chmod(ret_path, 0755), 0);
}

/* What it sleeps it does not compute: the machine may be busy. */
static int set_up_sleeping(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	char config[1200], path[160];
	daemon_prepare(daemon);
	script_put(daemon, "/bin/sleep 600", path, sizeof(path));
	snprintf(config, sizeof(config),
		"[daemon]\ncheck-program = %s\n[models]\nself-test-time = 100ms\n", path);
	daemon_config(daemon, config);
	daemon_put(daemon, "m.tflite", "echo 4");
	daemon_start(daemon, false);
	*state = daemon;
	return 0;
}

static void what_had_no_time_on_the_cpu_is_tried_again(void **state)
{
	struct daemon *daemon = *state;
	char command[1000], path[160];
	struct peer peer = peer_open(daemon);
	expect_item(&peer, "refused", "opening it took too long: it had too little of the CPU");
	snprintf(command, sizeof(command), "%s \"$@\"", getenv("EDGED_CHECK_FAKE"));
	script_put(daemon, command, path, sizeof(path));
	peer_send(&peer, WIRE_RELOAD, 1, 0, NULL);
	peer_expect(&peer, 1, EDGE_OK);
	expect_item(&peer, "ready", "");
	peer_close(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_refuses_is_refused_with_its_words),
		cmocka_unit_test(what_kills_it_does_not_kill_edged),
		cmocka_unit_test(what_never_ends_in_it_is_ended),
		cmocka_unit_test(what_opens_a_file_goes_before_edged_when_memory_runs_out),
		cmocka_unit_test(what_closes_its_pipe_and_stays_is_ended),
		cmocka_unit_test(it_reaches_no_file),
		cmocka_unit_test(what_answers_otherwise_each_time_is_refused),
		cmocka_unit_test(what_the_system_killed_is_not_held_against_the_file),
		cmocka_unit_test(who_takes_more_memory_than_the_limits_say_is_tried_again),
	};
	const struct CMUnitTest real[] = {cmocka_unit_test(the_real_one_judges_real_models)};
	const struct CMUnitTest busy[] = {
		cmocka_unit_test(what_had_no_time_on_the_cpu_is_tried_again)};
	int failed = cmocka_run_group_tests_name("busy", busy, set_up_sleeping, tear_down);
	failed += cmocka_run_group_tests_name("fake engine", tests, set_up, tear_down);
	return failed + cmocka_run_group_tests_name("engine", real, set_up_real, tear_down);
}
