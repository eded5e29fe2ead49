/* SPDX-License-Identifier: Apache-2.0 */
/* Versions that must prove themselves, and going back to those that did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/system/digest.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"
#include "tests/system/trial.h"

/* What it does badly takes it away by itself, and it does not come back. */
static void expect_rolled_back(struct daemon *daemon, const char *line, const char *why)
{
	char reason[256];
	trial_start_with_a_good_one(daemon);
	trial_put_and_reload(daemon, line);
	trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
	trial_ask(daemon, 3);
	daemon_wait_log(daemon, "runs were bad");
	daemon_wait_log(daemon, "model m version 1: ready");
	trial_expect_store(daemon, "1", 1, 0, why);
	trial_ask(daemon, 3);
	trial_expect_history(daemon, why); /* it comes behind the verdict */
	trial_expect_store(daemon, "1", 1, 0, why);
	trial_put_and_reload(daemon, line);
	snprintf(reason, sizeof(reason), "bad: %s", why);
	trial_expect_store(daemon, "1", 1, 0, reason);
}

static void one_that_fails_is_rolled_back(void **state)
{
	expect_rolled_back(
		*state, "fail 1", "3 of 3 runs were bad: 3 failed, 0 gave NaN, 0 were too slow");
}

/* Whatever the loader is at: nothing has to be loaded. */
static void who_asks_after_a_trial_that_failed_is_answered_by_the_good_one(void **state)
{
	struct daemon *daemon = *state;
	char line[120];
	trial_start_with_a_good_one(daemon);
	trial_put_and_reload(daemon, "fail 1");
	snprintf(line, sizeof(line), "stall %s/gate", daemon->folder);
	daemon_put(daemon, "n.tflite", line);
	struct peer loading = peer_open(daemon), peer = peer_open(daemon);
	peer_send(&loading, WIRE_RELOAD, 900, 0, NULL);
	daemon_wait_running(daemon);
	trial_ask(daemon, 3);
	peer_infer(&peer, 1, "m", 4, 7, 0);
	struct answer answer = peer_receive(&peer);
	struct wire_infer_reply reply;
	assert_int_equal(
		wire_infer_reply_decode(answer.body, answer.header.body_bytes, 0, &reply, NULL), 0);
	assert_true(wire_text_is(reply.version, "1"));
	assert_int_equal(reply.generation, 3); /* the loads of this run, and this */
	answer_free(&answer);
	daemon_let_go(daemon, 1);
	peer_expect(&loading, 900, EDGE_OK);
	peer_close(&loading);
	peer_close(&peer);
	trial_expect_history(daemon, "rolled back to version 1: 3 of 3 runs were bad");
	trial_put_and_reload(daemon, "fail 1");
	peer = peer_open(daemon);
	peer_infer(&peer, 1, "m", 4, 7, 0);
	peer_expect_echo(&peer, 1, 4, 7);
	peer_close(&peer);
}

/* Whether anything can be written to the store's @folder; not by whom: root writes everywhere. */
static void folder_set_writable(const struct daemon *daemon, const char *folder, bool writable)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/state/%s/.new", daemon->folder, folder);
	assert_int_equal(writable ? rmdir(path) : mkdir(path, 0700), 0);
}

static void one_that_fails_goes_although_the_disk_is_full(void **state)
{
	struct daemon *daemon = *state;
	trial_start_with_a_good_one(daemon);
	trial_put_and_reload(daemon, "fail 1");
	folder_set_writable(daemon, "bad", false);
	folder_set_writable(daemon, "manifests", false);
	trial_ask(daemon, 3);
	daemon_wait_log(daemon, "runs were bad");
	trial_tell(
		daemon, WIRE_STORE_HISTORY, "m", NULL, EDGE_OK); /* it comes behind the verdict */
	trial_expect_store(
		daemon, "1", 1, 0, "3 of 3 runs were bad: 3 failed, 0 gave NaN, 0 were too slow");
	trial_expect_history(
		daemon, "version 1 serves, but only until edged is started again: the store: ");
	folder_set_writable(daemon, "bad", true);
	folder_set_writable(daemon, "manifests", true);
}

