/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks that are full, read-only or broken, a clock that is set, and a system that watches no more folders: the model that is
 * concerned is refused and says why, all others serve. Where a right to mount is needed the test takes
 * namespaces of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/tar.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define SKIPPED 77
#define SUM_AT 148 /* in the header of an archive */
#define TYPE_AT 156

static void path_of(const struct daemon *daemon, char out[256], const char *name)
{
	snprintf(out, 256, "%s/%s", daemon->folder, name);
}

static void reload(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 900, 0, NULL);
	peer_expect(&peer, 900, EDGE_OK);
	peer_close(&peer);
}

static void expect_serves(struct daemon *daemon, const char *model, int32_t width)
{
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, model, width, 7, 0);
	peer_expect_echo(&peer, 1, width, 7);
	peer_close(&peer);
}

static void expect_refused(struct daemon *daemon, const char *model, const char *reason)
{
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_LIST, 901, 0, NULL);
	struct answer answer = peer_receive(&peer);
	struct wire_list_item item = answer_find(&answer, model);
	if (!wire_text_is(item.reason, reason)) {
		fail_msg("%s: %.*s: %.*s", model, (int)item.state.length, item.state.data,
			(int)item.reason.length, item.reason.data);
	}
	answer_free(&answer);
	peer_close(&peer);
}

static void put_large(struct daemon *daemon, const char *file, const char *line, size_t size)
{
	char *bytes = calloc(1, size);
	memcpy(bytes, line, strlen(line));
	bytes[strlen(line)] = '\n';
	daemon_put_bytes(daemon, file, bytes, size);
	free(bytes);
}

/* ---- full */

static void a_full_disk_refuses_the_one_that_does_not_fit(void **state)
{
	struct daemon *daemon = *state;
	char path[256];
	path_of(daemon, path, "state");
	assert_int_equal(mount("small", path, "tmpfs", 0, "size=256k"), 0);
	daemon_put(daemon, "a.tflite", "echo 4");
	daemon_start(daemon, false);
	put_large(daemon, "large.tflite", "echo 8", 1 << 20);
	daemon_put(daemon, "z.tflite", "echo 16");
	reload(daemon);
	expect_refused(daemon, "large", "copying the file: No space left on device");
	expect_serves(daemon, "a", 4);
	expect_serves(daemon, "z", 16);
	put_large(daemon, "a.tflite", "echo 8", 1 << 20);
	reload(daemon);
	expect_refused(daemon, "a", "copying the file: No space left on device");
	expect_serves(daemon, "a", 4); /* what served goes on */
	daemon_put(daemon, "large.tflite", "echo 8");
	reload(daemon);
	expect_serves(daemon, "large", 8);
}

/* ---- read-only */

static void a_disk_that_becomes_read_only_refuses_what_is_new(void **state)
{
	struct daemon *daemon = *state;
	daemon_put(daemon, "a.tflite", "echo 4");
	daemon_start(daemon, false);
	daemon_put(daemon, "../gate/read-only", "");
	daemon_put(daemon, "a.tflite", "echo 8");
	daemon_put(daemon, "b.tflite", "echo 8");
	reload(daemon);
	expect_refused(daemon, "a", "copying the file: Read-only file system");
	expect_refused(daemon, "b", "copying the file: Read-only file system");
	expect_serves(daemon, "a", 4);
	daemon_remove(daemon, "../gate/read-only");
	reload(daemon);
	expect_serves(daemon, "a", 8);
	expect_serves(daemon, "b", 8);
}

static void a_read_only_disk_at_the_start_leaves_the_folders_models_serving(void **state)
{
	struct daemon *daemon = *state;
	char path[256];
	path_of(daemon, path, "state");
	assert_int_equal(mount("fixed", path, "tmpfs", MS_RDONLY, "size=256k"), 0);
	daemon_put(daemon, "a.tflite", "echo 4");
	daemon_spawn(daemon, false);
	daemon_wait_log(daemon, "models are kept in memory");
	daemon_wait_log(daemon, "1 models ready");
	expect_serves(daemon, "a", 4);
	daemon_put(daemon, "a.tflite", "echo 8");
	reload(daemon);
	expect_serves(daemon, "a", 8);
}

/* ---- broken */

