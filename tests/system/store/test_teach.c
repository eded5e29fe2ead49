/* SPDX-License-Identifier: Apache-2.0 */
/* Examples that a model is taught by the socket: kept with the version that serves, told to who may use it. */
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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"
#include "tests/system/trial.h"

#define ALICE "alice\t1 0\n"
#define BLOB_OF_ALICE "c716f8d1254933af0bc97694bd25092d80993bd14aa631b89a71b5918e7607b2"
#define BOB "bob\t0 1\n"

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

static int memory_of(const void *bytes, size_t size)
{
	int fd = memfd_create("examples", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	return fd;
}

/* The answer's lines, if it is OK. */
static enum edge_status lines_get(struct peer *peer, char *out, size_t size)
{
	struct wire_text lines = {0};
	struct answer answer = peer_receive(peer);
	const enum edge_status status = (enum edge_status)answer.header.status;
	if (status == EDGE_OK) {
		assert_int_equal(wire_store_reply_decode(
					 answer.body, answer.header.body_bytes, &lines, NULL),
			0);
		assert_true(lines.length < size);
	}
	snprintf(out, size, "%.*s", (int)lines.length, lines.length ? lines.data : "");
	answer_free(&answer);
	return status;
}

static enum edge_status teach(
	struct peer *peer, const char *model, const void *bytes, size_t size, char out[256])
{
	int fd = memory_of(bytes, size);
	peer_store_fd(peer, 1, WIRE_STORE_TEACH, model, fd);
	close(fd);
	return lines_get(peer, out, 256);
}

static void expect_taught(struct peer *peer, const char *model, const char *text, const char *told)
{
	char out[256];
	assert_int_equal(teach(peer, model, text, strlen(text), out), EDGE_OK);
	assert_string_equal(out, told);
}

static void expect_examples(struct peer *peer, const char *model, const char *expected)
{
	char out[256];
	peer_store(peer, 2, WIRE_STORE_EXAMPLES, model, NULL);
	assert_int_equal(lines_get(peer, out, sizeof(out)), EDGE_OK);
	assert_string_equal(out, expected);
}

/* Bits 8 to 31 of the model's flags. */
static uint32_t stamp_of(struct peer *peer, const char *model)
{
	peer_send(peer, WIRE_STORE_LIST, 3, 0, NULL);
	struct answer answer = peer_receive(peer);
	struct bytes_reader r = bytes_reader_of(answer.body, answer.header.body_bytes);
	uint32_t n = 0, stamp = 0;
	assert_int_equal(wire_list_decode(&r, &n, NULL), 0);
	for (uint32_t i = 0; i < n; i++) {
		struct wire_store_item item;
		assert_int_equal(wire_store_item_decode(&r, &item, NULL), 0);
		if (wire_text_is(item.model.name, model)) {
			stamp = item.flags >> WIRE_STORE_TAUGHT_SHIFT;
		}
	}
	answer_free(&answer);
	return stamp;
}

static void restart(struct daemon *daemon, int signal_number)
{
	daemon_signal(daemon, signal_number);
	daemon_wait(daemon);
	daemon_start(daemon, false);
}

static void examples_are_kept_told_and_forgotten(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open_transfer(daemon);
	expect_examples(&peer, "echo", "");
	assert_int_equal(stamp_of(&peer, "echo"), 0);
	expect_taught(&peer, "echo", ALICE, "echo version 1: 1 examples\n");
	const uint32_t first = stamp_of(&peer, "echo");
	assert_int_not_equal(first, 0);
	expect_taught(&peer, "echo", BOB "alice\t0.6 0.8", "echo version 1: 3 examples\n");
	assert_int_not_equal(stamp_of(&peer, "echo"), first);
	expect_examples(&peer, "echo", ALICE BOB "alice\t0.6 0.8\n");
	peer_close(&peer);
	restart(daemon, SIGKILL);
	peer = peer_open_transfer(daemon);
	expect_examples(&peer, "echo", ALICE BOB "alice\t0.6 0.8\n");
	char out[256];
	peer_store(&peer, 4, WIRE_STORE_UNTEACH, "echo", "alice");
	assert_int_equal(lines_get(&peer, out, sizeof(out)), EDGE_OK);
	assert_string_equal(out, "echo version 1: 1 examples\n");
	expect_examples(&peer, "echo", BOB);
	peer_store(&peer, 4, WIRE_STORE_UNTEACH, "echo", "alice");
	peer_expect(&peer, 4, EDGE_NOT_FOUND);
	peer_store(&peer, 4, WIRE_STORE_UNTEACH, "echo", "bob");
	assert_int_equal(lines_get(&peer, out, sizeof(out)), EDGE_OK);
	assert_string_equal(out, "echo version 1: 0 examples\n");
	expect_examples(&peer, "echo", "");
	assert_int_equal(stamp_of(&peer, "echo"), 0);
	peer_close(&peer);
}

static void what_is_no_list_of_examples_changes_nothing(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} wrong[] = {
#define TEXT(t) {t, sizeof(t) - 1}
		TEXT(""),
		TEXT("\n"),
		TEXT("alice 1 0\n"),
		TEXT("\t1 0\n"),
		TEXT("alice\t1\n"), /* not as long as the others */
		TEXT("alice\t1 0 0\n"),
		TEXT("alice\t1 0\nalice\t1\n"),
		TEXT("alice\t1 nan\n"),
		TEXT("alice\t1 1e99\n"),
		TEXT("alice\t1 0x\n"),
		TEXT("alice\t1 0,5\n"),
		TEXT("alice\t1\t0\n"),
		TEXT("ali\0ce\t1 0\n"),
		TEXT("alice\t1 0\0\n"),
		TEXT("ali\x1b[2Jce\t1 0\n"),
		TEXT("0123456789012345678901234567890123456789012345678901234567890123\t1 0\n"),
#undef TEXT
	};
	struct daemon *daemon = *state;
	struct peer peer = peer_open_transfer(daemon);
	char out[256];
	expect_taught(&peer, "echo", BOB, "echo version 1: 1 examples\n");
	const uint32_t stamp = stamp_of(&peer, "echo");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(
			teach(&peer, "echo", wrong[i].text, wrong[i].size, out), EDGE_INVALID);
	}
	const size_t large = ((size_t)1 << 20) + 1;
	char *much = malloc(large);
	memset(much, '\n', large);
	assert_int_equal(teach(&peer, "echo", much, large, out), EDGE_TOO_LARGE);
	free(much);
	assert_int_equal(teach(&peer, "other", BOB, strlen(BOB), out), EDGE_NOT_FOUND);
	peer_store(&peer, 4, WIRE_STORE_EXAMPLES, "other", NULL);
	peer_expect(&peer, 4, EDGE_NOT_FOUND);
	peer_store_fd(&peer, 4, WIRE_STORE_TEACH, "echo", -1);
	peer_expect(&peer, 4, EDGE_INVALID);
	int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	peer_store_fd(&peer, 4, WIRE_STORE_TEACH, "echo", folder);
	peer_expect(&peer, 4, EDGE_INVALID);
	peer_store_fd(&peer, 4, WIRE_STORE_EXAMPLES, "echo", folder);
	peer_expect(&peer, 4, EDGE_INVALID);
	close(folder);
	expect_examples(&peer, "echo", BOB);
	assert_int_equal(stamp_of(&peer, "echo"), stamp);
	peer_close(&peer);
}

