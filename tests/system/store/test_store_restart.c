/* SPDX-License-Identifier: Apache-2.0 */
/* The store over restarts: what the state folder remembers, and what the models folder may do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daemon/system/digest.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"

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

static void path_of(const struct daemon *daemon, char out[256], const char *name)
{
	snprintf(out, 256, "%s/%s", daemon->folder, name);
}

static void restart(struct daemon *daemon, int signal_number)
{
	daemon_signal(daemon, signal_number);
	daemon_wait(daemon);
	daemon_start(daemon, false);
}

static void reload(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 900, 0, NULL);
	peer_expect(&peer, 900, EDGE_OK);
	peer_close(&peer);
}

static void expect_state(struct daemon *daemon, const char *model, const char *state,
	const char *version, const char *reason)
{
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_LIST, 901, 0, NULL);
	struct answer answer = peer_receive(&peer);
	struct wire_list_item item = answer_find(&answer, model);
	if (!wire_text_is(item.state, state) || !wire_text_is(item.version, version) ||
		!wire_text_is(item.reason, reason)) {
		fail_msg("%s: %.*s, version %.*s, reason %.*s", model, (int)item.state.length,
			item.state.data, (int)item.version.length, item.version.data,
			(int)item.reason.length, item.reason.data);
	}
	answer_free(&answer);
	peer_close(&peer);
}

/* It answers, @width numbers. */
static void expect_serves(struct daemon *daemon, const char *model, int32_t width)
{
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, model, width, 7, 0);
	peer_expect_echo(&peer, 1, width, 7);
	peer_close(&peer);
}

static void expect_none(struct daemon *daemon, const char *model)
{
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, model, 4, 7, 0);
	peer_expect(&peer, 1, EDGE_NOT_FOUND);
	peer_close(&peer);
}

static size_t count_files(const struct daemon *daemon, const char *folder)
{
	char path[256];
	size_t n = 0;
	path_of(daemon, path, folder);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		n += entry->d_name[0] != '.';
	}
	closedir(dir);
	return n;
}

/* ---- the store */

static void models_serve_after_a_restart_when_their_folder_is_empty_or_gone(void **state)
{
	struct daemon *daemon = *state;
	char models[256], away[256];
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_put(daemon, "m.labels.txt", "a\nb\n");
	daemon_start(daemon, false);
	expect_state(daemon, "m", "ready", "1", "");
	daemon_signal(daemon, SIGKILL);
	daemon_wait(daemon);
	daemon_remove(daemon, "m.tflite");
	daemon_start(daemon, false);
	expect_state(daemon, "m", "ready", "1", "");
	expect_serves(daemon, "m", 8);
	reload(daemon);
	expect_serves(daemon, "m", 8);
	path_of(daemon, models, "models");
	path_of(daemon, away, "away");
	assert_int_equal(rename(models, away), 0);
	restart(daemon, SIGTERM);
	expect_serves(daemon, "m", 8);
	close(open(models, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)); /* and no folder */
	restart(daemon, SIGTERM);
	expect_serves(daemon, "m", 8);
	assert_int_equal(unlink(models), 0);
	assert_int_equal(rename(away, models), 0);
	daemon_put(daemon, "m.tflite", "echo 16");
	reload(daemon);
	expect_state(daemon, "m", "ready", "2", "");
	expect_serves(daemon, "m", 16);
}

