/* SPDX-License-Identifier: Apache-2.0 */
/* Which models stay in memory, and what becomes of requests for those that did not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define BUDGET "[models]\nmemory-budget = 1000000\nprobation-requests = 1\n"

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	unsetenv("MEMORY_PRESSURE_WATCH");
	daemon_end(*state);
	free(*state);
	return 0;
}

static void reload(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 900, 0, NULL);
	peer_expect(&peer, 900, EDGE_OK);
	peer_close(&peer);
}

static bool is_in_state(struct daemon *daemon, const char *model, const char *state)
{
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_LIST, 901, 0, NULL);
	struct answer answer = peer_receive(&peer);
	struct wire_list_item item = answer_find(&answer, model);
	bool is = wire_text_is(item.state, state);
	answer_free(&answer);
	peer_close(&peer);
	return is;
}

static void expect_reason(struct daemon *daemon, const char *model, const char *reason)
{
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_LIST, 901, 0, NULL);
	struct answer answer = peer_receive(&peer);
	struct wire_list_item item = answer_find(&answer, model);
	if (!memmem(item.reason.data, item.reason.length, reason, strlen(reason))) {
		fail_msg("%.*s", (int)item.reason.length, item.reason.data);
	}
	answer_free(&answer);
	peer_close(&peer);
}

static void ask(struct daemon *daemon, const char *model, int n)
{
	struct peer peer = peer_open(daemon);
	for (int i = 0; i < n; i++) {
		peer_infer(&peer, 1, model, 4, 7, 0);
		peer_expect_echo(&peer, 1, 4, 7);
	}
	peer_close(&peer);
}

static void tell(
	struct daemon *daemon, unsigned int verb, const char *model, enum edge_status status)
{
	struct peer peer = peer_open_store(daemon);
	peer_store(&peer, 1, (enum wire_store_verb)verb, model, NULL);
	peer_expect(&peer, 1, status);
	peer_close(&peer);
}

/* a, b and c take 400,000 bytes each: two of them fit. */
static void start_three_with(struct daemon *daemon, const char *config)
{
	daemon_config(daemon, config);
	daemon_put(daemon, "a.tflite", "big 400000");
	daemon_put(daemon, "b.tflite", "big 400001");
	daemon_put(daemon, "c.tflite", "big 400002");
	daemon_start(daemon, false);
}

static void start_three(struct daemon *daemon)
{
	start_three_with(daemon, BUDGET);
}

static void what_was_used_longest_ago_goes_when_nobody_has_asked(void **state)
{
	struct daemon *daemon = *state;
	start_three(daemon);
	assert_true(is_in_state(daemon, "a", "unloaded"));
	assert_true(is_in_state(daemon, "b", "ready"));
	assert_true(is_in_state(daemon, "c", "ready"));
	expect_reason(daemon, "a", "for the memory budget");
}

static void who_asks_has_it_loaded_and_another_goes(void **state)
{
	struct daemon *daemon = *state;
	start_three(daemon);
	ask(daemon, "b", 2000); /* so often that no hiccup while one was loaded matters */
	ask(daemon, "a", 1);
	assert_true(is_in_state(daemon, "a", "ready"));
	assert_true(is_in_state(daemon, "b", "ready"));
	assert_true(is_in_state(daemon, "c", "unloaded"));
	ask(daemon, "c", 1); /* a was asked less than b */
	assert_true(is_in_state(daemon, "a", "unloaded"));
	assert_true(is_in_state(daemon, "b", "ready"));
}

static void who_may_not_use_a_model_has_none_loaded_or_unloaded(void **state)
{
	struct daemon *daemon = *state;
	struct bytes_writer w = {0};
	start_three_with(daemon, BUDGET "[access]\nmodels = a=4294967294\n");
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "a", 4, 7, 0);
	peer_expect(&peer, 1, EDGE_DENIED);
	wire_describe_encode(&w, &(struct wire_describe){.model = {"a", 1}});
	peer_send(&peer, WIRE_DESCRIBE, 2, 0, &w);
	peer_expect(&peer, 2, EDGE_DENIED);
	peer_close(&peer);
	assert_true(is_in_state(daemon, "a", "unloaded"));
	assert_true(is_in_state(daemon, "b", "ready"));
	assert_true(is_in_state(daemon, "c", "ready"));
	bytes_writer_deinit(&w);
}

