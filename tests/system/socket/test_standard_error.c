/* SPDX-License-Identifier: Apache-2.0 */
/* edged whose standard error is a pipe that nobody reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define PIPE_BYTES 4096
#define RELOADS 300 /* each is logged: far more than PIPE_BYTES */

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_start(daemon, false);
	assert_true(fcntl(daemon->log, F_SETPIPE_SZ, PIPE_BYTES) > 0);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

static void reload(struct peer *peer, uint64_t id)
{
	peer_send(peer, WIRE_RELOAD, id, 0, NULL);
	peer_expect(peer, id, EDGE_OK);
}

/* Everything is answered while the pipe is full. */
static void fill(struct peer *peer)
{
	for (uint64_t id = 1; id <= RELOADS; id++) {
		reload(peer, id);
	}
	peer_infer(peer, RELOADS + 1, "echo", 4, 7, 0);
	peer_expect_echo(peer, RELOADS + 1, 4, 7);
}

static void requests_are_answered_while_nobody_reads_it(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open_1_3(daemon);
	fill(&peer);
	peer_close(&peer);
}

static void the_number_of_lost_lines_is_told_once_it_is_read(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open_1_3(daemon);
	char bytes[PIPE_BYTES];
	fill(&peer);
	assert_true(read(daemon->log, bytes, sizeof(bytes)) > 0);
	reload(&peer, 1);
	daemon_wait_log(daemon, " lines lost: standard error was not read\n");
	daemon_wait_log(daemon, "models ready");
	peer_close(&peer);
}

static void it_ends_when_told_though_nobody_reads_it(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open_1_3(daemon);
	fill(&peer);
	peer_close(&peer);
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(requests_are_answered_while_nobody_reads_it),
		TEST(the_number_of_lost_lines_is_told_once_it_is_read),
		TEST(it_ends_when_told_though_nobody_reads_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
