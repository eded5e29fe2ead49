/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/broker/brokers.h"
#include "daemon/mqtt/request/request_serve.h"

#define EXPIRY_MS 50

/* ---- the request queue */

void request_serve_start(
	struct mqtt_requests *requests, uv_loop_t *loop, uv_timer_cb on_expiry, void *data)
{
	uv_timer_init(loop, &requests->expiry);
	uv_timer_init(loop, &requests->pause);
	requests->on_expiry = on_expiry;
	requests->expiry.data = data;
	requests->pause.data = requests;
}

void request_serve_stop(struct mqtt_requests *requests)
{
	uv_close((uv_handle_t *)&requests->expiry, NULL);
	uv_close((uv_handle_t *)&requests->pause, NULL);
}

static void on_pause_end(uv_timer_t *timer);

/* Pauses reading from brokers while the queue is nearly full. Requests that wait for a stuck broker
 * count for that broker only, and it is read while PUBACKs are to come. */
static void update_pauses(struct mqtt_requests *requests)
{
	const uint64_t now = clock_now_ns(), max_pause_ms = requests->settings->max_pause_ms;
	const struct outbox_reserve_live live = outbox_reserve_update_stuck(requests);
	uint64_t next = UINT64_MAX;
	for (size_t i = 0; i < requests->brokers->n; i++) {
		struct broker_connection *conn = requests->brokers->connections[i];
		const uint64_t max = conn->settings->keepalive_ms / 2;
		const uint64_t pause_ms = max < max_pause_ms ? max : max_pause_ms;
		const size_t n = conn->stuck ? requests->n : live.n;
		const bool is_over = conn->pause.active && now >= conn->pause.until_ns;
		if (is_over) {
			conn->pause.not_before_ns = now + max_pause_ms * NSEC_PER_MSEC;
		}
		const bool is_heard = conn->stuck && conn->outbox.in_flight > 0;
		if (is_over || is_heard || n <= requests->max / 2) {
			conn->pause.active = false;
		} else if (!conn->pause.active && pause_ms &&
			n >= requests->max - requests->max / 4 &&
			now >= conn->pause.not_before_ns) {
			conn->pause.until_ns = now + pause_ms * NSEC_PER_MSEC;
			conn->pause.active = true;
		}
		if (conn->pause.active && conn->pause.until_ns < next) {
			next = conn->pause.until_ns;
		}
	}
	requests->paused = next != UINT64_MAX;
	if (requests->paused) {
		uv_timer_start(&requests->pause, on_pause_end,
			clock_left_ns(next, now) / NSEC_PER_MSEC + 1, 0);
	} else {
		uv_timer_stop(&requests->pause);
	}
}

static void on_pause_end(uv_timer_t *timer)
{
	update_pauses(timer->data);
}

/* After a change of the queue. */
static void update_pause(struct mqtt_requests *requests)
{
	if (requests->paused) {
		update_pauses(requests);
	}
}

void request_serve_await_results(struct mqtt_requests *requests, struct mqtt_request *request)
{
	mqtt_requests_set_running(requests, request, true);
	free(take(request->payload));
	update_pause(requests);
}

void request_serve_lack_memory(struct mqtt_requests *requests, struct mqtt_request *request)
{
	if (request->journal) {
		dedup_forget(requests->dedup, request->key);
		requests->counts->requests--; /* counted again when it is read from the journal */
		journal_put_off(take(request->journal));
		request_serve_retry_soon(requests);
		request_serve_finish(requests, request);
		return;
	}
	requests->counts->shed++;
	request_respond_refuse_and_end(
		requests, request, EDGE_CLIENT_OVERLOADED, "no memory for it");
}

void request_serve_finish(struct mqtt_requests *requests, struct mqtt_request *request)
{
	mqtt_requests_remove(requests, request);
	update_pause(requests);
	outbox_reserve_give_back(request);
	mqtt_request_free(request);
}

void request_serve_drop_expired(struct mqtt_requests *requests, struct mqtt_request *request)
{
	requests->counts->expired++;
	dedup_forget(requests->dedup, request->key);
	request_serve_finish(requests, request);
}

void request_serve_drop_all_expired(struct mqtt_requests *requests)
{
	uint64_t now = clock_now_ns();
	for (struct mqtt_request *request = requests->first, *next; request; request = next) {
		next = request->next;
		if (mqtt_request_is_waiting(request) && request->deadline.ns &&
			request->deadline.ns <= now) {
			request_serve_drop_expired(requests, request);
		}
	}
}

void request_serve_requeue(
	struct mqtt_requests *requests, struct mqtt_request *request, size_t response_bytes)
{
	request->reserve.response_bytes = response_bytes;
	mqtt_requests_set_running(requests, request, false);
	request_serve_retry_soon(requests);
}

/* ---- decoding */

