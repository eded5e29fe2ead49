/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sched.h"

#include <assert.h>
#include <errno.h>

#include "daemon/request.h"

int sched_init(struct sched *sched, void (*wake)(void *context), void *context)
{
	*sched = (struct sched){.wake = wake, .context = context};
	int code = pthread_mutex_init(&sched->mutex, NULL);
	if (code != 0) {
		return -code;
	}
	code = pthread_cond_init(&sched->work, NULL);
	if (code != 0) {
		pthread_mutex_destroy(&sched->mutex);
	}
	return -code;
}

void sched_deinit(struct sched *sched)
{
	assert(sched->n_queued == 0 && sched->n_running == 0 && !sched->done);
	pthread_cond_destroy(&sched->work);
	pthread_mutex_destroy(&sched->mutex);
}

/* A line that got its first request waits behind all others. */
static void line_enter(struct sched *sched, struct sched_line *line)
{
	if (!sched->turn) {
		sched->turn = line->next = line->prev = line;
		return;
	}
	line->next = sched->turn;
	line->prev = sched->turn->prev;
	line->prev->next = line;
	line->next->prev = line;
}

static void line_leave(struct sched *sched, struct sched_line *line)
{
	if (line->next == line) {
		sched->turn = NULL;
	} else {
		line->prev->next = line->next;
		line->next->prev = line->prev;
		sched->turn = sched->turn == line ? line->next : sched->turn;
	}
	line->next = line->prev = NULL;
}

int sched_push(
	struct sched *sched, struct sched_line *line, struct request *request, uint32_t limit)
{
	pthread_mutex_lock(&sched->mutex);
	bool room = sched->n_queued < limit;
	if (room) {
		request->queue_next = NULL;
		if (line->last) {
			line->last->queue_next = request;
		} else {
			line->first = request;
			line_enter(sched, line);
		}
		line->last = request;
		sched->n_queued++;
		pthread_cond_signal(&sched->work);
	}
	pthread_mutex_unlock(&sched->mutex);
	return room ? 0 : -EAGAIN;
}

bool sched_remove(struct sched *sched, struct sched_line *line, struct request *request)
{
	pthread_mutex_lock(&sched->mutex);
	struct request *before = NULL, *at = line->first;
	while (at && at != request) {
		before = at;
		at = at->queue_next;
	}
	if (at) {
		*(before ? &before->queue_next : &line->first) = at->queue_next;
		line->last = line->last == at ? before : line->last;
		at->queue_next = NULL;
		sched->n_queued--;
		if (!line->first) {
			line_leave(sched, line);
		}
	}
	pthread_mutex_unlock(&sched->mutex);
	return at != NULL;
}

static struct request *pop(struct sched *sched)
{
	struct sched_line *line = sched->turn;
	struct request *request = line->first;
	line->first = request->queue_next;
	request->queue_next = NULL;
	sched->turn = line->next;
	if (!line->first) {
		line->last = NULL;
		line_leave(sched, line);
	}
	sched->n_queued--;
	sched->n_running++;
	return request;
}

struct request *sched_take(struct sched *sched, bool *ret_alone)
{
	pthread_mutex_lock(&sched->mutex);
	while (!sched->stopping && !sched->turn) {
		pthread_cond_wait(&sched->work, &sched->mutex);
	}
	struct request *request = sched->stopping ? NULL : pop(sched);
	*ret_alone = sched->n_queued == 0 && sched->n_running == 1;
	pthread_mutex_unlock(&sched->mutex);
	return request;
}

void sched_give_back(struct sched *sched, struct request *request)
{
	pthread_mutex_lock(&sched->mutex);
	request->queue_next = sched->done;
	sched->done = request;
	sched->n_running--;
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
	*ret_queued = sched->n_queued;
	*ret_running = sched->n_running;
	pthread_mutex_unlock(&sched->mutex);
}

void sched_stop(struct sched *sched)
{
	pthread_mutex_lock(&sched->mutex);
	sched->stopping = true;
	pthread_cond_broadcast(&sched->work);
	pthread_mutex_unlock(&sched->mutex);
}