static void a_file_that_cannot_be_read_is_refused_and_tried_again(void **state)
{
	struct daemon *daemon = *state;
	daemon_put(daemon, "../gate/eio", "");
	daemon_put(daemon, "a.tflite", "echo 4");
	daemon_put(daemon, "eio.tflite", "echo 8");
	daemon_put(daemon, "z.tflite", "echo 16");
	daemon_start(daemon, false);
	expect_refused(daemon, "eio", "copying the file: Input/output error");
	expect_serves(daemon, "a", 4);
	expect_serves(daemon, "z", 16);
	daemon_remove(daemon, "../gate/eio");
	reload(daemon);
	expect_serves(daemon, "eio", 8);
	/* And while it serves. */
	daemon_put(daemon, "../gate/eio", "");
	daemon_put(daemon, "eio.tflite", "echo 32");
	reload(daemon);
	expect_refused(daemon, "eio", "copying the file: Input/output error");
	expect_serves(daemon, "eio", 8);
}

/* One block of an archive, of @type. */
static void block_of(uint8_t out[TAR_BLOCK], const char *name, char type, size_t size)
{
	tar_encode(name, size, out);
	const unsigned long sum =
		strtoul((char *)out + SUM_AT, NULL, 8) + (unsigned char)type - '0';
	snprintf((char *)out + SUM_AT, 7, "%06lo", sum);
	out[TYPE_AT] = (uint8_t)type;
}

/* What an extended header says is read apart from the headers. */
static void a_bundle_that_cannot_be_read_is_refused_and_tried_again(void **state)
{
	static const char said[] = "13 comment=a\n", model[] = "echo 8\n";
	uint8_t blocks[6][TAR_BLOCK] = {0};
	struct daemon *daemon = *state;
	block_of(blocks[0], "pax", 'x', strlen(said));
	memcpy(blocks[1], said, strlen(said));
	block_of(blocks[2], "model.tflite", '0', strlen(model));
	memcpy(blocks[3], model, strlen(model));
	daemon_put(daemon, "../gate/eio", "");
	daemon_put_bytes(daemon, "eio-late.tar", blocks, sizeof(blocks));
	daemon_start(daemon, false);
	expect_refused(daemon, "eio-late", "the bundle: Input/output error");
	daemon_remove(daemon, "../gate/eio");
	reload(daemon);
	expect_serves(daemon, "eio-late", 8);
}

/* Of a machine that is gone: whoever asks for it waits. */
static void a_folder_that_hangs_hangs_nobody_else(void **state)
{
	struct daemon *daemon = *state;
	char hanging[256];
	path_of(daemon, hanging, "gate/hanging");
	daemon_config(daemon, "[models]\nwatch = yes\nwatch-quiet = 0ms\nrescan = 10s\n");
	daemon_put(daemon, "a.tflite", "echo 4");
	daemon_start(daemon, false);
	daemon_put(daemon, "../gate/hangs", "");
	daemon_put(daemon, "b.tflite", "echo 8");
	while (access(hanging, F_OK) < 0) {
		sched_yield();
	}
	expect_serves(daemon, "a", 4);
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "reloading");
	expect_serves(daemon, "a", 4);
	daemon_remove(daemon, "../gate/hangs");
	daemon_wait_log(daemon, "model b version 1: ready");
	expect_serves(daemon, "b", 8);
}

/* ---- watches */

/* Of this user namespace only. */
static void limit_set(const char *name, const char *value)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/sys/user/%s", name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, value, strlen(value)), strlen(value));
	close(fd);
}

/* It looks at regular times instead. */
static void expect_seen_later(struct daemon *daemon, const char *said)
{
	daemon_config(daemon, "[models]\nwatch = yes\nwatch-quiet = 0ms\nrescan = 100ms\n");
	daemon_put(daemon, "a.tflite", "echo 4");
	daemon_spawn(daemon, false);
	daemon_wait_log(daemon, said);
	daemon_wait_log(daemon, "models ready");
	expect_serves(daemon, "a", 4);
	daemon_put(daemon, "b.tflite", "echo 8");
	daemon_wait_log(daemon, "model b version 1: ready");
	expect_serves(daemon, "b", 8);
}

static void without_watches_it_looks_at_regular_times(void **state)
{
	limit_set("max_inotify_watches", "0");
	expect_seen_later(*state, "cannot be watched: the system's limit is reached");
	limit_set("max_inotify_watches", "1000");
}

static void without_inotify_it_looks_at_regular_times(void **state)
{
	limit_set("max_inotify_instances", "0");
	expect_seen_later(*state, "cannot be watched: Too many open files");
	limit_set("max_inotify_instances", "100");
}

/* ---- */

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	char path[256];
	daemon_prepare(daemon);
	path_of(daemon, path, "gate");
	setenv("DISK", path, 1);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	struct daemon *daemon = *state;
	char path[256];
	if (daemon->pid > 0) {
		daemon_signal(daemon, SIGTERM);
		assert_int_equal(daemon_wait(daemon), 0);
	}
	path_of(daemon, path, "state");
	umount2(path, MNT_DETACH); /* where something was mounted */
	daemon_end(daemon);
	free(daemon);
	return 0;
}

