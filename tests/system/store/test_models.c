/* SPDX-License-Identifier: Apache-2.0 */
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
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_start(daemon, false);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

static void gate_line(const struct daemon *daemon, const char *kind, char *out, size_t size)
{
	snprintf(out, size, "%s %s/gate", kind, daemon->folder);
}

/* RELOAD, and its answer. */
static void reload(struct peer *peer)
{
	peer_send(peer, WIRE_RELOAD, 900, 0, NULL);
	peer_expect(peer, 900, EDGE_OK);
}

static void expect_state(struct peer *peer, const char *model, const char *state,
	const char *version, const char *reason)
{
	peer_send(peer, WIRE_LIST, 901, 0, NULL);
	struct answer answer = peer_receive(peer);
	struct wire_list_item item = answer_find(&answer, model);
	if (!wire_text_is(item.state, state) || !wire_text_is(item.version, version) ||
		!wire_text_is(item.reason, reason)) {
		fail_msg("%s: %.*s, version %.*s, reason %.*s", model, (int)item.state.length,
			item.state.data, (int)item.version.length, item.version.data,
			(int)item.reason.length, item.reason.data);
	}
	answer_free(&answer);
}

static void reload_finds_new_changed_and_removed_models(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	daemon_put(daemon, "second.tflite", "echo 8");
	reload(&peer);
	peer_infer(&peer, 1, "second", 8, 1, 0);
	peer_expect_echo(&peer, 1, 8, 1);
	daemon_put(daemon, "second.tflite", "echo 1234");
	reload(&peer);
	peer_infer(&peer, 2, "second", 1234, 2, 0);
	peer_expect_echo(&peer, 2, 1234, 2);
	daemon_remove(daemon, "second.tflite");
	reload(&peer);
	peer_infer(&peer, 3, "second", 1234, 2, 0);
	peer_expect(&peer, 3, EDGE_NOT_FOUND);
	peer_infer(&peer, 4, "echo", 4, 4, 0);
	peer_expect_echo(&peer, 4, 4, 4);
	peer_close(&peer);
}

/* "touch" makes its file when a run is not asked anything. */
static void a_model_has_run_once_before_it_serves(void **state)
{
	struct daemon *daemon = *state;
	char line[160], path[128];
	struct peer peer = peer_open(daemon);
	snprintf(path, sizeof(path), "%s/warm", daemon->folder);
	snprintf(line, sizeof(line), "touch %s", path);
	daemon_put(daemon, "second.tflite", line);
	reload(&peer);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(path), 0);
	/* Nothing of that stays where runs add up. */
	daemon_put(daemon, "second.tflite", "sum 0");
	reload(&peer);
	peer_infer(&peer, 1, "second", 4, 3, 0);
	peer_expect_echo(&peer, 1, 4, 3);
	peer_close(&peer);
}

static void sighup_does_the_same(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	daemon_put(daemon, "hup.tflite", "echo 4");
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "model hup version 1: ready");
	daemon_wait_log(daemon, "models ready");
	peer_infer(&peer, 1, "hup", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	daemon_remove(daemon, "hup.tflite");
	reload(&peer);
	peer_close(&peer);
}