static void a_pinned_model_stays(void **state)
{
	struct daemon *daemon = *state;
	start_three(daemon);
	tell(daemon, WIRE_STORE_PIN, "c", EDGE_OK);
	ask(daemon, "b", 5);
	ask(daemon, "a", 1);
	assert_true(is_in_state(daemon, "b", "unloaded"));
	assert_true(is_in_state(daemon, "c", "ready"));
	tell(daemon, WIRE_STORE_UNLOAD, "c", EDGE_DENIED);
}

static uint64_t held_bytes(struct daemon *daemon)
{
	struct wire_status status;
	struct peer peer = peer_open_1_3(daemon);
	peer_send(&peer, WIRE_STATUS, 902, 0, NULL);
	struct answer answer = peer_receive(&peer);
	assert_int_equal(
		wire_status_decode(answer.body, answer.header.body_bytes, &status, NULL), 0);
	answer_free(&answer);
	peer_close(&peer);
	return status.held_bytes;
}

/* Version 1 of m is good, version 2 on trial: both are in memory. */
static void start_on_trial(struct daemon *daemon)
{
	daemon_config(daemon, BUDGET);
	daemon_put(daemon, "m.tflite", "big 400000");
	daemon_start(daemon, false);
	ask(daemon, "m", 1);
	tell(daemon, WIRE_STORE_HISTORY, "m", EDGE_OK); /* it comes behind the verdict */
	daemon_put(daemon, "m.tflite", "big 400001");
	reload(daemon);
	assert_true(held_bytes(daemon) > 800000);
}

static void what_a_version_on_trial_would_go_back_to_makes_place_first(void **state)
{
	struct daemon *daemon = *state;
	start_on_trial(daemon);
	daemon_put(daemon, "n.tflite", "big 400002");
	reload(daemon);
	assert_true(is_in_state(daemon, "m", "ready"));
	assert_true(is_in_state(daemon, "n", "ready"));
	assert_in_range(held_bytes(daemon), 800000, 1000000);
}

static void of_one_model_two_versions_are_in_memory_at_most(void **state)
{
	struct daemon *daemon = *state;
	char line[128];
	start_on_trial(daemon);
	snprintf(line, sizeof(line), "stall %s/gate", daemon->folder);
	daemon_put(daemon, "m.tflite", line);
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 900, 0, NULL);
	daemon_wait_running(daemon);
	while (held_bytes(daemon) > 500000) {} /* it is told before the third is opened */
	daemon_let_go(daemon, 1);
	peer_expect(&peer, 900, EDGE_OK);
	peer_close(&peer);
}

static void all_kinds_of_requests_wait_for_it(void **state)
{
	struct daemon *daemon = *state;
	struct bytes_writer w = {0};
	const struct wire_describe describe = {.model = wire_text_of("a")};
	start_three(daemon);
	struct peer peer = peer_open_1_1(daemon);
	wire_describe_encode(&w, &describe);
	peer_send(&peer, WIRE_DESCRIBE, 3, 0, &w);
	bytes_writer_deinit(&w);
	peer_expect(&peer, 3, EDGE_OK);
	peer_session_open(&peer, 4, "b");
	peer_expect_session(&peer, 4);
	peer_session_open(&peer, 5, "c");
	peer_expect_session(&peer, 5);
	peer_close(&peer);
}

/* m is being opened until somebody lets it go. */
static void start_stalled(struct daemon *daemon, const char *config)
{
	char line[128];
	daemon_config(daemon, config);
	snprintf(line, sizeof(line), "stall %s/gate", daemon->folder);
	daemon_put(daemon, "m.tflite", line);
	daemon_put(daemon, "other.tflite", "echo 4");
	daemon_let_go(daemon, 1);
	daemon_start(daemon, false);
	daemon_wait_running(daemon);
	tell(daemon, WIRE_STORE_UNLOAD, "m", EDGE_OK);
	assert_true(is_in_state(daemon, "m", "unloaded"));
	expect_reason(daemon, "m", "as somebody said");
}

