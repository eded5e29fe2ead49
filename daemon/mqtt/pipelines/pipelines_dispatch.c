/* SPDX-License-Identifier: Apache-2.0 */
/* Which request goes next to the worker or to edged. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/broker/brokers.h"
#include "daemon/mqtt/pipelines/pipelines.h"

#define MEAN_WEIGHT 0.1
/* Tensors in memory at once. Inputs: the tensors, and the worker's frame or twice edged's buffer.
 * Outputs: the answer and the growing buffer of the response. */
#define WORK_INPUTS 3
#define WORK_OUTPUTS 4

/* ---- edged */

static void on_answer(void *data, const struct edge_client_reply *reply)
{
	struct mqtt_request *request = data;
	struct pipelines *pipelines = request->owner;
	struct model_entry *model =
		known_models_find(pipelines->mqtt_requests->models, request->target);
	double took = (double)(clock_now_ns() - request->sent_ns);
	outbox_reserve_give_back(request);
	if (reply->error.code == -ENOTCONN && !request->retried && !pipelines->edged->stopping) {
		request->retried = true; /* edged was restarted and has not answered */
		mqtt_requests_set_running(pipelines->mqtt_requests, request, false);
		return;
	}
	if (reply->error.code == -ENOBUFS) {
		request_serve_lack_memory(pipelines->mqtt_requests, request);
	} else if (reply->error.code || !reply->answer || !model) {
		bool gone = !reply->error.code && !model;
		request_respond_refuse_and_end(pipelines->mqtt_requests, request,
			reply->error.code ? reply->error.status
				: gone    ? EDGE_CLIENT_NOT_FOUND
					  : EDGE_CLIENT_INTERNAL,
			gone ? "the model has gone" : reply->error.text);
	} else {
		pipelines->mqtt_requests->mean_time_ns = pipelines->mqtt_requests->mean_time_ns == 0
			? took
			: (1 - MEAN_WEIGHT) * pipelines->mqtt_requests->mean_time_ns +
				MEAN_WEIGHT * took;
		model->requests++;
		journal_clear_tries(request->journal);
		request_respond_succeed(pipelines->mqtt_requests, request, model, reply->answer);
	}
	pipelines_dispatch(pipelines);
}