static void a_pinned_version_goes_on_though_it_fails(void **state)
{
	struct daemon *daemon = *state;
	trial_start_with_a_good_one(daemon);
	trial_put_and_reload(daemon, "fail 1");
	trial_tell(daemon, WIRE_STORE_PIN, "m", NULL, EDGE_OK);
	trial_ask(daemon, 3);
	daemon_wait_log(daemon, "the version is pinned and keeps serving");
	trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL | WIRE_STORE_PINNED, "");
	trial_tell(daemon, WIRE_STORE_ROLLBACK, "m", NULL, EDGE_OK);
	trial_expect_store(daemon, "1", 1, WIRE_STORE_PINNED, "rolled back by uid 0");
}

static void one_that_gives_nan_is_rolled_back(void **state)
{
	expect_rolled_back(
		*state, "nan 1", "3 of 3 runs were bad: 0 failed, 3 gave NaN, 0 were too slow");
}

/* True once version 1 serves again. */
static bool ends_trial(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_LIST, 902, 0, NULL);
	struct answer answer = peer_receive(&peer);
	bool ended = wire_text_is(answer_find(&answer, "m").version, "1");
	answer_free(&answer);
	peer_close(&peer);
	return ended;
}

/* Version 1 is good, and gives NaN for negative numbers; version 2, @line, is on trial. */
static void start_with_a_logarithm(struct daemon *daemon, const char *line)
{
	daemon_put(daemon, "m.tflite", "log 1");
	daemon_start(daemon, false);
	trial_ask(daemon, 10);
	trial_expect_history(daemon, "version 1 passed its trial");
	trial_put_and_reload(daemon, line);
	trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
}

/* About a negative number, in a session or without one. */
static void ask_for_nan(struct daemon *daemon, bool in_session)
{
	struct peer peer = peer_open_1_1(daemon);
	uint32_t session = 0;
	if (in_session) {
		peer_session_open(&peer, 1, "m");
		session = peer_expect_session(&peer, 1);
	}
	for (uint64_t i = 2; i < 5; i++) {
		peer_infer_in(&peer, session, i, "m", 4, -7, 0);
		peer_expect(&peer, i, EDGE_OK);
	}
	peer_close(&peer);
	trial_tell(daemon, WIRE_STORE_HISTORY, "m", NULL, EDGE_OK); /* the loader has its turn */
}

/* Or who asks so could keep every newer version away. */
static void nan_that_the_one_before_gives_too_is_no_fault(void **state)
{
	struct daemon *daemon = *state;
	start_with_a_logarithm(daemon, "log 2");
	for (int i = 0; i < 20; i++) {
		ask_for_nan(daemon, i % 2 == 1);
	}
	trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
	trial_ask(daemon, 10);
	trial_expect_history(daemon, "version 2 passed its trial");
}

static void nan_that_the_one_before_does_not_give_is_a_fault(void **state)
{
	struct daemon *daemon = *state;
	start_with_a_logarithm(daemon, "nan 2");
	ask_for_nan(daemon, false);
	while (!ends_trial(daemon)) {
		trial_ask(daemon, 1);
	}
	trial_expect_history(daemon, "3 of 3 runs were bad: 0 failed, 3 gave NaN, 0 were too slow");
	trial_expect_history(daemon, "rolled back to version 1");
}

static void one_that_is_far_slower_is_rolled_back(void **state)
{
	expect_rolled_back(
		*state, "toil 200", "3 of 3 runs were bad: 0 failed, 0 gave NaN, 3 were too slow");
}

/* What it waits for is no work of its own: others have the CPU, or a disk is slow. */
static void one_that_waits_for_others_is_not_slow(void **state)
{
	struct daemon *daemon = *state;
	trial_start_with_a_good_one(daemon);
	trial_put_and_reload(daemon, "late 200");
	trial_ask(daemon, 4);
	trial_tell(daemon, WIRE_STORE_HISTORY, "m", NULL,
		EDGE_OK); /* it would come behind a verdict */
	trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
}

/* As trial_ask(), but two rows at once. */
static void ask_for_more(struct daemon *daemon, int n)
{
	struct peer peer = peer_open(daemon);
	static const int8_t data[8] = {1};
	const struct wire_infer infer = {.model = wire_text_of("m"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8,
			.shape = {2, {2, 4}},
			.bytes = sizeof(data),
			.data = data}}};
	for (int i = 0; i < n; i++) {
		struct bytes_writer w = {0};
		wire_infer_encode(&w, &infer);
		peer_send(&peer, WIRE_INFER, (uint64_t)i + 1, 0, &w);
		peer_expect(&peer, (uint64_t)i + 1, EDGE_OK);
		bytes_writer_deinit(&w);
	}
	peer_close(&peer);
}