static void others_are_answered_while_it_is_loaded(void **state)
{
	struct daemon *daemon = *state;
	start_stalled(daemon, "[daemon]\nworkers = 1\n[models]\nload-wait = 1min\n");
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "m", 4, 7, 0);
	peer_infer(&peer, 2, "m", 4, 8, 0);
	daemon_wait_running(daemon);
	ask(daemon, "other", 10);
	daemon_let_go(daemon, 1);
	peer_expect_echo(&peer, 1, 4, 7);
	peer_expect_echo(&peer, 2, 4, 8);
	peer_close(&peer);
}

static void nobody_waits_longer_than_load_wait(void **state)
{
	struct daemon *daemon = *state;
	start_stalled(daemon, "[models]\nload-wait = 20ms\n");
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "m", 4, 7, 0);
	peer_expect(&peer, 1, EDGE_OVERLOADED);
	daemon_wait_running(daemon);
	daemon_let_go(daemon, 1);
	daemon_wait_log(daemon, "model m version 1: ready");
	peer_infer(&peer, 2, "m", 4, 7, 0);
	peer_expect_echo(&peer, 2, 4, 7);
	peer_close(&peer);
}

static void its_own_deadline_counts(void **state)
{
	struct daemon *daemon = *state;
	start_stalled(daemon, "[models]\nload-wait = 10min\n");
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "m", 4, 7, 20000);
	peer_expect(&peer, 1, EDGE_DEADLINE);
	peer_infer(&peer, 2, "m", 4, 7, 0);
	peer_cancel(&peer, 3, 2);
	struct answer first = peer_receive(&peer), second = peer_receive(&peer);
	assert_int_equal(first.header.status + second.header.status, EDGE_CANCELLED);
	answer_free(&first);
	answer_free(&second);
	peer_close(&peer);
	daemon_wait_running(daemon);
	daemon_let_go(daemon, 1);
}

static void one_that_is_used_stays(void **state)
{
	struct daemon *daemon = *state;
	daemon_config(daemon, BUDGET "load-wait = 1min\n");
	daemon_put(daemon, "a.tflite", "big 600000");
	daemon_put(daemon, "b.tflite", "big 600001");
	daemon_start(daemon, false);
	assert_true(is_in_state(daemon, "a", "unloaded"));
	struct peer holder = peer_open_1_1(daemon), peer = peer_open(daemon);
	peer_session_open(&holder, 1, "b");
	peer_expect_session(&holder, 1);
	peer_infer(&peer, 2, "a", 4, 7, 50000);
	peer_expect(&peer, 2, EDGE_DEADLINE);
	assert_true(is_in_state(daemon, "b", "ready"));
	peer_infer(&peer, 3, "a", 4, 7, 0);
	peer_close(&holder);
	ask(daemon, "b", 1);
	peer_expect_echo(&peer, 3, 4, 7);
	peer_close(&peer);
}

static void a_version_that_does_not_fit_beside_the_old_one_is_refused(void **state)
{
	struct daemon *daemon = *state;
	daemon_config(daemon, BUDGET);
	daemon_put(daemon, "m.tflite", "big 600000");
	daemon_start(daemon, false);
	ask(daemon, "m", 1);
	daemon_put(daemon, "m.tflite", "big 600001");
	reload(daemon);
	assert_true(is_in_state(daemon, "m", "ready"));
	expect_reason(daemon, "m", "update-policy = keep-serving");
	daemon_put(daemon, "m.tflite", "big 300000");
	reload(daemon);
	expect_reason(daemon, "m", "");
	daemon_put(daemon, "m.tflite", "big 1000001");
	reload(daemon);
	expect_reason(daemon, "m", "the budget has room for 1000000");
	ask(daemon, "m", 1);
}

