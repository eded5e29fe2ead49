/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched - admits requests and passes them between the loop and the workers (docs/scheduling.md)
 *
 * Admission is judged here, the order of what was admitted by the queue (priority_queue.h). Both are
 * behind one lock. The loop asks, pushes, removes and collects requests; workers take and give them
 * back.
 *
 * A request is admitted if the queue has room or its user has no request in it, and if the request
 * need not wait or its predicted run ends before its deadline. While several users have requests in
 * the queue, each has at most twice as many as there are free places.
 *
 * A refusal begins an overload, which ends when no request has been refused for a while. During an
 * overload a request is admitted only if its predicted wait is a few runs at most, and half of that
 * for a user or connection that had more than an equal part lately.
 */
#ifndef DAEMON_EDGED_SERVE_SCHED_H
#define DAEMON_EDGED_SERVE_SCHED_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/own.h"
#include "daemon/edged/serve/priority_queue.h"

struct request;

#define SCHED_ALL 100u /* percent: duty of workers that never rest */

struct sched {
	pthread_mutex_t mutex;
	pthread_cond_t work;
	struct priority_queue queue;
	struct queue_item *done; /* requests given back, newest first */
	uint32_t n_running, n_workers; /* requests that run; workers, at least 1 */
	uint32_t n_idle; /* workers that wait for a request */
	int64_t running_ns; /* predicted run times of all running requests */
	int64_t mean_ns; /* mean predicted run time of recently admitted requests */
	uint64_t overload_ns; /* end of the overload, on clock_now_ns() */
	enum queue_class lowest_class; /* requests of lower classes are refused */
	unsigned int duty; /* part of the time that a worker may run, in percent */
	uint64_t rest_ns; /* rest that is due before the next request below realtime */
	bool stopping;
	/* highest class with a request for a busy worker, -1: none; read without the lock */
	atomic_int urgent;
	void (*wake)(void *context); /* called by a worker that gave a request back */
	void *context;
};

int must_check sched_init(struct sched *sched, void (*wake)(void *context), void *context);
void sched_deinit(struct sched *sched);

/* What a request needs of the queue. */
struct sched_request {
	struct queue_connection *connection;
	enum queue_class class;
	int64_t cost_ns;
	uint64_t now_ns;
	uint64_t left_ns; /* time until the deadline; UINT64_MAX: no deadline */
	/* queue-length less requests that wait for sessions; a user without any may exceed it */
	uint32_t max_queued;
};

enum sched_reason {
	SCHED_HOT, /* the class is held back by sched_throttle() */
	SCHED_FULL, /* the queue is full and the user has a request in it */
	SCHED_CROWDED, /* the free places are kept for other users */
	SCHED_FAIR_SHARE, /* overload, and the user or connection had more than its share */
	SCHED_OVERLOAD,
	SCHED_LATE, /* the run would end after the deadline, as predicted */
};

/* Why a request is refused, and after how long to ask again. */
struct sched_refusal {
	enum sched_reason reason;
	uint32_t retry_us;
};

/* True when a request of @wanted would be admitted now. Else *ret_refusal says why. Counts the
 * user and the connection as asking; a refusal begins or prolongs the overload. */
bool sched_admits(
	struct sched *sched, const struct sched_request *wanted, struct sched_refusal *ret_refusal);

/* Pushes @request, whose connection, class and cost_ns are those of @wanted. -EAGAIN when it is refused.
 * A pushed request is the queue's until a worker or sched_remove() takes it. */
int must_check sched_push(struct sched *sched, struct request *request,
	const struct sched_request *wanted, struct sched_refusal *ret_refusal);

/* Pushes a request that was admitted before. */
void sched_put(struct sched *sched, struct request *request);

/* True when @request was queued: it is DONE and the caller's. False when a worker took it. */
bool sched_remove(struct sched *sched, struct request *request);

/* Puts @request in the place of @old, which has the same connection and class and is then DONE. False
 * when a worker took @old. */
bool sched_swap(struct sched *sched, struct request *old, struct request *request);

/*
 * From now on requests below @lowest_class are refused, and a worker rests after each run so that it runs
 * for @duty percent of the time (SCHED_ALL: no rest). Realtime and control requests do not wait for
 * the rest. Queued requests stay.
 */
void sched_throttle(struct sched *sched, enum queue_class lowest_class, unsigned int duty);

/* Calls @change on @request while no worker can take it. False when it is not queued: @change is
 * not called. */
bool sched_change(struct sched *sched, struct request *request,
	void (*change)(void *context, struct request *request), void *context);

/* For workers. Waits for the next request; NULL when the worker shall end. *ret_alone: no other
 * request waits or runs at this moment. */
struct request *sched_take(struct sched *sched, bool *ret_alone);
/* Takes a request above @class that no waiting worker is about to take; NULL: there is none. For
 * a worker that runs a request of @class. */
struct request *sched_take_above(struct sched *sched, enum queue_class class);
/* Gives back @request, whose run took @ns. */
void sched_give_back(struct sched *sched, struct request *request, uint64_t ns);

/* True when a request above @class waits for a busy worker. Takes no lock. */
static inline bool sched_has_above(struct sched *sched, enum queue_class class)
{
	return atomic_load_explicit(&sched->urgent, memory_order_relaxed) > (int)class;
}

/* Takes the requests given back since the last call, oldest first, linked by item.next. */
struct request *sched_collect(struct sched *sched);

void sched_count(struct sched *sched, uint32_t *ret_queued, uint32_t *ret_running);
/* Calls @look while the queue does not change: workers wait for it. */
void sched_with_lock(struct sched *sched, void (*look)(void *context), void *context);

/* True while an overload lasts. Only the loop begins one: there is nothing to lock. */
static inline bool sched_overloaded(const struct sched *sched, uint64_t now_ns)
{
	return now_ns < sched->overload_ns;
}

/* Ends the workers: sched_take() returns NULL from now on, queued requests stay. */
void sched_stop(struct sched *sched);

#endif
