/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sched.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "daemon/request.h"

#define OVERLOAD_RUNS 4 /* under overload so many runs may be ahead of each worker... */
#define OVERLOAD_NS INT64_C(500000) /* ...or that much, if they are short */
#define CALM_NS UINT64_C(250000000) /* without anybody turned away: overload is over */
#define RETRY_LEAST_US 1000
#define RETRY_MOST_US 1000000
#define NS_PER_S UINT64_C(1000000000)

/* On the clock of clock_now_ns(). */
static int work_init(pthread_cond_t *work)
{
	pthread_condattr_t attributes;
	int code = pthread_condattr_init(&attributes);
	if (code == 0) {
		code = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
		code = code ? code : pthread_cond_init(work, &attributes);
		pthread_condattr_destroy(&attributes);
	}
	return code;
}

int sched_init(struct sched *sched, void (*wake)(void *context), void *context)
{
	*sched =
		(struct sched){.wake = wake, .context = context, .n_workers = 1, .duty = SCHED_ALL};
	atomic_init(&sched->urgent, -1);
	int code = pthread_mutex_init(&sched->mutex, NULL);
	if (code != 0) {
		return -code;
	}
	code = work_init(&sched->work);
	if (code != 0) {
		pthread_mutex_destroy(&sched->mutex);
	}
	return -code;
}

void sched_deinit(struct sched *sched)
{
	assert(sched->queue.n_queued == 0 && sched->n_running == 0 && !sched->done);
	pthread_cond_destroy(&sched->work);
	pthread_mutex_destroy(&sched->mutex);
}

/* ---- who is let in */

static uint32_t retry_us(int64_t wait_ns)
{
	int64_t us = wait_ns / 1000;
	return us < RETRY_LEAST_US   ? RETRY_LEAST_US
		: us > RETRY_MOST_US ? RETRY_MOST_US
				     : (uint32_t)us;
}

/* Until a worker is there for it. Half of what runs is still to be done. */
static int64_t wait_ns(const struct sched *sched, const struct sched_wish *wish)
{
	if (sched->queue.n_queued == 0 && sched->n_running < sched->n_workers) {
		return 0;
	}
	const int64_t ahead = queue_ahead_ns(&sched->queue, wish->line, wish->class, wish->cost_ns);
	return (ahead + sched->running_ns / 2) / sched->n_workers * SCHED_ALL / sched->duty;
}

/* Alone a user may fill the queue. With others it has no more than twice what is free. Who has nothing in it has
 * always room for one, however full others have made it. */
static bool has_room(
	const struct sched *sched, const struct sched_wish *wish, enum sched_reason *ret_reason)
{
	const struct queue_user *user = wish->line->user;
	const uint32_t queued = sched->queue.n_queued;
	if (user->n_queued == 0) {
		return true;
	}
	*ret_reason = queued >= wish->most ? SCHED_FULL : SCHED_CROWDED;
	return queued < wish->most &&
		(sched->queue.n_users == 1 || user->n_queued < 2 * (uint64_t)(wish->most - queued));
}

static bool had_enough(struct sched *sched, const struct sched_wish *wish)
{
	struct queue_line *line = wish->line;
	return share_is_over(&line->user->share, &sched->queue.shares, wish->now_ns) ||
		share_is_over(&line->share, &line->user->lines, wish->now_ns);
}

/* What may be ahead under overload. */
static int64_t bound_ns(struct sched *sched, const struct sched_wish *wish)
{
	int64_t run = wish->cost_ns > sched->mean_ns ? wish->cost_ns : sched->mean_ns;
	int64_t bound = OVERLOAD_RUNS * run;
	return bound < OVERLOAD_NS ? OVERLOAD_NS : bound;
}

/* From now on there is overload. */
static bool refuse(struct sched *sched, const struct sched_wish *wish, enum sched_reason reason,
	int64_t wait, struct sched_refusal *ret_refusal)
{
	sched->overload_ns = wish->now_ns + CALM_NS;
	*ret_refusal = (struct sched_refusal){reason, retry_us(wait)};
	return false;
}

