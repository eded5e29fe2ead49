/* SPDX-License-Identifier: Apache-2.0 */
/* What docs/threat-model.md says and no other test shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_put(daemon, "echo.tflite", "echo 4");
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

/* ---- what clients are told */

/* Receives a reply to @id in which neither @daemon's folders nor an address stands. */
static void expect_discreet(struct peer *peer, const struct daemon *daemon, uint64_t id)
{
	struct answer answer = peer_receive(peer);
	const size_t size = answer.header.body_bytes;
	const char *const never[] = {daemon->folder, "/var/", "/tmp/", "/usr/", "/proc/", "0x"};
	assert_int_equal(answer.header.id, id);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		if (size && memmem(answer.body, size, never[i], strlen(never[i]))) {
			fail_msg("reply %u says \"%s\"", (unsigned int)id, never[i]);
		}
	}
	answer_free(&answer);
}

static int file_of(const char *bytes)
{
	int fd = memfd_create("model", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
	return fd;
}

/* Files that are refused, each for a reason of its own. */
static void put_bad_ones(struct daemon *daemon)
{
	static const struct {
		const char *name, *target;
	} links[] = {{"out.tflite", "/etc/passwd"}, {"round.tflite", "round.tflite"},
		{"nowhere.tflite", "/var/nowhere"}};
	char path[256];
	daemon_put(daemon, "bad.tflite", "bad");
	daemon_put(daemon, "empty.tflite", "");
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		snprintf(path, sizeof(path), "%s/models/%s", daemon->folder, links[i].name);
		assert_int_equal(symlink(links[i].target, path), 0);
	}
	snprintf(path, sizeof(path), "%s/models/fifo.tflite", daemon->folder);
	assert_int_equal(mkfifo(path, 0644), 0);
	snprintf(path, sizeof(path), "%s/models/folder.tflite", daemon->folder);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void ask_for(struct peer *peer, const struct daemon *daemon, const char *name)
{
	struct bytes_writer w = {0};
	const struct wire_describe describe = {
		.model = wire_text_of(name), .version = wire_text_of("")};
	wire_describe_encode(&w, &describe);
	peer_send(peer, WIRE_DESCRIBE, 1, 0, &w);
	bytes_writer_deinit(&w);
	expect_discreet(peer, daemon, 1);
	peer_infer(peer, 2, name, 4, 1, 0);
	expect_discreet(peer, daemon, 2);
	peer_store(peer, 3, WIRE_STORE_HISTORY, name, NULL);
	expect_discreet(peer, daemon, 3);
	peer_store(peer, 4, WIRE_STORE_PIN, name, "7");
	expect_discreet(peer, daemon, 4);
}

static void what_clients_are_told_names_no_place_of_the_machine(void **state)
{
	struct daemon *daemon = *state;
	static const char *const names[] = {"echo", "bad", "empty", "out", "round", "nowhere",
		"fifo", "folder", "missing", "../../etc/passwd", "/etc/passwd"};
	put_bad_ones(daemon);
	daemon_start(daemon, false);
	struct peer peer = peer_open_transfer(daemon);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ask_for(&peer, daemon, names[i]);
	}
	static const char *const files[] = {"bad", "", "echo 8"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd = file_of(files[i]);
		peer_store_fd(&peer, 5, WIRE_STORE_INSTALL, "given", fd);
		expect_discreet(&peer, daemon, 5);
		close(fd);
	}
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	peer_store_fd(&peer, 6, WIRE_STORE_EXPORT, "echo", null);
	expect_discreet(&peer, daemon, 6);
	close(null);
	peer_send(&peer, WIRE_LIST, 7, 0, NULL);
	expect_discreet(&peer, daemon, 7);
	peer_send(&peer, WIRE_STATUS, 8, 0, NULL);
	expect_discreet(&peer, daemon, 8);
	peer_close(&peer);
}

/* ---- without a service manager */

static void expect_filtered(const char *task)
{
	char line[128];
	bool filtered = false;
	FILE *file = fopen(task, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		filtered = filtered || strcmp(line, "Seccomp:\t2\n") == 0;
	}
	fclose(file);
	if (!filtered) {
		fail_msg("%s has no filter", task);
	}
}

/* Its threads too, and it does all that it is asked. A sanitizer's thread was there before. */
static void edged_confines_itself_and_does_its_work(void **state)
{
	struct daemon *daemon = *state;
	char pattern[64];
	glob_t tasks;
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0) {
		print_message("SKIPPED: calls are filtered here already, or cannot be\n");
		return;
	}
	daemon_config(daemon, "[daemon]\nsandbox = yes\nlog-level = info\n");
	daemon_spawn(daemon, false);
	daemon_wait_log(daemon, "sandbox: system calls filtered");
	daemon_wait_log(daemon, "models ready");
	struct peer peer = peer_open_transfer(daemon);
	peer_infer(&peer, 1, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	int fd = file_of("echo 4");
	peer_store_fd(&peer, 2, WIRE_STORE_INSTALL, "given", fd);
	peer_expect(&peer, 2, EDGE_OK);
	peer_infer(&peer, 3, "given", 4, 2, 0);
	peer_expect_echo(&peer, 3, 4, 2);
	peer_close(&peer);
	close(fd);
	snprintf(pattern, sizeof(pattern), "/proc/%d/task/*/status", (int)daemon->pid);
	assert_int_equal(glob(pattern, 0, NULL, &tasks), 0);
	for (size_t i = 0; i < tasks.gl_pathc && (i == 0 || daemon_memory_counts()); i++) {
		expect_filtered(tasks.gl_pathv[i]);
	}
	globfree(&tasks);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_clients_are_told_names_no_place_of_the_machine),
		TEST(edged_confines_itself_and_does_its_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
