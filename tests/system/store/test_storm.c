/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model's file is replaced a hundred times a second, in every way that people do it, while four
 * clients ask without pause: every request is answered, by exactly one of the two models, and by the
 * same one whenever the same generation answers.
 *
 * $STORM_MS: for how long, 3000 unless it is set. An argument is a pattern of the tests that are wanted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"
#include "tests/system/replacer.h"
#include "tests/system/twin.h"

#define CLIENTS 4
#define GENERATIONS 65536
#define DEFAULT_MS 3000
#define CONFIG "[models]\nwatch = yes\n"
#define EVERY_NS 10000000 /* a replacement */

struct storm {
	struct daemon daemon;
	bool real; /* the models are @twin's, else those of the fake engine */
	struct twin twin;
	atomic_bool over;
	atomic_uint answered;
	atomic_ullong newest; /* generation seen */
	_Atomic uint8_t added[GENERATIONS]; /* what each generation adds; 0: not seen yet */
};

/* ---- clients */

/* cmocka's assertions belong to the main thread: what a client finds ends the test, and says what it was. */
static void expect_of_client(bool holds, const char *what, int64_t value)
{
	if (!holds) {
		fprintf(stderr, "a client found: %s is %" PRId64 "\n", what, value);
		_exit(1);
	}
}

/* Of the fake engine: what the answer has added to 7. All bytes are the same. */
static int added_by(const struct answer *answer, uint64_t *ret_generation)
{
	struct wire_infer_reply reply;
	expect_of_client(answer->header.status == EDGE_OK, "status", answer->header.status);
	int code =
		wire_infer_reply_decode(answer->body, answer->header.body_bytes, 0, &reply, NULL);
	expect_of_client(code == 0, "decoding", code);
	const uint8_t *data = reply.outputs[0].data;
	expect_of_client(reply.outputs[0].bytes == 4, "bytes", reply.outputs[0].bytes);
	for (size_t i = 1; i < 4; i++) {
		expect_of_client(data[i] == data[0], "a byte", data[i]);
	}
	*ret_generation = reply.generation;
	return data[0] - 7;
}

/* 1 or 2: which of the models answers. */
static int ask(const struct storm *storm, struct peer *peer, uint64_t id, uint64_t *ret_generation)
{
	if (storm->real) {
		twin_ask(&storm->twin, peer, id, "m");
	} else {
		peer_infer(peer, id, "m", 4, 7, 0);
	}
	struct answer answer = peer_receive(peer);
	expect_of_client(answer.header.id == id, "id", (int64_t)answer.header.id);
	int which = storm->real ? 1 + twin_which(&storm->twin, &answer, ret_generation)
				: added_by(&answer, ret_generation);
	answer_free(&answer);
	return which;
}

static void note(struct storm *storm, uint64_t generation, uint8_t added)
{
	uint8_t before = 0;
	unsigned long long newest = atomic_load(&storm->newest);
	expect_of_client(generation < GENERATIONS, "generation", (int64_t)generation);
	expect_of_client(added == 1 || added == 2, "which answers", added);
	if (!atomic_compare_exchange_strong(&storm->added[generation], &before, added)) {
		expect_of_client(before == added, "which answers now", added);
	}
	while (newest < generation &&
		!atomic_compare_exchange_weak(&storm->newest, &newest, generation)) {}
	atomic_fetch_add(&storm->answered, 1);
}

static void *client_main(void *argument)
{
	struct storm *storm = argument;
	struct peer peer = peer_open(&storm->daemon);
	uint64_t last = 0;
	for (uint64_t id = 1; !atomic_load(&storm->over); id++) {
		uint64_t generation = 0;
		int which = ask(storm, &peer, id, &generation);
		/* One connection never goes back. */
		expect_of_client(generation >= last, "an older generation", (int64_t)generation);
		last = generation;
		note(storm, generation, (uint8_t)which);
	}
	peer_close(&peer);
	return NULL;
}

/* ---- those who replace */

/* @turn's bytes in the place of the file. */
static void replace(const struct storm *storm, const struct replacer *replacer, unsigned int turn)
{
	char line[64];
	if (storm->real) {
		replacer_put(replacer, turn, storm->twin.file[turn % 2], storm->twin.size);
		return;
	}
	/* Long enough to be seen half written; without the semicolon it is torn. */
	int n = snprintf(line, sizeof(line), "add %u; turn %u", 1 + turn % 2, turn);
	replacer_put(replacer, turn, line, (size_t)n);
}