static void a_refused_file_leaves_the_old_model_serving(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	daemon_put(daemon, "m.tflite", "echo 4");
	reload(&peer);
	daemon_put(daemon, "m.tflite", "offset 12 past the end");
	reload(&peer);
	expect_state(&peer, "m", "ready", "1", "offset 12 past the end");
	peer_infer(&peer, 1, "m", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	daemon_put(daemon, "m.tflite", "echo 16");
	reload(&peer);
	expect_state(&peer, "m", "ready", "2", "");
	peer_infer(&peer, 2, "m", 16, 1, 0);
	peer_expect_echo(&peer, 2, 16, 1);
	daemon_remove(daemon, "m.tflite");
	reload(&peer);
	peer_close(&peer);
}

/* The file is written over in place while it serves: nothing of that is seen before a reload. */
static void overwriting_a_file_in_place_changes_nothing_by_itself(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	daemon_put(daemon, "m.tflite", "echo 4");
	reload(&peer);
	daemon_put(daemon, "m.tflite", "garbage");
	peer_infer(&peer, 1, "m", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	daemon_remove(daemon, "m.tflite");
	reload(&peer);
	peer_close(&peer);
}

static void the_highest_version_that_loads_serves(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	daemon_put(daemon, "v/2/model.tflite", "echo 8");
	daemon_put(daemon, "v/10/model.tflite", "echo 16");
	daemon_put(daemon, "v/10/labels.txt", "a\nb\n");
	daemon_put(daemon, "v/9x/model.tflite", "echo 32");
	reload(&peer);
	expect_state(&peer, "v", "ready", "10", "");
	peer_infer(&peer, 1, "v", 16, 1, 0);
	peer_expect_echo(&peer, 1, 16, 1);
	daemon_put(daemon, "v/11/model.tflite", "torn");
	reload(&peer);
	expect_state(&peer, "v", "ready", "10", "version 11: torn");
	daemon_remove(daemon, "v/10/model.tflite");
	reload(&peer);
	expect_state(&peer, "v", "ready", "2", "version 11: torn");
	daemon_remove(daemon, "v/2/model.tflite");
	daemon_remove(daemon, "v/11/model.tflite");
	reload(&peer);
	peer_infer(&peer, 2, "v", 16, 1, 0);
	peer_expect(&peer, 2, EDGE_NOT_FOUND);
	peer_close(&peer);
}

static void a_running_request_finishes_on_the_model_it_began_with(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	char line[128];
	gate_line(daemon, "slow", line, sizeof(line));
	daemon_put(daemon, "s.tflite", line);
	reload(&peer);
	peer_infer(&peer, 1, "s", 4, 7, 0);
	daemon_wait_running(daemon);
	daemon_put(daemon, "s.tflite", "echo 64");
	reload(&peer);
	peer_infer(&peer, 2, "s", 64, 8, 0);
	peer_expect_echo(&peer, 2, 64, 8);
	daemon_let_go(daemon, 1);
	peer_expect_echo(&peer, 1, 4, 7);
	daemon_remove(daemon, "s.tflite");
	reload(&peer);
	peer_close(&peer);
}

static void while_a_model_loads_others_are_served(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	char line[128];
	gate_line(daemon, "stall", line, sizeof(line));
	daemon_put(daemon, "l.tflite", line);
	peer_send(&peer, WIRE_RELOAD, 1, 0, NULL);
	daemon_wait_running(daemon);
	expect_state(&peer, "l", "loading", "", "");
	peer_infer(&peer, 2, "l", 4, 1, 0);
	peer_expect(&peer, 2, EDGE_OVERLOADED);
	peer_infer(&peer, 3, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 3, 4, 1);
	daemon_let_go(daemon, 1);
	peer_expect(&peer, 1, EDGE_OK);
	peer_infer(&peer, 4, "l", 4, 1, 0);
	peer_expect_echo(&peer, 4, 4, 1);
	daemon_remove(daemon, "l.tflite");
	reload(&peer);
	peer_close(&peer);
}

static void what_is_no_regular_file_or_no_name_is_not_served(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	char path[256], target[256];
	snprintf(target, sizeof(target), "%s/models/echo.tflite", daemon->folder);
	snprintf(path, sizeof(path), "%s/models/link.tflite", daemon->folder);
	assert_int_equal(symlink(target, path), 0);
	snprintf(path, sizeof(path), "%s/models/pipe.tflite", daemon->folder);
	assert_int_equal(mkfifo(path, 0644), 0);
	snprintf(path, sizeof(path), "%s/models/folder.tflite", daemon->folder);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/models/away", daemon->folder);
	assert_int_equal(symlink("/", path), 0);
	daemon_put(daemon, "Upper.tflite", "echo 4");
	daemon_put(daemon, ".hidden.tflite", "echo 4");
	daemon_put(daemon, "with space.tflite", "echo 4");
	reload(&peer);
	expect_state(&peer, "pipe", "refused", "0", "not a regular file");
	expect_state(&peer, "folder", "refused", "0", "not a regular file");
	expect_state(&peer, "link", "refused", "0",
		"an absolute link, or one that leads out of the folder");
	expect_state(&peer, "away", "refused", "0",
		"an absolute link, or one that leads out of the folder");
	peer_infer(&peer, 1, "Upper", 4, 1, 0);
	peer_expect(&peer, 1, EDGE_NOT_FOUND);
	peer_infer(&peer, 2, "link", 4, 1, 0);
	peer_expect(&peer, 2, EDGE_MODEL_REFUSED);
	peer_infer(&peer, 3, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 3, 4, 1);
	peer_close(&peer);
}

/* A configuration that was broken meanwhile changes nothing; a good one takes effect. */
static void sighup_reads_the_configuration(void **state)
{
	struct daemon *daemon = *state;
	daemon_config(daemon, "[limits]\nmax-in-flight = none\n");
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "test.conf:2: max-in-flight: \"none\" is not a number");
	daemon_config(daemon, "[daemon]\nworkers = 3\n[limits]\nmax-in-flight = 3\n");
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "workers takes effect at the next start");
	daemon_wait_log(daemon, "models ready");
	struct peer peer = peer_connect(daemon);
	struct bytes_writer w = {0};
	wire_hello_encode(&w, &(struct wire_hello){.major = 1, .name = wire_text_of("t")});
	peer_send(&peer, WIRE_HELLO, 1, 0, &w);
	struct answer answer = peer_receive(&peer);
	struct wire_hello_reply reply;
	assert_int_equal(
		wire_hello_reply_decode(answer.body, answer.header.body_bytes, &reply, NULL), 0);
	assert_int_equal(reply.max_in_flight, 3);
	answer_free(&answer);
	bytes_writer_deinit(&w);
	peer_close(&peer);
}