static void runs_of_other_shapes_do_not_make_it_slow(void **state)
{
	struct daemon *daemon = *state;
	trial_start_with_a_good_one(daemon);
	trial_put_and_reload(daemon, "toil 200");
	ask_for_more(daemon, 4);
	trial_tell(daemon, WIRE_STORE_HISTORY, "m", NULL,
		EDGE_OK); /* it would come behind a verdict */
	trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
}

static void the_first_version_goes_on_whatever_it_does(void **state)
{
	struct daemon *daemon = *state;
	daemon_put(daemon, "m.tflite", "fail 1");
	daemon_start(daemon, false);
	trial_ask(daemon, 3);
	daemon_wait_log(daemon, "there is no version to go back to");
	trial_expect_store(daemon, "1", 0, WIRE_STORE_TRIAL, "");
}

/* A second version may come before the first has proved itself. */
static void a_first_version_that_did_well_is_gone_back_to(void **state)
{
	struct daemon *daemon = *state;
	daemon_put(daemon, "m.tflite", "echo 4");
	daemon_start(daemon, false);
	trial_ask(daemon, 2);
	trial_put_and_reload(daemon, "fail 1");
	trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
	trial_ask(daemon, 3);
	trial_expect_history(daemon, "rolled back to version 1: 3 of 3 runs were bad");
	trial_expect_store(
		daemon, "1", 1, 0, "3 of 3 runs were bad: 3 failed, 0 gave NaN, 0 were too slow");
}

/* One bad run is enough, though the trial goes on; or nobody has asked it. */
static void a_first_version_that_did_badly_is_not(void **state)
{
	struct daemon *daemon = *state;
	daemon_put(daemon, "m.tflite", "log 1");
	daemon_start(daemon, false);
	trial_ask(daemon, 2);
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "m", 4, -7, 0);
	peer_expect(&peer, 1, EDGE_OK);
	peer_close(&peer);
	trial_put_and_reload(daemon, "log 2");
	trial_expect_store(daemon, "2", 0, WIRE_STORE_TRIAL, "");
	trial_put_and_reload(daemon, "nan 3");
	trial_expect_store(daemon, "3", 0, WIRE_STORE_TRIAL, "");
	trial_ask(daemon, 3);
	daemon_wait_log(daemon, "there is no version to go back to");
}

/* As trial_ask(), but the last number is the largest. */
static void ask_rising(struct daemon *daemon, int n)
{
	struct peer peer = peer_open(daemon);
	static const int8_t data[4] = {1, 2, 3, 4};
	const struct wire_infer infer = {.model = wire_text_of("m"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8,
			.shape = {2, {1, 4}},
			.bytes = sizeof(data),
			.data = data}}};
	for (int i = 0; i < n; i++) {
		struct bytes_writer w = {0};
		wire_infer_encode(&w, &infer);
		peer_send(&peer, WIRE_INFER, (uint64_t)i + 1, 0, &w);
		peer_expect(&peer, (uint64_t)i + 1, EDGE_OK);
		bytes_writer_deinit(&w);
	}
	peer_close(&peer);
}

/* Version 1 is good, version 2 on trial, for as long as it takes, and compared. */
static void start_with_a_shadow(struct daemon *daemon, const char *line, const char *more)
{
	char config[200];
	snprintf(config, sizeof(config), TRIAL_MODELS "probation-requests = 10\n%s", more);
	daemon_config(daemon, config);
	trial_start_with_a_good_one(daemon);
	snprintf(config, sizeof(config), TRIAL_MODELS "probation-requests = 100000\n%s", more);
	daemon_config(daemon, config);
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "models ready");
	trial_put_and_reload(daemon, line);
	trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
}

static void one_that_answers_otherwise_than_the_one_before_is_rolled_back(void **state)
{
	struct daemon *daemon = *state;
	start_with_a_shadow(daemon, "back 1", "probation-shadow = 100\n");
	while (!ends_trial(daemon)) {
		ask_rising(daemon, 1);
	}
	trial_expect_history(daemon, "3 of 3 answers are not those of the version before");
	trial_expect_store(daemon, "1", 1, 0, "3 of 3 answers are not those of the version before");
}

