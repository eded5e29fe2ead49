/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/dispatch.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/edged/serve/admission.h"
#include "daemon/edged/serve/adopt.h"
#include "daemon/edged/serve/client_session.h"
#include "daemon/edged/serve/deadlines.h"
#include "daemon/edged/serve/inline_run.h"
#include "daemon/edged/serve/observe.h"
#include "daemon/edged/serve/serve.h"
#include "daemon/edged/serve/trials.h"

#define MAX_PARKED 256 /* every new parked request walks over all of them */

static void link_in(struct serve *serve, struct request *request)
{
	request->prev = NULL;
	request->next = serve->first;
	if (serve->first) {
		serve->first->prev = request;
	}
	serve->first = request;
}

static void link_out(struct serve *serve, struct request *request)
{
	*(request->prev ? &request->prev->next : &serve->first) = request->next;
	if (request->next) {
		request->next->prev = request->prev;
	}
}

/* ---- answers */

static void answer_error(
	const struct serve *serve, const struct request *request, const struct error *err)
{
	struct reply reply = {.type = request->type,
		.id = request->id,
		.status = err->status,
		.by_ring = request->client.by_ring,
		.retry_after_us = err->retry_after_us};
	wire_error_encode(&reply.body, err->text);
	serve->clients.answer(request->client.conn, &reply);
}

/* request_free() comes before answer(), which charges the body that @request's charge covered until
 * then. */
void dispatch_answer(struct serve *serve, struct request *request, struct bytes_writer *body)
{
	struct reply reply = {.type = request->type,
		.flags = request->flags,
		.id = request->id,
		.by_ring = request->client.by_ring,
		.body = *body};
	void *conn = request->client.conn;
	*body = (struct bytes_writer){0};
	observe_answer(serve, request, EDGE_OK, true);
	request_free(request);
	serve->clients.answer(conn, &reply);
}

void dispatch_refuse(struct serve *serve, struct request *request, const struct error *err)
{
	observe_answer(serve, request, err->status, true);
	answer_error(serve, request, err);
	request_free(request);
}

/* ---- requests of sessions */

static void session_wait(struct serve *serve, struct request *request)
{
	request_enter(request, REQUEST_SESSION_WAIT);
	queue_list_put(&request->session->waiting, &request->item);
	serve->n_waiting++;
}

static void session_unwait(struct serve *serve, struct request *request)
{
	queue_list_remove(&request->session->waiting, &request->item);
	serve->n_waiting--;
}

/* Queues the session's next request, which was admitted when it came. */
static void session_advance(struct serve *serve, struct client_session *session)
{
	struct request *next = request_of(session->waiting.first);
	session->busy = next != NULL;
	if (next) {
		session_unwait(serve, next);
		sched_put(&serve->sched, next);
	}
}

/* Ends @request's turn in its session. A session whose SESSION_OPEN failed is closed. */
static void session_leave(struct serve *serve, const struct request *request, bool ok)
{
	if (!request->session) {
		return;
	}
	if (request->type == WIRE_SESSION_OPEN && !ok) {
		client_session_close(request->session);
	}
	session_advance(serve, request->session);
}

/* Closes a session that has grown beyond its account's limits. */
static void session_update_charge(struct request *request)
{
	struct error err = {0};
	if (!request->session || client_session_update_charge(request->session, &err) == 0) {
		return;
	}
	client_session_close(request->session);
	if (request->error.code == 0) {
		error_prefix(&err, "session %u is closed", request->session->id);
		request->error = err;
	}
}

/* Takes @request out of the list, and out of the queue or its session. True when it is DONE; false
 * when a worker has it: then nothing has changed. */
static bool withdraw(struct serve *serve, struct request *request)
{
	const enum request_state state = request_state(request);
	switch (state) {
	case REQUEST_RUNNING:
	case REQUEST_RUNNING_ANSWERED:
		return false;
	case REQUEST_QUEUED:
		if (!sched_remove(&serve->sched, request)) {
			return false;
		}
		session_leave(serve, request, false);
		break;
	case REQUEST_SESSION_WAIT:
		session_unwait(serve, request);
		request_enter(request, REQUEST_DONE);
		break;
	case REQUEST_PARKED:
		serve->n_parked--;
		/* fall through */
	case REQUEST_LOADER_WAIT:
		request_enter(request, REQUEST_DONE);
		break;
	case REQUEST_READING: /* dispatch_unpark() has not come to it yet */
	case REQUEST_DONE:
		break;
	}
	link_out(serve, request);
	return true;
}

