/* SPDX-License-Identifier: Apache-2.0 */
/* fsck: what is wrong with a store is told, and can be put right. */
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

#include "daemon/system/digest.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_config(daemon, "[models]\nprobation-requests = 1\n");
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
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

static void ask(struct daemon *daemon, int32_t width)
{
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "m", width, 7, 0);
	peer_expect_echo(&peer, 1, width, 7);
	peer_close(&peer);
}

/* Version 1, "echo 8", is good; version 2, "echo 16", serves. */
static void start_two(struct daemon *daemon)
{
	daemon_put(daemon, "m.tflite", "echo 8");
	daemon_start(daemon, false);
	ask(daemon, 8);
	reload(daemon);
	daemon_put(daemon, "m.tflite", "echo 16");
	reload(daemon);
}

static void stop(struct daemon *daemon)
{
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
}

/* Runs it on the store; returns the exit status. */
static int look(const struct daemon *daemon, const char *how, char *out, size_t size)
{
	char command[512];
	snprintf(command, sizeof(command), "%s --state %s/state %s 2>&1", getenv("EDGED_FAKE"),
		daemon->folder, how);
	FILE *pipe = popen(command, "re");
	assert_non_null(pipe);
	size_t n = fread(out, 1, size - 1, pipe);
	out[n] = 0;
	int status = pclose(pipe);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect_fine(const struct daemon *daemon)
{
	char out[4096];
	int status = look(daemon, "--fsck", out, sizeof(out));
	assert_string_equal(out, "");
	assert_int_equal(status, 0);
}

/* Told at each look and at the repair; then what was put away, and then nothing. */
static void expect_repaired(const struct daemon *daemon, const char *line)
{
	static const char *const hows[] = {"--fsck", "--fsck", "--repair --fsck"};
	char out[4096];
	for (size_t i = 0; i < 3; i++) {
		int status = look(daemon, hows[i], out, sizeof(out));
		if (!strstr(out, line)) {
			fail_msg("no \"%s\" in: %s", line, out);
		}
		assert_int_equal(status, 1);
	}
	look(daemon, "--fsck --repair", out, sizeof(out));
	expect_fine(daemon);
}

static void store_put(const struct daemon *daemon, const char *name, const char *text)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/state/%s", daemon->folder, name);
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static const char *blob_of(const char *line, char out[100])
{
	char text[DIGEST_TEXT_SIZE];
	struct digest digest = digest_of(line, strlen(line));
	snprintf(out, 100, "blobs/%s", digest_to_hex(&digest, text));
	return out;
}

static void a_store_as_edged_leaves_it_is_fine(void **state)
{
	struct daemon *daemon = *state;
	expect_fine(daemon); /* one that nobody has used yet */
	start_two(daemon);
	stop(daemon);
	expect_fine(daemon);
	daemon_start(daemon, false);
	daemon_signal(daemon, SIGKILL);
	daemon_wait(daemon);
	expect_fine(daemon);
	daemon_start(daemon, false);
	ask(daemon, 16);
}

static void what_nothing_needs_is_told_and_removed(void **state)
{
	struct daemon *daemon = *state;
	char name[100], packs[200], line[300];
	start_two(daemon);
	stop(daemon);
	store_put(daemon, "blobs/.new", "half");
	expect_repaired(daemon, "blobs/.new: unfinished");
	store_put(daemon, "manifests/.new", "half");
	expect_repaired(daemon, "manifests/.new: unfinished");
	store_put(daemon, blob_of("nobody's", name), "nobody's");
	snprintf(line, sizeof(line), "%s: nothing needs it", name);
	expect_repaired(daemon, line);
	store_put(daemon, "bad/me", "x");
	expect_repaired(daemon, "bad/me: not a digest");
	store_put(daemon, "history/Not A Model", "x");
	expect_repaired(daemon, "history/Not A Model: not the name of a model");
	snprintf(packs, sizeof(packs), "packs%s-1-1", strchr(name, '/'));
	store_put(daemon, packs, "x");
	snprintf(line, sizeof(line), "%s: nothing needs it", packs);
	expect_repaired(daemon, line);
	store_put(daemon, "manifests/bell\a", "x");
	expect_repaired(daemon, "manifests/bell\\x07: not the name of a model");
	daemon_start(daemon, false);
	ask(daemon, 16);
}

static void a_blob_that_is_not_what_its_name_says_is_put_away(void **state)
{
	struct daemon *daemon = *state;
	char name[100], line[200];
	start_two(daemon);
	stop(daemon);
	store_put(daemon, blob_of("echo 16", name), "echo 99");
	snprintf(line, sizeof(line), "%s: not what its name says", name);
	expect_repaired(daemon, line);
	daemon_remove(daemon, "m.tflite");
	daemon_start(daemon, false);
	ask(daemon, 8); /* the last good one */
}

static void a_folder_in_a_blobs_place_is_put_away(void **state)
{
	struct daemon *daemon = *state;
	char name[100], path[300], line[200];
	start_two(daemon);
	stop(daemon);
	snprintf(path, sizeof(path), "%s/state/%s", daemon->folder, blob_of("echo 16", name));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(line, sizeof(line), "%s/x", name);
	store_put(daemon, line, "x");
	snprintf(line, sizeof(line), "%s: not a file of the store\n", name);
	expect_repaired(daemon, line);
	daemon_remove(daemon, "m.tflite");
	daemon_start(daemon, false);
	ask(daemon, 8); /* the last good one */
}

static void a_version_without_its_file_is_forgotten(void **state)
{
	struct daemon *daemon = *state;
	char name[100], path[300];
	start_two(daemon);
	stop(daemon);
	snprintf(path, sizeof(path), "%s/state/%s", daemon->folder, blob_of("echo 16", name));
	assert_int_equal(unlink(path), 0);
	expect_repaired(daemon, "manifests/m: version 2 has lost its file");
	snprintf(path, sizeof(path), "%s/state/%s", daemon->folder, blob_of("echo 8", name));
	assert_int_equal(unlink(path), 0);
	expect_repaired(daemon, "manifests/m: version 1 has lost its file");
	daemon_start(daemon, false);
	ask(daemon, 16); /* from the folder */
}

static void a_manifest_whose_seal_is_broken_is_put_away(void **state)
{
	struct daemon *daemon = *state;
	char path[300], out[4096];
	start_two(daemon);
	stop(daemon);
	snprintf(path, sizeof(path), "%s/state/manifests/m", daemon->folder);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "X", 1, 60), 1);
	close(fd);
	assert_int_equal(look(daemon, "--fsck", out, sizeof(out)), 1);
	assert_non_null(strstr(out, "manifests/m: m: truncated or changed"));
	expect_repaired(daemon, "manifests/m: m: truncated or changed");
	daemon_start(daemon, false);
	ask(daemon, 16);
}

