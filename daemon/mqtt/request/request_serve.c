/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"

#define EXPIRY_MS 50
#define MEAN_WEIGHT 0.1
/* Tensors in memory at once. Inputs: the tensors, and the worker's frame or twice edged's buffer.
 * Outputs: the answer and the growing buffer of the response. */
#define WORK_INPUTS 3
#define WORK_OUTPUTS 4

/* ---- the request queue */

/* Pauses reading from brokers while the queue is nearly full. Requests that wait for a stuck broker
 * count for that broker only, and it is read while PUBACKs are to come. */
static void hold_back(struct bridge *b)
{
	const uint64_t now = clock_now_ns(), max_pause_ms = b->settings.max_pause_ms;
	const struct outbox_reserve_live live = outbox_reserve_look(b);
	uint64_t next = UINT64_MAX;
	for (size_t i = 0; i < b->brokers.n; i++) {
		struct broker_connection *conn = b->brokers.connections[i];
		const uint64_t max = conn->settings->keepalive_ms / 2;
		const uint64_t pause_ms = max < max_pause_ms ? max : max_pause_ms;
		const size_t n = conn->stuck ? b->requests.n : live.n;
		const bool is_over = conn->pause.active && now >= conn->pause.until_ns;
		if (is_over) {
			conn->pause.rests_until_ns = now + max_pause_ms * NSEC_PER_MSEC;
		}
		const bool is_heard = conn->stuck && conn->outbox.in_flight > 0;
		if (is_over || is_heard || n <= b->requests.max / 2) {
			broker_connection_pause(conn, false);
		} else if (!conn->pause.active && pause_ms &&
			n >= b->requests.max - b->requests.max / 4 &&
			now >= conn->pause.rests_until_ns) {
			conn->pause.until_ns = now + pause_ms * NSEC_PER_MSEC;
			broker_connection_pause(conn, true);
		}
		if (conn->pause.active && conn->pause.until_ns < next) {
			next = conn->pause.until_ns;
		}
	}
	b->paused = next != UINT64_MAX;
	if (b->paused) {
		uv_timer_start(&b->pause, request_serve_on_pause_end,
			clock_left_ns(next, now) / NSEC_PER_MSEC + 1, 0);
	} else {
		uv_timer_stop(&b->pause);
	}
}

void request_serve_on_pause_end(uv_timer_t *timer)
{
	hold_back(timer->data);
}

void request_serve_leave(struct bridge *b, struct mqtt_request *request)
{
	mqtt_requests_remove(&b->requests, request);
	if (b->paused) {
		hold_back(b);
	}
}

void request_serve_lack_memory(struct bridge *b, struct mqtt_request *request)
{
	if (request->journal) {
		dedup_forget(&b->dedup, request->key);
		b->counts.requests--; /* counted again when it is read from the journal */
		journal_put_off(take(request->journal));
		request_serve_look_again(b);
		request_serve_finish(b, request);
		return;
	}
	b->counts.shed++;
	request_respond_refuse_and_end(b, request, EDGE_CLIENT_OVERLOADED, "no memory for it");
}

void request_serve_finish(struct bridge *b, struct mqtt_request *request)
{
	request_serve_leave(b, request);
	outbox_reserve_give_back(request);
	mqtt_request_free(request);
}

/* ---- edged */

struct running {
	struct bridge *bridge;
	struct mqtt_request *request;
	uint64_t since_ns;
};

