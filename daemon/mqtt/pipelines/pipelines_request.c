/* SPDX-License-Identifier: Apache-2.0 */
/* Model requests of the child: sent to edged, answered to the child. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/broker/brokers.h"
#include "daemon/mqtt/pipelines/pipelines.h"

#define DEADLINE_TEXT "deadline exceeded"

enum state {
	WAITS, /* until edged takes it, or its session is open */
	RUNS,
	ANSWERED,
	DELIVERED, /* the child works on the answer */
};

struct pipelines_request {
	struct pipelines_request *next;
	struct pipelines *pipelines;
	uint64_t epoch; /* of the child that has sent the request */
	enum state state;
	bool retried; /* repeated once after edged was lost */
	bool of_current_input; /* belongs to the input in work */
	struct worker_model_request wanted;
	struct bytes_writer frame; /* WORKER_COMMAND_MODEL_RESPONSE frame */
};

static void request_free(struct pipelines_request *request)
{
	worker_frames_free(WORKER_FRAME_MODEL_REQUEST, &request->wanted);
	bytes_writer_deinit(&request->frame);
	free(request);
}

static void unlink_request(struct pipelines *pipelines, struct pipelines_request *request)
{
	struct pipelines_request **at = &pipelines->requests;
	while (*at && *at != request) {
		at = &(*at)->next;
	}
	if (*at) {
		*at = request->next;
		pipelines->n_requests--;
	}
}

/* ---- answers */

static void answer(struct pipelines_request *request, const struct error *failed,
	const struct tensor_bytes *tensors, uint32_t n)
{
	struct worker_model_response response = {.pipeline = request->wanted.pipeline,
		.id = request->wanted.id,
		.error = *failed,
		.n = failed->code ? 0 : n};
	memcpy(response.tensors, tensors, response.n * sizeof(tensors[0]));
	request->state = ANSWERED;
	worker_frames_free(WORKER_FRAME_MODEL_REQUEST, &request->wanted); /* its tensors */
	worker_frames_write(&request->frame, WORKER_COMMAND_MODEL_RESPONSE, &response);
	if (request->frame.failed && !failed->code) {
		response.n = 0;
		error_no_memory(&response.error);
		bytes_writer_deinit(&request->frame);
		worker_frames_write(&request->frame, WORKER_COMMAND_MODEL_RESPONSE, &response);
	}
}

static void fail(struct pipelines_request *request, int code, const char *text)
{
	struct error failed = {0};
	error_set(&failed, code, "%s", text);
	const struct tensor_bytes none[1] = {0};
	answer(request, &failed, none, 0);
}

/* A stage may be skipped after -EBUSY or -ETIMEDOUT. */
static int code_of(const struct edge_client_error *error)
{
	bool late = error->status == EDGE_CLIENT_DEADLINE ||
		error->status == EDGE_CLIENT_CANCELLED || error->status == EDGE_CLIENT_SUPERSEDED;
	return error->status == EDGE_CLIENT_OVERLOADED ? -EBUSY
		: late                                 ? -ETIMEDOUT
		: error->code                          ? error->code
						       : -EIO;
}

static void succeed(struct pipelines_request *request, const struct edge_client_answer *from)
{
	struct tensor_bytes tensors[PIPELINES_MAX_TENSORS] = {0};
	if (from->n_outputs > PIPELINES_MAX_TENSORS) {
		fail(request, -EOPNOTSUPP, "too many outputs");
		return;
	}
	for (uint32_t i = 0; i < from->n_outputs; i++) {
		tensors[i] = edged_client_tensor(&from->outputs[i]);
	}
	const struct error none = {0};
	answer(request, &none, tensors, from->n_outputs);
}

static struct pipelines_session *session_find(
	const struct pipelines *pipelines, const struct worker_model_request *wanted)
{
	for (size_t i = 0; i < PIPELINES_MAX_SESSIONS; i++) {
		const struct pipelines_session *s = &pipelines->sessions[i];
		if (s->number == wanted->session && s->pipeline == wanted->pipeline) {
			return (struct pipelines_session *)s;
		}
	}
	return NULL;
}

static void on_answer(void *data, const struct edge_client_reply *reply)
{
	struct pipelines_request *request = data;
	struct pipelines *pipelines = request->pipelines;
	if (request->epoch != pipelines->epoch) {
		request_free(request); /* that child has ended */
		return;
	}
	bool retry = reply->error.code == -ENOTCONN && !pipelines->edged->stopping;
	struct pipelines_session *session = session_find(pipelines, &request->wanted);
	if (reply->error.status == EDGE_CLIENT_NOT_FOUND && request->wanted.session && session) {
		*session =
			(struct pipelines_session){0}; /* the session belonged to an older model */
		retry = true;
	}
	if (retry && !request->retried) {
		request->retried = true;
		request->state = WAITS;
	} else if (reply->error.code || !reply->answer) {
		fail(request, code_of(&reply->error), reply->error.text);
	} else {
		succeed(request, reply->answer);
	}
	pipelines_dispatch(pipelines);
}

