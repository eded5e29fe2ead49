/* SPDX-License-Identifier: Apache-2.0 */
/* worker - the threads that run models: take a request, run it in a session of its model, give it
 * back with the reply's body or an error */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "daemon/sched.h"

#define WORKER_MAX 64

struct worker {
	pthread_t thread;
	struct workers *workers;
	struct request *request; /* the innermost that it runs */
	uint64_t yield_ns; /* it does nothing else before that */
};

struct workers {
	struct worker threads[WORKER_MAX];
	unsigned int n;
	struct sched *sched;
	unsigned int threads_per_run;

	pthread_mutex_t mutex;
	/* Under the mutex: */
	struct team *team; /* while no run has it */
	bool team_made; /* or tried to: a run wanted one */
};

/* How many threads @wanted means: 0 for one per core that this process may use, at most 4. */
unsigned int workers_count(uint64_t wanted);

/* @wanted and @threads_per_run: as workers_count() reads them. On error none runs. */
int must_check workers_start(struct workers *workers, struct sched *sched, uint64_t wanted,
	uint64_t threads_per_run, struct error *err);

/* Waits for what they are running. */
void workers_stop(struct workers *workers);

/* Runs @request here and now, @now_ns: what a worker does with each. Fills request->error or request->reply,
 * and the times. */
void worker_run(struct request *request, uint64_t now_ns);

#endif
