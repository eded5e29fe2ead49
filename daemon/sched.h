/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched - the queue between the loop and the workers
 *
 * Bounded, and fair between connections: each has its own line, and the lines take turns. Within a
 * line the order is kept. The loop pushes, removes and collects; workers take and give back. These
 * five are the only place where the threads meet.
 */
#ifndef DAEMON_SCHED_H
#define DAEMON_SCHED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"

struct request;

/* A connection's line; belongs to the connection, which removes its requests before it goes. */
struct sched_line {
	struct request *first, *last;
	struct sched_line *next, *prev; /* ring of the lines that are not empty */
};

struct sched {
	pthread_mutex_t mutex;
	pthread_cond_t work;
	struct sched_line *turn; /* whose request is next */
	struct request *done; /* given back, newest first */
	uint32_t n_queued, n_running;
	bool stopping;
	void (*wake)(void *context); /* called by workers when something was given back */
	void *context;
};

int must_check sched_init(struct sched *sched, void (*wake)(void *context), void *context);
void sched_deinit(struct sched *sched);

/* -EAGAIN when @limit requests are queued. The request is the queue's from then on. */
int must_check sched_push(
	struct sched *sched, struct sched_line *line, struct request *request, uint32_t limit);

/* True when it was still queued and is the caller's again; false when a worker has it. */
bool sched_remove(struct sched *sched, struct sched_line *line, struct request *request);

/* Workers: waits for the next request; NULL when the workers shall end. *ret_alone: no other request
 * waits or is run at this moment. */
struct request *sched_take(struct sched *sched, bool *ret_alone);
void sched_give_back(struct sched *sched, struct request *request);

/* What was given back since the last call, oldest first, linked by queue_next. */
struct request *sched_collect(struct sched *sched);

void sched_count(struct sched *sched, uint32_t *ret_queued, uint32_t *ret_running);

/* Workers get NULL from now on, whatever is queued. */
void sched_stop(struct sched *sched);

#endif