/* They are more than one answer holds, which max-body says. */
static void no_more_is_taught_than_an_answer_holds(void **state)
{
	struct daemon *daemon = *state;
	daemon_signal(daemon, SIGTERM);
	daemon_wait(daemon);
	daemon_config(daemon, "[limits]\nmax-body = 4K\n");
	daemon_start(daemon, false);
	struct peer peer = peer_open_transfer(daemon);
	char text[4096], out[256];
	size_t n = 0;
	while (n + strlen(BOB) <= 2048) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, BOB);
	}
	assert_int_equal(teach(&peer, "echo", text, n, out), EDGE_OK);
	assert_int_equal(teach(&peer, "echo", text, n, out), EDGE_TOO_LARGE);
	peer_store(&peer, 2, WIRE_STORE_EXAMPLES, "echo", NULL);
	peer_expect(&peer, 2, EDGE_OK);
	peer_close(&peer);
}

/* Its embeddings mean something else. */
static void another_version_has_none_and_the_old_one_has_its_own_again(void **state)
{
	struct daemon *daemon = *state;
	trial_start_with_a_good_one(daemon);
	struct peer peer = peer_open_transfer(daemon);
	expect_taught(&peer, "m", ALICE, "m version 1: 1 examples\n");
	trial_put_and_reload(daemon, "echo 8");
	expect_examples(&peer, "m", "");
	assert_int_equal(stamp_of(&peer, "m"), 0);
	char text[256];
	int fd = memory_of(BOB, strlen(BOB));
	peer_store_fd_with(&peer, 5, WIRE_STORE_TEACH, "m", "1", fd);
	assert_int_equal(lines_get(&peer, text, sizeof(text)), EDGE_NOT_FOUND);
	expect_examples(&peer, "m", "");
	peer_store_fd_with(&peer, 6, WIRE_STORE_TEACH, "m", "2", fd);
	assert_int_equal(lines_get(&peer, text, sizeof(text)), EDGE_OK);
	assert_string_equal(text, "m version 2: 1 examples\n");
	close(fd);
	trial_tell(daemon, WIRE_STORE_ROLLBACK, "m", NULL, EDGE_OK);
	expect_examples(&peer, "m", ALICE);
	assert_int_not_equal(stamp_of(&peer, "m"), 0);
	peer_close(&peer);
}

