/* SPDX-License-Identifier: Apache-2.0 */
/* Short runs are done by the thread that reads requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define LEARN 60 /* runs until one is expected to be short */
#define MANY 1000 /* rounds of 10 requests */

static void begin(struct daemon *daemon, const char *config)
{
	char line[128];
	daemon_prepare(daemon);
	snprintf(line, sizeof(line), "slow %s/gate", daemon->folder);
	daemon_put(daemon, "slow.tflite", line);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_config(daemon, config);
	daemon_start(daemon, false);
}

static void echo(struct peer *peer, int n)
{
	for (int i = 0; i < n; i++) {
		peer_infer(peer, 1, "echo", 4, (int8_t)i, 0);
		peer_expect_echo(peer, 1, 4, (int8_t)i);
	}
}

/* How often the threads but the first, which is the loop, have gone to sleep. */
static unsigned long sleeps(const struct daemon *daemon)
{
	char path[128], line[256];
	unsigned long all = 0, n = 0;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)daemon->pid);
	DIR *folder = opendir(path);
	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/status", (int)daemon->pid,
			entry->d_name);
		long thread = strtol(entry->d_name, NULL, 10); /* 0 for . and .. */
		FILE *file = thread == 0 || thread == daemon->pid ? NULL : fopen(path, "re");
		while (file && fgets(line, sizeof(line), file)) {
			if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1) {
				all += n;
			}
		}
		if (file) {
			fclose(file);
		}
	}
	closedir(folder);
	return all;
}

static void short_runs_wake_no_worker(void **state)
{
	static struct daemon daemon;
	(void)state;
	begin(&daemon, "[daemon]\nshort-run-us = 500\n");
	struct peer peer = peer_open(&daemon);
	echo(&peer, LEARN);
	/* On a busy machine some take long, and then the next ones are a worker's. */
	int rounds = 0;
	for (unsigned long before = sleeps(&daemon), now = before + 1; now != before; rounds++) {
		assert_true(rounds < MANY);
		before = sleeps(&daemon);
		echo(&peer, 10);
		now = sleeps(&daemon);
	}
	peer_close(&peer);
	daemon_end(&daemon);
}

static void with_0_every_run_is_a_workers(void **state)
{
	static struct daemon daemon;
	(void)state;
	begin(&daemon, "[daemon]\nshort-run-us = 0\nworkers = 1\n");
	struct peer peer = peer_open(&daemon);
	echo(&peer, LEARN);
	unsigned long before = sleeps(&daemon);
	echo(&peer, 50);
	/* A worker that finds the next request before it sleeps does not, which is rare here. */
	assert_true(sleeps(&daemon) - before > 10);
	peer_close(&peer);
	daemon_end(&daemon);
}

/* It was short often enough to be expected so. The loop gives it up, and answers others. */
static void a_run_that_is_longer_than_expected_holds_up_nobody(void **state)
{
	static struct daemon daemon;
	(void)state;
	begin(&daemon, "[daemon]\nshort-run-us = 500\n");
	struct peer peer = peer_open(&daemon);
	for (int i = 0; i < LEARN; i++) {
		daemon_let_go(&daemon, 1);
		peer_infer(&peer, 1, "slow", 4, 7, 0);
		peer_expect_echo(&peer, 1, 4, 7);
		daemon_wait_running(&daemon);
	}
	peer_infer(&peer, 2, "slow", 4, 8, 0);
	daemon_wait_running(&daemon);
	peer_send(&peer, WIRE_LIST, 3, 0, NULL);
	peer_expect(&peer, 3, EDGE_OK);
	echo(&peer, 1);
	daemon_let_go(&daemon, 1);
	peer_expect_echo(&peer, 2, 4, 8);
	/* With a deadline that passes: told once. */
	peer_infer(&peer, 4, "slow", 4, 8, 300);
	peer_expect(&peer, 4, EDGE_DEADLINE);
	echo(&peer, 1);
	peer_close(&peer);
	daemon_end(&daemon);
}

/* More than one at a time: some of them, or all, go to the workers. */
static void many_clients_with_short_runs_get_their_answers(void **state)
{
	static struct daemon daemon;
	struct peer peers[8];
	(void)state;
	begin(&daemon, "[daemon]\nshort-run-us = 500\n");
	for (size_t i = 0; i < 8; i++) {
		peers[i] = peer_open(&daemon);
	}
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < 8; i++) {
			peer_infer(&peers[i], i, "echo", 4, (int8_t)(round + (int)i), 0);
		}
		for (size_t i = 0; i < 8; i++) {
			peer_expect_echo(&peers[i], i, 4, (int8_t)(round + (int)i));
		}
	}
	for (size_t i = 0; i < 8; i++) {
		peer_close(&peers[i]);
	}
	daemon_end(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_runs_wake_no_worker),
		cmocka_unit_test(with_0_every_run_is_a_workers),
		cmocka_unit_test(a_run_that_is_longer_than_expected_holds_up_nobody),
		cmocka_unit_test(many_clients_with_short_runs_get_their_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
