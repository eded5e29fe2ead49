/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile - what good clients notice of hostile ones
 *
 *   hostile EDGED_FAKE [SECONDS [ROUNDS]]
 *
 * Good clients ask at a steady rate, by turns alone, and beside a process that runs tests/system's scripts one after
 * the other, as nobody where that can be: against another edged, so that what the machine's cores have to do for it is
 * known, and against theirs. Prints the good ones' times and how many scripts there were; the last line compares the
 * medians of the rounds. No test: it is the machine's times that it prints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/bench/actor.h"
#include "tests/system/daemon.h"
#include "tests/system/scripts.h"

#define NOBODY 65534
#define CLIENTS 4
#define RATE 2000.0 /* of all good clients together, a second */
#define CONNECT_NS UINT64_C(500000000)
#define MOST_ROUNDS 20

static void be_hostile(const struct daemon *daemon, atomic_uint *count)
{
	struct hostile hostile;
	if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)) {
		_exit(1);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	hostile_init(&hostile, daemon->socket);
	for (;;) {
		hostile_run(&hostile, atomic_fetch_add(count, 1) + 1);
	}
}

/* The good clients' p99 in microseconds. */
static double measure(const struct daemon *daemon, double seconds, atomic_uint *scripts)
{
	struct actor good = {.socket = daemon->socket,
		.model = "echo",
		.n_connections = CLIENTS,
		.rate = RATE,
		.result = actor_result_new()};
	const unsigned int before = atomic_load(scripts);
	good.start_ns = good.from_ns = clock_now_ns() + CONNECT_NS;
	good.end_ns = good.from_ns + (uint64_t)(seconds * 1e9);
	actor_start(&good);
	actor_wait(&good);
	struct actor_result *r = good.result;
	const double p99 = actor_quantile(r->ok_us, r->n_ok, 0.99);
	printf("%8u  %5u  %8.1f  %8.1f  %8.1f  %7u\n", r->n_ok, r->n_due - r->n_ok,
		actor_quantile(r->ok_us, r->n_ok, 0.5), p99,
		actor_quantile(r->ok_us, r->n_ok, 0.999), atomic_load(scripts) - before);
	fflush(stdout);
	actor_result_free(r);
	return p99;
}

static void start(struct daemon *daemon)
{
	daemon_prepare(daemon);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_put(daemon, "wide.tflite", "echo 100000");
	daemon_put(daemon, "sum.tflite", "sum 1000");
	daemon_put(daemon, "late.tflite", "late 2");
	daemon_put(daemon, "fails.tflite", "fail 1");
	daemon_config(daemon,
		"[limits]\nheader-timeout = 50ms\nhello-timeout = 50ms\nwrite-timeout = 100ms\n"
		"max-body = 2M\nmax-bytes-per-user = 8M\nmax-offences = 0\n");
	daemon_start(daemon, false);
	if (geteuid() == 0 &&
		(chmod(daemon->folder, 0755) < 0 || chmod(daemon->socket, 0666) < 0)) {
		perror(daemon->folder);
	}
}

struct phases {
	double alone[MOST_ROUNDS], other[MOST_ROUNDS], same[MOST_ROUNDS];
};

/* Beside hostile clients of @whose. */
static double measure_beside(const struct daemon *daemon, const struct daemon *whose,
	double seconds, atomic_uint *scripts)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		be_hostile(whose, scripts);
	}
	const double p99 = measure(daemon, seconds, scripts);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return p99;
}

static void measure_rounds(const struct daemon daemons[2], double seconds, uint32_t rounds,
	struct phases *phases, atomic_uint *scripts)
{
	puts("                           OK   LOST    P50 us    P99 us  P99.9 us  SCRIPTS");
	for (uint32_t i = 0; i < rounds; i++) {
		printf("alone                 ");
		phases->alone[i] = measure(&daemons[0], seconds, scripts);
		printf("beside another edged's");
		phases->other[i] = measure_beside(&daemons[0], &daemons[1], seconds, scripts);
		printf("beside hostile ones   ");
		phases->same[i] = measure_beside(&daemons[0], &daemons[0], seconds, scripts);
	}
}

int main(int argc, char **argv)
{
	static struct daemon daemons[2];
	struct phases phases;
	const double seconds = argc > 2 ? strtod(argv[2], NULL) : 3;
	const long wanted = argc > 3 ? strtol(argv[3], NULL, 10) : 5;
	const uint32_t rounds = wanted < 1 || wanted > MOST_ROUNDS ? MOST_ROUNDS : (uint32_t)wanted;
	atomic_uint *scripts = mmap(
		NULL, sizeof(*scripts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc < 2 || scripts == MAP_FAILED) {
		fputs("Usage: hostile EDGED_FAKE [SECONDS [ROUNDS]]\n", stderr);
		return 2;
	}
	setenv("EDGED_FAKE", argv[1], 1);
	start(&daemons[0]);
	start(&daemons[1]);
	measure_rounds(daemons, seconds, rounds, &phases, scripts);
	const double other = actor_quantile(phases.other, rounds, 0.5);
	const double same = actor_quantile(phases.same, rounds, 0.5);
	printf("p99, median of %u rounds: alone %.1f us, beside another edged's hostile clients %.1f, "
	       "beside its own %.1f: %.2f times\n",
		rounds, actor_quantile(phases.alone, rounds, 0.5), other, same, same / other);
	daemon_end(&daemons[0]);
	daemon_end(&daemons[1]);
	return 0;
}
