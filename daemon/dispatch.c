/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dispatch.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/admission.h"
#include "daemon/adopt.h"
#include "daemon/client_session.h"
#include "daemon/edged.h"
#include "daemon/handle.h"
#include "daemon/observe.h"
#include "daemon/ring.h"
#include "daemon/short.h"
#include "daemon/trials.h"

#define MS UINT64_C(1000000)
#define MAX_PARKED 256 /* they are walked for each one */

static void link_in(struct dispatch *dispatch, struct request *request)
{
	request->prev = NULL;
	request->next = dispatch->first;
	if (dispatch->first) {
		dispatch->first->prev = request;
	}
	dispatch->first = request;
}

static void link_out(struct dispatch *dispatch, struct request *request)
{
	*(request->prev ? &request->prev->next : &dispatch->first) = request->next;
	if (request->next) {
		request->next->prev = request->prev;
	}
}

/* ---- answers */

static void answer_error(const struct request *request, const struct error *err)
{
	struct reply reply = {.type = request->type,
		.id = request->id,
		.status = err->status,
		.by_ring = request->by_ring,
		.retry_after_us = err->retry_after_us};
	if (request->peer) {
		wire_error_encode(&reply.body, err->text);
		request->front->reply(request->peer, &reply);
	}
}

/* The request's charge is given back before the front charges what it will hold. */
void dispatch_answer(struct dispatch *dispatch, struct request *request, struct bytes_writer *body)
{
	struct reply reply = {.type = request->type,
		.flags = request->flags,
		.id = request->id,
		.by_ring = request->by_ring,
		.body = *body};
	const struct front *front = request->front;
	void *peer = request->peer;
	*body = (struct bytes_writer){0};
	observe_answer(dispatch->edged, request, EDGE_OK, true);
	request_free(request);
	if (peer) {
		front->reply(peer, &reply);
	} else {
		bytes_writer_deinit(&reply.body);
	}
}

void dispatch_refuse(struct dispatch *dispatch, struct request *request, const struct error *err)
{
	observe_answer(dispatch->edged, request, err->status, true);
	answer_error(request, err);
	request_free(request);
}

/* ---- the list */

static void timer_update(struct dispatch *dispatch);

/* ---- the turns of sessions */

static void session_wait(struct dispatch *dispatch, struct request *request)
{
	client_session_wait(request->session, request);
	request->waits = true;
	dispatch->n_waiting++;
}

static void session_unwait(struct dispatch *dispatch, struct request *request)
{
	request->waits = false;
	dispatch->n_waiting--;
}

/* The next of the session's line goes to the queue. It was counted when it came: it has room. */
static void session_advance(struct dispatch *dispatch, struct client_session *session)
{
	struct request *next = client_session_next(session);
	session->busy = next != NULL;
	if (next) {
		session_unwait(dispatch, next);
		sched_put(&dispatch->sched, next);
	}
}

/* @request had its session's turn and has it no more. A session whose OPEN did not succeed is not
 * one. */
static void session_leave(struct dispatch *dispatch, const struct request *request, bool ok)
{
	if (!request->session) {
		return;
	}
	if (request->type == WIRE_SESSION_OPEN && !ok) {
		client_session_close(request->session);
	}
	session_advance(dispatch, request->session);
}

/* A session that has grown beyond what its user may hold is closed. */
static void session_recharge(struct request *request)
{
	struct error err = {0};
	if (!request->session || client_session_recharge(request->session, &err) == 0) {
		return;
	}
	client_session_close(request->session);
	if (request->error.code == 0) {
		error_prefix(&err, "session %u is closed", request->session->id);
		request->error = err;
	}
}

/* True when no worker has the request, and it is in the list only. */
static bool withdraw(struct dispatch *dispatch, struct request *request)
{
	if (request->parked) {
		request->parked = false;
		dispatch->n_parked--;
	}
	if (!request->line) {
		return true; /* RELOAD, STORE, who waits for a model */
	}
	if (request->waits) {
		client_session_remove(request->session, request);
		session_unwait(dispatch, request);
		return true;
	}
	if (!sched_remove(&dispatch->sched, request)) {
		return false;
	}
	session_leave(dispatch, request, false);
	return true;
}

/* What the run says of its model, if there was one. A cancelled one took at least so long. */
static void note_run(struct dispatch *dispatch, const struct request *request)
{
	struct edged *edged = dispatch->edged;
	if (request->type != WIRE_INFER || !request->finished_ns) {
		return;
	}
	idle_note_use(request->served, request->finished_ns);
	power_note_run(&edged->power, request->served, request_run_ns(request));
	if (request->broken) {
		store_note_broken(&edged->store, &edged->loader, &edged->config, request->served);
		return;
	}
	if (request->error.code == 0 && request->served) {
		predict_note(&request->served->predict, &dispatch->machine, request->served->model,
			request->signature, request->scale, (int64_t)request_run_ns(request));
	}
	trials_note_run(edged, request);
	adopt_waiting(dispatch);
}