bool pipelines_next_model_response(struct pipelines *pipelines, struct bytes_writer *ret_frame)
{
	for (struct pipelines_request *request = pipelines->requests; request;
		request = request->next) {
		if (request->state == ANSWERED) {
			*ret_frame = request->frame;
			request->frame = (struct bytes_writer){0};
			request->state = DELIVERED;
			return true;
		}
	}
	return false;
}

void pipelines_command_ended(struct pipelines *pipelines)
{
	for (struct pipelines_request *request = pipelines->requests, *next; request;
		request = next) {
		next = request->next;
		request->of_current_input = false;
		if (request->state == DELIVERED) {
			unlink_request(pipelines, request);
			request_free(request);
		}
	}
}

/* ---- sessions */

struct opening {
	struct pipelines *pipelines;
	uint64_t epoch;
	struct worker_model_request wanted; /* without tensors; names the session */
};

static void on_session(void *data, const struct edge_client_reply *reply)
{
	owned_mem struct opening *opening = data;
	struct pipelines *pipelines = opening->pipelines;
	struct pipelines_session *session = opening->epoch == pipelines->epoch
		? session_find(pipelines, &opening->wanted)
		: NULL;
	if (!session) {
		if (!reply->error.code) {
			edged_client_session_close(pipelines->edged, reply->session);
		}
		return;
	}
	session->edged_id = reply->error.code ? 0 : reply->session;
	for (struct pipelines_request *request = pipelines->requests; request && !session->edged_id;
		request = request->next) {
		if (request->state == WAITS && request->wanted.session == opening->wanted.session &&
			request->wanted.pipeline == opening->wanted.pipeline) {
			fail(request, code_of(&reply->error), reply->error.text);
		}
	}
	if (!session->edged_id) {
		*session = (struct pipelines_session){0};
	}
	pipelines_dispatch(pipelines);
}

/* Returns a free session slot, or closes the least recently used open one. NULL: none. */
static struct pipelines_session *session_slot(struct pipelines *pipelines)
{
	struct pipelines_session *slot = NULL;
	for (size_t i = 0; i < PIPELINES_MAX_SESSIONS; i++) {
		struct pipelines_session *s = &pipelines->sessions[i];
		bool reusable = !s->number || s->edged_id;
		slot = reusable && (!slot || s->last_used < slot->last_used) ? s : slot;
	}
	if (slot && slot->number) {
		edged_client_session_close(pipelines->edged, slot->edged_id);
	}
	return slot;
}

/* Returns the open session of the request; NULL while it is being opened. */
static struct pipelines_session *session_get(
	struct pipelines *pipelines, struct pipelines_request *request)
{
	struct pipelines_session *session = session_find(pipelines, &request->wanted);
	struct edge_client_error err = {0};
	if (session) {
		session->last_used = ++pipelines->uses;
		return session->edged_id ? session : NULL;
	}
	struct pipelines_session *slot = session_slot(pipelines);
	struct opening *opening = slot ? calloc(1, sizeof(*opening)) : NULL;
	if (!opening) {
		return NULL;
	}
	*opening = (struct opening){pipelines, pipelines->epoch, request->wanted};
	*slot = (struct pipelines_session){.pipeline = request->wanted.pipeline,
		.number = request->wanted.session,
		.last_used = ++pipelines->uses};
	if (edged_client_session_open(
		    pipelines->edged, request->wanted.model, on_session, opening, &err) < 0) {
		free(opening);
		*slot = (struct pipelines_session){0};
		fail(request, code_of(&err), err.text);
	}
	return NULL;
}

void pipelines_forget_sessions(struct pipelines *pipelines)
{
	memset(pipelines->sessions, 0, sizeof(pipelines->sessions));
}

/* ---- model requests */

/* Checks that the model belongs to the pipeline. A compromised child may send anything. */
static bool is_of_pipeline(
	const struct pipelines *pipelines, const struct worker_model_request *wanted)
{
	const char *model = NULL;
	if (wanted->pipeline >= pipelines->n || wanted->priority > EDGE_CLIENT_REALTIME) {
		return false;
	}
	const struct pipeline *parsed = pipelines->items[wanted->pipeline]->parsed;
	for (size_t i = 0; (model = pipeline_model_name(parsed, i)); i++) {
		const char *signature = pipeline_signature_name(parsed, i);
		if (strcmp(model, wanted->model) == 0 &&
			strcmp(signature ? signature : "", wanted->signature) == 0) {
			return true;
		}
	}
	return false;
}