static void on_answer(void *data, const struct edge_client_reply *reply)
{
	owned_mem struct running *running = data;
	struct bridge *b = running->bridge;
	struct mqtt_request *request = running->request;
	struct model_entry *model = known_models_find(&b->models, request->target);
	double took = (double)(clock_now_ns() - running->since_ns);
	outbox_reserve_give_back(request);
	if (reply->error.code == -ENOTCONN && !request->asked_again && !b->service.stopping) {
		request->asked_again = true; /* edged was restarted and has not answered */
		mqtt_requests_set_running(&b->requests, request, false);
		return;
	}
	if (reply->error.code == -ENOBUFS) {
		request_serve_lack_memory(b, request);
	} else if (reply->error.code || !reply->answer || !model) {
		bool gone = !reply->error.code && !model;
		request_respond_refuse_and_end(b, request,
			reply->error.code ? reply->error.status
				: gone    ? EDGE_CLIENT_NOT_FOUND
					  : EDGE_CLIENT_INTERNAL,
			gone ? "the model has gone" : reply->error.text);
	} else {
		b->service_ns = b->service_ns == 0
			? took
			: (1 - MEAN_WEIGHT) * b->service_ns + MEAN_WEIGHT * took;
		model->requests++;
		journal_clear_tries(request->journal);
		request_respond_succeed(b, request, model, reply->answer);
	}
	request_serve_dispatch(b);
}

static void drop_expired(struct bridge *b, struct mqtt_request *request)
{
	b->counts.expired++;
	dedup_forget(&b->dedup, request->key);
	request_serve_finish(b, request);
}

/* Sends @request to edged. Returns false if edged takes no request now. */
static bool start(struct bridge *b, struct mqtt_request *request)
{
	static const unsigned int classes[MQTT_REQUEST_N_PRIORITIES] = {
		[MQTT_REQUEST_HIGH] = EDGE_CLIENT_REALTIME,
		[MQTT_REQUEST_NORMAL] = EDGE_CLIENT_NORMAL,
		[MQTT_REQUEST_LOW] = EDGE_CLIENT_BATCH};
	struct edge_client_error err = {0};
	const struct service_run run = {.model = request->target,
		.tensors = request->tensors.tensors,
		.n = request->tensors.n,
		.priority = classes[request->priority],
		.deadline_ns = request->deadline_ns};
	struct running *running = calloc(1, sizeof(*running));
	int r = -EAGAIN;
	if (running) {
		*running = (struct running){b, request, clock_now_ns()};
		r = service_infer(&b->service, &run, on_answer, running, &err);
	}
	if (r == 0) {
		journal_count_try(request->journal);
		mqtt_requests_set_running(&b->requests, request, true);
		return true;
	}
	free(running);
	outbox_reserve_give_back(request);
	switch (r) {
	case -EAGAIN:
	case -ENOTCONN:
		return false;
	case -ETIMEDOUT:
		drop_expired(b, request);
		break;
	case -ENOMEM:
		request_serve_lack_memory(b, request);
		break;
	default:
		request_respond_refuse_and_end(
			b, request, err.status ? err.status : EDGE_CLIENT_INVALID, err.text);
	}
	return true;
}

void request_serve_again(struct bridge *b, struct mqtt_request *request, size_t answer_bytes)
{
	request->reserve.answer_bytes = answer_bytes;
	mqtt_requests_set_running(&b->requests, request, false);
	request_serve_look_again(b);
}

/* ---- decoding */

bool request_serve_take_envelope(
	struct bridge *b, struct mqtt_request *request, const struct decode_envelope *e)
{
	const struct settings *s = &b->settings;
	memcpy(request->id, e->id, sizeof(request->id));
	if (e->there && request->answer == MQTT_REQUEST_JSON) {
		request->answer = e->oip ? MQTT_REQUEST_OIP : MQTT_REQUEST_JSON;
		if (strcmp(e->accept, "application/octet-stream") == 0) {
			request->answer = MQTT_REQUEST_BASE64;
		}
	}
	if (!request->traceparent[0] && topics_is_traceparent(e->traceparent)) {
		memcpy(request->traceparent, e->traceparent, sizeof(request->traceparent));
	}
	if (e->deadline_ms) {
		uint64_t deadline = request->arrived_ns + e->deadline_ms * NSEC_PER_MSEC;
		bool sooner = !request->deadline_ns || deadline < request->deadline_ns;
		request->deadline_ns = sooner ? deadline : request->deadline_ns;
		request->names_deadline = true;
	}
	if (e->priority[0] && mqtt_request_priority_of(e->priority) != request->priority) {
		mqtt_requests_remove(&b->requests, request);
		request->priority = mqtt_request_priority_of(e->priority);
		mqtt_requests_add(&b->requests, request);
	}
	if (!e->reply_to[0] || request->response_topic) {
		return true;
	}
	if (!topics_may_answer(
		    e->reply_to, s->response_prefix, s->prefix, s->gateway, s->discovery_prefix)) {
		return false;
	}
	request->response_topic = strdup(e->reply_to);
	return true;
}