/* What was in use may be idle now, or have grown. */
static void look_at_memory(struct dispatch *dispatch)
{
	struct edged *edged = dispatch->edged;
	if (budget_excess(&edged->budget, 0) > 0) {
		idle_enforce(&edged->idle);
	}
	pressure_look(&edged->pressure);
	if (dispatch->n_parked > 0) {
		idle_load_wanted(&edged->idle);
	}
}

/* A request that a worker brought back, or that never got to one. */
static void finish(struct dispatch *dispatch, struct request *request)
{
	link_out(dispatch, request);
	note_run(dispatch, request);
	session_recharge(request);
	session_leave(dispatch, request, !request->answered && request->error.code == 0);
	if (request->answered) {
		observe_late(dispatch->edged, request);
		request_free(request);
	} else if (request->error.code < 0) {
		dispatch_refuse(dispatch, request, &request->error);
	} else {
		trials_sample(dispatch->edged, request);
		dispatch_answer(dispatch, request, &request->reply);
	}
	look_at_memory(dispatch);
}

void dispatch_end(struct dispatch *dispatch, struct request *request, enum edge_status status,
	const char *text)
{
	struct error err = {.status = status};
	assert(!request->answered);
	snprintf(err.text, sizeof(err.text), "%s", text);
	answer_error(request, &err);
	request->answered = true;
	request->told = status;
	request->ended_ns = clock_now_ns();
	request->peer = NULL;
	const bool ours = withdraw(dispatch, request);
	observe_answer(dispatch->edged, request, status, ours);
	if (ours) {
		link_out(dispatch, request);
		request_free(request);
		return;
	}
	atomic_store(&request->cancelled, true);
}

void dispatch_abandon(struct dispatch *dispatch, const void *peer)
{
	for (struct request *request = dispatch->first, *next; request; request = next) {
		next = request->next;
		if (request->peer == peer) {
			request->peer = NULL;
			dispatch_end(dispatch, request, EDGE_CANCELLED, "");
		}
	}
	timer_update(dispatch);
}

struct request *dispatch_find(const struct dispatch *dispatch, const void *peer, uint64_t id)
{
	struct request *request = dispatch->first;
	while (request && (request->peer != peer || request->id != id)) {
		request = request->next;
	}
	return request;
}

void dispatch_drain(struct dispatch *dispatch, bool running)
{
	for (struct request *request = dispatch->first, *next; request; request = next) {
		next = request->next;
		if (!request->answered && withdraw(dispatch, request)) {
			const struct error err = {
				.status = EDGE_DRAINING, .text = "edged is about to stop"};
			link_out(dispatch, request);
			dispatch_refuse(dispatch, request, &err);
		} else if (running && !request->answered) {
			dispatch_end(dispatch, request, EDGE_DRAINING, "edged stops now");
		}
	}
	timer_update(dispatch);
}

bool dispatch_idle(const struct dispatch *dispatch)
{
	return !dispatch->first;
}

bool dispatch_stuck(const struct dispatch *dispatch, uint64_t now_ns, uint64_t grace_ns)
{
	for (const struct request *request = dispatch->first; request; request = request->next) {
		if (request->answered && now_ns > request->ended_ns + grace_ns) {
			return true;
		}
	}
	return false;
}

/* ---- deadlines */

static void on_timer(uv_timer_t *timer)
{
	struct dispatch *dispatch = timer->data;
	const uint64_t longest_ms = dispatch->edged->config.answer_timeout_ms;
	uint64_t now = clock_now_ns();
	for (struct request *request = dispatch->first, *next; request; request = next) {
		next = request->next;
		if (!request->answered && request_due_ns(request, longest_ms) <= now) {
			dispatch_end(dispatch, request, EDGE_DEADLINE,
				"the deadline or answer-timeout passed before the answer was ready");
		} else if (request->parked && request->parked_until_ns <= now) {
			dispatch_end(dispatch, request, EDGE_OVERLOADED,
				"the model was not loaded again within load-wait");
		}
	}
	timer_update(dispatch);
}