static bool admits(
	struct sched *sched, const struct sched_wish *wish, struct sched_refusal *ret_refusal)
{
	if (wish->class < sched->least) {
		*ret_refusal = (struct sched_refusal){SCHED_HOT, RETRY_MOST_US};
		return false;
	}
	share_ask(&wish->line->user->share, &sched->queue.shares, wish->now_ns);
	share_ask(&wish->line->share, &wish->line->user->lines, wish->now_ns);
	const int64_t wait = wait_ns(sched, wish);
	enum sched_reason reason = SCHED_FULL;
	if (!has_room(sched, wish, &reason)) {
		return refuse(sched, wish, reason, wait / 2, ret_refusal);
	}
	if (wish->now_ns < sched->overload_ns) {
		const int64_t bound = bound_ns(sched, wish);
		if (wait > bound / 2 && had_enough(sched, wish)) {
			return refuse(sched, wish, SCHED_SHARE, wait - bound / 2, ret_refusal);
		}
		if (wait > bound) {
			return refuse(sched, wish, SCHED_OVERLOAD, wait - bound, ret_refusal);
		}
	}
	/* What a run takes is a guess, and is learned only by running: it decides only when there is
	 * something else to do. */
	bool late = wait > 0 && (uint64_t)(wait + wish->cost_ns) > wish->left_ns;
	*ret_refusal = (struct sched_refusal){SCHED_LATE, retry_us(wait)};
	return !late;
}

static void learn(struct sched *sched, const struct sched_wish *wish)
{
	sched->mean_ns += (wish->cost_ns - sched->mean_ns) / 16;
	share_note(&wish->line->user->share, &sched->queue.shares, wish->now_ns,
		(uint64_t)wish->cost_ns);
	share_note(&wish->line->share, &wish->line->user->lines, wish->now_ns,
		(uint64_t)wish->cost_ns);
}

bool sched_admits(
	struct sched *sched, const struct sched_wish *wish, struct sched_refusal *ret_refusal)
{
	pthread_mutex_lock(&sched->mutex);
	bool admitted = admits(sched, wish, ret_refusal);
	pthread_mutex_unlock(&sched->mutex);
	return admitted;
}

/* ---- in and out */

/* After the queue has changed. With a worker that waits, or is about to wake, nobody is to yield. */
static void urgent_update(struct sched *sched)
{
	int top = sched->queue.n_queued > sched->n_idle ? queue_top(&sched->queue) : -1;
	atomic_store_explicit(&sched->urgent, top, memory_order_relaxed);
}

static void put(struct sched *sched, struct request *request)
{
	queue_put(&sched->queue, request);
	urgent_update(sched);
	if (sched->n_idle > 0 && sched->duty == SCHED_ALL) {
		pthread_cond_signal(&sched->work);
	} else if (sched->n_idle > 0) {
		pthread_cond_broadcast(&sched->work); /* one of them may have to rest on */
	}
}

int sched_push(struct sched *sched, struct request *request, const struct sched_wish *wish,
	struct sched_refusal *ret_refusal)
{
	pthread_mutex_lock(&sched->mutex);
	bool admitted = admits(sched, wish, ret_refusal);
	if (admitted) {
		learn(sched, wish);
		put(sched, request);
	}
	pthread_mutex_unlock(&sched->mutex);
	return admitted ? 0 : -EAGAIN;
}

void sched_put(struct sched *sched, struct request *request)
{
	pthread_mutex_lock(&sched->mutex);
	put(sched, request);
	pthread_mutex_unlock(&sched->mutex);
}

bool sched_remove(struct sched *sched, struct request *request)
{
	pthread_mutex_lock(&sched->mutex);
	bool found = queue_remove(&sched->queue, request);
	urgent_update(sched);
	pthread_mutex_unlock(&sched->mutex);
	return found;
}

bool sched_has(struct sched *sched, const struct request *request)
{
	pthread_mutex_lock(&sched->mutex);
	bool found = queue_has(request);
	pthread_mutex_unlock(&sched->mutex);
	return found;
}

bool sched_swap(struct sched *sched, struct request *old, struct request *request)
{
	pthread_mutex_lock(&sched->mutex);
	bool found = queue_swap(&sched->queue, old, request);
	pthread_mutex_unlock(&sched->mutex);
	return found;
}

bool sched_change(struct sched *sched, struct request *request,
	void (*change)(void *context, struct request *request), void *context)
{
	pthread_mutex_lock(&sched->mutex);
	bool found = queue_has(request);
	if (found) {
		change(context, request);
	}
	pthread_mutex_unlock(&sched->mutex);
	return found;
}

static struct request *pop(struct sched *sched, int above)
{
	struct request *request = queue_pop(&sched->queue, above);
	if (request) {
		sched->n_running++;
		sched->running_ns += request->cost_ns;
	}
	return request;
}

void sched_restrain(struct sched *sched, enum queue_class least, unsigned int duty)
{
	pthread_mutex_lock(&sched->mutex);
	sched->least = least;
	sched->duty = duty;
	sched->rest_ns = duty == SCHED_ALL ? 0 : sched->rest_ns;
	pthread_cond_broadcast(&sched->work);
	pthread_mutex_unlock(&sched->mutex);
}

/* ---- rest */