static int map(const char *file, unsigned int id)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "0 %u 1", id);
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	ssize_t done = fd < 0 ? -1 : write(fd, text, (size_t)n);
	close(fd);
	return done == n ? 0 : -1;
}

/* Root of namespaces of its own, whoever this was before. */
static int enter(void)
{
	unsigned int user = geteuid(), group = getegid();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
		return -1;
	}
	int fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, "deny", 4);
	(void)n;
	close(fd);
	return map("/proc/self/uid_map", user) == 0 ? map("/proc/self/gid_map", group) : -1;
}

/* ---- a clock that is set */

#define YEARS_40 "1262304000"

static void expect_installed_in(struct daemon *daemon, const char *year)
{
	struct peer peer = peer_open_store(daemon);
	struct wire_text lines;
	peer_store(&peer, 1, WIRE_STORE_HISTORY, "a", NULL);
	struct answer answer = peer_receive(&peer);
	assert_int_equal(answer.header.status, EDGE_OK);
	assert_int_equal(
		wire_store_reply_decode(answer.body, answer.header.body_bytes, &lines, NULL), 0);
	const char *last = memrchr(lines.data, '\n', lines.length - 1);
	assert_memory_equal(last ? last + 1 : lines.data, year, 2);
	answer_free(&answer);
	peer_close(&peer);
}

static void stop(struct daemon *daemon)
{
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
}

/* From then on the store alone has it. */
static void restart_without_the_file(struct daemon *daemon)
{
	stop(daemon);
	daemon_remove(daemon, "a.tflite");
	daemon_start(daemon, false);
}

/* What is newer and what was good does not follow from the time of day. */
static void a_clock_that_is_set_changes_nothing_that_serves(void **state)
{
	struct daemon *daemon = *state;
	daemon_config(daemon, "[models]\nprobation-requests = 1\n");
	daemon_put(daemon, "a.tflite", "echo 4");
	daemon_start(daemon, false);
	expect_serves(daemon, "a", 4);
	daemon_put(daemon, "../gate/clock", "-" YEARS_40);
	daemon_put(daemon, "a.tflite", "echo 8");
	reload(daemon);
	expect_installed_in(daemon, "19");
	expect_serves(daemon, "a", 8);
	restart_without_the_file(daemon);
	expect_serves(daemon, "a", 8);
	daemon_put(daemon, "../gate/clock", YEARS_40 "0");
	daemon_put(daemon, "a.tflite", "echo 16");
	reload(daemon);
	expect_installed_in(daemon, "24");
	expect_serves(daemon, "a", 16);
	restart_without_the_file(daemon);
	expect_serves(daemon, "a", 16);
	stop(daemon);
	daemon_remove(daemon, "../gate/clock");
	daemon_start(daemon, false);
	expect_serves(daemon, "a", 16);
	daemon_put(daemon, "a.tflite", "echo 4");
	reload(daemon);
	expect_serves(daemon, "a", 4);
}

#define disk_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest any[] = {
		disk_test(a_disk_that_becomes_read_only_refuses_what_is_new),
		disk_test(a_folder_that_hangs_hangs_nobody_else),
		disk_test(a_file_that_cannot_be_read_is_refused_and_tried_again),
		disk_test(a_bundle_that_cannot_be_read_is_refused_and_tried_again),
		disk_test(a_clock_that_is_set_changes_nothing_that_serves),
	};
	const struct CMUnitTest mounting[] = {
		disk_test(a_full_disk_refuses_the_one_that_does_not_fit),
		disk_test(a_read_only_disk_at_the_start_leaves_the_folders_models_serving),
	};
	const struct CMUnitTest limiting[] = {
		disk_test(without_watches_it_looks_at_regular_times),
		disk_test(without_inotify_it_looks_at_regular_times),
	};
	int failed = cmocka_run_group_tests_name("any user", any, NULL, NULL);
	if (enter() < 0) {
		print_message(
			"SKIPPED: no right to namespaces: nothing is mounted, no limit is set\n");
		return failed ? failed : SKIPPED;
	}
	failed += cmocka_run_group_tests_name("mounts", mounting, NULL, NULL);
	if (access("/proc/sys/user/max_inotify_watches", W_OK) < 0) {
		print_message("SKIPPED: the limits of inotify cannot be set here\n");
		return failed;
	}
	return failed + cmocka_run_group_tests_name("limits", limiting, NULL, NULL);
}
