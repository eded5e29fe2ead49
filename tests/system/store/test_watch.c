/* SPDX-License-Identifier: Apache-2.0 */
/* edged looks at the models folder by itself, in whatever way that was changed. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_config(daemon, "[models]\nwatch = yes\nwatch-quiet = 20ms\nrescan = 0s\n");
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

static void path_of(const struct daemon *daemon, char out[256], const char *name)
{
	snprintf(out, 256, "%s/%s", daemon->folder, name);
}

static void move(const struct daemon *daemon, const char *from, const char *to)
{
	char old_path[256], new_path[256];
	path_of(daemon, old_path, from);
	path_of(daemon, new_path, to);
	assert_int_equal(rename(old_path, new_path), 0);
}

static void expect_serves(struct daemon *daemon, const char *model, int32_t width)
{
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, model, width, 7, 0);
	peer_expect_echo(&peer, 1, width, 7);
	peer_close(&peer);
}

static void a_file_that_comes_changes_and_goes_is_noticed(void **state)
{
	struct daemon *daemon = *state;
	char path[256];
	daemon_start(daemon, false);
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_wait_log(daemon, "model m version 1: ready");
	daemon_put(daemon, "m.tflite", "echo 16"); /* in place */
	daemon_wait_log(daemon, "model m version 2: ready");
	daemon_put(daemon, ".m.new", "echo 24");
	move(daemon, "models/.m.new", "models/m.tflite");
	daemon_wait_log(daemon, "model m version 3: ready");
	path_of(daemon, path, "models/m.tflite");
	assert_int_equal(truncate(path, 6), 0); /* "echo 2" */
	daemon_wait_log(daemon, "model m version 4: ready");
	expect_serves(daemon, "m", 2);
	daemon_remove(daemon, "m.tflite");
	daemon_wait_log(daemon, "model m: removed");
}

static void a_version_that_comes_is_noticed(void **state)
{
	struct daemon *daemon = *state;
	daemon_put(daemon, "v/1/model.tflite", "echo 8");
	daemon_start(daemon, false);
	daemon_put(daemon, "v/2/model.tflite", "echo 16");
	daemon_wait_log(daemon, "model v version 2: ready");
	daemon_put(daemon, "v/2/model.tflite", "echo 24");
	daemon_wait_log(daemon, "model v version 2: ready");
	expect_serves(daemon, "v", 24);
	daemon_put(daemon, "w/7/model.tflite", "echo 4");
	daemon_wait_log(daemon, "model w version 7: ready");
}

static void a_swapped_link_in_the_folder_is_noticed(void **state)
{
	struct daemon *daemon = *state;
	char link[256];
	daemon_put(daemon, "..1/m.tflite", "echo 8");
	daemon_put(daemon, "..2/m.tflite", "echo 16");
	path_of(daemon, link, "models/..data");
	assert_int_equal(symlink("..1", link), 0);
	path_of(daemon, link, "models/m.tflite");
	assert_int_equal(symlink("..data/m.tflite", link), 0);
	daemon_start(daemon, false);
	path_of(daemon, link, "models/..data_tmp");
	assert_int_equal(symlink("..2", link), 0);
	move(daemon, "models/..data_tmp", "models/..data");
	daemon_wait_log(daemon, "model m version 2: ready");
	expect_serves(daemon, "m", 16);
}

static void a_folder_that_is_a_link_may_be_swapped(void **state)
{
	struct daemon *daemon = *state;
	char link[256];
	move(daemon, "models", "one");
	path_of(daemon, link, "models");
	assert_int_equal(symlink("one", link), 0);
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_start(daemon, false);
	path_of(daemon, link, "two");
	assert_int_equal(mkdir(link, 0755), 0);
	path_of(daemon, link, "next");
	assert_int_equal(symlink("two", link), 0);
	move(daemon, "next", "models");
	daemon_wait_log(daemon, "model m: removed");
	daemon_put(daemon, "m.tflite", "echo 16");
	daemon_wait_log(daemon, "model m version 2: ready");
}

static void a_folder_that_is_replaced_is_watched_again(void **state)
{
	struct daemon *daemon = *state;
	char models[256];
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_start(daemon, false);
	path_of(daemon, models, "models");
	for (int i = 0; i < 3; i++) {
		move(daemon, "models", i == 0 ? "old0" : i == 1 ? "old1" : "old2");
		assert_int_equal(mkdir(models, 0755), 0);
		daemon_wait_log(daemon, "model m: removed");
		daemon_put(daemon, "m.tflite", "echo 16");
		daemon_wait_log(daemon, "model m version");
	}
	expect_serves(daemon, "m", 16);
}

static void a_folder_that_is_not_there_yet_is_waited_for(void **state)
{
	struct daemon *daemon = *state;
	move(daemon, "models", "elsewhere");
	daemon_spawn(daemon, false);
	daemon_wait_log(daemon, "0 models ready");
	move(daemon, "elsewhere", "models");
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_wait_log(daemon, "model m version 1: ready");
}

/* Events that never stop for long enough: it looks after two seconds all the same. */
static void changes_without_end_do_not_keep_it_from_looking(void **state)
{
	struct daemon *daemon = *state;
	char path[256];
	daemon_config(daemon, "[models]\nwatch = yes\nwatch-quiet = 1min\nrescan = 0s\n");
	daemon_start(daemon, false);
	daemon_config(daemon, "[models]\nwatch = yes\nwatch-quiet = 1s\nrescan = 0s\n");
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "models ready");
	daemon_put(daemon, "m.tflite", "echo 8");
	path_of(daemon, path, "models/noise");
	pid_t noise = fork();
	if (noise == 0) {
		for (;;) {
			close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		}
	}
	daemon_wait_log(daemon, "model m version 1: ready");
	kill(noise, SIGKILL);
	waitpid(noise, NULL, 0);
}

/* More events than the queue holds, while edged does not read them. */
static void events_that_were_lost_do_not_matter(void **state)
{
	struct daemon *daemon = *state;
	daemon_start(daemon, false);
	daemon_signal(daemon, SIGSTOP);
	char path[256];
	path_of(daemon, path, "models/noise");
	for (int i = 0; i < 20000; i++) {
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		unlink(path);
	}
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_signal(daemon, SIGCONT);
	daemon_wait_log(daemon, "model m version 1: ready");
}

static void without_events_it_looks_at_regular_times(void **state)
{
	struct daemon *daemon = *state;
	daemon_config(daemon, "[models]\nwatch = yes\nwatch-quiet = 1min\nrescan = 100ms\n");
	daemon_start(daemon, false);
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_wait_log(daemon, "model m version 1: ready");
}

#define watch_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(a_file_that_comes_changes_and_goes_is_noticed),
		watch_test(a_version_that_comes_is_noticed),
		watch_test(a_swapped_link_in_the_folder_is_noticed),
		watch_test(a_folder_that_is_a_link_may_be_swapped),
		watch_test(a_folder_that_is_replaced_is_watched_again),
		watch_test(a_folder_that_is_not_there_yet_is_waited_for),
		watch_test(changes_without_end_do_not_keep_it_from_looking),
		watch_test(events_that_were_lost_do_not_matter),
		watch_test(without_events_it_looks_at_regular_times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
