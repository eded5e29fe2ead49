/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that does not give what was stored: nobody gets a wrong answer, and edged goes on. */
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
#include <unistd.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define ROWS 3
#define WIDTH 40

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

static size_t data_read(const char *file, void *out, size_t size)
{
	char path[256];
	snprintf(path, sizeof(path), "tests/data/FULLY_CONNECTED_s8/%s", file);
	FILE *in = fopen(path, "re");
	assert_non_null(in);
	size_t n = fread(out, 1, size, in);
	fclose(in);
	return n;
}

/* The model of int8 3x40 as file "m"; @tail bytes behind it make another file of it. */
static void model_put(struct daemon *daemon, size_t tail)
{
	static uint8_t bytes[65536];
	size_t n = data_read("model.tflite", bytes, sizeof(bytes) - tail);
	memset(bytes + n, 0, tail);
	daemon_put_bytes(daemon, "m.tflite", bytes, n + tail);
}

static void reload(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 900, 0, NULL);
	peer_expect(&peer, 900, EDGE_OK);
	peer_close(&peer);
}

/* Asks the case's first question. */
static struct answer ask(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	uint8_t input[ROWS * WIDTH];
	struct bytes_writer w = {0};
	struct wire_infer infer = {
		.model = wire_text_of("m"), .n_inputs = 1, .n_wanted = WIRE_ALL_OUTPUTS};
	assert_int_equal(data_read("in0_0.bin", input, sizeof(input)), sizeof(input));
	infer.inputs[0] = (struct wire_tensor){.type = DTYPE_INT8,
		.shape = {2, {ROWS, WIDTH}},
		.bytes = sizeof(input),
		.data = input};
	wire_infer_encode(&w, &infer);
	peer_send(&peer, WIRE_INFER, 1, 0, &w);
	bytes_writer_deinit(&w);
	struct answer answer = peer_receive(&peer);
	peer_close(&peer);
	return answer;
}

static void expect_status(struct daemon *daemon, enum edge_status status)
{
	struct answer answer = ask(daemon);
	assert_int_equal(answer.header.status, status);
	answer_free(&answer);
}

/* To the last bit, and @version. */
static void expect_right(struct daemon *daemon, const char *version)
{
	struct answer answer = ask(daemon);
	struct wire_infer_reply reply;
	uint8_t due[64];
	size_t n = data_read("out0_0.bin", due, sizeof(due));
	assert_int_equal(answer.header.status, EDGE_OK);
	assert_int_equal(wire_infer_reply_decode(answer.body, answer.header.body_bytes,
				 answer.header.flags, &reply, NULL),
		0);
	assert_true(wire_text_is(reply.version, version));
	assert_int_equal(reply.outputs[0].bytes, n);
	assert_memory_equal(reply.outputs[0].data, due, n);
	answer_free(&answer);
}

static void whatever_becomes_of_the_folders_file_the_answers_stay(void **state)
{
	struct daemon *daemon = *state;
	char path[256];
	daemon_config(daemon, "[models]\nwatch = no\n");
	model_put(daemon, 0);
	daemon_start(daemon, true);
	expect_right(daemon, "1");
	snprintf(path, sizeof(path), "%s/models/m.tflite", daemon->folder);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	uint8_t garbage[4096];
	memset(garbage, 0xa5, sizeof(garbage));
	assert_int_equal(pwrite(fd, garbage, sizeof(garbage), 0), sizeof(garbage));
	expect_right(daemon, "1");
	assert_int_equal(ftruncate(fd, 0), 0);
	expect_right(daemon, "1");
	close(fd);
	assert_int_equal(unlink(path), 0);
	expect_right(daemon, "1");
}

/* Cuts every file of @folder of the store to nothing, as a disk does that gives no page of it. */
static size_t cut_all(struct daemon *daemon, const char *folder)
{
	char path[256], file[600];
	size_t n = 0;
	snprintf(path, sizeof(path), "%s/state/%s", daemon->folder, folder);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] != '.') {
			snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
			assert_int_equal(chmod(file, 0600), 0);
			assert_int_equal(truncate(file, 0), 0);
			n++;
		}
	}
	closedir(dir);
	return n;
}