/* Counts the run, if there was one: use, energy, prediction and trial. */
static void note_run(struct serve *serve, const struct request *request)
{
	if (request->type != WIRE_INFER || !request->run.finished_ns) {
		return;
	}
	eviction_note_use(request->loaded, request->run.finished_ns);
	power_note_run(&serve->power, request->loaded, request_run_ns(request));
	if (request->run.model_read_error) {
		models_note_broken(serve->models, serve->loader, serve->config, request->loaded);
		return;
	}
	if (request->error.code == 0 && request->loaded) {
		predict_note(&request->loaded->predict, &serve->machine, request->loaded->model,
			request->signature, request->input_size_ratio,
			(int64_t)request_run_ns(request));
	}
	trials_note_run(serve, request);
	adopt_waiting(serve);
}

/* A run has ended: its model may be unloaded now, and its session may have grown. */
static void check_memory(struct serve *serve)
{
	if (budget_excess(serve->budget, 0) > 0) {
		eviction_enforce(serve->eviction);
	}
	pressure_check(serve->pressure);
	if (serve->n_parked > 0) {
		eviction_load_requested(serve->eviction);
	}
}

/* Answers a request that a worker gave back or that needed no worker, and frees it. */
static void finish(struct serve *serve, struct request *request)
{
	const bool answered = request_state(request) == REQUEST_RUNNING_ANSWERED;
	request_enter(request, REQUEST_DONE);
	link_out(serve, request);
	note_run(serve, request);
	session_update_charge(request);
	session_leave(serve, request, !answered && request->error.code == 0);
	if (answered) {
		observe_late(serve, request);
		request_free(request);
	} else if (request->error.code < 0) {
		dispatch_refuse(serve, request, &request->error);
	} else {
		trials_sample(serve, request);
		dispatch_answer(serve, request, &request->reply);
	}
	check_memory(serve);
}

/* Ends @request, which has no answer yet. A worker that has it is told to stop. */
static void end(struct serve *serve, struct request *request, enum edge_status status)
{
	const bool ours = withdraw(serve, request);
	observe_answer(serve, request, status, ours);
	if (ours) {
		request_free(request);
		return;
	}
	request->answered.status = status;
	request->answered.ns = clock_now_ns();
	request_enter(request, REQUEST_RUNNING_ANSWERED);
	atomic_store(&request->run.cancelled, true);
}

void dispatch_end(
	struct serve *serve, struct request *request, enum edge_status status, const char *text)
{
	struct error err = {.status = status};
	assert(request_state(request) != REQUEST_RUNNING_ANSWERED);
	snprintf(err.text, sizeof(err.text), "%s", text);
	answer_error(serve, request, &err);
	end(serve, request, status);
}

/* True for a request of @conn that has no answer yet. */
static bool is_of(const struct request *request, const void *conn)
{
	return request->client.conn == conn && request_state(request) != REQUEST_RUNNING_ANSWERED;
}

void dispatch_abandon(struct serve *serve, const void *conn)
{
	for (struct request *request = serve->first, *next; request; request = next) {
		next = request->next;
		if (is_of(request, conn)) {
			end(serve, request, EDGE_CANCELLED);
		}
	}
	deadlines_update(serve);
}

struct request *dispatch_find(const struct serve *serve, const void *conn, uint64_t id)
{
	struct request *request = serve->first;
	while (request && (request->id != id || !is_of(request, conn))) {
		request = request->next;
	}
	return request;
}

void dispatch_drain(struct serve *serve, bool running)
{
	serve->draining = true;
	for (struct request *request = serve->first, *next; request; request = next) {
		next = request->next;
		if (request_state(request) == REQUEST_RUNNING_ANSWERED) {
			continue;
		}
		if (withdraw(serve, request)) {
			const struct error err = {
				.status = EDGE_DRAINING, .text = "edged is about to stop"};
			dispatch_refuse(serve, request, &err);
		} else if (running) {
			dispatch_end(serve, request, EDGE_DRAINING, "edged stops now");
		}
	}
	deadlines_update(serve);
}

bool dispatch_idle(const struct serve *serve)
{
	return !serve->first;
}