void request_serve_refuse_reply_to(struct bridge *b, struct mqtt_request *request)
{
	b->counts.refused++;
	request_respond_refuse_and_end(
		b, request, EDGE_CLIENT_DENIED, "reply_to is not for answers (response-prefix)");
}

void request_serve_decode_again(struct mqtt_request *request)
{
	outbox_reserve_give_back(request);
	mqtt_request_forget_decoded(request);
}

bool request_serve_saw(struct bridge *b, const struct mqtt_request *request)
{
	uint64_t until = request->arrived_ns + b->settings.duplicate_window_ms * NSEC_PER_MSEC;
	if (request->names_deadline && request->deadline_ns < until) {
		until = request->deadline_ns;
	}
	return dedup_see(&b->dedup, request->key, clock_now_ns(), until);
}

bool request_serve_drop_repeated(struct bridge *b, struct mqtt_request *request)
{
	if (!request->key || !request->id[0] || request->correlation.bytes ||
		!request_serve_saw(b, request)) {
		return false;
	}
	b->counts.duplicates++;
	request_serve_finish(b, request);
	return true;
}

/* Takes a raw tensor without decoding. */
static bool take_raw(struct mqtt_request *request, const struct model_entry *model)
{
	const struct tensor_spec *spec = &model->inputs[0];
	struct error err = {0};
	bool json = request->size && (request->payload[0] == '{' || request->payload[0] == '[');
	bool raw = request->format == DECODE_RAW || (request->format == DECODE_AUTO && !json);
	if (!raw || model->n_inputs != 1 || request->size != spec->bytes ||
		spec->type == DTYPE_STRING || request->fields[0]) {
		return false;
	}
	if (tensor_copy(spec->type, &spec->shape, request->payload, request->size,
		    &request->tensors.tensors[0], &err) < 0) {
		return false;
	}
	request->tensors.n = 1;
	return true;
}

/* ---- the order of requests */

/* Returns true while it is not known whether the model serves: it is loading, not described, or
 * edged has just started. */
static bool is_coming(const struct bridge *b, const struct model_entry *model)
{
	if (!model || !model->listed) {
		return service_is_young(&b->service);
	}
	bool described = !model->generation || model->described == model->generation;
	return !known_models_is_ready(model) &&
		(!described || strcmp(model->state, "loading") == 0);
}

/* Like is_coming(), for a pipeline's models. */
static bool is_pipeline_coming(const struct bridge *b, const char *name)
{
	const struct mqtt_pipeline *pipeline = pipelines_find(&b->pipelines, name);
	const char *model = NULL;
	bool judged = !pipeline || pipeline->refused[0] || service_is_away(&b->service) ||
		pipelines_knows_models(&b->pipelines, pipeline);
	bool coming = !judged && !b->listed;
	for (size_t i = 0; !judged && !coming && (model = pipeline_model_name(pipeline->parsed, i));
		i++) {
		coming = is_coming(b, known_models_find(&b->models, model));
	}
	return coming;
}

/* Returns true for an input that can go to the child once it has its outbox reserve. */
static bool is_input(const struct bridge *b, const struct mqtt_request *request)
{
	return request->state == MQTT_REQUEST_NEW && request->of_pipeline &&
		!is_pipeline_coming(b, request->target);
}

struct mqtt_request *request_serve_next_input(const struct bridge *b)
{
	struct mqtt_request *request = b->requests.first;
	while (request && (!is_input(b, request) || !outbox_reserve_take(b, request))) {
		request = request->next;
	}
	return request;
}