/* Sends @request to edged. Returns false if edged takes no request now. */
static bool start(struct pipelines *pipelines, struct mqtt_request *request)
{
	static const unsigned int classes[MQTT_REQUEST_N_PRIORITIES] = {
		[MQTT_REQUEST_HIGH] = EDGE_CLIENT_REALTIME,
		[MQTT_REQUEST_NORMAL] = EDGE_CLIENT_NORMAL,
		[MQTT_REQUEST_LOW] = EDGE_CLIENT_BATCH};
	struct edge_client_error err = {0};
	const struct edged_client_run run = {.model = request->target,
		.tensors = request->tensors.tensors,
		.n = request->tensors.n,
		.priority = classes[request->priority],
		.deadline_ns = request->deadline.ns};
	request->owner = pipelines;
	request->sent_ns = clock_now_ns();
	int r = edged_client_infer(pipelines->edged, &run, on_answer, request, &err);
	if (r == 0) {
		journal_count_try(request->journal);
		mqtt_requests_set_running(pipelines->mqtt_requests, request, true);
		return true;
	}
	outbox_reserve_give_back(request);
	switch (r) {
	case -EAGAIN:
	case -ENOTCONN:
		return false;
	case -ETIMEDOUT:
		request_serve_drop_expired(pipelines->mqtt_requests, request);
		break;
	case -ENOMEM:
		request_serve_lack_memory(pipelines->mqtt_requests, request);
		break;
	default:
		request_respond_refuse_and_end(pipelines->mqtt_requests, request,
			err.status ? err.status : EDGE_CLIENT_INVALID, err.text);
	}
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
static bool is_coming(const struct pipelines *pipelines, const struct model_entry *model)
{
	if (!model || !model->listed) {
		return edged_client_is_young(pipelines->edged);
	}
	bool described = !model->generation || model->described == model->generation;
	return !known_models_is_ready(model) &&
		(!described || strcmp(model->state, "loading") == 0);
}

/* Like is_coming(), for a pipeline's models. */
static bool is_pipeline_coming(const struct pipelines *pipelines, const char *name)
{
	const struct mqtt_pipeline *pipeline = pipelines_find(pipelines, name);
	const char *model = NULL;
	bool judged = !pipeline || pipeline->refused[0] || edged_client_is_away(pipelines->edged) ||
		pipelines_are_models_described(pipelines, pipeline);
	bool coming = !judged && !pipelines->mqtt_requests->models->listed;
	for (size_t i = 0; !judged && !coming && (model = pipeline_model_name(pipeline->parsed, i));
		i++) {
		coming = is_coming(
			pipelines, known_models_find(pipelines->mqtt_requests->models, model));
	}
	return coming;
}

/* Returns true for an input that can go to the child once it has its outbox reserve. */
static bool is_input(const struct pipelines *pipelines, const struct mqtt_request *request)
{
	return request->state == MQTT_REQUEST_NEW && request->of_pipeline &&
		!is_pipeline_coming(pipelines, request->target);
}

struct mqtt_request *pipelines_dispatch_next_input(const struct pipelines *pipelines)
{
	const struct mqtt_requests *queue = pipelines->mqtt_requests;
	bool room = pipelines->n_requests < queue->settings->in_flight &&
		queue->running_inputs + 1 < PIPELINES_MAX_TAGS;
	struct mqtt_request *request = room ? queue->first : NULL;
	while (request && (!is_input(pipelines, request) || !outbox_reserve_take(queue, request))) {
		request = request->next;
	}
	return request;
}

/* Inputs that wait for an outbox reserve get it before requests behind them. */
static struct mqtt_request *next_ready(const struct pipelines *pipelines)
{
	struct mqtt_request *request = pipelines->mqtt_requests->first;
	for (; request; request = request->next) {
		bool ready = request->state == MQTT_REQUEST_READY && !request->of_pipeline;
		bool waits = request->reserve.is_short && is_input(pipelines, request);
		if ((ready || waits) && outbox_reserve_take(pipelines->mqtt_requests, request) &&
			ready) {
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
static bool may_decode(const struct pipelines *pipelines, struct mqtt_request *request)
{
	const bool answered = request->conn && request->response_topic;
	return !answered || request->reserve.bytes ||
		(request->reserve.is_short ? outbox_reserve_take(pipelines->mqtt_requests, request)
					   : !request->conn->full);
}

/* Returns the first request to decode or refuse; NULL: none. @ret_model: its model, or NULL. */
static struct mqtt_request *next_new(
	const struct pipelines *pipelines, const struct model_entry **ret_model)
{
	unsigned int status = 0;
	for (struct mqtt_request *request = pipelines->mqtt_requests->models->listed
			? pipelines->mqtt_requests->first
			: NULL;
		request; request = request->next) {
		if (request->state == MQTT_REQUEST_NEW && !request->of_pipeline &&
			outbox_reserve_has_room_for_error(request)) {
			*ret_model = known_models_find(
				pipelines->mqtt_requests->models, request->target);
			if (!is_coming(pipelines, *ret_model) &&
				(reason_to_refuse(*ret_model, &status) ||
					may_decode(pipelines, request))) {
				return request;
			}
		}
	}
	return NULL;
}

/* Makes room by dropping decoded tensors of later requests. */
static bool take_memory(
	struct pipelines *pipelines, struct mqtt_request *request, const struct model_entry *model)
{
	uint64_t in = 0, out = 0;
	for (uint32_t i = 0; i < model->n_inputs; i++) {
		in += model->inputs[i].bytes;
	}
	for (uint32_t i = 0; i < model->n_outputs; i++) {
		out += model->outputs[i].bytes;
	}
	request->memory.bytes = request->size + WORK_INPUTS * in;
	request->memory.response_bytes = WORK_OUTPUTS * out;
	struct mqtt_request *later = NULL;
	while (!mqtt_requests_may_decode(pipelines->mqtt_requests, request) &&
		(later = mqtt_requests_decoded_victim(pipelines->mqtt_requests, request))) {
		mqtt_request_forget_decoded(later);
	}
	return mqtt_requests_may_decode(pipelines->mqtt_requests, request);
}

static bool is_before(const struct pipelines *pipelines, const struct mqtt_request *one,
	const struct mqtt_request *other)
{
	const struct mqtt_request *request = pipelines->mqtt_requests->first;
	while (request && request != one && request != other) {
		request = request->next;
	}
	return request == one;
}

/* Decodes or refuses the next request. Returns false if there is nothing to do. */
static bool prepare_one(struct pipelines *pipelines)
{
	const struct model_entry *model = NULL;
	unsigned int status = 0;
	struct mqtt_request *request = next_new(pipelines, &model);
	if (!request) {
		return false;
	}
	const char *why = reason_to_refuse(model, &status);
	if (why) {
		request_respond_refuse_and_end(pipelines->mqtt_requests, request, status, why);
		return true;
	}
	if (!take_memory(pipelines, request, model)) {
		return false;
	}
	if (take_raw(request, model)) {
		request->state = MQTT_REQUEST_READY;
		return true;
	}
	if (!pipelines_can_decode(pipelines)) {
		return false;
	}
	struct mqtt_request *input = pipelines_dispatch_next_input(pipelines);
	if (input && is_before(pipelines, input, request)) {
		return false;
	}
	pipelines_decode(pipelines, request, model);
	return true;
}

void pipelines_dispatch(struct pipelines *pipelines)
{
	request_serve_drop_all_expired(pipelines->mqtt_requests);
	pipelines_start_waiting(pipelines);
	for (size_t i = 0; i < pipelines->mqtt_requests->brokers->n; i++) {
		pipelines->mqtt_requests->brokers->connections[i]->full =
			pipelines->mqtt_requests->brokers->connections[i]->full_for_errors = false;
	}
	for (;;) {
		bool room = pipelines->mqtt_requests->running <
				pipelines->mqtt_requests->settings->in_flight &&
			edged_client_is_up(pipelines->edged);
		struct mqtt_request *ready = room ? next_ready(pipelines) : NULL;
		if (ready && start(pipelines, ready)) {
			continue;
		}
		if (pipelines_send_next_input(pipelines)) {
			continue;
		}
		if (pipelines->mqtt_requests->n >= 1 && prepare_one(pipelines)) {
			continue;
		}
		if (pipelines_send_next(pipelines)) {
			continue;
		}
		return;
	}
}

void pipelines_dispatch_accept(struct pipelines *pipelines, struct mqtt_request *request)
{
	if (!request_serve_make_room(pipelines->mqtt_requests, request)) {
		request_respond_refuse(pipelines->mqtt_requests, request, EDGE_CLIENT_OVERLOADED,
			"too many requests wait");
		mqtt_request_free(request);
		return;
	}
	if (request->of_pipeline) {
		pipelines_accept(pipelines, request);
	}
	request_serve_add(pipelines->mqtt_requests, request);
	pipelines_dispatch(pipelines);
}