static void or_it_takes_the_place_of_the_old_one(void **state)
{
	struct daemon *daemon = *state;
	daemon_config(daemon, BUDGET "update-policy = replace\n");
	daemon_put(daemon, "m.tflite", "big 600000");
	daemon_start(daemon, false);
	ask(daemon, "m", 1);
	daemon_put(daemon, "m.tflite", "big 600001");
	reload(daemon);
	daemon_wait_log(daemon, "update-policy = replace");
	daemon_wait_log(daemon, "model m version 2: ready");
	ask(daemon, "m", 1);
}

static void a_large_file_that_is_no_model_takes_nobodys_place(void **state)
{
	struct daemon *daemon = *state;
	char config[1200];
	static char bytes[600001] = "broken\n";
	snprintf(config, sizeof(config),
		BUDGET "update-policy = replace\n[daemon]\ncheck-program = %s\n",
		getenv("EDGED_CHECK_FAKE"));
	daemon_config(daemon, config);
	daemon_put(daemon, "m.tflite", "big 600000");
	daemon_start(daemon, false);
	ask(daemon, "m", 1);
	daemon_put_bytes(daemon, "m.tflite", bytes, sizeof(bytes));
	reload(daemon);
	expect_reason(daemon, "m", "broken");
	assert_true(is_in_state(daemon, "m", "ready"));
	ask(daemon, "m", 1);
}

static void an_unloaded_model_is_there_after_a_look_and_takes_updates(void **state)
{
	struct daemon *daemon = *state;
	daemon_put(daemon, "m.tflite", "big 4000");
	daemon_start(daemon, false);
	tell(daemon, WIRE_STORE_UNLOAD, "m", EDGE_OK);
	reload(daemon);
	assert_true(is_in_state(daemon, "m", "unloaded"));
	daemon_put(daemon, "m.tflite", "broken");
	reload(daemon);
	assert_true(is_in_state(daemon, "m", "unloaded"));
	tell(daemon, WIRE_STORE_LOAD, "m", EDGE_OK);
	assert_true(is_in_state(daemon, "m", "ready"));
	tell(daemon, WIRE_STORE_LOAD, "m", EDGE_OK);
	tell(daemon, WIRE_STORE_UNLOAD, "m", EDGE_OK);
	daemon_put(daemon, "m.tflite", "big 5000");
	reload(daemon);
	assert_true(is_in_state(daemon, "m", "ready"));
	ask(daemon, "m", 1);
	tell(daemon, WIRE_STORE_UNLOAD, "m", EDGE_OK);
	daemon_remove(daemon, "m.tflite");
	reload(daemon);
	tell(daemon, WIRE_STORE_LOAD, "m", EDGE_NOT_FOUND);
	tell(daemon, WIRE_STORE_UNLOAD, "m", EDGE_NOT_FOUND);
}

static void what_the_store_has_not_is_not_unloaded(void **state)
{
	struct daemon *daemon = *state;
	char path[128];
	daemon_config(daemon, BUDGET);
	snprintf(path, sizeof(path), "%s/state", daemon->folder);
	assert_int_equal(rmdir(path), 0);
	daemon_put(daemon, "a.tflite", "big 600000");
	daemon_put(daemon, "b.tflite", "big 600001");
	daemon_start(daemon, false);
	assert_true(is_in_state(daemon, "a", "ready"));
	assert_true(is_in_state(daemon, "b", "ready"));
	tell(daemon, WIRE_STORE_UNLOAD, "a", EDGE_UNSUPPORTED);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void a_copy_that_is_broken_when_it_is_wanted_comes_from_the_folder(void **state)
{
	struct daemon *daemon = *state;
	char command[256];
	daemon_put(daemon, "m.tflite", "big 4000");
	daemon_start(daemon, false);
	tell(daemon, WIRE_STORE_UNLOAD, "m", EDGE_OK);
	snprintf(command, sizeof(command), "rm %s/state/blobs/*", daemon->folder);
	assert_int_equal(system(command), 0);
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "m", 4, 7, 0);
	peer_expect(&peer, 1, EDGE_MODEL_REFUSED);
	peer_close(&peer);
	reload(daemon);
	ask(daemon, "m", 1);
}

