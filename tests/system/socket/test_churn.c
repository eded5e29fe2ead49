/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A day of use in fast-forward: clients come, ask in every class, change their minds, leave in the middle
 * and come again, and models are replaced meanwhile. Every answer is right or an honest refusal, and
 * once everything has been done edged grows no more.
 *
 * $CHURN_REQUESTS: how many, 100000 unless it is set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define DEFAULT_REQUESTS 100000
#define FEW_REQUESTS 20000 /* where memory is not looked at */
#define PEERS 8
#define EACH 25 /* requests of one connection */
#define WINDOW 5 /* of them at a time */
#define ROUNDS_PER_MODEL 10
#define SAMPLES 6
#define ROUNDS_OF_GROWTH 3
#define MOST_KB 1.0 /* more for each 100,000 requests */
#define PAGES_KB 8 /* that the heap happens to hold, or not */

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_put(daemon, "sum.tflite", "sum 4");
	daemon_config(daemon, "[limits]\nqueue-length = 16\n[models]\nprobation-slower = 0\n");
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

static unsigned int count_entries(const struct daemon *daemon, const char *what)
{
	char path[64];
	unsigned int n = 0;
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)daemon->pid, what);
	DIR *folder = opendir(path);
	assert_non_null(folder);
	while (readdir(folder)) {
		n++;
	}
	closedir(folder);
	return n;
}

/* What may be said to a request that was well formed. */
static void expect_honest(struct peer *peer, int8_t value)
{
	struct answer answer = peer_receive(peer);
	const uint32_t status = answer.header.status;
	if (answer.header.id >= 1000) { /* of a CANCEL */
		assert_true(status == EDGE_OK || status == EDGE_NOT_FOUND);
	} else if (status == EDGE_OK) {
		struct wire_infer_reply reply;
		assert_int_equal(wire_infer_reply_decode(
					 answer.body, answer.header.body_bytes, 0, &reply, NULL),
			0);
		assert_int_equal(((const int8_t *)reply.outputs[0].data)[0], value);
	} else {
		assert_true(status == EDGE_OVERLOADED || status == EDGE_SUPERSEDED ||
			status == EDGE_CANCELLED);
	}
	answer_free(&answer);
}

/* Some requests at once, in all classes, some with a key, one taken back. */
static unsigned int ask_some(struct peer *peer, unsigned int seed, int8_t value)
{
	unsigned int n = 0;
	for (; n < WINDOW; n++) {
		const enum wire_class class = (enum wire_class)((seed + n) % 4);
		peer_infer_as(peer, class, n % 3 == 0 ? 1 + seed % 2 : 0, n + 1, "echo", value);
	}
	if (seed % 7 == 0) {
		peer_cancel(peer, 1000, 1 + seed % WINDOW);
		n++;
	}
	return n;
}

static unsigned int round_of(struct daemon *daemon, unsigned int seed)
{
	struct peer peers[PEERS];
	for (unsigned int i = 0; i < PEERS; i++) {
		peers[i] = peer_open_1_3(daemon);
	}
	for (unsigned int k = 0; k < EACH; k += WINDOW) {
		unsigned int n[PEERS];
		const int8_t value = (int8_t)(seed + k);
		for (unsigned int i = 0; i < PEERS; i++) {
			n[i] = ask_some(&peers[i], seed + i, value);
		}
		for (unsigned int i = 0; i < PEERS; i++) {
			for (unsigned int j = 0; j < n[i]; j++) {
				expect_honest(&peers[i], value);
			}
		}
	}
	for (unsigned int i = 0; i < PEERS; i++) {
		if ((seed + i) % 3 == 0) { /* leaves in the middle of a request */
			ask_some(&peers[i], seed, 1);
			peer_send_bytes(&peers[i], "EDG1", 4);
		}
		peer_close(&peers[i]);
	}
	return PEERS * EACH;
}

static void with_sessions(struct daemon *daemon)
{
	struct peer peer = peer_open_1_1(daemon);
	peer_session_open(&peer, 1, "sum");
	assert_int_equal(peer_expect_session(&peer, 1), 1);
	peer_infer_in(&peer, 1, 2, "sum", 4, 3, 0);
	peer_expect_echo(&peer, 2, 4, 3);
	peer_close(&peer);
}

static void replace_model(struct daemon *daemon, unsigned int n)
{
	char line[32];
	struct peer peer = peer_open(daemon);
	snprintf(line, sizeof(line), "echo 4 %u", n); /* another file that does the same */
	daemon_put(daemon, "echo.tflite", line);
	peer_send(&peer, WIRE_RELOAD, 1, 0, NULL);
	peer_expect(&peer, 1, EDGE_OK);
	peer_close(&peer);
}