static void a_file_that_is_known_keeps_its_number_and_is_not_copied_again(void **state)
{
	struct daemon *daemon = *state;
	char name[256], text[DIGEST_TEXT_SIZE], blob[400];
	struct digest digest = digest_of("echo 8", 6);
	struct stat before, after;
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_start(daemon, false);
	path_of(daemon, name, "state/blobs");
	snprintf(blob, sizeof(blob), "%s/%s", name, digest_to_hex(&digest, text));
	assert_int_equal(stat(blob, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0444);
	restart(daemon, SIGTERM);
	daemon_put(daemon, "m.tflite", "echo 8");
	reload(daemon);
	expect_state(daemon, "m", "ready", "1", "");
	assert_int_equal(stat(blob, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void a_model_whose_file_is_removed_goes_and_stays_gone(void **state)
{
	struct daemon *daemon = *state;
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_put(daemon, "n.tflite", "echo 4");
	daemon_start(daemon, false);
	daemon_remove(daemon, "m.tflite");
	reload(daemon);
	expect_none(daemon, "m");
	restart(daemon, SIGTERM);
	expect_none(daemon, "m");
	expect_serves(daemon, "n", 4);
	assert_int_equal(count_files(daemon, "state/blobs"), 1);
	assert_int_equal(count_files(daemon, "state/manifests"), 1);
}

static void make_folders(const struct daemon *daemon, int from, int n)
{
	for (int i = from; i < from + n; i++) {
		char path[256], name[40];
		snprintf(name, sizeof(name), "models/m/%d", i);
		path_of(daemon, path, name);
		assert_int_equal(mkdir(path, 0755), 0);
	}
}

static void folders_without_a_file_take_no_versions_place(void **state)
{
	struct daemon *daemon = *state;
	daemon_put(daemon, "m/1/model.tflite", "echo 4");
	daemon_start(daemon, false);
	expect_state(daemon, "m", "ready", "1", "");
	make_folders(daemon, 2, 40);
	reload(daemon);
	expect_state(daemon, "m", "ready", "1", "");
	expect_serves(daemon, "m", 4);
	daemon_put(daemon, "m/30/model.tflite", "echo 4 new");
	reload(daemon);
	expect_state(daemon, "m", "ready", "30", "");
	daemon_remove(daemon, "m/30/model.tflite");
	daemon_remove(daemon, "m/1/model.tflite");
	reload(daemon);
	expect_none(daemon, "m");
}

/* Of versions that cannot be installed the highest are tried; what serves stays all the same. */
static void a_version_below_many_that_are_refused_serves_on(void **state)
{
	struct daemon *daemon = *state;
	daemon_put(daemon, "m/1/model.tflite", "echo 4");
	daemon_start(daemon, false);
	for (int i = 10; i < 30; i++) {
		char name[40];
		snprintf(name, sizeof(name), "m/%d/model.tflite", i);
		daemon_put(daemon, name, "none");
	}
	daemon_put(daemon, "m.tflite", "none");
	reload(daemon);
	expect_serves(daemon, "m", 4);
	daemon_wait_log(daemon, "model m: refused: version 29: ");
}

static void a_broken_copy_is_replaced_from_the_folder(void **state)
{
	struct daemon *daemon = *state;
	char name[256], text[DIGEST_TEXT_SIZE], blob[400];
	struct digest digest = digest_of("echo 8", 6);
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_start(daemon, false);
	daemon_signal(daemon, SIGTERM);
	daemon_wait(daemon);
	path_of(daemon, name, "state/blobs");
	snprintf(blob, sizeof(blob), "%s/%s", name, digest_to_hex(&digest, text));
	assert_int_equal(chmod(blob, 0600), 0);
	int fd = open(blob, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "echo 9", 6, 0), 6);
	close(fd);
	daemon_start(daemon, false);
	expect_state(daemon, "m", "ready", "1", "");
	expect_serves(daemon, "m", 8);
}

/* In the place of @bytes' blob, with a file in it. */
static void folder_put(const struct daemon *daemon, const char *bytes)
{
	char folder[256], path[400], file[410], text[DIGEST_TEXT_SIZE];
	struct digest digest = digest_of(bytes, strlen(bytes));
	path_of(daemon, folder, "state/blobs");
	snprintf(path, sizeof(path), "%s/%s", folder, digest_to_hex(&digest, text));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(file, sizeof(file), "%s/x", path);
	const int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

/* In that of a model and in that of its labels. */
static void folders_in_the_place_of_blobs_make_place_for_the_folders_files(void **state)
{
	struct daemon *daemon = *state;
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_put(daemon, "m.labels.txt", "one\n");
	daemon_start(daemon, false);
	daemon_signal(daemon, SIGTERM);
	daemon_wait(daemon);
	folder_put(daemon, "echo 8");
	folder_put(daemon, "one\n");
	daemon_start(daemon, false);
	expect_state(daemon, "m", "ready", "1", "");
	expect_serves(daemon, "m", 8);
	daemon_signal(daemon, SIGTERM);
	daemon_wait(daemon);
	daemon_remove(daemon, "m.tflite");
	daemon_remove(daemon, "m.labels.txt");
	daemon_start(daemon, false); /* from the store alone */
	expect_serves(daemon, "m", 8);
}

/* Without the folder's file nothing takes its place, but it does not stay. */
static void a_folder_in_a_blobs_place_is_put_away_when_the_blob_is_wanted(void **state)
{
	struct daemon *daemon = *state;
	char path[256], folder[256], text[DIGEST_TEXT_SIZE];
	struct digest digest = digest_of("echo 8", 6);
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_start(daemon, false);
	daemon_signal(daemon, SIGTERM);
	daemon_wait(daemon);
	daemon_remove(daemon, "m.tflite");
	folder_put(daemon, "echo 8");
	daemon_start(daemon, false);
	path_of(daemon, folder, "state/quarantine");
	snprintf(path, sizeof(path), "%.150s/%s", folder, digest_to_hex(&digest, text));
	assert_int_equal(access(path, F_OK), 0);
}

static void files_that_nothing_needs_are_removed(void **state)
{
	struct daemon *daemon = *state;
	char line[32], path[256];
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_start(daemon, false);
	for (int width = 10; width < 20; width++) {
		snprintf(line, sizeof(line), "echo %d", width);
		daemon_put(daemon, "m.tflite", line);
		reload(daemon);
	}
	expect_state(daemon, "m", "ready", "11", "");
	assert_int_equal(count_files(daemon, "state/blobs"), 1);
	path_of(daemon, path, "state/blobs/leftover");
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	restart(daemon, SIGTERM);
	assert_int_equal(count_files(daemon, "state/blobs"), 1);
}

/* Or files that are all refused would fill the disk until the folder has been looked at. */
static void the_copy_of_a_refused_file_goes_before_the_next_one_is_looked_at(void **state)
{
	struct daemon *daemon = *state;
	char line[120];
	daemon_put(daemon, "a.tflite", "not a model");
	snprintf(line, sizeof(line), "stall %s/gate", daemon->folder);
	daemon_put(daemon, "b.tflite", line);
	daemon_spawn(daemon, false);
	daemon_wait_running(daemon);
	assert_int_equal(count_files(daemon, "state/blobs"), 1);
	daemon_let_go(daemon, 1);
	daemon_wait_log(daemon, "models ready");
}

static void what_happened_to_a_model_that_is_gone_is_forgotten_at_the_next_start(void **state)
{
	struct daemon *daemon = *state;
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_put(daemon, "n.tflite", "not a model");
	daemon_put(daemon, "o.tflite", "echo 8");
	daemon_start(daemon, false);
	daemon_remove(daemon, "m.tflite");
	daemon_remove(daemon, "n.tflite");
	reload(daemon);
	assert_int_equal(count_files(daemon, "state/history"), 3);
	restart(daemon, SIGTERM);
	assert_int_equal(count_files(daemon, "state/history"), 1);
}

/* ---- what may take a model's place */

static void other_inputs_and_outputs_are_refused_unless_allowed(void **state)
{
	struct daemon *daemon = *state;
	static const char why[] = "its inputs or outputs are not those of version 1 "
				  "(allow-signature-change would take it)";
	daemon_config(daemon, "[models]\nallow-signature-change = no\n");
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_start(daemon, false);
	daemon_put(daemon, "m.tflite", "echo 16");
	reload(daemon);
	expect_state(daemon, "m", "ready", "1", why);
	expect_serves(daemon, "m", 8);
	daemon_put(daemon, "m.conf", "[model]\nallow-signature-change = yes\n");
	reload(daemon);
	expect_state(daemon, "m", "ready", "2", "");
	expect_serves(daemon, "m", 16);
	daemon_remove(daemon, "m.conf");
	daemon_remove(daemon, "m.tflite");
	reload(daemon);
	daemon_put(daemon, "m.tflite", "echo 4");
	reload(daemon);
	expect_serves(daemon, "m", 4);
}

static void a_conf_that_is_not_understood_refuses_its_model_only(void **state)
{
	struct daemon *daemon = *state;
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_put(daemon, "m.conf", "[model]\nallow-everything = yes\n");
	daemon_put(daemon, "n.tflite", "echo 4");
	daemon_start(daemon, false);
	expect_state(daemon, "m", "refused", "0", "m.conf:2: there is no key allow-everything");
	expect_serves(daemon, "n", 4);
}

/* ---- the folder */

/* As Kubernetes mounts a volume: names -> ..data -> a folder that is swapped. */
static void a_swapped_link_brings_the_new_files(void **state)
{
	struct daemon *daemon = *state;
	char link[256], next[256];
	daemon_put(daemon, "..1/m.tflite", "echo 8");
	daemon_put(daemon, "..2/m.tflite", "echo 16");
	path_of(daemon, link, "models/..data");
	path_of(daemon, next, "models/..next");
	assert_int_equal(symlink("..1", link), 0);
	path_of(daemon, link, "models/m.tflite");
	assert_int_equal(symlink("..data/m.tflite", link), 0);
	daemon_start(daemon, false);
	expect_serves(daemon, "m", 8);
	assert_int_equal(symlink("..2", next), 0);
	path_of(daemon, link, "models/..data");
	assert_int_equal(rename(next, link), 0);
	reload(daemon);
	expect_serves(daemon, "m", 16);
}

static void a_folder_that_is_replaced_is_the_one_that_counts(void **state)
{
	struct daemon *daemon = *state;
	char models[256], old[256];
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_put(daemon, "gone.tflite", "echo 8");
	daemon_start(daemon, false);
	path_of(daemon, models, "models");
	path_of(daemon, old, "old");
	assert_int_equal(rename(models, old), 0);
	assert_int_equal(mkdir(models, 0755), 0);
	daemon_put(daemon, "m.tflite", "echo 16");
	reload(daemon);
	expect_serves(daemon, "m", 16);
	expect_none(daemon, "gone");
}

/* It is emptied by who has put another one in its place: nobody has removed its models. */
static void a_folder_that_is_replaced_while_it_is_read_has_lost_no_models(void **state)
{
	struct daemon *daemon = *state;
	char models[256], old[256], gone[256], line[120];
	struct peer peer;
	path_of(daemon, models, "models");
	path_of(daemon, old, "old");
	path_of(daemon, gone, "old/z.tflite");
	daemon_put(daemon, "a.tflite", "echo 4");
	daemon_put(daemon, "z.tflite", "echo 8");
	daemon_start(daemon, false);
	snprintf(line, sizeof(line), "stall %s/gate", daemon->folder);
	daemon_put(daemon, "a.tflite", line);
	peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 1, 0, NULL);
	daemon_wait_running(daemon);
	assert_int_equal(rename(models, old), 0);
	assert_int_equal(mkdir(models, 0755), 0);
	daemon_put(daemon, "z.tflite", "echo 16");
	assert_int_equal(unlink(gone), 0);
	daemon_let_go(daemon, 1);
	peer_expect(&peer, 1, EDGE_OK);
	peer_close(&peer);
	expect_serves(daemon, "z", 8);
	reload(daemon);
	expect_serves(daemon, "z", 16);
	expect_none(daemon, "a");
}

static void hostile_names_and_files_disturb_nobody(void **state)
{
	struct daemon *daemon = *state;
	char path[600], name[256];
	static const char *const odd[] = {"a\nb.tflite", " .tflite", "-x.tflite", "\xff.tflite",
		"..tflite", "%n%s.tflite", "\x1b[2J.tflite"};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		daemon_put(daemon, odd[i], "echo 4");
	}
	memset(name, 'x', 248);
	memcpy(name + 248, ".tflite", 8);
	daemon_put(daemon, name, "echo 4");
	snprintf(path, sizeof(path), "%s/models/sparse.tflite", daemon->folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	close(fd);
	snprintf(path, sizeof(path), "%s/models/fifo.tflite", daemon->folder);
	assert_int_equal(mkfifo(path, 0644), 0);
	snprintf(path, sizeof(path), "%s/models/round.tflite", daemon->folder);
	assert_int_equal(symlink("round.tflite", path), 0);
	snprintf(path, sizeof(path), "%s/models/device.tflite", daemon->folder);
	assert_int_equal(symlink("/dev/zero", path), 0);
	snprintf(path, sizeof(path), "%s/models/loop", daemon->folder);
	assert_int_equal(symlink(".", path), 0);
	snprintf(path, sizeof(path), "%s/models/node.tflite", daemon->folder);
	bool node = mknod(path, S_IFCHR | 0644, makedev(1, 5)) == 0;
	if (!node) {
		print_message("SKIPPED: no right to make a device\n");
	}
	daemon_put(daemon, "good.tflite", "echo 4");
	daemon_put(daemon, "good.labels.txt", "one\n");
	daemon_spawn(daemon, false);
	/* Not those whose name begins with a dot. */
	daemon_wait_log(daemon,
		"7 entries of the models folder are no models, or above max-models: "
		"\\x1b[2J.tflite\n");
	daemon_wait_log(daemon, "models ready");
	expect_serves(daemon, "good", 4);
	expect_state(daemon, "fifo", "refused", "0", "not a regular file");
	if (node) {
		expect_state(daemon, "node", "refused", "0", "not a regular file");
	}
	expect_state(daemon, "round", "refused", "0", "Too many levels of symbolic links");
	expect_state(daemon, "device", "refused", "0",
		"an absolute link, or one that leads out of the folder");
	expect_state(daemon, "sparse", "refused", "0",
		"the file has 1099511627776 bytes, the limit is 268435456");
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_STATUS, 1, 0, NULL);
	peer_expect(&peer, 1, EDGE_OK);
	peer_close(&peer);
}

/* They do not go when others, whose names come before theirs, fill the folder. */
static void models_that_are_there_stay_when_others_come_before_them(void **state)
{
	struct daemon *daemon = *state;
	daemon_config(daemon, "[models]\nmax-models = 2\n");
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_start(daemon, false);
	daemon_put(daemon, "a.tflite", "echo 4");
	daemon_put(daemon, "b.tflite", "echo 4");
	daemon_put(daemon, "c.tflite", "echo 4");
	reload(daemon);
	expect_serves(daemon, "m", 8);
	expect_serves(daemon, "a", 4);
	expect_none(daemon, "b");
	daemon_put(daemon, "m.tflite", "echo 16");
	reload(daemon);
	expect_serves(daemon, "m", 16);
	restart(daemon, SIGKILL);
	expect_serves(daemon, "m", 16);
	daemon_remove(daemon, "m.tflite");
	reload(daemon);
	expect_none(daemon, "m");
	reload(daemon);
	expect_serves(daemon, "b", 4);
}

/* With links to one file: what counts is how many names there are. */
static void a_hundred_thousand_names_leave_the_first_models_serving(void **state)
{
	struct daemon *daemon = *state;
	char folder[256], name[32];
	daemon_put(daemon, "a.tflite", "echo 4");
	path_of(daemon, folder, "models");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "z%d.tflite", i);
		assert_int_equal(symlinkat("nothing", fd, name), 0);
	}
	daemon_start(daemon, false);
	expect_serves(daemon, "a", 4);
	expect_none(daemon, "z99999");
	close(fd);
}