/* With kernels that read the blob in each run; others may need no page of it but what is packed. */
static void configure(struct daemon *daemon, const char *models)
{
	char text[256];
	snprintf(text, sizeof(text), "[daemon]\ncpu-features = none\n%s", models);
	daemon_config(daemon, text);
}

static size_t count_files(const struct daemon *daemon, const char *folder)
{
	char path[256];
	size_t n = 0;
	snprintf(path, sizeof(path), "%s/%s", daemon->folder, folder);
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		n += entry->d_name[0] != '.';
	}
	if (dir) {
		closedir(dir);
	}
	return n;
}

/* The copy of the one model that has one there; its packed weights stay. */
static void cut_blob(struct daemon *daemon)
{
	assert_int_equal(cut_all(daemon, "blobs"), 1);
}

static void a_blob_that_is_cut_while_it_serves_is_copied_again_from_the_folder(void **state)
{
	struct daemon *daemon = *state;
	configure(daemon, "");
	model_put(daemon, 0);
	daemon_start(daemon, true);
	expect_right(daemon, "1");
	cut_blob(daemon);
	expect_status(daemon, EDGE_BACKEND);
	daemon_wait_log(daemon, "the disk did not give a part of it");
	daemon_wait_log(daemon, "is corrupt; moved to quarantine");
	reload(daemon);
	expect_right(daemon, "1");
	assert_int_equal(count_files(daemon, "state/quarantine"), 1);
	assert_int_equal(count_files(daemon, "state/bad"), 0);
}

static void without_the_folder_the_last_good_version_serves(void **state)
{
	struct daemon *daemon = *state;
	char first[600], kept[256];
	configure(daemon, "[models]\nprobation-requests = 1\nwatch = no\n");
	model_put(daemon, 0);
	daemon_start(daemon, true);
	expect_right(daemon, "1");
	reload(daemon); /* behind its trial's end */
	/* The first one's blob goes out of the way and comes back, so that only the second is cut. */
	snprintf(kept, sizeof(kept), "%s/kept", daemon->folder);
	snprintf(first, sizeof(first), "%s/state/blobs", daemon->folder);
	DIR *dir = opendir(first);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] != '.') {
			snprintf(first, sizeof(first), "%s/state/blobs/%s", daemon->folder,
				entry->d_name);
		}
	}
	closedir(dir);
	model_put(daemon, 4096);
	reload(daemon);
	expect_right(daemon, "2");
	assert_int_equal(rename(first, kept), 0);
	cut_blob(daemon);
	assert_int_equal(rename(kept, first), 0);
	char models[256], away[256];
	snprintf(models, sizeof(models), "%s/models", daemon->folder);
	snprintf(away, sizeof(away), "%s/away", daemon->folder);
	assert_int_equal(rename(models, away), 0);
	expect_status(daemon, EDGE_BACKEND);
	daemon_wait_log(daemon, "model m version 1: ready");
	expect_right(daemon, "1");
	assert_int_equal(rename(away, models), 0);
}

static void a_model_that_nothing_has_any_more_is_refused(void **state)
{
	struct daemon *daemon = *state;
	char models[256], away[256];
	configure(daemon, "");
	model_put(daemon, 0);
	daemon_start(daemon, true);
	expect_right(daemon, "1");
	snprintf(models, sizeof(models), "%s/models", daemon->folder);
	snprintf(away, sizeof(away), "%s/away", daemon->folder);
	assert_int_equal(rename(models, away), 0);
	cut_blob(daemon);
	expect_status(daemon, EDGE_BACKEND);
	daemon_wait_log(daemon, "model m: refused: ");
	expect_status(daemon, EDGE_MODEL_REFUSED);
	assert_int_equal(rename(away, models), 0);
	reload(daemon);
	expect_right(daemon, "1");
}