static void run(struct daemon *daemon, unsigned long requests, unsigned int seed)
{
	unsigned int rounds = 0;
	for (unsigned long done = 0; done < requests; rounds++) {
		done += round_of(daemon, seed + rounds);
		if (rounds % ROUNDS_PER_MODEL == 0) {
			with_sessions(daemon);
			replace_model(daemon, seed + rounds);
		}
	}
}

/* The last connections are closed a turn of the loop after the last answer. */
static void wait_until_alone(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	struct wire_status status = {0};
	do {
		peer_send(&peer, WIRE_STATUS, 1, 0, NULL);
		struct answer answer = peer_receive(&peer);
		assert_int_equal(
			wire_status_decode(answer.body, answer.header.body_bytes, &status, NULL),
			0);
		answer_free(&answer);
	} while (status.clients > 1 || status.running > 0 || status.queue_length > 0);
	peer_close(&peer);
}

/* The least that it has within two seconds: what is free is given back one second after the last connection
 * has gone. */
static long settled_kb(struct daemon *daemon)
{
	const uint64_t until = clock_now_ns() + UINT64_C(2000000000);
	const struct timespec nap = {.tv_nsec = 50000000};
	long least = LONG_MAX;
	wait_until_alone(daemon);
	while (clock_now_ns() < until) {
		const long kb = daemon_memory_kb(daemon, "Anonymous");
		least = kb < least ? kb : least;
		nanosleep(&nap, NULL);
	}
	return least;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* KB for each step between samples: the median of the slopes between any two, which single pages that come and go do
 * not move. */
static double slope_of(const long *kb)
{
	double slopes[SAMPLES * (SAMPLES - 1) / 2];
	size_t n = 0;
	for (int i = 0; i < SAMPLES; i++) {
		for (int k = i + 1; k < SAMPLES; k++) {
			slopes[n++] = (double)(kb[k] - kb[i]) / (k - i);
		}
	}
	qsort(slopes, n, sizeof(slopes[0]), compare);
	return slopes[n / 2];
}

/* The first sample comes after a quarter of all: by then everything has been done once. */
static void take_samples(struct daemon *daemon, unsigned long requests, long *ret_kb)
{
	const unsigned long step = requests / (SAMPLES + 1);
	run(daemon, requests - step * (SAMPLES - 1), 0);
	ret_kb[0] = settled_kb(daemon);
	for (int i = 1; i < SAMPLES; i++) {
		run(daemon, step, 7919 * (unsigned int)i);
		ret_kb[i] = settled_kb(daemon);
	}
}

static bool grows(const long *kb, unsigned long requests)
{
	const double step = (double)(requests / (SAMPLES + 1)), steps = SAMPLES - 1;
	const double each = slope_of(kb);
	print_message("%lu requests: %ld KB at first, %ld KB in the end, %.2f KB for each 100000\n",
		requests, kb[0], kb[SAMPLES - 1], each / step * 1e5);
	return each * steps >= MOST_KB * step * steps / 1e5 + PAGES_KB;
}

/* What leaks grows each time; a heap that has found its size late, on a busy machine, does not. */
static bool grows_each_time(struct daemon *daemon, unsigned long requests)
{
	long kb[SAMPLES];
	for (int i = 0; i < ROUNDS_OF_GROWTH; i++) {
		take_samples(daemon, requests, kb);
		if (!grows(kb, requests)) {
			return false;
		}
	}
	return true;
}

static void much_use_leaves_nothing_behind(void **state)
{
	struct daemon *daemon = *state;
	const char *text = getenv("CHURN_REQUESTS");
	const bool counts = daemon_memory_counts();
	const unsigned long requests = text ? strtoul(text, NULL, 10)
		: counts                    ? DEFAULT_REQUESTS
					    : FEW_REQUESTS;
	run(daemon, FEW_REQUESTS / 2, 0);
	wait_until_alone(daemon);
	const unsigned int threads = count_entries(daemon, "task");
	const unsigned int files = count_entries(daemon, "fd");
	if (counts) {
		assert_false(grows_each_time(daemon, requests));
	} else {
		run(daemon, requests, 7919);
	}
	wait_until_alone(daemon);
	assert_int_equal(count_entries(daemon, "task"), threads);
	assert_in_range(count_entries(daemon, "fd"), 1, files + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(much_use_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