/* Other numbers, the same largest one. */
static void one_that_answers_alike_stays(void **state)
{
	struct daemon *daemon = *state;
	start_with_a_shadow(daemon, "add 1;", "probation-shadow = 50\n");
	ask_rising(daemon, 50);
	trial_tell(daemon, WIRE_STORE_HISTORY, "m", NULL, EDGE_OK);
	ask_rising(daemon, 50);
	trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
}

static void nothing_is_compared_unless_it_is_asked_for(void **state)
{
	struct daemon *daemon = *state;
	start_with_a_shadow(daemon, "back 1", "");
	ask_rising(daemon, 50);
	trial_tell(daemon, WIRE_STORE_HISTORY, "m", NULL, EDGE_OK);
	ask_rising(daemon, 50);
	trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
}

static void time_proves_a_version_too(void **state)
{
	struct daemon *daemon = *state;
	daemon_config(daemon, "[models]\nprobation-time = 100ms\n");
	daemon_put(daemon, "m.tflite", "echo 4");
	daemon_start(daemon, false);
	struct wire_text lines = {0};
	while (lines.length == 0) {
		struct peer peer = peer_open_store(daemon);
		peer_store(&peer, 1, WIRE_STORE_HISTORY, "m", NULL);
		struct answer answer = peer_receive(&peer);
		struct wire_text all;
		assert_int_equal(
			wire_store_reply_decode(answer.body, answer.header.body_bytes, &all, NULL),
			0);
		bool good = memmem(all.data, all.length, "passed its trial", 16) != NULL;
		lines.length = good;
		answer_free(&answer);
		peer_close(&peer);
	}
	trial_expect_store(daemon, "1", 1, 0, "");
}

/* It ends edged when it runs: after the second time it is not tried again. */
static void one_that_kills_edged_twice_is_not_run_a_third_time(void **state)
{
	struct daemon *daemon = *state;
	trial_start_with_a_good_one(daemon);
	trial_put_and_reload(daemon, "crash 1");
	for (int i = 0; i < 2; i++) {
		trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
		struct peer peer = peer_open(daemon);
		peer_infer(&peer, 1, "m", 4, 7, 0);
		assert_int_equal(daemon_wait(daemon), -SIGABRT);
		peer_close(&peer);
		daemon_start(daemon, false);
	}
	trial_expect_store(daemon, "1", 1, 0, "bad: edged crashed twice while it ran");
	trial_ask(daemon, 1);
}

/* It ends edged when it is tried, before it has served anybody. */
static void one_that_kills_edged_before_it_serves_is_not_tried_a_third_time(void **state)
{
	struct daemon *daemon = *state;
	trial_start_with_a_good_one(daemon);
	daemon_put(daemon, "m.tflite", "burn 1");
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 900, 0, NULL);
	assert_int_equal(daemon_wait(daemon), -SIGABRT);
	peer_close(&peer);
	daemon_spawn(daemon, false);
	assert_int_equal(daemon_wait(daemon), -SIGABRT);
	daemon_start(daemon, false);
	trial_expect_store(daemon, "1", 1, 0, "bad: edged crashed twice while it ran");
	trial_ask(daemon, 1);
}

/* Being killed while nothing of it runs is not its fault. */
static void one_that_was_not_running_is_not_blamed(void **state)
{
	struct daemon *daemon = *state;
	trial_start_with_a_good_one(daemon);
	trial_put_and_reload(daemon, "echo 8");
	for (int i = 0; i < 4; i++) {
		daemon_signal(daemon, SIGKILL);
		daemon_wait(daemon);
		daemon_start(daemon, false);
		trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
	}
}