/* Inputs that wait for an outbox reserve get it before requests behind them. */
static struct mqtt_request *next_ready(const struct bridge *b)
{
	struct mqtt_request *request = b->requests.first;
	for (; request; request = request->next) {
		bool ready = request->state == MQTT_REQUEST_READY && !request->of_pipeline;
		bool waits = request->reserve.is_short && is_input(b, request);
		if ((ready || waits) && outbox_reserve_take(b, request) && ready) {
			return request;
		}
	}
	return NULL;
}

/* Returns NULL if the model serves. */
static const char *reason_to_refuse(const struct model_entry *model, unsigned int *ret_status)
{
	*ret_status = EDGE_CLIENT_NOT_FOUND;
	if (!model || !model->listed) {
		return "there is no such model";
	}
	if (model->off) {
		*ret_status = EDGE_CLIENT_DENIED;
		return "the model was switched off";
	}
	return known_models_is_ready(model) ? NULL : "the model does not serve";
}

/* Decoded tensors take memory. So a request that has waited for outbox room is decoded once it has
 * its reserve, and later ones of its broker after it. */
static bool may_decode(const struct bridge *b, struct mqtt_request *request)
{
	const bool answered = request->conn && request->response_topic;
	return !answered || request->reserve.bytes ||
		(request->reserve.is_short ? outbox_reserve_take(b, request)
					   : !request->conn->full);
}

/* Returns the first request to decode or refuse; NULL: none. @ret_model: its model, or NULL. */
static struct mqtt_request *next_new(const struct bridge *b, const struct model_entry **ret_model)
{
	unsigned int status = 0;
	for (struct mqtt_request *request = b->listed ? b->requests.first : NULL; request;
		request = request->next) {
		if (request->state == MQTT_REQUEST_NEW && !request->of_pipeline &&
			outbox_reserve_is_there(request)) {
			*ret_model = known_models_find(&b->models, request->target);
			if (!is_coming(b, *ret_model) &&
				(reason_to_refuse(*ret_model, &status) || may_decode(b, request))) {
				return request;
			}
		}
	}
	return NULL;
}

/* Makes room by dropping decoded tensors of later requests. */
static bool take_memory(
	struct bridge *b, struct mqtt_request *request, const struct model_entry *model)
{
	uint64_t in = 0, out = 0;
	for (uint32_t i = 0; i < model->n_inputs; i++) {
		in += model->inputs[i].bytes;
	}
	for (uint32_t i = 0; i < model->n_outputs; i++) {
		out += model->outputs[i].bytes;
	}
	request->memory.bytes = request->size + WORK_INPUTS * in;
	request->memory.answer_bytes = WORK_OUTPUTS * out;
	struct mqtt_request *later = NULL;
	while (!mqtt_requests_may_decode(&b->requests, request) &&
		(later = mqtt_requests_decoded_victim(&b->requests, request))) {
		mqtt_request_forget_decoded(later);
	}
	return mqtt_requests_may_decode(&b->requests, request);
}

static bool is_before(
	const struct bridge *b, const struct mqtt_request *one, const struct mqtt_request *other)
{
	const struct mqtt_request *request = b->requests.first;
	while (request && request != one && request != other) {
		request = request->next;
	}
	return request == one;
}

/* Decodes or refuses the next request. Returns false if there is nothing to do. */
static bool prepare_one(struct bridge *b)
{
	const struct model_entry *model = NULL;
	unsigned int status = 0;
	struct mqtt_request *request = next_new(b, &model);
	if (!request) {
		return false;
	}
	const char *why = reason_to_refuse(model, &status);
	if (why) {
		request_respond_refuse_and_end(b, request, status, why);
		return true;
	}
	if (!take_memory(b, request, model)) {
		return false;
	}
	if (take_raw(request, model)) {
		request->state = MQTT_REQUEST_READY;
		return true;
	}
	if (!pipelines_can_decode(&b->pipelines)) {
		return false;
	}
	struct mqtt_request *input = pipelines_next_input(&b->pipelines);
	if (input && is_before(b, input, request)) {
		return false;
	}
	pipelines_decode(&b->pipelines, request, model);
	return true;
}

