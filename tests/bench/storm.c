/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storm - what a model's replacement a hundred times a second, in every way that people do it, costs who asks
 *
 * The load: four clients that ask again as soon as they are answered, while nothing is replaced, get so many answers a second: that is
 * all the load that there can be, and $LOAD percent of it (70) is asked for then by the same four, at times that do not
 * depend on answers (exponential pauses) and from which each answer's time is counted. That for a phase in which nothing
 * is replaced, and for one in the storm; the share of their p99 is taken, $RUNS times, and of these shares the median.
 * Clients, who replaces, and edged have the same CPUs. That answers are right test_storm.c shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "tests/bench/actor.h"
#include "tests/bench/store_rig.h"
#include "tests/system/replacer.h"
#include "tests/system/twin.h"

#define CLIENTS 4
#define MOST_OPEN 16 /* of each: together no more than edged lets wait */
#define CONNECT_NS (200 * MS)
#define SETTLE_NS (500 * MS) /* between the start of asking and what counts */
#define MOST_RATIO 2.0
#define LEAST_SWAPS 100.0
#define SWAPS_RATE                                                                                 \
	130 /* what is replaced again while it is loaded is passed over: the latest wins */
#define MOST_RUNS 32

struct storm {
	struct daemon daemon;
	struct twin twin;
	struct replacer replacer;
	struct peer peer;
	uint64_t swap_ns; /* between replacements */
	double seconds; /* of a phase */
	unsigned int turn;
};

struct phase {
	struct actor_result *result;
	double answers, swaps; /* a second */
};

enum replacing {
	NOTHING,
	TIMED, /* each at its time */
	WAITED, /* each when the one before it serves */
};

static void replace(struct storm *storm)
{
	const unsigned int turn = storm->turn++;
	replacer_put(&storm->replacer, turn, storm->twin.file[turn % 2], storm->twin.size);
}

static void replace_timed(struct storm *storm, uint64_t end_ns)
{
	for (uint64_t at = clock_now_ns(); at < end_ns; at += storm->swap_ns) {
		sleep_until(at);
		replace(storm);
	}
}

/* So that the next one brings other bytes than what serves when all has been looked at. */
static void settle(struct storm *storm)
{
	uint64_t generation = 0;
	peer_send(&storm->peer, WIRE_RELOAD, 1, 0, NULL);
	peer_expect(&storm->peer, 1, EDGE_OK);
	twin_ask(&storm->twin, &storm->peer, 2, "m");
	struct answer answer = peer_receive(&storm->peer);
	storm->turn +=
		storm->turn % 2 == (unsigned int)twin_which(&storm->twin, &answer, &generation);
	answer_free(&answer);
}

static void replace_waited(struct storm *storm, uint64_t end_ns)
{
	const struct timespec pause = {.tv_nsec = 200000};
	settle(storm);
	while (clock_now_ns() < end_ns) {
		const uint64_t before = rig_generation(&storm->peer, "m");
		replace(storm);
		while (rig_generation(&storm->peer, "m") == before) {
			nanosleep(&pause, NULL);
		}
	}
}

static void replace_until(struct storm *storm, enum replacing replacing, uint64_t end_ns)
{
	if (replacing == TIMED) {
		replace_timed(storm, end_ns);
	} else if (replacing == WAITED) {
		replace_waited(storm, end_ns);
	} else {
		sleep_until(end_ns);
	}
}

/* The clients for so long, at @rate or without pause for 0. */
static struct phase run_phase(struct storm *storm, double rate, enum replacing replacing)
{
	const uint64_t start_ns = clock_now_ns() + CONNECT_NS, from_ns = start_ns + SETTLE_NS;
	struct actor clients = {.socket = storm->daemon.socket,
		.model = "m",
		.n_connections = CLIENTS,
		.rate = rate,
		.window = rate > 0 ? MOST_OPEN : 1,
		.start_ns = start_ns,
		.from_ns = from_ns,
		.end_ns = from_ns + (uint64_t)(storm->seconds * 1e9),
		.result = actor_result_new()};
	actor_start(&clients);
	replace_until(storm, replacing, from_ns);
	const uint64_t before = rig_generation(&storm->peer, "m");
	replace_until(storm, replacing, clients.end_ns);
	const uint64_t after = rig_generation(&storm->peer, "m");
	actor_wait(&clients);
	const struct actor_result *result = clients.result;
	if (result->n_turned_away + result->n_other + result->n_lost > 0) {
		fail_msg("%u turned away, %u failed, %u lost", result->n_turned_away,
			result->n_other, result->n_lost);
	}
	return (struct phase){.result = clients.result,
		.answers = result->n_ok / storm->seconds,
		.swaps = (double)(after - before) / storm->seconds};
}

