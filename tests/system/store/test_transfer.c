/* SPDX-License-Identifier: Apache-2.0 */
/* Models that come and go by the socket: whose descriptors count, and who may. */
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

/* A model of the fake engine. */
static int memory_of(const char *line)
{
	int fd = memfd_create("model", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	return fd;
}

static void expect_lines(struct peer *peer, const char *text)
{
	struct wire_text lines;
	struct answer answer = peer_receive(peer);
	assert_int_equal(answer.header.status, EDGE_OK);
	assert_int_equal(
		wire_store_reply_decode(answer.body, answer.header.body_bytes, &lines, NULL), 0);
	assert_true(wire_text_is(lines, text));
	answer_free(&answer);
}

/* The whole life of one: it comes, answers, goes, in frames. */
static void a_model_comes_and_goes_by_the_socket(void **state)
{
	struct peer peer = peer_open_transfer(*state);
	int fd = memory_of("echo 8"), out = memfd_create("out", MFD_CLOEXEC);
	struct stat st;
	peer_store_fd(&peer, 1, WIRE_STORE_INSTALL, "given", fd);
	expect_lines(&peer, "given version 1: ready\n");
	peer_infer(&peer, 2, "given", 8, 3, 0);
	peer_expect_echo(&peer, 2, 8, 3);
	peer_store_fd(&peer, 3, WIRE_STORE_EXPORT, "given", out);
	expect_lines(&peer, "given version 1: ready\n");
	assert_int_equal(fstat(out, &st), 0);
	assert_int_equal(st.st_size, 6 * 512); /* two headers, two files, the end */
	peer_store(&peer, 4, WIRE_STORE_REMOVE, "given", NULL);
	peer_expect(&peer, 4, EDGE_OK);
	peer_infer(&peer, 5, "given", 8, 3, 0);
	peer_expect(&peer, 5, EDGE_NOT_FOUND);
	peer_store_fd(&peer, 6, WIRE_STORE_INSTALL, "", out);
	expect_lines(&peer, "given version 2: ready\n");
	peer_store(&peer, 7, WIRE_STORE_REMOVE, "given", NULL);
	peer_expect(&peer, 7, EDGE_OK);
	peer_close(&peer);
	close(fd);
	close(out);
}

static void expect_status(
	struct daemon *daemon, enum wire_store_verb verb, int fd, enum edge_status status)
{
	struct peer peer = peer_open_transfer(daemon);
	peer_store_fd(&peer, 1, verb, "echo", fd);
	peer_expect(&peer, 1, status);
	peer_infer(&peer, 2, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 2, 4, 1);
	peer_close(&peer);
}

static void two_descriptors_end_the_connection(void **state)
{
	struct peer peer = peer_open_transfer(*state);
	uint8_t header[WIRE_HEADER_BYTES];
	const int fds[] = {memory_of("echo 8"), memory_of("echo 8")};
	wire_header_encode(
		&(struct wire_header){.type = WIRE_STORE, .id = 1, .body_bytes = 64}, header);
	peer_send_fds(&peer, header, sizeof(header), fds, 2);
	struct answer answer = peer_receive(&peer);
	assert_int_equal(answer.header.status, EDGE_INVALID);
	answer_free(&answer);
	peer_expect_closed(&peer);
	peer_close(&peer);
	close(fds[0]);
	close(fds[1]);
}

/* A writer or a peer that does not come would hold up the loader. */
static void what_is_no_file_is_not_read(void **state)
{
	const enum wire_store_verb verbs[] = {WIRE_STORE_INSTALL, WIRE_STORE_EXPORT};
	int pipes[2], sockets[2];
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int device = open("/dev/zero", O_RDWR | O_CLOEXEC);
	for (size_t i = 0; i < 2; i++) {
		expect_status(*state, verbs[i], pipes[i], EDGE_INVALID);
		expect_status(*state, verbs[i], sockets[0], EDGE_INVALID);
		expect_status(*state, verbs[i], folder, EDGE_INVALID);
		expect_status(*state, verbs[i], device, EDGE_INVALID);
		expect_status(*state, verbs[i], -1, EDGE_INVALID);
	}
	expect_status(*state, WIRE_STORE_PIN, folder, EDGE_INVALID);
	close(pipes[0]);
	close(pipes[1]);
	close(sockets[0]);
	close(sockets[1]);
	close(folder);
	close(device);
}

static void a_connection_without_descriptors_is_told_so(void **state)
{
	struct peer peer = peer_open_store(*state);
	int fd = memory_of("echo 8");
	peer_store_fd(&peer, 1, WIRE_STORE_INSTALL, "given", fd);
	peer_expect(&peer, 1, EDGE_INVALID);
	peer_close(&peer);
	close(fd);
}

static void what_cannot_be_written_to_is_an_error(void **state)
{
	char path[128];
	const struct daemon *daemon = *state;
	int sealed = memory_of("x");
	snprintf(path, sizeof(path), "%s/edged.log", daemon->folder);
	int closed = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(closed >= 0);
	assert_int_equal(unlink(path), 0);
	expect_status(*state, WIRE_STORE_EXPORT, closed, EDGE_INTERNAL);
	close(sealed);
	sealed = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE), 0);
	expect_status(*state, WIRE_STORE_EXPORT, sealed, EDGE_DENIED);
	close(sealed);
	close(closed);
}