/* Whoever comes to take something takes over what is to be rested; 0: nothing is. */
static uint64_t rest_take(struct sched *sched)
{
	const uint64_t until = sched->rest_ns > 0 ? clock_now_ns() + sched->rest_ns : 0;
	sched->rest_ns = 0;
	return until;
}

/* What is left of it when something urgent came in between, for who comes next. */
static void rest_leave(struct sched *sched, uint64_t until_ns)
{
	const uint64_t now = until_ns > 0 && sched->duty < SCHED_ALL ? clock_now_ns() : until_ns;
	sched->rest_ns += until_ns > now ? until_ns - now : 0;
}

/* True when the rest is over, or something is there that does not wait for that. */
static bool may_take(const struct sched *sched, uint64_t until_ns)
{
	if (sched->queue.n_queued == 0) {
		return false;
	}
	return until_ns == 0 || sched->duty == SCHED_ALL ||
		queue_top(&sched->queue) >= QUEUE_REALTIME || clock_now_ns() >= until_ns;
}

/* With nothing to do nobody wakes up for the end of a rest. */
static void wait_for_work(struct sched *sched, uint64_t until_ns)
{
	if (until_ns == 0 || sched->queue.n_queued == 0) {
		pthread_cond_wait(&sched->work, &sched->mutex);
		return;
	}
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / NS_PER_S), .tv_nsec = (long)(until_ns % NS_PER_S)};
	pthread_cond_timedwait(&sched->work, &sched->mutex, &until);
}

struct request *sched_take(struct sched *sched, bool *ret_alone)
{
	pthread_mutex_lock(&sched->mutex);
	const uint64_t until_ns = rest_take(sched);
	sched->n_idle++;
	while (!sched->stopping && !may_take(sched, until_ns)) {
		wait_for_work(sched, until_ns);
	}
	sched->n_idle--;
	rest_leave(sched, until_ns);
	struct request *request = sched->stopping ? NULL : pop(sched, -1);
	*ret_alone = sched->queue.n_queued == 0 && sched->n_running == 1;
	urgent_update(sched);
	pthread_mutex_unlock(&sched->mutex);
	return request;
}

struct request *sched_take_above(struct sched *sched, enum queue_class class)
{
	pthread_mutex_lock(&sched->mutex);
	bool mine = !sched->stopping && sched->queue.n_queued > sched->n_idle;
	struct request *request = mine ? pop(sched, (int)class) : NULL;
	urgent_update(sched);
	pthread_mutex_unlock(&sched->mutex);
	return request;
}

void sched_give_back(struct sched *sched, struct request *request, uint64_t ns)
{
	pthread_mutex_lock(&sched->mutex);
	request->queue_next = sched->done;
	sched->done = request;
	sched->n_running--;
	sched->running_ns -= request->cost_ns;
	sched->rest_ns += ns * (SCHED_ALL - sched->duty) / sched->duty;
	if (request->user) {
		turns_correct(&request->user->parties[request->class].turn,
			(int64_t)ns - request->cost_ns);
	}
	pthread_mutex_unlock(&sched->mutex);
	sched->wake(sched->context);
}

struct request *sched_collect(struct sched *sched)
{
	pthread_mutex_lock(&sched->mutex);
	struct request *newest = sched->done;
	sched->done = NULL;
	pthread_mutex_unlock(&sched->mutex);
	struct request *oldest = NULL;
	while (newest) {
		struct request *next = newest->queue_next;
		newest->queue_next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

void sched_count(struct sched *sched, uint32_t *ret_queued, uint32_t *ret_running)
{
	pthread_mutex_lock(&sched->mutex);
	*ret_queued = sched->queue.n_queued;
	*ret_running = sched->n_running;
	pthread_mutex_unlock(&sched->mutex);
}

void sched_depths(struct sched *sched, uint32_t ret_queued[QUEUE_CLASSES])
{
	pthread_mutex_lock(&sched->mutex);
	for (unsigned int i = 0; i < QUEUE_CLASSES; i++) {
		ret_queued[i] = sched->queue.n_of_class[i];
	}
	pthread_mutex_unlock(&sched->mutex);
}

void sched_look(struct sched *sched, void (*look)(void *context), void *context)
{
	pthread_mutex_lock(&sched->mutex);
	look(context);
	pthread_mutex_unlock(&sched->mutex);
}

bool sched_overloaded(struct sched *sched, uint64_t now_ns)
{
	pthread_mutex_lock(&sched->mutex);
	const bool overloaded = now_ns < sched->overload_ns;
	pthread_mutex_unlock(&sched->mutex);
	return overloaded;
}

void sched_stop(struct sched *sched)
{
	pthread_mutex_lock(&sched->mutex);
	sched->stopping = true;
	pthread_cond_broadcast(&sched->work);
	pthread_mutex_unlock(&sched->mutex);
}