bool request_serve_take_envelope(struct mqtt_requests *requests, struct mqtt_request *request,
	const struct decode_envelope *e)
{
	const struct settings *s = requests->settings;
	memcpy(request->id, e->id, sizeof(request->id));
	if (e->there && request->response_format == MQTT_REQUEST_JSON) {
		request->response_format = e->oip ? MQTT_REQUEST_OIP : MQTT_REQUEST_JSON;
		if (strcmp(e->accept, "application/octet-stream") == 0) {
			request->response_format = MQTT_REQUEST_BASE64;
		}
	}
	if (!request->traceparent[0] && topics_is_traceparent(e->traceparent)) {
		memcpy(request->traceparent, e->traceparent, sizeof(request->traceparent));
	}
	if (e->deadline_ms) {
		uint64_t deadline = request->arrived_ns + e->deadline_ms * NSEC_PER_MSEC;
		bool sooner = !request->deadline.ns || deadline < request->deadline.ns;
		request->deadline.ns = sooner ? deadline : request->deadline.ns;
		request->deadline.named = true;
	}
	if (e->priority[0] && mqtt_request_priority_of(e->priority) != request->priority) {
		mqtt_requests_remove(requests, request);
		request->priority = mqtt_request_priority_of(e->priority);
		mqtt_requests_add(requests, request);
	}
	if (!e->reply_to[0] || request->response_topic) {
		return true;
	}
	if (!topics_is_response_topic(
		    e->reply_to, s->response_prefix, s->prefix, s->gateway, s->discovery_prefix)) {
		return false;
	}
	request->response_topic = strdup(e->reply_to);
	return true;
}

bool request_serve_is_duplicate(struct mqtt_requests *requests, const struct mqtt_request *request)
{
	uint64_t until =
		request->arrived_ns + requests->settings->duplicate_window_ms * NSEC_PER_MSEC;
	if (request->deadline.named && request->deadline.ns < until) {
		until = request->deadline.ns;
	}
	return dedup_check(requests->dedup, request->key, clock_now_ns(), until);
}

bool request_serve_drop_repeated(struct mqtt_requests *requests, struct mqtt_request *request)
{
	if (!request->key || !request->id[0] || request->correlation.bytes ||
		!request_serve_is_duplicate(requests, request)) {
		return false;
	}
	requests->counts->duplicates++;
	request_serve_finish(requests, request);
	return true;
}

void request_serve_retry_soon(struct mqtt_requests *requests)
{
	if (!uv_is_active((uv_handle_t *)&requests->expiry)) {
		uv_timer_start(&requests->expiry, requests->on_expiry, EXPIRY_MS, 0);
	}
}

double request_serve_wait_ms(struct mqtt_requests *requests)
{
	double slots = (double)requests->settings->in_flight;
	double ahead = (double)(outbox_reserve_update_stuck(requests).n + requests->running);
	return ahead * requests->mean_time_ns / slots / (double)NSEC_PER_MSEC;
}

/* ---- a full queue */

/* Picks the request to refuse for @newer: the newest stuck one of the lowest priority, else the
 * oldest waiting one of the lowest priority. A stuck @newer replaces only stuck ones of its own
 * broker. NULL: none. */
static struct mqtt_request *victim_of(
	struct mqtt_requests *requests, const struct mqtt_request *newer)
{
	struct mqtt_request *last = NULL, *own = NULL, *oldest = NULL;
	(void)outbox_reserve_update_stuck(requests);
	const bool stuck = outbox_reserve_is_stuck(requests, newer);
	for (struct mqtt_request *request = requests->first; request; request = request->next) {
		bool mine = request->reserve.stuck && request->conn == newer->conn;
		last = request->reserve.stuck ? request : last;
		own = mine && (!own || request->priority > own->priority) ? request : own;
		bool lower = !oldest || request->priority > oldest->priority;
		oldest = mqtt_request_is_waiting(request) && lower ? request : oldest;
	}
	if (last && !stuck) {
		return last;
	}
	struct mqtt_request *victim = stuck ? own : oldest;
	return victim && victim->priority >= newer->priority ? victim : NULL;
}

/* Refuses older requests, or returns false. */
bool request_serve_make_room(struct mqtt_requests *requests, const struct mqtt_request *request)
{
	while (requests->n >= requests->max ||
		requests->bytes + request->size > requests->max_bytes) {
		struct mqtt_request *victim = victim_of(requests, request);
		requests->counts->shed++;
		if (!victim) {
			return false;
		}
		request_respond_refuse_and_end(
			requests, victim, EDGE_CLIENT_OVERLOADED, "newer requests took its place");
	}
	return true;
}

void request_serve_add(struct mqtt_requests *requests, struct mqtt_request *request)
{
	mqtt_requests_add(requests, request);
	if (requests->paused || requests->n >= requests->max - requests->max / 4) {
		update_pauses(requests);
	}
	request_serve_retry_soon(requests);
}
