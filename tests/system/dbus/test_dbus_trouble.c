/* SPDX-License-Identifier: Apache-2.0 */
/* A bus that goes, comes back and is flooded, and a name that somebody else has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/system/message_bus.h"
#include "tests/system/peer.h"

static void a_name_that_is_taken_is_told(void **state)
{
	static struct daemon other;
	(void)state;
	daemon_prepare(&other);
	daemon_start(&other, false);
	other.seen = 0; /* it may have been said before it listened */
	daemon_wait_log(&other, "not on the bus as org.edged1: somebody else has the name");
	daemon_end(&other);
}

static void a_bus_that_goes_is_not_missed(void **state)
{
	struct bus_world *world = *state;
	bus_end(world->bus_daemon);
	daemon_wait_log(&world->daemon, "the bus has gone");
	world->bus_daemon = -1;
	daemon_signal(&world->daemon, SIGHUP);
	daemon_wait_log(&world->daemon, "1 models ready");
}

static void a_bus_that_comes_back_finds_edged(void **state)
{
	struct bus_world *world = *state;
	char error[128];
	bus_end(world->bus_daemon);
	daemon_wait_log(&world->daemon, "the bus has gone");
	world->bus_daemon = bus_spawn(world->daemon.folder);
	daemon_wait_log(&world->daemon, "there is a bus again");
	world->bus = sd_bus_flush_close_unref(world->bus);
	assert_true(sd_bus_open_system(&world->bus) >= 0);
	bus_call(world->bus, "Reload", NULL, error);
	assert_string_equal(error, "");
	bus_assert_text(world, "State", "ready");
}

/* How often edged has slept. */
static long sleeps(const struct daemon *daemon)
{
	char path[64], line[128];
	long n = -1;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)daemon->pid);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (n < 0 && fgets(line, sizeof(line), file)) {
		sscanf(line, "voluntary_ctxt_switches: %ld", &n);
	}
	fclose(file);
	assert_true(n >= 0);
	return n;
}

/* Nothing else wakes it: it has slept, and looked in vain, and sleeps again. */
static void a_bus_that_stays_away_is_looked_for_again(void **state)
{
	struct bus_world *world = *state;
	char error[128];
	bus_end(world->bus_daemon);
	daemon_wait_log(&world->daemon, "the bus has gone");
	const long before = sleeps(&world->daemon);
	while (sleeps(&world->daemon) < before + 2) {
		poll(NULL, 0, 10);
	}
	world->bus_daemon = bus_spawn(world->daemon.folder);
	daemon_wait_log(&world->daemon, "there is a bus again");
	world->bus = sd_bus_flush_close_unref(world->bus);
	assert_true(sd_bus_open_system(&world->bus) >= 0);
	bus_call(world->bus, "Reload", NULL, error);
	assert_string_equal(error, "");
}

/* Somebody who asks faster than anybody can answer, and reads nothing. */
static void flood(void)
{
	sd_bus *bus = NULL;
	bool fine = sd_bus_open_system(&bus) >= 0;
	while (fine) {
		sd_bus_message *message = NULL;
		fine = sd_bus_message_new_method_call(bus, &message, BUS_NAME, "/org/edged1",
			       "org.freedesktop.DBus.ObjectManager", "GetManagedObjects") >= 0 &&
			sd_bus_message_set_expect_reply(message, 0) >= 0 &&
			sd_bus_send(bus, message, NULL) >= 0 && sd_bus_flush(bus) >= 0;
		sd_bus_message_unref(message);
	}
	_exit(1);
}

static void a_flood_on_the_bus_keeps_nobody_waiting(void **state)
{
	enum {
		FLOODS = 4,
		REQUESTS = 200
	};
	struct bus_world *world = *state;
	pid_t pids[FLOODS];
	for (int i = 0; i < FLOODS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			flood();
		}
	}
	struct peer peer = peer_open(&world->daemon);
	for (uint32_t i = 0; i < REQUESTS; i++) {
		peer_infer(&peer, i + 1, "echo", 4, 1, 0);
		peer_expect_echo(&peer, i + 1, 4, 1);
	}
	peer_close(&peer);
	for (int i = 0; i < FLOODS; i++) {
		bus_end(pids[i]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bus_world_set_up, bus_world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_that_is_taken_is_told),
		TEST(a_flood_on_the_bus_keeps_nobody_waiting),
		TEST(a_bus_that_goes_is_not_missed),
		TEST(a_bus_that_comes_back_finds_edged),
		TEST(a_bus_that_stays_away_is_looked_for_again),
	};
	if (system("dbus-daemon --version >/dev/null 2>&1") != 0) {
		print_message("SKIPPED: there is no dbus-daemon\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