/* Whatever ends edged twice at the same place: a version that was good is not given up for that. */
static void a_good_one_that_was_being_opened_at_two_deaths_serves(void **state)
{
	struct daemon *daemon = *state;
	char line[120];
	snprintf(line, sizeof(line), "stall %s/gate", daemon->folder);
	daemon_put(daemon, "m.tflite", line);
	daemon_let_go(daemon, 1);
	daemon_start(daemon, false);
	daemon_wait_running(daemon);
	trial_ask(daemon, 10);
	trial_tell(
		daemon, WIRE_STORE_HISTORY, "m", NULL, EDGE_OK); /* it comes behind the verdict */
	trial_expect_store(daemon, "1", 1, 0, "");
	for (int i = 0; i < 4; i++) {
		daemon_signal(daemon, SIGKILL);
		daemon_wait(daemon);
		daemon_spawn(daemon, false);
		daemon_wait_running(daemon);
	}
	daemon_let_go(daemon, 1);
	daemon_wait_log(daemon, "models ready");
	trial_expect_store(daemon, "1", 1, 0, "");
	trial_ask(daemon, 1);
}

static void a_rollback_lasts_until_it_is_forgotten(void **state)
{
	struct daemon *daemon = *state;
	char text[DIGEST_TEXT_SIZE], prefix[16];
	const struct digest digest = digest_of("echo 8", 6);
	snprintf(prefix, sizeof(prefix), "%.8s", digest_to_hex(&digest, text));
	trial_start_with_a_good_one(daemon);
	trial_tell(daemon, WIRE_STORE_ROLLBACK, "m", NULL, EDGE_NOT_FOUND);
	trial_put_and_reload(daemon, "echo 8");
	trial_tell(daemon, WIRE_STORE_ROLLBACK, "m", NULL, EDGE_OK);
	trial_expect_store(daemon, "1", 1, 0, "rolled back by uid 0");
	trial_ask(daemon, 1);
	daemon_signal(daemon, SIGKILL);
	daemon_wait(daemon);
	daemon_start(daemon, false);
	trial_expect_store(daemon, "1", 1, 0, "bad: rolled back by uid 0");
	trial_tell(daemon, WIRE_STORE_FORGET_BAD, "", "00000000", EDGE_NOT_FOUND);
	trial_tell(daemon, WIRE_STORE_FORGET_BAD, "", "0000", EDGE_INVALID);
	trial_tell(daemon, WIRE_STORE_FORGET_BAD, "", prefix, EDGE_OK);
	daemon_wait_log(daemon, "model m version 3: ready");
	trial_expect_store(daemon, "3", 1, WIRE_STORE_TRIAL, "");
}

static void a_pinned_version_stays(void **state)
{
	struct daemon *daemon = *state;
	trial_start_with_a_good_one(daemon);
	trial_tell(daemon, WIRE_STORE_PIN, "m", NULL, EDGE_OK);
	trial_put_and_reload(daemon, "echo 8");
	trial_expect_store(daemon, "1", 1, WIRE_STORE_PINNED, "");
	daemon_remove(daemon, "m.tflite");
	daemon_signal(daemon, SIGTERM);
	daemon_wait(daemon);
	daemon_start(daemon, false);
	trial_expect_store(daemon, "1", 1, WIRE_STORE_PINNED, "");
	trial_put_and_reload(daemon, "echo 8");
	trial_tell(daemon, WIRE_STORE_UNPIN, "m", NULL, EDGE_OK);
	daemon_wait_log(daemon, "model m version 2: ready");
	trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
}

/* Though each file may take its time. */
static void an_order_waits_for_one_file_at_most(void **state)
{
	struct daemon *daemon = *state;
	char line[120];
	snprintf(line, sizeof(line), "stall %s/gate", daemon->folder);
	trial_start_with_a_good_one(daemon);
	daemon_put(daemon, "a.tflite", line);
	daemon_put(daemon, "b.tflite", line);
	struct peer waits = peer_open(daemon), asks = peer_open_store(daemon);
	peer_send(&waits, WIRE_RELOAD, 1, 0, NULL);
	daemon_wait_running(daemon);
	peer_store(&asks, 1, WIRE_STORE_PIN, "m", NULL);
	peer_send(&asks, WIRE_LIST, 2, 0, NULL); /* what is behind it is read, so it is too */
	peer_expect(&asks, 2, EDGE_OK);
	daemon_let_go(daemon, 1);
	daemon_wait_running(daemon);
	peer_expect(&asks, 1, EDGE_OK);
	daemon_let_go(daemon, 1);
	peer_expect(&waits, 1, EDGE_OK);
	peer_close(&asks);
	peer_close(&waits);
}