/* Each is due at its time: one that took longer does not put off the others. */
static unsigned int replace_for(const struct storm *storm, uint64_t ms)
{
	const uint64_t begin = clock_now_ns(), end = begin + ms * 1000000;
	struct replacer replacer;
	unsigned int turn = 0;
	replacer_init(&replacer, &storm->daemon);
	for (uint64_t due = begin; due < end; due += EVERY_NS) {
		const struct timespec at = {
			.tv_sec = (time_t)(due / 1000000000), .tv_nsec = (long)(due % 1000000000)};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		replace(storm, &replacer, turn++);
	}
	return turn;
}

/* ---- what it costs */

static unsigned int count_descriptors(const struct daemon *daemon)
{
	char path[64];
	unsigned int n = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)daemon->pid);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir)) {
		n++;
	}
	closedir(dir);
	return n;
}

/* Of several looks: without what a scan has open. */
static unsigned int least_descriptors(const struct daemon *daemon)
{
	unsigned int least = count_descriptors(daemon);
	for (int i = 0; i < 10; i++) {
		struct peer peer = peer_open(daemon);
		peer_send(&peer, WIRE_RELOAD, 1, 0, NULL);
		peer_expect(&peer, 1, EDGE_OK);
		unsigned int n = count_descriptors(daemon);
		least = n < least ? n : least;
		peer_close(&peer);
	}
	return least + 1; /* a connection that is being closed */
}

static void start_clients(struct storm *storm, pthread_t clients[CLIENTS])
{
	atomic_store(&storm->over, false);
	for (size_t i = 0; i < CLIENTS; i++) {
		assert_int_equal(pthread_create(&clients[i], NULL, client_main, storm), 0);
	}
}

static void end_clients(struct storm *storm, const pthread_t clients[CLIENTS])
{
	atomic_store(&storm->over, true);
	for (size_t i = 0; i < CLIENTS; i++) {
		pthread_join(clients[i], NULL);
	}
}

static void run_storm(struct storm *storm, uint64_t ms)
{
	pthread_t clients[CLIENTS];
	start_clients(storm, clients);
	unsigned int turns = replace_for(storm, ms);
	end_clients(storm, clients);
	print_message("%u replacements, %llu generations, %u answers\n", turns,
		atomic_load(&storm->newest), atomic_load(&storm->answered));
}

/* The daemon has let go of clients and old generations. */
static void wait_idle(const struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	for (bool busy = true; busy;) {
		struct wire_status status;
		peer_send(&peer, WIRE_RELOAD, 1, 0, NULL);
		peer_expect(&peer, 1, EDGE_OK);
		peer_send(&peer, WIRE_STATUS, 2, 0, NULL);
		struct answer answer = peer_receive(&peer);
		assert_int_equal(
			wire_status_decode(answer.body, answer.header.body_bytes, &status, NULL),
			0);
		busy = status.clients > 1;
		answer_free(&answer);
	}
	peer_close(&peer);
}

static uint64_t storm_ms(void)
{
	const char *text = getenv("STORM_MS");
	return text ? strtoull(text, NULL, 10) : DEFAULT_MS;
}

/* A part of the storm comes first: what it costs once does not count. */
static void expect_no_loss(struct storm *storm, uint64_t generations)
{
	const uint64_t ms = storm_ms();
	run_storm(storm, ms / 3);
	wait_idle(&storm->daemon);
	unsigned int descriptors = least_descriptors(&storm->daemon);
	long kb = daemon_memory_kb(&storm->daemon, "Rss");
	run_storm(storm, ms - ms / 3);
	wait_idle(&storm->daemon);
	assert_true(atomic_load(&storm->newest) >= generations);
	/* A scan that goes on has some open for a moment. */
	for (int i = 0; count_descriptors(&storm->daemon) > descriptors; i++) {
		assert_true(i < 100);
		wait_idle(&storm->daemon);
	}
	if (daemon_memory_counts()) {
		long more = daemon_memory_kb(&storm->daemon, "Rss") - kb;
		print_message("%ld KB more\n", more);
		assert_true(more < 1024);
	}
}

static void every_request_is_answered_by_the_generation_that_it_names(void **state)
{
	expect_no_loss(*state, storm_ms() / 500);
}

static void with_real_models_too(void **state)
{
	expect_no_loss(*state, storm_ms() / 1000);
}

/* Asks until another generation than @before answers: sooner than a look at its regular time would find it. */
static int ask_for_next(
	const struct storm *storm, struct peer *peer, uint64_t before, uint64_t *ret_generation)
{
	const uint64_t until = clock_now_ns() + UINT64_C(30000000000);
	int which = 0;
	do {
		expect_of_client(clock_now_ns() < until, "not followed by another: generation",
			(int64_t)before);
		which = ask(storm, peer, 1, ret_generation);
	} while (*ret_generation == before);
	return which;
}

