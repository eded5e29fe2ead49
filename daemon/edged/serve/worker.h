/* SPDX-License-Identifier: Apache-2.0 */
/* worker - threads that run requests: take one, run it in a session of its model, give it back
 * with the reply's body or an error */
#ifndef DAEMON_EDGED_SERVE_WORKER_H
#define DAEMON_EDGED_SERVE_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "daemon/edged/config/workers.h"
#include "daemon/edged/serve/sched.h"

#define WORKER_MAX 64

struct worker {
	pthread_t thread;
	struct workers *workers;
	struct request *request; /* request that it runs; the most urgent one if runs are nested */
	uint64_t yield_ns; /* before this time it runs no other request between operators */
};

struct workers {
	struct worker threads[WORKER_MAX];
	unsigned int n;
	struct sched *sched;
	unsigned int threads_per_run;

	pthread_mutex_t mutex;
	/* Protected by the mutex. */
	struct team *team; /* helper threads; NULL while a run has them */
	bool team_made; /* making the team was tried once; a failure is not tried again */
};

/* Starts the workers. @wanted and @threads_per_run are read as by workers_count(). On error no
 * thread is left. */
int must_check workers_start(struct workers *workers, struct sched *sched, uint64_t wanted,
	uint64_t threads_per_run, struct error *err);

/* Ends the workers after their current runs. */
void workers_stop(struct workers *workers);

/* Runs @request on the calling thread, beginning at @now_ns. Fills request->reply or
 * request->error, and the times. */
void worker_run(struct request *request, uint64_t now_ns);

#endif