/* The list is bounded by queue-length and the number of workers, so it is walked. */
static void timer_update(struct dispatch *dispatch)
{
	const uint64_t longest_ms = dispatch->edged->config.answer_timeout_ms;
	uint64_t nearest = UINT64_MAX, now = clock_now_ns();
	for (const struct request *request = dispatch->first; request; request = request->next) {
		const uint64_t due =
			request->answered ? UINT64_MAX : request_due_ns(request, longest_ms);
		nearest = due < nearest ? due : nearest;
		if (request->parked && request->parked_until_ns < nearest) {
			nearest = request->parked_until_ns;
		}
	}
	if (nearest == UINT64_MAX) {
		uv_timer_stop(&dispatch->timer);
		return;
	}
	uint64_t ms = nearest <= now ? 0 : (nearest - now + MS - 1) / MS;
	uv_update_time(dispatch->timer.loop);
	uv_timer_start(&dispatch->timer, on_timer, ms, 0);
}

/* ---- work */

static int enqueue(struct dispatch *dispatch, struct request *request, struct error *err)
{
	struct client_session *session = request->session;
	if (session && session->busy) {
		int code = admission_check_room(dispatch, request, err);
		if (code == 0) {
			session_wait(dispatch, request);
		}
		return code;
	}
	int code = admission_push(dispatch, request, err);
	if (session) {
		session->busy = code == 0;
	}
	return code;
}

/* ---- what a newer request makes needless */

/* True when @request has the place that an older one had in the queue. One that runs goes on. */
static bool supersede(struct dispatch *dispatch, struct request *request)
{
	const struct error err = {
		.status = EDGE_SUPERSEDED, .text = "a newer request took its place"};
	struct request *other = admission_find_older(dispatch, request);
	if (!other) {
		return false;
	}
	bool same = other->line == request->line && other->class == request->class;
	if (same ? !sched_swap(&dispatch->sched, other, request)
		 : !sched_remove(&dispatch->sched, other)) {
		return false;
	}
	if (!same) {
		sched_put(&dispatch->sched, request);
	}
	link_out(dispatch, other);
	dispatch_refuse(dispatch, other, &err);
	return true;
}

/* Of a request that never got its turn. */
static void session_discard(const struct request *request)
{
	if (request->type == WIRE_SESSION_OPEN) {
		client_session_close(request->session);
	}
}

static void on_turn(uv_prepare_t *turn)
{
	struct dispatch *dispatch = turn->data;
	dispatch->short_line = NULL;
}

void dispatch_submit(struct dispatch *dispatch, struct request *request, struct queue_line *line)
{
	struct error err = {0};
	const uint64_t now_ns = clock_now_ns();
	if (request->deadline_ns && now_ns >= request->deadline_ns) {
		session_discard(request);
		error_set(&err, -ETIMEDOUT, "the deadline passed while the request was read");
		dispatch_refuse(dispatch, request, &err);
		return;
	}
	spin_on(&dispatch->spin, dispatch->edged->config.spin_us);
	adopt_one(dispatch, request);
	admission_judge(dispatch, request, line);
	request->slow_ns = dispatch->edged->config.slow_request_us * UINT64_C(1000);
	power_wake(&dispatch->edged->power);
	link_in(dispatch, request);
	const uint32_t body_bytes = request->body_bytes;
	if (short_is(dispatch, request) && short_run(dispatch, request, now_ns)) {
		finish(dispatch, request);
		spin_give_way(&dispatch->spin, line, body_bytes);
		return;
	}
	dispatch->spin.alone = false;
	observe_queued(request);
	if (!supersede(dispatch, request) && enqueue(dispatch, request, &err) < 0) {
		link_out(dispatch, request);
		session_discard(request);
		dispatch_refuse(dispatch, request, &err);
		return;
	}
	/* A timer that is set is for something sooner than answer-timeout. */
	if (request->deadline_ns || !uv_is_active((uv_handle_t *)&dispatch->timer)) {
		timer_update(dispatch);
	}
}

void dispatch_park(struct dispatch *dispatch, struct request *request)
{
	const struct config *config = &dispatch->edged->config;
	struct error err = {0};
	const uint64_t most = config->queue_length < MAX_PARKED ? config->queue_length : MAX_PARKED;
	if (dispatch->n_parked >= most) {
		error_set(&err, -EAGAIN, "%llu requests wait for models already",
			(unsigned long long)most);
		dispatch_refuse(dispatch, request, &err);
		return;
	}
	if (!request->parked_until_ns) {
		request->parked_until_ns = clock_now_ns() + config->load_wait_ms * MS;
	}
	request->parked = true;
	dispatch->n_parked++;
	link_in(dispatch, request);
	idle_load_wanted(&dispatch->edged->idle);
	timer_update(dispatch);
}