/* None comes before the one before it serves: however busy the machine is, none may be missing. */
static void expect_each_swapped(struct storm *storm)
{
	const unsigned int turns = (unsigned int)(storm_ms() / 30);
	const uint64_t begin = clock_now_ns();
	pthread_t clients[CLIENTS];
	struct replacer replacer;
	struct peer peer = peer_open(&storm->daemon);
	uint64_t before = 0, generation = 0;
	replacer_init(&replacer, &storm->daemon);
	start_clients(storm, clients);
	assert_int_equal(ask(storm, &peer, 1, &before), 1);
	for (unsigned int turn = 1; turn <= turns; turn++) {
		replace(storm, &replacer, turn);
		const int which = ask_for_next(storm, &peer, before, &generation);
		expect_of_client(which == 1 + (int)(turn % 2), "which answers", which);
		expect_of_client(
			generation == before + 1, "the next generation", (int64_t)generation);
		before = generation;
	}
	end_clients(storm, clients);
	peer_close(&peer);
	print_message("%u replacements, each swapped in, in %" PRIu64 " ms\n", turns,
		(clock_now_ns() - begin) / 1000000);
}

static void each_replacement_that_is_waited_for_is_swapped_in(void **state)
{
	expect_each_swapped(*state);
}

static void each_real_one_that_is_waited_for_too(void **state)
{
	expect_each_swapped(*state);
}

/* Swaps while a storm of @ms goes on. */
static uint64_t count_swaps(struct storm *storm, uint64_t ms)
{
	uint64_t before = atomic_load(&storm->newest);
	run_storm(storm, ms);
	wait_idle(&storm->daemon);
	uint64_t swaps = atomic_load(&storm->newest) - before;
	print_message("%" PRIu64 " swaps in %" PRIu64 " ms\n", swaps, ms);
	return swaps;
}

/* The quiet that never comes is waited for 2 s at most. */
static void with_the_usual_quiet_there_is_a_swap_in_two_seconds(void **state)
{
	const uint64_t ms = storm_ms() < 5000 ? 5000 : storm_ms();
	bool enough = false;
	/* A look that finds a file half written is in vain. Of three storms, since others may have the CPUs. */
	for (int i = 0; i < 3 && !enough; i++) {
		enough = count_swaps(*state, ms) >= ms / 2000;
	}
	assert_true(enough);
}

static void configure(struct storm *storm, const char *quiet, const char *level)
{
	char text[1200];
	const char *check = storm->real ? getenv("EDGED_CHECK") : NULL;
	snprintf(text, sizeof(text),
		CONFIG "watch-quiet = %s\n[daemon]\ncheck-program = %s\nlog-level = %s\n", quiet,
		check ? check : "none", level);
	daemon_config(&storm->daemon, text);
}

static int start(void **state, bool real, const char *quiet)
{
	struct storm *storm = calloc(1, sizeof(*storm));
	assert_non_null(storm);
	daemon_prepare(&storm->daemon);
	storm->real = real;
	configure(storm, quiet, "notice");
	if (real) {
		storm->twin = twin_new("packaging/models/digits.tflite", false);
		daemon_put_bytes(&storm->daemon, "m.tflite", storm->twin.file[0], storm->twin.size);
	} else {
		daemon_put(&storm->daemon, "m.tflite", "add 1; turn 0");
	}
	daemon_start(&storm->daemon, real);
	/* From here on nobody reads what it logs. */
	configure(storm, quiet, "error");
	daemon_signal(&storm->daemon, SIGHUP);
	*state = storm;
	return 0;
}

static int set_up(void **state)
{
	return start(state, false, "0ms");
}

static int set_up_real(void **state)
{
	return start(state, true, "0ms");
}

static int set_up_quiet(void **state)
{
	return start(state, false, "200ms"); /* each time other bytes, so that each look swaps */
}

static int tear_down(void **state)
{
	struct storm *storm = *state;
	daemon_end(&storm->daemon);
	twin_free(&storm->twin);
	free(storm);
	return 0;
}

#define storm_test(f, set_up) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		storm_test(every_request_is_answered_by_the_generation_that_it_names, set_up),
		storm_test(with_real_models_too, set_up_real),
		storm_test(each_replacement_that_is_waited_for_is_swapped_in, set_up),
		storm_test(each_real_one_that_is_waited_for_too, set_up_real),
		storm_test(with_the_usual_quiet_there_is_a_swap_in_two_seconds, set_up_quiet),
	};
	cmocka_set_test_filter(argc > 1 ? argv[1] : NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
