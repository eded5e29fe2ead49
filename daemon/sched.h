/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched - who is let in, and which request a worker gets (docs/scheduling.md)
 *
 * The queue (queue.h) behind a lock. The loop asks, pushes, removes and collects; workers take and
 * give back. These are the only place where the threads meet.
 *
 * Let in is what can be done in time: a place is free, or its user has none, the deadline is not behind what is
 * ahead, and under contention no user has more of the queue than twice what is free. Bursts fill the queue; once
 * somebody had to be turned away it is too long to be of use, and until nobody has been turned away for
 * a while only so much is let in as is done within a few runs, half of that for who has had more
 * than an equal part lately.
 */
#ifndef DAEMON_SCHED_H
#define DAEMON_SCHED_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/own.h"
#include "daemon/queue.h"

#define SCHED_ALL 100u /* percent */

struct sched {
	pthread_mutex_t mutex;
	pthread_cond_t work;
	struct queue queue;
	struct request *done; /* given back, newest first */
	uint32_t n_running, n_workers; /* workers: at least 1 counts */
	uint32_t n_idle; /* workers that wait */
	int64_t running_ns; /* predicted, of what runs */
	int64_t mean_ns; /* of what was let in lately */
	uint64_t overload_ns; /* until then there is overload: somebody was turned away before */
	enum queue_class least; /* what is below is turned away */
	unsigned int duty; /* percent of the time that a worker may run */
	uint64_t rest_ns; /* that somebody must rest before taking anything but urgent work */
	bool stopping;
	atomic_int urgent; /* the highest class that waits, -1: none; read without the lock */
	void (*wake)(void *context); /* called by workers when something was given back */
	void *context;
};

int must_check sched_init(struct sched *sched, void (*wake)(void *context), void *context);
void sched_deinit(struct sched *sched);

/* What somebody asks for. */
struct sched_wish {
	struct queue_line *line;
	enum queue_class class;
	int64_t cost_ns;
	uint64_t now_ns;
	uint64_t left_ns; /* until the deadline; UINT64_MAX: none */
	uint32_t
		most; /* requests that may wait, with this one; one more of each user that has none */
};

enum sched_reason {
	SCHED_HOT, /* the class is held back: sched_restrain() */
	SCHED_FULL, /* no place is free, and its user has some */
	SCHED_CROWDED, /* the free places are for others */
	SCHED_SHARE, /* overload, and its user or line had more than its share */
	SCHED_OVERLOAD,
	SCHED_LATE, /* its deadline is behind what waits */
};

/* Why somebody is not let in, and after how long it may be. */
struct sched_refusal {
	enum sched_reason reason;
	uint32_t retry_us;
};

/* True when it would be let in now. Else *ret_refusal says more. Changes nothing but what is known of who
 * asked. */
bool sched_admits(
	struct sched *sched, const struct sched_wish *wish, struct sched_refusal *ret_refusal);

/* As above, and pushes @request, whose line, class and cost_ns are those of @wish: -EAGAIN when it is
 * not let in. The request is the queue's from then on. */
int must_check sched_push(struct sched *sched, struct request *request,
	const struct sched_wish *wish, struct sched_refusal *ret_refusal);

/* Pushes what has been let in before. */
void sched_put(struct sched *sched, struct request *request);

/* True when it was still queued and is the caller's again; false when a worker has it. */
bool sched_remove(struct sched *sched, struct request *request);

/* True while it is queued. */
bool sched_has(struct sched *sched, const struct request *request);

/* @request takes the place of @old, of the same line and class. False when a worker has that. */
bool sched_swap(struct sched *sched, struct request *old, struct request *request);

/*
 * From now on only classes from @least on are let in, and a worker rests after each run so long that
 * it runs for @duty percent of the time, SCHED_ALL: without rest. Realtime and control do not wait
 * for that. What is queued stays.
 */
void sched_restrain(struct sched *sched, enum queue_class least, unsigned int duty);

/* Has @change done to @request while no worker can take it. False when one has it: nothing is done. */
bool sched_change(struct sched *sched, struct request *request,
	void (*change)(void *context, struct request *request), void *context);

/* Workers: waits for the next request; NULL when the workers shall end. *ret_alone: no other request
 * waits or is run at this moment. */
struct request *sched_take(struct sched *sched, bool *ret_alone);
/* One of a class above @class that nobody else is about to take, or NULL: while something of
 * @class runs. */
struct request *sched_take_above(struct sched *sched, enum queue_class class);
/* @ns: what it took. */
void sched_give_back(struct sched *sched, struct request *request, uint64_t ns);

/* True when something above @class waits: a look without the lock. */
static inline bool sched_has_above(struct sched *sched, enum queue_class class)
{
	return atomic_load_explicit(&sched->urgent, memory_order_relaxed) > (int)class;
}

/* What was given back since the last call, oldest first, linked by queue_next. */
struct request *sched_collect(struct sched *sched);

void sched_count(struct sched *sched, uint32_t *ret_queued, uint32_t *ret_running);
/* How many wait of each class. */
void sched_depths(struct sched *sched, uint32_t ret_queued[QUEUE_CLASSES]);
/* Has @look read something of the queue, which nobody changes meanwhile: workers wait for it. */
void sched_look(struct sched *sched, void (*look)(void *context), void *context);

/* True while there is overload: somebody was turned away a moment ago. */
bool sched_overloaded(struct sched *sched, uint64_t now_ns);

/* Workers get NULL from now on, whatever is queued. */
void sched_stop(struct sched *sched);

#endif