static void repair_without_fsck_is_a_usage_error(void **state)
{
	struct daemon *daemon = *state;
	char out[4096], name[100];
	start_two(daemon);
	stop(daemon);
	store_put(daemon, blob_of("echo 16", name), "echo 99");
	assert_int_equal(look(daemon, "--repair", out, sizeof(out)), 2);
	assert_string_equal(out, "Try edged --help.\n");
	assert_int_equal(look(daemon, "--fsck", out, sizeof(out)), 1);
}

static void a_store_that_is_in_use_is_left_alone(void **state)

{
	struct daemon *daemon = *state;
	char out[4096];
	start_two(daemon);
	assert_int_equal(look(daemon, "--fsck --repair", out, sizeof(out)), 2);
	assert_non_null(strstr(out, "an edged uses it"));
	ask(daemon, 16);
}

/* What edged says of its own store; "" for nothing. */
static void expect_told(struct daemon *daemon, const char *argument, const char *text)
{
	struct peer peer = peer_open_store(daemon);
	struct wire_text lines;
	peer_store(&peer, 1, WIRE_STORE_FSCK, "", argument);
	struct answer answer = peer_receive(&peer);
	assert_int_equal(answer.header.status, EDGE_OK);
	assert_int_equal(
		wire_store_reply_decode(answer.body, answer.header.body_bytes, &lines, NULL), 0);
	if (text[0] ? !memmem(lines.data, lines.length, text, strlen(text)) : lines.length > 0) {
		fail_msg("no \"%s\" in: %.*s", text, (int)lines.length, lines.data);
	}
	answer_free(&answer);
	peer_close(&peer);
}

static void a_running_edged_looks_at_its_own(void **state)
{
	struct daemon *daemon = *state;
	char name[100];
	start_two(daemon);
	expect_told(daemon, "", "");
	store_put(daemon, blob_of("echo 16", name), "echo 99");
	expect_told(daemon, "", "not what its name says");
	expect_told(daemon, "repair", "not what its name says");
	reload(daemon);
	ask(daemon, 16); /* copied from the folder again */
	expect_told(daemon, "repair", "a corrupt file in quarantine");
	expect_told(daemon, "", "");
	store_put(daemon, "manifests/m", "half");
	expect_told(daemon, "repair", "truncated or changed");
	expect_told(daemon, "repair", "quarantine/m: a corrupt file in quarantine");
	expect_told(daemon, "repair", "");
	stop(daemon);
	expect_fine(daemon);
	daemon_remove(daemon, "m.tflite");
	daemon_start(daemon, false);
	ask(daemon, 16);
}

#define fsck_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		fsck_test(a_store_as_edged_leaves_it_is_fine),
		fsck_test(what_nothing_needs_is_told_and_removed),
		fsck_test(a_blob_that_is_not_what_its_name_says_is_put_away),
		fsck_test(a_folder_in_a_blobs_place_is_put_away),
		fsck_test(a_version_without_its_file_is_forgotten),
		fsck_test(a_manifest_whose_seal_is_broken_is_put_away),
		fsck_test(repair_without_fsck_is_a_usage_error),
		fsck_test(a_store_that_is_in_use_is_left_alone),
		fsck_test(a_running_edged_looks_at_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