static void a_bundle_brings_them_along(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open_transfer(daemon);
	int out = memfd_create("out", MFD_CLOEXEC), again = memfd_create("out", MFD_CLOEXEC);
	char text[256];
	struct stat first, second;
	int model = memory_of("echo 8", 6);
	peer_store_fd(&peer, 1, WIRE_STORE_INSTALL, "faces", model);
	assert_int_equal(lines_get(&peer, text, sizeof(text)), EDGE_OK);
	expect_taught(&peer, "faces", ALICE, "faces version 1: 1 examples\n");
	peer_store_fd(&peer, 2, WIRE_STORE_EXPORT, "faces", out);
	assert_int_equal(lines_get(&peer, text, sizeof(text)), EDGE_OK);
	peer_store(&peer, 3, WIRE_STORE_REMOVE, "faces", NULL);
	peer_expect(&peer, 3, EDGE_OK);
	peer_store(&peer, 4, WIRE_STORE_EXAMPLES, "faces", NULL);
	peer_expect(&peer, 4, EDGE_NOT_FOUND);
	/* The file alone has none; with a bundle they come, also to a version that is there already. */
	peer_store_fd(&peer, 5, WIRE_STORE_INSTALL, "faces", model);
	assert_int_equal(lines_get(&peer, text, sizeof(text)), EDGE_OK);
	expect_examples(&peer, "faces", "");
	peer_store_fd(&peer, 6, WIRE_STORE_INSTALL, "", out);
	assert_int_equal(lines_get(&peer, text, sizeof(text)), EDGE_OK);
	expect_examples(&peer, "faces", ALICE);
	peer_store_fd(&peer, 7, WIRE_STORE_EXPORT, "faces", again);
	assert_int_equal(lines_get(&peer, text, sizeof(text)), EDGE_OK);
	assert_int_equal(fstat(out, &first), 0);
	assert_int_equal(fstat(again, &second), 0);
	assert_int_equal(first.st_size, second.st_size);
	/* And the file alone takes none away. */
	peer_store_fd(&peer, 8, WIRE_STORE_INSTALL, "faces", model);
	assert_int_equal(lines_get(&peer, text, sizeof(text)), EDGE_OK);
	expect_examples(&peer, "faces", ALICE);
	peer_close(&peer);
	close(model);
	close(out);
	close(again);
}

/* As editors leave a file; what an archive has of a part is not summed. */
static void a_last_line_without_its_end_gets_one(void **state)
{
	static const char without[] = "alice\t1 00";
	struct daemon *daemon = *state;
	struct peer peer = peer_open_transfer(daemon);
	static char archive[16384];
	char text[256];
	int bundle = memfd_create("bundle", MFD_CLOEXEC);
	expect_taught(&peer, "echo", ALICE, "echo version 1: 1 examples\n");
	peer_store_fd(&peer, 2, WIRE_STORE_EXPORT, "echo", bundle);
	assert_int_equal(lines_get(&peer, text, sizeof(text)), EDGE_OK);
	const ssize_t size = pread(bundle, archive, sizeof(archive), 0);
	assert_true(size > 0 && size < (ssize_t)sizeof(archive));
	const char *at = memmem(archive, (size_t)size, ALICE, strlen(ALICE));
	assert_non_null(at);
	assert_int_equal(strlen(without), strlen(ALICE));
	assert_int_equal(pwrite(bundle, without, strlen(without), at - archive), strlen(without));
	peer_store_fd(&peer, 3, WIRE_STORE_INSTALL, "faces", bundle);
	assert_int_equal(lines_get(&peer, text, sizeof(text)), EDGE_OK);
	expect_examples(&peer, "faces", "alice\t1 00\n");
	expect_taught(&peer, "faces", BOB, "faces version 1: 2 examples\n");
	expect_examples(&peer, "faces", "alice\t1 00\n" BOB);
	peer_store(&peer, 4, WIRE_STORE_UNTEACH, "faces", "alice");
	assert_int_equal(lines_get(&peer, text, sizeof(text)), EDGE_OK);
	expect_examples(&peer, "faces", BOB);
	peer_close(&peer);
	close(bundle);
}