static void names_that_are_none_are_refused(void **state)
{
	static const char *const names[] = {"", "../echo", "A", ".hidden", "a/b", "a\nb",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct peer peer = peer_open_transfer(*state);
	int fd = memory_of("echo 8");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		peer_store_fd(&peer, i + 1, WIRE_STORE_INSTALL, names[i], fd);
		peer_expect(&peer, i + 1, EDGE_INVALID);
	}
	peer_close(&peer);
	close(fd);
}

static void a_refused_install_leaves_what_serves(void **state)
{
	struct peer peer = peer_open_transfer(*state);
	int good = memory_of("echo 8"), bad = memory_of("offset 12 past the end");
	peer_store_fd(&peer, 1, WIRE_STORE_INSTALL, "given", good);
	expect_lines(&peer, "given version 1: ready\n");
	peer_store_fd(&peer, 2, WIRE_STORE_INSTALL, "given", bad);
	peer_expect(&peer, 2, EDGE_MODEL_REFUSED);
	peer_store_fd(&peer, 3, WIRE_STORE_INSTALL, "fresh", bad);
	peer_expect(&peer, 3, EDGE_MODEL_REFUSED);
	peer_infer(&peer, 4, "given", 8, 1, 0);
	peer_expect_echo(&peer, 4, 8, 1);
	peer_infer(&peer, 5, "fresh", 8, 1, 0);
	peer_expect(&peer, 5, EDGE_NOT_FOUND);
	peer_close(&peer);
	close(good);
	close(bad);
}

static void an_install_ends_without_who_asked(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open_transfer(daemon);
	int fd = memory_of("echo 8");
	peer_store_fd(&peer, 1, WIRE_STORE_INSTALL, "left", fd);
	peer_close(&peer);
	close(fd);
	daemon_wait_log(daemon, "model left version 1: ready");
	peer = peer_open(daemon);
	peer_infer(&peer, 1, "left", 8, 1, 0);
	peer_expect_echo(&peer, 1, 8, 1);
	peer_close(&peer);
}

static void no_more_than_max_models_are_installed(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open_transfer(daemon);
	daemon_config(daemon, "[models]\nmax-models = 2\n");
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "models ready");
	int fd = memory_of("echo 8"), other = memory_of("echo 16");
	peer_store_fd(&peer, 1, WIRE_STORE_INSTALL, "second", fd);
	expect_lines(&peer, "second version 1: ready\n");
	peer_store_fd(&peer, 2, WIRE_STORE_INSTALL, "third", fd);
	peer_expect(&peer, 2, EDGE_INTERNAL);
	peer_store_fd(&peer, 3, WIRE_STORE_INSTALL, "second", other);
	expect_lines(&peer, "second version 2: ready\n");
	peer_close(&peer);
	close(fd);
	close(other);
}

static void only_those_who_may_install_and_remove(void **state)
{
	struct daemon *daemon = *state;
	if (geteuid() != 0) {
		print_message("SKIPPED: not root, so there is nobody else to ask as\n");
		return;
	}
	assert_int_equal(chmod(daemon->folder, 0755), 0);
	assert_int_equal(chmod(daemon->socket, 0666), 0);
	pid_t stranger = fork();
	if (stranger == 0) {
		if (setegid(65534) != 0 || seteuid(65534) != 0) {
			_exit(2);
		}
		int fd = memory_of("echo 8");
		expect_status(daemon, WIRE_STORE_INSTALL, fd, EDGE_DENIED);
		expect_status(daemon, WIRE_STORE_EXPORT, fd, EDGE_DENIED);
		expect_status(daemon, WIRE_STORE_REMOVE, -1, EDGE_DENIED);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(stranger, &status, 0), stranger);
	assert_int_equal(status, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_model_comes_and_goes_by_the_socket),
		TEST(what_is_no_file_is_not_read),
		TEST(two_descriptors_end_the_connection),
		TEST(a_connection_without_descriptors_is_told_so),
		TEST(what_cannot_be_written_to_is_an_error),
		TEST(names_that_are_none_are_refused),
		TEST(a_refused_install_leaves_what_serves),
		TEST(an_install_ends_without_who_asked),
		TEST(no_more_than_max_models_are_installed),
		TEST(only_those_who_may_install_and_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