/* ---- pressure */

static void when_memory_is_short_caches_go_first_and_then_models(void **state)
{
	struct daemon *daemon = *state;
	char path[128];
	snprintf(path, sizeof(path), "%s/pressure", daemon->folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	setenv("MEMORY_PRESSURE_WATCH", path, 1);
	daemon_put(daemon, "a.tflite", "sum 1000");
	daemon_put(daemon, "b.tflite", "sum 1000");
	daemon_start(daemon, false);
	ask(daemon, "b", 1);
	assert_int_equal(write(fd, "x", 1), 1);
	daemon_wait_log(daemon, "memory is short: idle sessions are dropped");
	assert_true(is_in_state(daemon, "a", "ready"));
	assert_int_equal(write(fd, "x", 1), 1);
	daemon_wait_log(daemon, "model a version 1: unloaded because memory is short");
	assert_true(is_in_state(daemon, "b", "ready"));
	ask(daemon, "a", 1);
	close(fd);
	unlink(path);
}

/* A file cannot be waited for: it is read when something is done anyway. */
static void where_nothing_can_be_watched_the_figure_is_read_with_requests(void **state)
{
	struct daemon *daemon = *state;
	char path[128];
	snprintf(path, sizeof(path), "%s/pressure", daemon->folder);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	const char low[] = "some avg10=9.99 avg60=0.00 avg300=0.00 total=1\n";
	const char high[] = "some avg10=10.0 avg60=0.00 avg300=0.00 total=1\n";
	assert_int_equal(write(fd, high, sizeof(high) - 1), sizeof(high) - 1);
	setenv("MEMORY_PRESSURE_WATCH", path, 1);
	daemon_put(daemon, "a.tflite", "sum 1000");
	daemon_start(daemon, false);
	ask(daemon, "a", 1);
	daemon_wait_log(daemon, "memory is short: idle sessions are dropped");
	daemon_signal(daemon, SIGTERM);
	daemon_wait(daemon);
	assert_int_equal(pwrite(fd, low, sizeof(low) - 1, 0), sizeof(low) - 1);
	daemon_start(daemon, false);
	ask(daemon, "a", 5);
	daemon_signal(daemon, SIGTERM);
	assert_false(daemon_look_log(daemon, "memory is short"));
	daemon_wait(daemon);
	daemon_start(daemon, false);
	close(fd);
	unlink(path);
}

#define budget_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		budget_test(what_was_used_longest_ago_goes_when_nobody_has_asked),
		budget_test(who_asks_has_it_loaded_and_another_goes),
		budget_test(who_may_not_use_a_model_has_none_loaded_or_unloaded),
		budget_test(a_pinned_model_stays),
		budget_test(what_a_version_on_trial_would_go_back_to_makes_place_first),
		budget_test(of_one_model_two_versions_are_in_memory_at_most),
		budget_test(all_kinds_of_requests_wait_for_it),
		budget_test(others_are_answered_while_it_is_loaded),
		budget_test(nobody_waits_longer_than_load_wait),
		budget_test(its_own_deadline_counts),
		budget_test(one_that_is_used_stays),
		budget_test(a_version_that_does_not_fit_beside_the_old_one_is_refused),
		budget_test(or_it_takes_the_place_of_the_old_one),
		budget_test(a_large_file_that_is_no_model_takes_nobodys_place),
		budget_test(an_unloaded_model_is_there_after_a_look_and_takes_updates),
		budget_test(what_the_store_has_not_is_not_unloaded),
		budget_test(a_copy_that_is_broken_when_it_is_wanted_comes_from_the_folder),
		budget_test(when_memory_is_short_caches_go_first_and_then_models),
		budget_test(where_nothing_can_be_watched_the_figure_is_read_with_requests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