/* By a disk that fails. */
static void what_the_store_has_lost_can_be_taught_again(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open_transfer(daemon);
	char text[256], path[512];
	expect_taught(&peer, "echo", ALICE, "echo version 1: 1 examples\n");
	snprintf(path, sizeof(path), "%s/state/blobs/" BLOB_OF_ALICE, daemon->folder);
	assert_int_equal(unlink(path), 0);
	peer_store(&peer, 1, WIRE_STORE_EXAMPLES, "echo", NULL);
	assert_int_not_equal(lines_get(&peer, text, sizeof(text)), EDGE_OK);
	peer_store(&peer, 2, WIRE_STORE_FSCK, "", "repair");
	assert_int_equal(lines_get(&peer, text, sizeof(text)), EDGE_OK);
	assert_string_equal(text, "manifests/echo: version 1 has lost its examples\n");
	assert_int_equal(stamp_of(&peer, "echo"), 0);
	expect_examples(&peer, "echo", "");
	peer_store(&peer, 3, WIRE_STORE_FSCK, "", NULL);
	assert_int_equal(lines_get(&peer, text, sizeof(text)), EDGE_OK);
	assert_string_equal(text, "");
	expect_taught(&peer, "echo", BOB, "echo version 1: 1 examples\n");
	peer_close(&peer);
	restart(daemon, SIGKILL);
	peer = peer_open_transfer(daemon);
	expect_examples(&peer, "echo", BOB);
	peer_close(&peer);
}

static void only_those_who_may_teach_and_those_who_may_use_it_are_told(void **state)
{
	struct daemon *daemon = *state;
	if (geteuid() != 0) {
		print_message("SKIPPED: not root, so there is nobody else to ask as\n");
		return;
	}
	daemon_put(daemon, "secret.tflite", "echo 2");
	daemon_config(daemon, "[access]\nmodels = secret=4294967294\n");
	restart(daemon, SIGTERM);
	struct peer peer = peer_open_transfer(daemon);
	expect_taught(&peer, "echo", ALICE, "echo version 1: 1 examples\n");
	expect_taught(&peer, "secret", BOB, "secret version 1: 1 examples\n");
	assert_int_equal(chmod(daemon->folder, 0755), 0);
	assert_int_equal(chmod(daemon->socket, 0666), 0);
	pid_t stranger = fork();
	if (stranger == 0) {
		if (setegid(65534) != 0 || seteuid(65534) != 0) {
			_exit(2);
		}
		struct peer his = peer_open_transfer(daemon);
		char out[256];
		assert_int_equal(teach(&his, "echo", BOB, strlen(BOB), out), EDGE_DENIED);
		peer_store(&his, 1, WIRE_STORE_UNTEACH, "echo", "alice");
		peer_expect(&his, 1, EDGE_DENIED);
		expect_examples(&his, "echo", ALICE);
		peer_store(&his, 2, WIRE_STORE_EXAMPLES, "secret", NULL);
		peer_expect(&his, 2, EDGE_DENIED);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(stranger, &status, 0), stranger);
	assert_int_equal(status, 0);
	expect_examples(&peer, "echo", ALICE);
	peer_close(&peer);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(examples_are_kept_told_and_forgotten),
		TEST(what_is_no_list_of_examples_changes_nothing),
		TEST(no_more_is_taught_than_an_answer_holds),
		cmocka_unit_test_setup_teardown(
			another_version_has_none_and_the_old_one_has_its_own_again, trial_set_up,
			trial_tear_down),
		TEST(a_bundle_brings_them_along),
		TEST(a_last_line_without_its_end_gets_one),
		TEST(what_the_store_has_lost_can_be_taught_again),
		TEST(only_those_who_may_teach_and_those_who_may_use_it_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