bool dispatch_stuck(const struct serve *serve, uint64_t now_ns, uint64_t grace_ns)
{
	for (const struct request *request = serve->first; request; request = request->next) {
		if (request_state(request) == REQUEST_RUNNING_ANSWERED &&
			now_ns > request->answered.ns + grace_ns) {
			return true;
		}
	}
	return false;
}

/* ---- queueing */

static int enqueue(struct serve *serve, struct request *request, struct error *err)
{
	struct client_session *session = request->session;
	if (session && session->busy) {
		int code = admission_check_room(serve, request, err);
		if (code == 0) {
			session_wait(serve, request);
		}
		return code;
	}
	int code = admission_push(serve, request, err);
	if (session) {
		session->busy = code == 0;
	}
	return code;
}

/* ---- superseding */

/* True when @request took the place of an older queued request. One that runs goes on. */
static bool supersede(struct serve *serve, struct request *request)
{
	const struct error err = {
		.status = EDGE_SUPERSEDED, .text = "a newer request took its place"};
	struct request *other = admission_find_older(serve, request);
	if (!other) {
		return false;
	}
	bool same = other->item.connection == request->item.connection &&
		other->item.class == request->item.class;
	if (same ? !sched_swap(&serve->sched, other, request)
		 : !sched_remove(&serve->sched, other)) {
		return false;
	}
	if (!same) {
		sched_put(&serve->sched, request);
	}
	link_out(serve, other);
	dispatch_refuse(serve, other, &err);
	return true;
}

/* Closes the session of a SESSION_OPEN that is refused. */
static void session_discard(const struct request *request)
{
	if (request->type == WIRE_SESSION_OPEN) {
		client_session_close(request->session);
	}
}

static void on_turn(uv_prepare_t *turn)
{
	struct serve *serve = turn->data;
	serve->inline_connection = NULL;
}

void dispatch_submit(
	struct serve *serve, struct request *request, struct queue_connection *connection)
{
	struct error err = {0};
	const uint64_t now_ns = clock_now_ns();
	/* For a small request the scheduler and the worker look at the deadline. */
	if (request->body_bytes > REQUEST_HEAD_BYTES && request->deadline_ns &&
		now_ns >= request->deadline_ns) {
		session_discard(request);
		error_set(&err, -ETIMEDOUT, "the deadline passed while the request was read");
		dispatch_refuse(serve, request, &err);
		return;
	}
	busy_poll_on(&serve->busy_poll, serve->config->spin_us);
	adopt_one(serve, request);
	admission_check(serve, request, connection);
	request->run.slow_ns = serve->config->slow_request_us * UINT64_C(1000);
	power_wake(&serve->power);
	link_in(serve, request);
	const uint32_t body_bytes = request->body_bytes;
	if (inline_run_may(serve, request) && inline_run_try(serve, request, now_ns)) {
		finish(serve, request);
		busy_poll_yield_after(&serve->busy_poll, connection, body_bytes);
		return;
	}
	serve->busy_poll.alone = false;
	observe_queued(request);
	if (!supersede(serve, request) && enqueue(serve, request, &err) < 0) {
		link_out(serve, request);
		session_discard(request);
		dispatch_refuse(serve, request, &err);
		return;
	}
	/* An active timer fires before this request's answer-timeout. */
	if (request->deadline_ns || !uv_is_active((uv_handle_t *)&serve->timer)) {
		deadlines_update(serve);
	}
}

void dispatch_park(struct serve *serve, struct request *request)
{
	const struct config *config = serve->config;
	struct error err = {0};
	const uint64_t max = config->queue_length < MAX_PARKED ? config->queue_length : MAX_PARKED;
	if (serve->n_parked >= max) {
		error_set(&err, -EAGAIN, "%llu requests wait for models already",
			(unsigned long long)max);
		dispatch_refuse(serve, request, &err);
		return;
	}
	if (!request->parked_until_ns) {
		request->parked_until_ns = clock_now_ns() + config->load_wait_ms * NSEC_PER_MSEC;
	}
	request_enter(request, REQUEST_PARKED);
	serve->n_parked++;
	link_in(serve, request);
	eviction_load_requested(serve->eviction);
	deadlines_update(serve);
}

/* The oldest request that dispatch_unpark() has still to handle. The list begins with the
 * newest. */
