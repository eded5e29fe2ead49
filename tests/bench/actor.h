/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actor - a process that asks edged for a while, as one user, over some connections
 *
 * Either at a rate, whatever is answered (times between questions are exponential), or with so many
 * questions open all the time. Times are from when a question was due.
 */
#ifndef TESTS_BENCH_ACTOR_H
#define TESTS_BENCH_ACTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ACTOR_MOST 200000 /* answers that are kept of each kind */
#define ACTOR_CONNECTIONS 64

struct actor_result {
	uint32_t n_due, n_ok, n_turned_away, n_other,
		n_lost; /* lost: never sent, or never answered */
	uint32_t retry_told; /* of those turned away, who were told when to come back */
	double ok_us[ACTOR_MOST];
	double turned_away_us[ACTOR_MOST];
};

struct actor {
	const char *socket, *model;
	uid_t uid; /* 0: as this process */
	uint32_t n_connections;
	double rate; /* questions a second of all connections; 0: @window each instead */
	uint32_t window; /* with a rate: so many open at most, 0 for no such bound */
	unsigned int priority; /* enum edge_client_priority */
	uint64_t start_ns, from_ns,
		end_ns; /* asks from start to end, what was due since @from counts */
	struct actor_result *result; /* shared with who started it */
	pid_t pid;
};

struct actor_result *actor_result_new(
	void); /* shared memory; ends the program when there is none */
void actor_result_free(struct actor_result *result);

void actor_start(struct actor *actor);
/* Ends the program when it failed. */
void actor_wait(struct actor *actor);

/* The @part (0 to 1) of @n sorted. */
double actor_quantile(double *values, uint32_t n, double part);

#endif