#define store_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(models_serve_after_a_restart_when_their_folder_is_empty_or_gone),
		store_test(a_file_that_is_known_keeps_its_number_and_is_not_copied_again),
		store_test(a_model_whose_file_is_removed_goes_and_stays_gone),
		store_test(folders_without_a_file_take_no_versions_place),
		store_test(a_version_below_many_that_are_refused_serves_on),
		store_test(a_broken_copy_is_replaced_from_the_folder),
		store_test(folders_in_the_place_of_blobs_make_place_for_the_folders_files),
		store_test(a_folder_in_a_blobs_place_is_put_away_when_the_blob_is_wanted),
		store_test(files_that_nothing_needs_are_removed),
		store_test(the_copy_of_a_refused_file_goes_before_the_next_one_is_looked_at),
		store_test(what_happened_to_a_model_that_is_gone_is_forgotten_at_the_next_start),
		store_test(other_inputs_and_outputs_are_refused_unless_allowed),
		store_test(a_conf_that_is_not_understood_refuses_its_model_only),
		store_test(a_swapped_link_brings_the_new_files),
		store_test(a_folder_that_is_replaced_is_the_one_that_counts),
		store_test(a_folder_that_is_replaced_while_it_is_read_has_lost_no_models),
		store_test(hostile_names_and_files_disturb_nobody),
		store_test(models_that_are_there_stay_when_others_come_before_them),
		store_test(a_hundred_thousand_names_leave_the_first_models_serving),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