static struct request *oldest_again(const struct serve *serve)
{
	struct request *oldest = NULL;
	for (struct request *request = serve->first; request; request = request->next) {
		oldest = request_state(request) == REQUEST_READING ? request : oldest;
	}
	return oldest;
}

void dispatch_unpark(struct serve *serve)
{
	for (struct request *request = serve->first; request; request = request->next) {
		if (request_state(request) == REQUEST_PARKED) {
			request_enter(request, REQUEST_READING);
			serve->n_parked--;
		}
	}
	/* Each request stays in the list until it is handled: handling one may end others. */
	for (struct request *oldest; (oldest = oldest_again(serve));) {
		link_out(serve, oldest);
		serve->clients.handle(oldest->client.conn, oldest);
	}
	deadlines_update(serve);
}

void dispatch_wait(struct serve *serve, struct request *request, uint64_t number)
{
	request_enter(request, REQUEST_LOADER_WAIT);
	request->wait_for_number = number;
	link_in(serve, request);
	dispatch_scan_done(serve);
}

void dispatch_scan_done(struct serve *serve)
{
	const struct models *models = serve->models;
	for (struct request *request = serve->first, *next; request; request = next) {
		next = request->next;
		if (request->type != WIRE_RELOAD || request->wait_for_number > models->scans_done) {
			continue;
		}
		struct models_count count_now = models_count(models);
		const struct wire_reload_reply reply = {
			.models_ready = count_now.ready, .models_refused = count_now.refused};
		wire_reload_reply_encode(&request->reply, &reply);
		finish(serve, request);
	}
}

void dispatch_command_done(struct serve *serve, struct store_command *command)
{
	struct request *request = serve->first;
	while (request &&
		(request->type != WIRE_STORE || request->wait_for_number != command->number)) {
		request = request->next;
	}
	if (request) {
		const char *text = command->text ? command->text : "";
		const struct wire_text lines = {.data = text, .length = (uint32_t)strlen(text)};
		request->error = command->error;
		if (command->error.code == 0) {
			wire_store_reply_encode(&request->reply, lines);
		}
		finish(serve, request);
	}
	store_command_free(command);
}

static void on_async(uv_async_t *async)
{
	struct serve *serve = async->data;
	struct request *next = sched_collect(&serve->sched);
	while (next) {
		struct request *request = next;
		next = request_of(request->item.next);
		finish(serve, request);
	}
}

/* Called on a worker's thread. */
static void wake(void *context)
{
	struct serve *serve = context;
	uv_async_send(&serve->async);
}

int dispatch_start(struct serve *serve, uv_loop_t *loop, struct error *err)
{
	int code = sched_init(&serve->sched, wake, serve);
	if (code < 0) {
		return error_set(err, code, "the queue: out of memory");
	}
	code = uv_async_init(loop, &serve->async, on_async);
	if (code < 0) {
		sched_deinit(&serve->sched);
		return error_set(err, code, "the queue: %s", uv_strerror(code));
	}
	uv_timer_init(loop, &serve->timer);
	uv_timer_init(loop, &serve->overload.timer);
	uv_prepare_init(loop, &serve->turn);
	busy_poll_init(&serve->busy_poll, loop, serve->clients.poll, serve->clients.sleep,
		serve->clients.context);
	/* from here on dispatch_stop() has work to do */
	serve->async.data = serve->timer.data = serve->turn.data = serve->overload.timer.data =
		serve;
	serve->end_late = dispatch_end;
	uv_prepare_start(&serve->turn, on_turn);
	power_start(&serve->power, loop);
	return workers_start(&serve->workers, &serve->sched, serve->config->workers,
		serve->config->threads_per_run, err);
}

void dispatch_stop(struct serve *serve)
{
	if (!serve->async.data) {
		return;
	}
	workers_stop(&serve->workers);
	for (struct request *next = sched_collect(&serve->sched), *request; (request = next);) {
		next = request_of(request->item.next);
		request_enter(request, REQUEST_DONE);
		request_free(request);
	}
	uv_close((uv_handle_t *)&serve->async, NULL);
	uv_close((uv_handle_t *)&serve->timer, NULL);
	uv_close((uv_handle_t *)&serve->overload.timer, NULL);
	uv_close((uv_handle_t *)&serve->turn, NULL);
	uv_close((uv_handle_t *)&serve->busy_poll.idle, NULL);
	sched_deinit(&serve->sched);
}