static void only_those_who_may_change_the_store(void **state)
{
	struct daemon *daemon = *state;
	daemon_config(daemon, "[daemon]\nsocket-mode = 0666\n[models]\nprobation-requests = 10\n");
	assert_int_equal(chmod(daemon->folder, 0755), 0);
	trial_start_with_a_good_one(daemon);
	if (geteuid() != 0) {
		print_message("SKIPPED: not root, so there is nobody else to ask as\n");
		return;
	}
	pid_t stranger = fork();
	if (stranger == 0) {
		if (setegid(65534) != 0 || seteuid(65534) != 0) {
			_exit(2);
		}
		trial_tell(daemon, WIRE_STORE_PIN, "m", NULL, EDGE_DENIED);
		trial_tell(daemon, WIRE_STORE_ROLLBACK, "m", NULL, EDGE_DENIED);
		trial_tell(daemon, WIRE_STORE_HISTORY, "m", NULL, EDGE_OK);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(stranger, &status, 0), stranger);
	assert_int_equal(status, 0);
}

static void the_store_is_there_for_1_2_only_and_judges_what_it_is_told(void **state)
{
	struct daemon *daemon = *state;
	trial_start_with_a_good_one(daemon);
	struct peer old = peer_open_1_1(daemon);
	peer_send(&old, WIRE_STORE_LIST, 1, 0, NULL);
	peer_expect(&old, 1, EDGE_UNSUPPORTED);
	peer_store(&old, 2, WIRE_STORE_PIN, "m", NULL);
	peer_expect(&old, 2, EDGE_UNSUPPORTED);
	peer_close(&old);
	trial_tell(daemon, WIRE_STORE_PIN, "none", NULL, EDGE_NOT_FOUND);
	trial_tell(daemon, WIRE_STORE_PIN, "", NULL, EDGE_NOT_FOUND);
	trial_tell(daemon, (enum wire_store_verb)0, "m", NULL, EDGE_UNSUPPORTED);
	trial_tell(daemon, (enum wire_store_verb)99, "m", NULL, EDGE_UNSUPPORTED);
	char name[400];
	memset(name, 'x', sizeof(name));
	name[399] = 0;
	trial_tell(daemon, WIRE_STORE_PIN, name, NULL, EDGE_INVALID);
	trial_tell(daemon, WIRE_STORE_FORGET_BAD, "", name, EDGE_INVALID);
}

#define rollback_test(f) cmocka_unit_test_setup_teardown(f, trial_set_up, trial_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		rollback_test(one_that_fails_is_rolled_back),
		rollback_test(who_asks_after_a_trial_that_failed_is_answered_by_the_good_one),
		rollback_test(one_that_fails_goes_although_the_disk_is_full),
		rollback_test(a_pinned_version_goes_on_though_it_fails),
		rollback_test(one_that_gives_nan_is_rolled_back),
		rollback_test(nan_that_the_one_before_gives_too_is_no_fault),
		rollback_test(nan_that_the_one_before_does_not_give_is_a_fault),
		rollback_test(one_that_is_far_slower_is_rolled_back),
		rollback_test(one_that_waits_for_others_is_not_slow),
		rollback_test(runs_of_other_shapes_do_not_make_it_slow),
		rollback_test(the_first_version_goes_on_whatever_it_does),
		rollback_test(a_first_version_that_did_well_is_gone_back_to),
		rollback_test(a_first_version_that_did_badly_is_not),
		rollback_test(one_that_answers_otherwise_than_the_one_before_is_rolled_back),
		rollback_test(one_that_answers_alike_stays),
		rollback_test(nothing_is_compared_unless_it_is_asked_for),
		rollback_test(time_proves_a_version_too),
		rollback_test(one_that_kills_edged_twice_is_not_run_a_third_time),
		rollback_test(one_that_kills_edged_before_it_serves_is_not_tried_a_third_time),
		rollback_test(one_that_was_not_running_is_not_blamed),
		rollback_test(a_good_one_that_was_being_opened_at_two_deaths_serves),
		rollback_test(a_rollback_lasts_until_it_is_forgotten),
		rollback_test(a_pinned_version_stays),
		rollback_test(an_order_waits_for_one_file_at_most),
		rollback_test(only_those_who_may_change_the_store),
		rollback_test(the_store_is_there_for_1_2_only_and_judges_what_it_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