bool pipelines_request_model(
	struct pipelines *pipelines, struct worker_model_request *wanted, int failed)
{
	struct pipelines_request *request = calloc(1, sizeof(*request));
	/* The request whose answer the child works on is about to be freed. */
	size_t open = pipelines->n_requests -
		(pipelines->worker.command == WORKER_COMMAND_MODEL_RESPONSE);
	if (!request || !is_of_pipeline(pipelines, wanted) ||
		open >= pipelines->mqtt_requests->settings->in_flight) {
		free(request);
		worker_frames_free(WORKER_FRAME_MODEL_REQUEST, wanted);
		return false;
	}
	request->pipelines = pipelines;
	request->epoch = pipelines->epoch;
	request->wanted = *wanted;
	request->of_current_input = pipelines->worker.command == WORKER_COMMAND_INPUT;
	uint64_t default_deadline_ms = pipelines->mqtt_requests->settings->deadline_ms;
	if (!request->wanted.deadline_ns && default_deadline_ms) {
		request->wanted.deadline_ns = clock_now_ns() + default_deadline_ms * NSEC_PER_MSEC;
	}
	struct pipelines_request **at = &pipelines->requests;
	while (*at) {
		at = &(*at)->next;
	}
	*at = request;
	pipelines->n_requests++;
	pipelines->counts.model_requests++;
	if (failed) {
		fail(request, failed, "no memory");
	}
	return true;
}

/* Returns -EAGAIN or -ENOTCONN if edged takes no request now. */
static int start(struct pipelines *pipelines, struct pipelines_request *request,
	struct edge_client_error *err)
{
	const struct worker_model_request *wanted = &request->wanted;
	const struct pipelines_session *session =
		wanted->session ? session_get(pipelines, request) : NULL;
	const struct edged_client_run run = {.model = wanted->model,
		.signature = wanted->signature,
		.session = session ? session->edged_id : 0,
		.tensors = wanted->tensors,
		.n = wanted->n,
		.priority = wanted->priority,
		.deadline_ns = wanted->deadline_ns};
	return wanted->session && !session
		? -EAGAIN
		: edged_client_infer(pipelines->edged, &run, on_answer, request, err);
}

void pipelines_start_waiting(struct pipelines *pipelines)
{
	uint64_t now = clock_now_ns();
	for (struct pipelines_request *request = pipelines->requests; request;
		request = request->next) {
		struct edge_client_error err = {0};
		if (request->state != WAITS) {
			continue;
		}
		if (request->wanted.deadline_ns && request->wanted.deadline_ns <= now) {
			fail(request, -ETIMEDOUT, DEADLINE_TEXT);
			continue;
		}
		if (!edged_client_is_up(pipelines->edged)) {
			continue;
		}
		int r = start(pipelines, request, &err);
		if (r == 0) {
			request->state = RUNS;
		} else if (request->state == WAITS && r != -EAGAIN && r != -ENOTCONN) {
			fail(request, r, err.text);
		}
	}
}

/* Reports the lost input on the error topic. */
static void report_lost(struct pipelines *pipelines, const struct pipelines_request *request)
{
	struct worker_result result = {.pipeline = request->wanted.pipeline,
		.kind = PIPELINE_FAILED,
		.connection_id = request->wanted.connection_id};
	static const char json[] = "{\"error\":\"the worker process ended\"}";
	memcpy(result.source, request->wanted.source, sizeof(result.source));
	result.flat_json = json;
	result.flat_json_bytes = sizeof(json) - 1;
	bool published = pipelines_publish(pipelines, &result);
	(void)published;
}

void pipelines_forget_requests(struct pipelines *pipelines)
{
	while (pipelines->requests) {
		struct pipelines_request *request = pipelines->requests;
		unlink_request(pipelines, request);
		/* No error is reported if the next child gets the input again, or if a result of
		 * it was published already. */
		bool already_reported = request->of_current_input ||
			(request->state == DELIVERED && pipelines->result_sent);
		if (!pipelines->stopped && !already_reported) {
			report_lost(pipelines, request);
		}
		if (request->state != RUNS) {
			request_free(request); /* freed by on_answer() otherwise */
		}
	}
	for (size_t i = 0; i < PIPELINES_MAX_SESSIONS; i++) {
		if (pipelines->sessions[i].edged_id) {
			edged_client_session_close(
				pipelines->edged, pipelines->sessions[i].edged_id);
		}
	}
	pipelines_forget_sessions(pipelines);
}
