/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_store - what replacing models costs those who ask
 *
 *   bench_store first MODEL...     from a file's rename to its first answer, beyond the quiet period. Each time
 *                                  another of the models, and bytes that edged has not seen
 *   bench_store beside MODEL [OTHER]
 *                                  what somebody who asks OTHER notices while MODEL is replaced: once in $EVERY_MS,
 *                                  1000, or with 0 again and again without a pause
 *   bench_store storm [MODEL]      at 70 % of the load that there can be, while MODEL is replaced 100 times a
 *                                  second, and while it is not (storm.c)
 *   bench_store swaps [MODEL]      how many of $RATE replacements a second, 130, are swapped in while clients
 *                                  ask without pause, and how many a second when each waits for the one before it
 *
 * $EDGED, $EDGED_CHECK: the programs. $SECONDS_EACH: of a phase, 5. $RUNS: 3, of first 20. Phases with and
 * without take turns, since the machine is not the same at all times. It prints what it finds and what must hold
 * on a machine that does nothing else, and ends with 1 where that does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/bench/store_rig.h"
#include "tests/system/daemon.h"
#include "tests/system/twin.h"

#define QUIET_MS 200
#define MOST_TIMES ((size_t)4 << 20)
#define OTHER "packaging/models/keyword.tflite"
#define OWN "packaging/models/digits.tflite"

/* What must hold. */
#define MOST_FIRST_MS 150.0
#define MOST_ADDED_MS 1.0

/* ---- times */

struct times {
	size_t n;
	uint64_t *ns;
};

static struct times times_new(void)
{
	struct times times = {.ns = malloc(MOST_TIMES * sizeof(uint64_t))};
	assert_non_null(times.ns);
	return times;
}

