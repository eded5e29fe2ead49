/* SPDX-License-Identifier: Apache-2.0 */
/* Which runs of a version on trial count, and which do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/edged/model/crash_markers.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_config(daemon,
		"[models]\nprobation-requests = 10\nprobation-time = 60min\n"
		"probation-slower = 50\n");
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

static void put_and_reload(struct daemon *daemon, const char *line)
{
	daemon_put(daemon, "m.tflite", line);
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 900, 0, NULL);
	peer_expect(&peer, 900, EDGE_OK);
	peer_close(&peer);
}

/* So many runs, each with a deadline, whatever comes of them. */
static void ask(struct daemon *daemon, int n, int8_t value, uint32_t deadline_us)
{
	struct peer peer = peer_open(daemon);
	for (int i = 0; i < n; i++) {
		peer_infer(&peer, (uint64_t)i + 1, "m", 4, value, deadline_us);
		struct answer answer = peer_receive(&peer);
		answer_free(&answer);
	}
	peer_close(&peer);
}

/* The version that serves has that name; whether it is on trial; behind whatever the loader has to do. */
static bool is_on_trial(struct daemon *daemon, const char *version)
{
	struct peer peer = peer_open_store(daemon);
	struct wire_store_item item;
	uint32_t n = 0;
	peer_store(&peer, 1, WIRE_STORE_HISTORY, "m", NULL);
	peer_expect(&peer, 1, EDGE_OK);
	peer_send(&peer, WIRE_STORE_LIST, 2, 0, NULL);
	struct answer answer = peer_receive(&peer);
	struct bytes_reader r = bytes_reader_of(answer.body, answer.header.body_bytes);
	assert_int_equal(wire_list_decode(&r, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(wire_store_item_decode(&r, &item, NULL), 0);
	assert_true(wire_text_is(item.model.version, version));
	const bool trial = item.flags & WIRE_STORE_TRIAL;
	answer_free(&answer);
	peer_close(&peer);
	return trial;
}

static void expect_store(struct daemon *daemon, const char *version, bool trial)
{
	assert_int_equal(is_on_trial(daemon, version), trial);
}

static void start_with_a_good_one(struct daemon *daemon, const char *line)
{
	daemon_put(daemon, "m.tflite", line);
	daemon_start(daemon, false);
	ask(daemon, 10, 7, 0);
	expect_store(daemon, "1", false);
}

static void runs_that_were_refused_do_not_prove_a_version(void **state)
{
	struct daemon *daemon = *state;
	start_with_a_good_one(daemon, "echo 4");
	put_and_reload(daemon, "sour 1");
	ask(daemon, 20, -7, 0);
	expect_store(daemon, "2", true);
	ask(daemon, 3, 7, 0);
	daemon_wait_log(daemon, "3 of 3 runs were bad");
	daemon_wait_log(daemon, "model m version 1: ready");
}

/* A refusal takes no time: with 200 of them the mean of version 1 would be a twentieth of what it is. */
static void runs_that_were_refused_do_not_make_the_next_one_slow(void **state)
{
	struct daemon *daemon = *state;
	start_with_a_good_one(daemon, "shy 20");
	ask(daemon, 200, -7, 0);
	put_and_reload(daemon, "toil 150");
	ask(daemon, 3, 7, 0);
	expect_store(daemon, "2", true);
}

/* What a run of version 1 waited, for a CPU or a disk, is not what is usual; no matter whether it was on trial. */
static void a_version_before_that_was_held_up_makes_no_room_for_a_slow_one(void **state)
{
	struct daemon *daemon = *state;
	start_with_a_good_one(daemon, "late 100");
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_start(daemon, false);
	ask(daemon, 5, 7, 0);
	put_and_reload(daemon, "toil 300");
	ask(daemon, 3, 7, 0);
	daemon_wait_log(daemon, "3 of 3 runs were bad: 0 failed, 0 gave NaN, 3 were too slow");
	daemon_wait_log(daemon, "model m version 1: ready");
}

/* What edged notes of runs on trial, for its next life. */
static unsigned int marked(const struct daemon *daemon)
{
	char path[160];
	struct crash_marker marker;
	unsigned int n = 0;
	snprintf(path, sizeof(path), "%s/state/running", daemon->folder);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fread(&marker, sizeof(marker), 1, file) == 1) {
		n += atomic_load(&marker.running);
	}
	fclose(file);
	return n;
}

static void expect_marked_at_death(struct daemon *daemon, unsigned int n)
{
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "m", 4, 7, 0);
	assert_int_equal(daemon_wait(daemon), -SIGABRT);
	peer_close(&peer);
	assert_int_equal(marked(daemon), n);
}

static void runs_are_marked_until_a_version_has_proved_itself(void **state)
{
	struct daemon *daemon = *state;
	start_with_a_good_one(daemon, "echo 4");
	put_and_reload(daemon, "crash 1");
	expect_store(daemon, "2", true);
	expect_marked_at_death(daemon, 1);
	daemon_config(daemon, "[models]\nprobation-time = 10ms\n");
	daemon_start(daemon, false);
	while (is_on_trial(daemon, "2")) {} /* nobody has asked it in this life: time proves it */
	expect_marked_at_death(daemon, 0);
}

#define probation_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		probation_test(runs_that_were_refused_do_not_prove_a_version),
		probation_test(runs_that_were_refused_do_not_make_the_next_one_slow),
		probation_test(a_version_before_that_was_held_up_makes_no_room_for_a_slow_one),
		probation_test(runs_are_marked_until_a_version_has_proved_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