static double p99_at(struct storm *storm, double rate, bool swaps)
{
	struct phase phase = run_phase(storm, rate, swaps ? TIMED : NOTHING);
	struct actor_result *r = phase.result;
	const double p99 = actor_quantile(r->ok_us, r->n_ok, 0.99);
	printf("  %-8s p50 %.3f  p99 %.3f  p99.9 %.3f  most %.3f ms  (%.0f answers/s, %.1f swaps/s)\n",
		swaps ? "storm" : "quiet", actor_quantile(r->ok_us, r->n_ok, 0.5) / 1e3, p99 / 1e3,
		actor_quantile(r->ok_us, r->n_ok, 0.999) / 1e3,
		actor_quantile(r->ok_us, r->n_ok, 1) / 1e3, phase.answers, phase.swaps);
	actor_result_free(r);
	return p99;
}

static struct storm *storm_start(const char *model, uint64_t rate)
{
	struct storm *storm = calloc(1, sizeof(*storm));
	assert_non_null(storm);
	storm->swap_ns = 1000 * MS / rate;
	storm->seconds = (double)number_from("SECONDS_EACH", 5);
	storm->twin = twin_new(model, false);
	daemon_prepare(&storm->daemon);
	replacer_init(&storm->replacer, &storm->daemon);
	daemon_put_bytes(&storm->daemon, "m.tflite", storm->twin.file[0], storm->twin.size);
	rig_start(&storm->daemon, (unsigned int)number_from("QUIET_MS", 0));
	storm->peer = peer_open(&storm->daemon);
	return storm;
}

static void storm_end(struct storm *storm)
{
	peer_close(&storm->peer);
	daemon_end(&storm->daemon);
	twin_free(&storm->twin);
	free(storm);
}

static uint64_t runs_wanted(void)
{
	const uint64_t runs = number_from("RUNS", 3);
	return runs < 1 ? 1 : runs > MOST_RUNS ? MOST_RUNS : runs;
}

static double swaps_of(struct storm *storm, enum replacing replacing)
{
	struct phase phase = run_phase(storm, 0, replacing);
	printf("  %-8s %.1f swaps/s, %.0f answers/s\n", replacing == WAITED ? "waited" : "timed",
		phase.swaps, phase.answers);
	actor_result_free(phase.result);
	return phase.swaps;
}

bool storm_swaps(const char *model)
{
	const uint64_t runs = runs_wanted(), rate = number_from("RATE", SWAPS_RATE);
	struct storm *storm = storm_start(model, rate);
	double timed[MOST_RUNS], waited[MOST_RUNS];
	for (uint64_t i = 0; i < runs; i++) {
		timed[i] = swaps_of(storm, TIMED);
		waited[i] = swaps_of(storm, WAITED);
	}
	const double of_all = actor_quantile(timed, (uint32_t)runs, 0.5);
	const double each = actor_quantile(waited, (uint32_t)runs, 0.5);
	printf("%s: %.1f swaps/s of %llu replacements, %.1f when each is waited for, medians of %llu\n",
		model, of_all, (unsigned long long)rate, each, (unsigned long long)runs);
	storm_end(storm);
	const bool holds = rig_tell(of_all >= LEAST_SWAPS, "at least", LEAST_SWAPS, " swaps/s");
	return rig_tell(
		       each >= LEAST_SWAPS, "at least", LEAST_SWAPS, " swaps/s, each waited for") &&
		holds;
}

bool storm_bench(const char *model)
{
	const uint64_t runs = runs_wanted(), load = number_from("LOAD", 70);
	struct storm *storm = storm_start(model, 100);
	double ratios[MOST_RUNS];
	struct phase full = run_phase(storm, 0, NOTHING);
	const double rate = full.answers * (double)load / 100;
	actor_result_free(full.result);
	printf("%s: %d clients get at most %.0f answers/s; at %llu %% of that:\n", model, CLIENTS,
		full.answers, (unsigned long long)load);
	for (uint64_t i = 0; i < runs; i++) {
		const double quiet = p99_at(storm, rate, false);
		ratios[i] = p99_at(storm, rate, true) / quiet;
	}
	const double ratio = actor_quantile(ratios, (uint32_t)runs, 0.5);
	printf("p99 in the storm is %.2f times that without, median of %llu\n", ratio,
		(unsigned long long)runs);
	storm_end(storm);
	return rig_tell(ratio <= MOST_RATIO, "at most", MOST_RATIO, " times");
}