/* The list begins with the newest. */
static struct request *oldest_again(const struct dispatch *dispatch)
{
	struct request *oldest = NULL;
	for (struct request *request = dispatch->first; request; request = request->next) {
		oldest = request->parked && request->again ? request : oldest;
	}
	return oldest;
}

void dispatch_unpark(struct dispatch *dispatch)
{
	for (struct request *request = dispatch->first; request; request = request->next) {
		request->again = request->parked;
	}
	/* Each stays in the list until its turn: whoever is handled may end the others. */
	for (struct request *oldest; (oldest = oldest_again(dispatch));) {
		withdraw(dispatch, oldest);
		link_out(dispatch, oldest);
		oldest->again = false;
		handle_message(oldest->peer, oldest);
	}
	timer_update(dispatch);
}

void dispatch_wait(struct dispatch *dispatch, struct request *request, uint64_t scan)
{
	request->scan = scan;
	link_in(dispatch, request);
	dispatch_scan_done(dispatch);
}

void dispatch_scan_done(struct dispatch *dispatch)
{
	const struct store *store = &dispatch->edged->store;
	for (struct request *request = dispatch->first, *next; request; request = next) {
		next = request->next;
		if (request->type != WIRE_RELOAD || request->scan > store->scans_done) {
			continue;
		}
		struct store_count count_now = store_count(store);
		const struct wire_reload_reply reply = {
			.models_ready = count_now.ready, .models_refused = count_now.refused};
		wire_reload_reply_encode(&request->reply, &reply);
		finish(dispatch, request);
	}
}

void dispatch_wait_order(struct dispatch *dispatch, struct request *request, uint64_t number)
{
	request->scan = number;
	link_in(dispatch, request);
}

void dispatch_order_done(struct dispatch *dispatch, struct order *order)
{
	struct request *request = dispatch->first;
	while (request && (request->type != WIRE_STORE || request->scan != order->number)) {
		request = request->next;
	}
	if (request) {
		const char *text = order->text ? order->text : "";
		const struct wire_text lines = {.data = text, .length = (uint32_t)strlen(text)};
		request->error = order->error;
		if (order->error.code == 0) {
			wire_store_reply_encode(&request->reply, lines);
		}
		finish(dispatch, request);
	}
	order_free(order);
}

static void on_async(uv_async_t *async)
{
	struct dispatch *dispatch = async->data;
	struct request *next = sched_collect(&dispatch->sched);
	while (next) {
		struct request *request = next;
		next = request->queue_next;
		finish(dispatch, request);
	}
	edged_check_drained(dispatch->edged);
}

/* Any worker. */
static void wake(void *context)
{
	struct dispatch *dispatch = context;
	uv_async_send(&dispatch->async);
}

int dispatch_start(struct dispatch *dispatch, struct edged *edged, struct error *err)
{
	int code = sched_init(&dispatch->sched, wake, dispatch);
	if (code < 0) {
		return error_set(err, code, "the queue: out of memory");
	}
	code = uv_async_init(&edged->loop, &dispatch->async, on_async);
	if (code < 0) {
		sched_deinit(&dispatch->sched);
		return error_set(err, code, "the queue: %s", uv_strerror(code));
	}
	dispatch->edged = edged; /* there is something to stop */
	uv_timer_init(&edged->loop, &dispatch->timer);
	uv_prepare_init(&edged->loop, &dispatch->turn);
	spin_init(&dispatch->spin, &edged->loop, front_socket_look, front_socket_sleep, edged);
	dispatch->async.data = dispatch->timer.data = dispatch->turn.data = dispatch;
	uv_prepare_start(&dispatch->turn, on_turn);
	code = workers_start(&dispatch->workers, &dispatch->sched, edged->config.workers,
		edged->config.threads_per_run, err);
	if (code < 0) {
		dispatch_stop(dispatch);
	}
	return code;
}

void dispatch_stop(struct dispatch *dispatch)
{
	if (!dispatch->edged) {
		return;
	}
	for (struct request *request = dispatch->first; request; request = request->next) {
		request->peer = NULL;
		atomic_store(&request->cancelled, true);
	}
	dispatch_drain(dispatch, false);
	workers_stop(&dispatch->workers);
	for (struct request *next = sched_collect(&dispatch->sched), *request; (request = next);) {
		next = request->queue_next;
		link_out(dispatch, request);
		request_free(request);
	}
	uv_close((uv_handle_t *)&dispatch->async, NULL);
	uv_close((uv_handle_t *)&dispatch->timer, NULL);
	uv_close((uv_handle_t *)&dispatch->turn, NULL);
	uv_close((uv_handle_t *)&dispatch->spin.idle, NULL);
	sched_deinit(&dispatch->sched);
	dispatch->edged = NULL;
}