/* Another edged answers there: the second one leaves, and the first keeps its socket. */
static void a_second_edged_on_the_same_socket_gives_up(void **state)
{
	struct daemon *first = *state;
	static struct daemon second;
	second = *first;
	second.log = -1;
	daemon_spawn(&second, false);
	daemon_wait_log(&second, "another edged answers at the socket");
	assert_int_equal(daemon_wait(&second), 1);
	close(second.log);
	struct peer peer = peer_open(first);
	peer_close(&peer);
}

static void the_socket_of_a_dead_edged_is_replaced(void **state)
{
	struct daemon *daemon = *state;
	struct stat st;
	daemon_signal(daemon, SIGKILL);
	assert_int_equal(daemon_wait(daemon), -SIGKILL);
	assert_int_equal(lstat(daemon->socket, &st), 0);
	daemon_start(daemon, false);
	assert_int_equal(lstat(daemon->socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	struct peer peer = peer_open(daemon);
	peer_close(&peer);
}

static void without_a_state_folder_models_are_kept_in_memory(void **state)
{
	struct daemon *daemon = *state;
	char path[256], away[256];
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	snprintf(path, sizeof(path), "%s/state", daemon->folder);
	snprintf(away, sizeof(away), "%s/away", daemon->folder);
	assert_int_equal(rename(path, away), 0);
	daemon_spawn(daemon, false);
	daemon_wait_log(daemon, "models are kept in memory");
	daemon_wait_log(daemon, "models ready");
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 3, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 3, 4, 1);
	peer_close(&peer);
}

/* Ends edged and takes its store's lock, as another edged would. */
static int lock_store(struct daemon *daemon)
{
	char path[256];
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	snprintf(path, sizeof(path), "%s/state", daemon->folder);
	mkdir(path, 0700); /* unless it is there */
	snprintf(path, sizeof(path), "%s/state/blobs", daemon->folder);
	mkdir(path, 0700);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

/* As a child of an edged that was killed does, until it becomes another program. */
static void a_store_whose_lock_is_let_go_is_used(void **state)
{
	struct daemon *daemon = *state;
	char path[256];
	int fd = lock_store(daemon);
	daemon_put(daemon, "later.tflite", "echo 4");
	daemon_spawn(daemon, false);
	daemon_wait_log(daemon, "another edged has locked the state folder: retrying for 2 s");
	close(fd);
	daemon_wait_log(daemon, "models ready");
	snprintf(path, sizeof(path), "%s/state/manifests/later", daemon->folder);
	assert_int_equal(access(path, F_OK), 0);
	daemon_remove(daemon, "later.tflite");
}

static void a_store_that_another_edged_uses_is_not_touched(void **state)
{
	struct daemon *daemon = *state;
	char path[256];
	int fd = lock_store(daemon);
	int copy = openat(fd, ".new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(copy >= 0); /* that it makes just now */
	daemon_spawn(daemon, false);
	daemon_wait_log(daemon, "another edged uses it: models are kept in memory");
	daemon_wait_log(daemon, "models ready");
	snprintf(path, sizeof(path), "%s/state/blobs/.new", daemon->folder);
	assert_int_equal(access(path, F_OK), 0);
	close(copy);
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 3, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 3, 4, 1);
	peer_close(&peer);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reload_finds_new_changed_and_removed_models),
		cmocka_unit_test(a_model_has_run_once_before_it_serves),
		cmocka_unit_test(sighup_does_the_same),
		cmocka_unit_test(a_refused_file_leaves_the_old_model_serving),
		cmocka_unit_test(overwriting_a_file_in_place_changes_nothing_by_itself),
		cmocka_unit_test(the_highest_version_that_loads_serves),
		cmocka_unit_test(a_running_request_finishes_on_the_model_it_began_with),
		cmocka_unit_test(while_a_model_loads_others_are_served),
		cmocka_unit_test(what_is_no_regular_file_or_no_name_is_not_served),
		cmocka_unit_test(sighup_reads_the_configuration),
		cmocka_unit_test(a_second_edged_on_the_same_socket_gives_up),
		cmocka_unit_test(the_socket_of_a_dead_edged_is_replaced),
		cmocka_unit_test(without_a_state_folder_models_are_kept_in_memory),
		cmocka_unit_test(a_store_whose_lock_is_let_go_is_used),
		cmocka_unit_test(a_store_that_another_edged_uses_is_not_touched),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