static void drop_all_expired(struct bridge *b)
{
	uint64_t now = clock_now_ns();
	for (struct mqtt_request *request; (request = mqtt_requests_expired(&b->requests, now));) {
		drop_expired(b, request);
	}
}

void request_serve_dispatch(struct bridge *b)
{
	drop_all_expired(b);
	pipelines_start_waiting(&b->pipelines);
	for (size_t i = 0; i < b->brokers.n; i++) {
		b->brokers.connections[i]->full = b->brokers.connections[i]->packed = false;
	}
	for (;;) {
		bool room =
			b->requests.running < b->settings.in_flight && service_is_up(&b->service);
		struct mqtt_request *ready = room ? next_ready(b) : NULL;
		if (ready && start(b, ready)) {
			continue;
		}
		if (pipelines_feed_news(&b->pipelines)) {
			continue;
		}
		if (b->requests.n >= 1 && prepare_one(b)) {
			continue;
		}
		if (pipelines_feed(&b->pipelines)) {
			continue;
		}
		return;
	}
}

void request_serve_on_expiry(uv_timer_t *timer)
{
	struct bridge *b = timer->data;
	receive_journalled(b);
	request_serve_dispatch(b);
	if (b->requests.n > 0 || b->pipelines.n_requests > 0 || b->journal.n_waiting > 0) {
		uv_timer_start(timer, request_serve_on_expiry, EXPIRY_MS, 0);
	}
}

void request_serve_look_again(struct bridge *b)
{
	if (!uv_is_active((uv_handle_t *)&b->expiry)) {
		uv_timer_start(&b->expiry, request_serve_on_expiry, EXPIRY_MS, 0);
	}
}

double request_serve_wait_ms(const struct bridge *b)
{
	double slots = (double)b->settings.in_flight;
	double ahead = (double)(outbox_reserve_look(b).n + b->requests.running);
	return ahead * b->service_ns / slots / (double)NSEC_PER_MSEC;
}

/* ---- a full queue */

/* Picks the request to refuse for @newer: the newest stuck one of the lowest priority, else
 * mqtt_requests_victim(). A stuck @newer replaces only stuck ones of its own broker. NULL: none. */
static struct mqtt_request *victim_of(const struct bridge *b, const struct mqtt_request *newer)
{
	struct mqtt_request *last = NULL, *own = NULL;
	(void)outbox_reserve_look(b);
	const bool stuck = outbox_reserve_is_stuck(b, newer);
	for (struct mqtt_request *request = b->requests.first; request; request = request->next) {
		bool mine = request->reserve.stuck && request->conn == newer->conn;
		last = request->reserve.stuck ? request : last;
		own = mine && (!own || request->priority > own->priority) ? request : own;
	}
	if (last && !stuck) {
		return last;
	}
	struct mqtt_request *victim = stuck ? own : mqtt_requests_victim(&b->requests);
	return victim && victim->priority >= newer->priority ? victim : NULL;
}

/* Refuses older requests, or returns false. */
static bool make_room(struct bridge *b, const struct mqtt_request *request)
{
	while (!mqtt_requests_fit(&b->requests, request->size)) {
		struct mqtt_request *victim = victim_of(b, request);
		b->counts.shed++;
		if (!victim) {
			return false;
		}
		request_respond_refuse_and_end(
			b, victim, EDGE_CLIENT_OVERLOADED, "newer requests took its place");
	}
	return true;
}

void request_serve_accept(struct bridge *b, struct mqtt_request *request)
{
	if (!make_room(b, request)) {
		request_respond_refuse(
			b, request, EDGE_CLIENT_OVERLOADED, "too many requests wait");
		mqtt_request_free(request);
		return;
	}
	if (request->of_pipeline) {
		pipelines_accept(&b->pipelines, request);
	}
	mqtt_requests_add(&b->requests, request);
	if (b->paused || b->requests.n >= b->requests.max - b->requests.max / 4) {
		hold_back(b);
	}
	request_serve_look_again(b);
	request_serve_dispatch(b);
}