static void packed_weights_that_are_cut_are_made_again(void **state)
{
	struct daemon *daemon = *state;
	model_put(daemon, 0);
	daemon_start(daemon, true);
	expect_right(daemon, "1");
	if (cut_all(daemon, "packs") == 0) {
		print_message("SKIPPED: no kernel of this CPU packs weights\n");
		return;
	}
	expect_status(daemon, EDGE_BACKEND);
	daemon_wait_log(daemon, "model m version 1: ready");
	expect_right(daemon, "1");
	assert_int_equal(count_files(daemon, "state/quarantine"), 0);
}

/* ---- file systems of their own, which only root can mount */

/* False, and said, where that cannot be done. */
static bool can(const char *command)
{
	bool done = geteuid() == 0 && system(command) == 0;
	if (!done) {
		print_message("SKIPPED: no file system can be mounted here\n");
	}
	return done;
}

static void a_store_on_a_read_only_disk_serves(void **state)
{
	struct daemon *daemon = *state;
	char mount[400], unmount[200];
	model_put(daemon, 0);
	daemon_start(daemon, true);
	expect_right(daemon, "1");
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	snprintf(mount, sizeof(mount),
		"{ mount --bind %s/state %s/state && mount -o remount,ro,bind %s/state; } 2>/dev/null",
		daemon->folder, daemon->folder, daemon->folder);
	snprintf(unmount, sizeof(unmount), "umount %s/state", daemon->folder);
	if (!can(mount)) {
		return;
	}
	daemon_remove(daemon, "m.tflite");
	daemon_start(daemon, true);
	expect_right(daemon, "1");
	reload(daemon);
	expect_right(daemon, "1");
	model_put(daemon, 4096);
	reload(daemon);
	expect_right(daemon, "2"); /* in memory */
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_start(daemon, true);
	expect_right(daemon, "2"); /* from the folder again */
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	assert_int_equal(system(unmount), 0);
	daemon_remove(daemon, "m.tflite");
	daemon_start(daemon, true);
	expect_right(daemon, "1");
}

static void models_are_sealed_where_the_file_system_can(void **state)
{
	struct daemon *daemon = *state;
	char mount[800], unmount[200], line[64] = "";
	snprintf(mount, sizeof(mount),
		"{ truncate -s 16M %s/disk && mkfs.ext4 -q -O verity %s/disk && "
		"mount -o loop %s/disk %s/state; } >/dev/null 2>&1",
		daemon->folder, daemon->folder, daemon->folder, daemon->folder);
	snprintf(unmount, sizeof(unmount), "umount %s/state", daemon->folder);
	if (!can(mount)) {
		return;
	}
	model_put(daemon, 0);
	daemon_start(daemon, true);
	expect_right(daemon, "1");
	snprintf(mount, sizeof(mount), "grep -c fs-verity %s/state/history/m", daemon->folder);
	FILE *pipe = popen(mount, "re");
	assert_non_null(pipe);
	assert_non_null(fgets(line, sizeof(line), pipe));
	pclose(pipe);
	if (line[0] == '0') {
		print_message("SKIPPED: this kernel has no fs-verity\n");
	}
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_start(daemon, true);
	expect_right(daemon, "1");
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	assert_int_equal(system(unmount), 0);
	daemon_start(daemon, true);
}

#define disk_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		disk_test(whatever_becomes_of_the_folders_file_the_answers_stay),
		disk_test(a_blob_that_is_cut_while_it_serves_is_copied_again_from_the_folder),
		disk_test(without_the_folder_the_last_good_version_serves),
		disk_test(a_model_that_nothing_has_any_more_is_refused),
		disk_test(packed_weights_that_are_cut_are_made_again),
		disk_test(a_store_on_a_read_only_disk_serves),
		disk_test(models_are_sealed_where_the_file_system_can),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
