/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/sched.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/threads.h"
#include "daemon/edged/serve/request.h"

#define OVERLOAD_RUNS 4 /* during an overload so many runs may be ahead of each worker... */
#define OVERLOAD_NS INT64_C(500000) /* ...or so much work, if runs are short */
#define CALM_NS UINT64_C(250000000) /* an overload ends after so long without a refusal */
#define RETRY_LEAST_US 1000
#define RETRY_MAX_US 1000000

int sched_init(struct sched *sched, void (*wake)(void *context), void *context)
{
	*sched =
		(struct sched){.wake = wake, .context = context, .n_workers = 1, .duty = SCHED_ALL};
	atomic_init(&sched->urgent, -1);
	int code = pthread_mutex_init(&sched->mutex, NULL);
	if (code != 0) {
		return -code;
	}
	code = threads_condition_init(&sched->work);
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

/* ---- admission */

static uint32_t retry_us(int64_t wait_ns)
{
	int64_t us = wait_ns / 1000;
	return us < RETRY_LEAST_US  ? RETRY_LEAST_US
		: us > RETRY_MAX_US ? RETRY_MAX_US
				    : (uint32_t)us;
}

/* The predicted wait for a worker. On average half of each running request is done. */
static int64_t wait_ns(const struct sched *sched, const struct sched_request *wanted)
{
	if (sched->queue.n_queued == 0 && sched->n_running < sched->n_workers) {
		return 0;
	}
	const int64_t ahead = priority_queue_ahead_ns(
		&sched->queue, wanted->connection, wanted->class, wanted->cost_ns);
	return (ahead + sched->running_ns / 2) / sched->n_workers * SCHED_ALL / sched->duty;
}

/* A user alone may fill the queue. Beside others it has at most twice as many requests as there
 * are free places. A user without requests always gets one place. */
static bool has_room(const struct sched *sched, const struct sched_request *wanted,
	enum sched_reason *ret_reason)
{
	const struct queue_user *user = wanted->connection->user;
	const uint32_t queued = sched->queue.n_queued;
	if (user->n_queued == 0) {
		return true;
	}
	*ret_reason = queued >= wanted->max_queued ? SCHED_FULL : SCHED_CROWDED;
	return queued < wanted->max_queued &&
		(sched->queue.n_users == 1 ||
			user->n_queued < 2 * (uint64_t)(wanted->max_queued - queued));
}

static bool had_enough(struct sched *sched, const struct sched_request *wanted)
{
	struct queue_connection *connection = wanted->connection;
	return fair_share_is_over(&connection->user->share, &sched->queue.shares, wanted->now_ns) ||
		fair_share_is_over(
			&connection->share, &connection->user->connections, wanted->now_ns);
}

/* The longest predicted wait that is admitted during an overload. */
static int64_t bound_ns(struct sched *sched, const struct sched_request *wanted)
{
	int64_t run = wanted->cost_ns > sched->mean_ns ? wanted->cost_ns : sched->mean_ns;
	int64_t bound = OVERLOAD_RUNS * run;
	return bound < OVERLOAD_NS ? OVERLOAD_NS : bound;
}

/* Refuses @wanted, and begins or prolongs the overload. */
static bool refuse(struct sched *sched, const struct sched_request *wanted,
	enum sched_reason reason, int64_t wait, struct sched_refusal *ret_refusal)
{
	sched->overload_ns = wanted->now_ns + CALM_NS;
	*ret_refusal = (struct sched_refusal){reason, retry_us(wait)};
	return false;
}

static bool admits(
	struct sched *sched, const struct sched_request *wanted, struct sched_refusal *ret_refusal)
{
	if (wanted->class < sched->lowest_class) {
		*ret_refusal = (struct sched_refusal){SCHED_HOT, RETRY_MAX_US};
		return false;
	}
	fair_share_count_request(
		&wanted->connection->user->share, &sched->queue.shares, wanted->now_ns);
	fair_share_count_request(
		&wanted->connection->share, &wanted->connection->user->connections, wanted->now_ns);
	const int64_t wait = wait_ns(sched, wanted);
	enum sched_reason reason = SCHED_FULL;
	if (!has_room(sched, wanted, &reason)) {
		return refuse(sched, wanted, reason, wait / 2, ret_refusal);
	}
	if (wanted->now_ns < sched->overload_ns) {
		const int64_t bound = bound_ns(sched, wanted);
		if (wait > bound / 2 && had_enough(sched, wanted)) {
			return refuse(
				sched, wanted, SCHED_FAIR_SHARE, wait - bound / 2, ret_refusal);
		}
		if (wait > bound) {
			return refuse(sched, wanted, SCHED_OVERLOAD, wait - bound, ret_refusal);
		}
	}
	/* The predicted run time is learned by running only: without a wait the request is
	 * admitted even if the prediction is too long. */
	bool late = wait > 0 && (uint64_t)(wait + wanted->cost_ns) > wanted->left_ns;
	*ret_refusal = (struct sched_refusal){SCHED_LATE, retry_us(wait)};
	return !late;
}

static void learn(struct sched *sched, const struct sched_request *wanted)
{
	sched->mean_ns += (wanted->cost_ns - sched->mean_ns) / 16;
	fair_share_add_work(&wanted->connection->user->share, &sched->queue.shares, wanted->now_ns,
		(uint64_t)wanted->cost_ns);
	fair_share_add_work(&wanted->connection->share, &wanted->connection->user->connections,
		wanted->now_ns, (uint64_t)wanted->cost_ns);
}

bool sched_admits(
	struct sched *sched, const struct sched_request *wanted, struct sched_refusal *ret_refusal)
{
	pthread_mutex_lock(&sched->mutex);
	bool admitted = admits(sched, wanted, ret_refusal);
	pthread_mutex_unlock(&sched->mutex);
	return admitted;
}

/* ---- pushing, removing, popping */

/* Call it after the queue has changed. No run must yield while an idle worker can take the
 * request. */
static void urgent_update(struct sched *sched)
{
	int top = sched->queue.n_queued > sched->n_idle ? priority_queue_top(&sched->queue) : -1;
	atomic_store_explicit(&sched->urgent, top, memory_order_relaxed);
}

static void put(struct sched *sched, struct request *request)
{
	request_enter(request, REQUEST_QUEUED);
	priority_queue_put(&sched->queue, &request->item);
	urgent_update(sched);
	if (sched->n_idle > 0 && sched->duty == SCHED_ALL) {
		pthread_cond_signal(&sched->work);
	} else if (sched->n_idle > 0) {
		/* the worker that a signal wakes may have to rest on */
		pthread_cond_broadcast(&sched->work);
	}
}

int sched_push(struct sched *sched, struct request *request, const struct sched_request *wanted,
	struct sched_refusal *ret_refusal)
{
	pthread_mutex_lock(&sched->mutex);
	bool admitted = admits(sched, wanted, ret_refusal);
	if (admitted) {
		learn(sched, wanted);
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

static bool is_queued(const struct request *request)
{
	return request_state(request) == REQUEST_QUEUED;
}

bool sched_remove(struct sched *sched, struct request *request)
{
	pthread_mutex_lock(&sched->mutex);
	const bool found = is_queued(request);
	if (found) {
		priority_queue_remove(&sched->queue, &request->item);
		request_enter(request, REQUEST_DONE);
		urgent_update(sched);
	}
	pthread_mutex_unlock(&sched->mutex);
	return found;
}

bool sched_swap(struct sched *sched, struct request *old, struct request *request)
{
	pthread_mutex_lock(&sched->mutex);
	const bool found = is_queued(old);
	if (found) {
		priority_queue_swap(&sched->queue, &old->item, &request->item);
		request_enter(old, REQUEST_DONE);
		request_enter(request, REQUEST_QUEUED);
	}
	pthread_mutex_unlock(&sched->mutex);
	return found;
}

bool sched_change(struct sched *sched, struct request *request,
	void (*change)(void *context, struct request *request), void *context)
{
	pthread_mutex_lock(&sched->mutex);
	const bool found = is_queued(request);
	if (found) {
		change(context, request);
	}
	pthread_mutex_unlock(&sched->mutex);
	return found;
}

static struct request *pop(struct sched *sched, int above)
{
	struct request *request = request_of(priority_queue_pop(&sched->queue, above));
	if (request) {
		request_enter(request, REQUEST_RUNNING);
		sched->n_running++;
		sched->running_ns += request->item.cost_ns;
	}
	return request;
}

void sched_throttle(struct sched *sched, enum queue_class lowest_class, unsigned int duty)
{
	pthread_mutex_lock(&sched->mutex);
	sched->lowest_class = lowest_class;
	sched->duty = duty;
	sched->rest_ns = duty == SCHED_ALL ? 0 : sched->rest_ns;
	pthread_cond_broadcast(&sched->work);
	pthread_mutex_unlock(&sched->mutex);
}

/* ---- rest and take */

/* Takes over the rest that is due. Returns its end; 0: no rest is due. */
static uint64_t rest_take(struct sched *sched)
{
	const uint64_t until = sched->rest_ns > 0 ? clock_now_ns() + sched->rest_ns : 0;
	sched->rest_ns = 0;
	return until;
}

/* Leaves the remaining rest to the next worker: an urgent request cut it short. */
static void rest_leave(struct sched *sched, uint64_t until_ns)
{
	const uint64_t now = until_ns > 0 && sched->duty < SCHED_ALL ? clock_now_ns() : until_ns;
	sched->rest_ns += clock_left_ns(until_ns, now);
}

/* True when a request waits, and the rest is over or the request is urgent. */
static bool may_take(const struct sched *sched, uint64_t until_ns)
{
	if (sched->queue.n_queued == 0) {
		return false;
	}
	return until_ns == 0 || sched->duty == SCHED_ALL ||
		priority_queue_top(&sched->queue) >= QUEUE_REALTIME || clock_now_ns() >= until_ns;
}

/* With an empty queue a worker need not wake for the end of its rest. */
static void wait_for_work(struct sched *sched, uint64_t until_ns)
{
	if (until_ns == 0 || sched->queue.n_queued == 0) {
		pthread_cond_wait(&sched->work, &sched->mutex);
		return;
	}
	const struct timespec until = {.tv_sec = (time_t)(until_ns / NSEC_PER_SEC),
		.tv_nsec = (long)(until_ns % NSEC_PER_SEC)};
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
	request->item.next = sched->done;
	sched->done = &request->item;
	sched->n_running--;
	sched->running_ns -= request->item.cost_ns;
	sched->rest_ns += ns * (SCHED_ALL - sched->duty) / sched->duty;
	if (request->item.user) {
		drr_correct(&request->item.user->classes[request->item.class].turn,
			(int64_t)ns - request->item.cost_ns);
	}
	pthread_mutex_unlock(&sched->mutex);
	sched->wake(sched->context);
}

struct request *sched_collect(struct sched *sched)
{
	pthread_mutex_lock(&sched->mutex);
	struct queue_item *newest = sched->done;
	sched->done = NULL;
	pthread_mutex_unlock(&sched->mutex);
	struct queue_item *oldest = NULL;
	while (newest) {
		struct queue_item *next = newest->next;
		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return request_of(oldest);
}

void sched_count(struct sched *sched, uint32_t *ret_queued, uint32_t *ret_running)
{
	pthread_mutex_lock(&sched->mutex);
	*ret_queued = sched->queue.n_queued;
	*ret_running = sched->n_running;
	pthread_mutex_unlock(&sched->mutex);
}

void sched_with_lock(struct sched *sched, void (*look)(void *context), void *context)
{
	pthread_mutex_lock(&sched->mutex);
	look(context);
	pthread_mutex_unlock(&sched->mutex);
}

void sched_stop(struct sched *sched)
{
	pthread_mutex_lock(&sched->mutex);
	sched->stopping = true;
	pthread_cond_broadcast(&sched->work);
	pthread_mutex_unlock(&sched->mutex);
}