static void times_add(struct times *times, uint64_t ns)
{
	if (times->n < MOST_TIMES) {
		times->ns[times->n++] = ns;
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* Sorts them. */
static double times_ms(struct times *times, double share)
{
	qsort(times->ns, times->n, sizeof(times->ns[0]), compare);
	size_t at = (size_t)((double)times->n * share);
	return times->n ? (double)times->ns[at < times->n ? at : times->n - 1] / 1e6 : 0;
}

/* ---- who replaces its model */

/* Bytes behind the file that no other had: another file for edged, the same model. */
static void put_new(struct daemon *daemon, const char *name, const struct twin *twin, int which)
{
	static uint64_t unique;
	uint8_t *bytes = malloc(twin->size + 16);
	uint64_t tail[2] = {clock_now_ns(), ++unique};
	memcpy(bytes, twin->file[which], twin->size);
	memcpy(bytes + twin->size, tail, sizeof(tail));
	daemon_put_bytes(daemon, name, bytes, twin->size + sizeof(tail));
	free(bytes);
}

static void put_in_place(struct daemon *daemon, const char *from, const char *to)
{
	char a[160], b[160];
	snprintf(a, sizeof(a), "%s/models/%s", daemon->folder, from);
	snprintf(b, sizeof(b), "%s/models/%s", daemon->folder, to);
	assert_int_equal(rename(a, b), 0);
}

/* Asks edged until another generation serves. */
static void wait_for_next(struct peer *peer, const char *model, uint64_t before)
{
	const struct timespec pause = {.tv_nsec = 500000};
	while (rig_generation(peer, model) == before) {
		nanosleep(&pause, NULL);
	}
}

static uint64_t ask(const struct twin *twin, struct peer *peer, const char *model)
{
	uint64_t generation = 0;
	twin_ask(twin, peer, 2, model);
	struct answer answer = peer_receive(peer);
	twin_which(twin, &answer, &generation);
	answer_free(&answer);
	return generation;
}

/* ---- first */

struct first {
	struct daemon daemon;
	struct twin twins[8];
	size_t n;
};

static uint64_t replace_once(
	struct first *first, struct peer *peer, size_t turn, struct times *loads)
{
	struct daemon *daemon = &first->daemon;
	const struct twin *twin = &first->twins[turn % first->n];
	uint64_t before = rig_generation(peer, "m");
	put_new(daemon, ".m.new", twin, 0);
	sync(); /* not what is measured */
	uint64_t from = clock_now_ns();
	put_in_place(daemon, ".m.new", "m.tflite");
	wait_for_next(peer, "m", before);
	times_add(loads, clock_now_ns() - from);
	ask(twin, peer, "m");
	return clock_now_ns() - from;
}

static bool bench_first(int n, char **paths)
{
	struct first *first = calloc(1, sizeof(*first));
	struct times times = times_new(), loads = times_new();
	const uint64_t runs = number_from("RUNS", 20);
	for (first->n = 0; first->n < (size_t)n && first->n < 8; first->n++) {
		first->twins[first->n] = twin_new(paths[first->n], true);
	}
	daemon_prepare(&first->daemon);
	put_new(&first->daemon, "m.tflite", &first->twins[0], 0);
	rig_start(&first->daemon, QUIET_MS);
	struct peer peer = peer_open(&first->daemon);
	for (uint64_t i = 1; i <= runs; i++) {
		times_add(&times, replace_once(first, &peer, i, &loads));
	}
	peer_close(&peer);
	printf("rename to first answer, ms beyond %u ms of quiet: median %.1f, least %.1f, most %.1f; it serves after "
	       "%.1f\n",
		QUIET_MS, times_ms(&times, 0.5) - QUIET_MS, times_ms(&times, 0) - QUIET_MS,
		times_ms(&times, 1) - QUIET_MS, times_ms(&loads, 0.5) - QUIET_MS);
	daemon_end(&first->daemon);
	return rig_tell(times_ms(&times, 0.5) - QUIET_MS <= MOST_FIRST_MS, "at most", MOST_FIRST_MS,
		" ms in the median");
}

/* ---- beside */

struct beside {
	struct daemon daemon;
	struct twin model, other;
	atomic_bool over;
	uint64_t every_ns; /* between loads; 0: no pause */
	unsigned int files, loads; /* of this phase: ready to be put in place, and put there */
};

#define MOST_LOADS_A_SECOND 30

static void file_name(char out[32], unsigned int n)
{
	snprintf(out, 32, ".m.%u", n);
}

/* What the phase puts in place: writing it is not what is measured. */
static void files_write(struct beside *beside, uint64_t seconds)
{
	char name[32];
	beside->files = (unsigned int)seconds * MOST_LOADS_A_SECOND;
	for (unsigned int i = 0; i < beside->files; i++) {
		file_name(name, i);
		put_new(&beside->daemon, name, &beside->model, 0);
	}
	sync();
}

static void files_remove(struct beside *beside)
{
	char name[32];
	for (unsigned int i = beside->loads; i < beside->files; i++) {
		file_name(name, i);
		daemon_remove(&beside->daemon, name);
	}
}

/* One after the other, each at its time, or as fast as edged takes them. */
static void *replacer_main(void *argument)
{
	struct beside *beside = argument;
	/* What it takes itself is not what is measured. */
	const struct sched_param none = {0};
	sched_setscheduler(0, SCHED_IDLE, &none);
	struct peer peer = peer_open(&beside->daemon);
	char name[32];
	uint64_t at = clock_now_ns();
	for (; !atomic_load(&beside->over) && beside->loads < beside->files;
		at += beside->every_ns) {
		sleep_until(at);
		uint64_t before = rig_generation(&peer, "m");
		file_name(name, beside->loads);
		put_in_place(&beside->daemon, name, "m.tflite");
		const struct timespec pause = {.tv_nsec = 5000000};
		while (rig_generation(&peer, "m") == before) {
			nanosleep(&pause, NULL);
		}
		beside->loads++;
	}
	peer_close(&peer);
	return NULL;
}

#define EVERY_NS (2 * MS)

static void ask_steadily(struct beside *beside, uint64_t seconds, struct times *times)
{
	struct peer peer = peer_open(&beside->daemon);
	uint64_t at = clock_now_ns();
	const uint64_t end = at + seconds * 1000 * MS;
	for (; at < end; at += EVERY_NS) {
		sleep_until(at);
		uint64_t from = clock_now_ns();
		ask(&beside->other, &peer, "other");
		times_add(times, clock_now_ns() - from);
	}
	peer_close(&peer);
}

static void phase(struct beside *beside, bool replaces, uint64_t seconds, struct times *times)
{
	pthread_t replacer;
	atomic_store(&beside->over, false);
	beside->loads = 0;
	if (replaces) {
		files_write(beside, seconds);
		assert_int_equal(pthread_create(&replacer, NULL, replacer_main, beside), 0);
	}
	ask_steadily(beside, seconds, times);
	atomic_store(&beside->over, true);
	if (replaces) {
		pthread_join(replacer, NULL);
		files_remove(beside);
	}
	printf("  %-8s p50 %.3f  p99 %.3f  p99.9 %.3f  most %.3f ms  (%zu requests, %u loads)\n",
		replaces ? "loading" : "quiet", times_ms(times, 0.5), times_ms(times, 0.99),
		times_ms(times, 0.999), times_ms(times, 1), times->n, beside->loads);
}

static bool bench_beside(const char *model, const char *other)
{
	struct beside *beside = calloc(1, sizeof(*beside));
	const uint64_t seconds = number_from("SECONDS_EACH", 5), runs = number_from("RUNS", 3);
	struct times added = times_new();
	beside->model = twin_new(model, true);
	beside->other = twin_new(other, true);
	beside->every_ns = number_from("EVERY_MS", 1000) * MS;
	daemon_prepare(&beside->daemon);
	put_new(&beside->daemon, "m.tflite", &beside->model, 0);
	put_new(&beside->daemon, "other.tflite", &beside->other, 0);
	rig_start(&beside->daemon, 0);
	for (uint64_t i = 0; i < runs; i++) {
		struct times quiet = times_new(), loading = times_new();
		phase(beside, false, seconds, &quiet);
		phase(beside, true, seconds, &loading);
		double more = times_ms(&loading, 0.99) - times_ms(&quiet, 0.99);
		times_add(&added, more > 0 ? (uint64_t)(more * 1e6) : 0);
		free(quiet.ns);
		free(loading.ns);
	}
	printf("added at p99 while %s is loaded each %g s: median %.3f ms\n", model,
		(double)beside->every_ns / 1e9, times_ms(&added, 0.5));
	daemon_end(&beside->daemon);
	return rig_tell(times_ms(&added, 0.5) <= MOST_ADDED_MS, "at most", MOST_ADDED_MS, " ms");
}

int main(int argc, char **argv)
{
	bool holds = false;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && strcmp(argv[1], "first") == 0) {
		holds = bench_first(argc - 2, argv + 2);
	} else if (argc > 2 && strcmp(argv[1], "beside") == 0) {
		holds = bench_beside(argv[2], argc > 3 ? argv[3] : OTHER);
	} else if (argc > 1 && strcmp(argv[1], "storm") == 0) {
		holds = storm_bench(argc > 2 ? argv[2] : OWN);
	} else if (argc > 1 && strcmp(argv[1], "swaps") == 0) {
		holds = storm_swaps(argc > 2 ? argv[2] : OWN);
	} else {
		fputs("usage: bench_store first MODEL... | beside MODEL [OTHER] | storm [MODEL] | swaps [MODEL]\n",
			stderr);
		return 2;
	}
	return holds ? 0 : 1;
}
