/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request that the worker process works on, for a model or for a pipeline, and the responses.
 *
 * Responses to inputs with a response topic: one for each result. The newest result is held back
 * until the child has nothing outstanding for the input, because the last response is marked as
 * such.
 */
#include <errno.h>
#include <string.h>

#include "daemon/mqtt/broker/brokers.h"
#include "daemon/mqtt/pipelines/pipelines.h"

void pipelines_job_start(
	struct pipelines *pipelines, struct mqtt_request *request, struct bytes_writer *frame)
{
	struct error err = {0};
	request->state = MQTT_REQUEST_DECODING;
	pipelines->job.request = request;
	if (worker_send(&pipelines->worker, frame, &err) == -ENOMEM) {
		pipelines->job.request = NULL;
		request->state = MQTT_REQUEST_NEW;
		request_serve_lack_memory(pipelines->mqtt_requests, request);
	}
}

void pipelines_decode(
	struct pipelines *pipelines, struct mqtt_request *request, const struct model_entry *model)
{
	struct bytes_writer frame = {0};
	const struct decode_job job = {.format = request->format,
		.specs = model->inputs,
		.n_specs = model->n_inputs,
		.fields = request->fields,
		.payload = request->payload,
		.size = request->size};
	for (uint32_t i = 0; i < model->n_inputs; i++) {
		pipelines->job.types[i] = model->inputs[i].type;
	}
	pipelines->job.n_types = model->n_inputs;
	journal_count_try(request->journal);
	worker_frames_write(&frame, WORKER_COMMAND_DECODE, &job);
	pipelines_job_start(pipelines, request, &frame);
}

bool pipelines_job_take_envelope(struct pipelines *pipelines, struct bytes_reader *r)
{
	struct pipelines_job *job = &pipelines->job;
	struct decode_envelope envelope;
	if (!job->request || worker_frames_read(r, WORKER_FRAME_ENVELOPE, 0, &envelope, NULL) < 0 ||
		(job->request->of_pipeline && job->request->envelope_parsed)) {
		return false;
	}
	if (!request_serve_take_envelope(pipelines->mqtt_requests, job->request, &envelope)) {
		job->state = JOB_DENIED;
	} else if (!job->request->envelope_parsed) {
		job->state = JOB_OPENED;
	}
	job->request->envelope_parsed = true;
	return true;
}

/* Returns true for the number and the types of tensors that the model takes. */
static bool is_of_model(const struct pipelines_job *job, const struct decode_result *result)
{
	bool matches = result->n == job->n_types;
	for (uint32_t i = 0; i < job->n_types && matches; i++) {
		matches = result->tensors[i].type == job->types[i];
	}
	return matches;
}

bool pipelines_job_take_tensors(struct pipelines *pipelines, struct bytes_reader *r)
{
	struct pipelines_job *job = &pipelines->job;
	struct decode_result result;
	if (!job->request || job->request->tensors.n) {
		return false;
	}
	int code = worker_frames_read(
		r, WORKER_FRAME_TENSORS, pipelines->worker.max_tensor_bytes, &result, NULL);
	if (code < 0) {
		job->state = code == -ENOMEM ? JOB_NO_MEMORY : job->state;
		return code == -ENOMEM;
	}
	if (!is_of_model(job, &result)) {
		decode_result_free(&result);
		return false;
	}
	job->request->tensors = result;
	return true;
}

/* Returns true if the request was refused, dropped, or is to be sent again, because of its
 * envelope. */
static bool end_by_envelope(struct pipelines *pipelines, struct mqtt_request *request,
	enum pipelines_job_state state, bool failed)
{
	if (state == JOB_DENIED) {
		pipelines->counts.refused += request->of_pipeline;
		pipelines->mqtt_requests->counts->refused++;
		request_respond_refuse_and_end(pipelines->mqtt_requests, request,
			EDGE_CLIENT_DENIED, "reply_to is not for answers (response-prefix)");
		return true;
	}
	if (state != JOB_OPENED || failed) {
		return false;
	}
	if (request_serve_drop_repeated(pipelines->mqtt_requests, request)) {
		return true;
	}
	request->state = MQTT_REQUEST_NEW; /* a pipeline's input needs its response topic first */
	return request->of_pipeline;
}

static void refuse(
	struct mqtt_requests *requests, struct mqtt_request *request, const struct error *failed)
{
	bool bad = failed->code == -EBADMSG || (request->of_pipeline && failed->code == -EINVAL);
	bool full = request->of_pipeline && failed->code == -ENOSPC;
	request_respond_refuse_and_end(requests, request,
		full          ? EDGE_CLIENT_OVERLOADED
			: bad ? EDGE_CLIENT_INVALID
			      : error_status_of(failed->code),
		failed->text);
}

/* Ends an input that its pipeline has taken. */
static void taken(struct pipelines *pipelines, struct mqtt_request *request)
{
	pipelines->counts.inputs++;
	if (!request->responses.tag) {
		request_serve_finish(pipelines->mqtt_requests, request);
		return;
	}
	request_serve_await_results(pipelines->mqtt_requests, request);
}

void pipelines_job_end(
	struct pipelines *pipelines, enum worker_frame command, const struct error *failed)
{
	const struct pipelines_job job = pipelines->job;
	struct mqtt_request *request = job.request;
	struct error none = {0};
	pipelines->job = (struct pipelines_job){0};
	if (command == WORKER_COMMAND_DECODE && !failed->code && !request->tensors.n &&
		job.state != JOB_NO_MEMORY) {
		error_set(&none, -EPROTO, "the worker process sent an invalid frame");
		failed = &none;
	}
	if (end_by_envelope(pipelines, request, job.state, failed->code != 0)) {
		return;
	}
	if (job.state == JOB_NO_MEMORY) {
		request_serve_lack_memory(pipelines->mqtt_requests, request);
	} else if (failed->code) {
		pipelines->counts.refused += request->of_pipeline;
		refuse(pipelines->mqtt_requests, request, failed);
	} else if (command == WORKER_COMMAND_DECODE) {
		request->state = MQTT_REQUEST_READY;
	} else {
		taken(pipelines, request);
	}
}

void pipelines_job_retry(struct pipelines *pipelines, const char *why, bool may_again)
{
	const struct pipelines_job job = pipelines->job;
	struct mqtt_request *request = job.request;
	pipelines->job = (struct pipelines_job){0};
	if (!request) {
		return;
	}
	if (job.state == JOB_OPENED || job.state == JOB_DENIED) {
		request->envelope_parsed = false; /* the next process reads the envelope again */
	}
	outbox_reserve_give_back(request);
	mqtt_request_forget_decoded(request);
	if (may_again && !request->retried) {
		request->retried = true;
		return;
	}
	pipelines->counts.refused += request->of_pipeline;
	request_respond_refuse_and_end(pipelines->mqtt_requests, request, EDGE_CLIENT_INVALID, why);
}

/* ---- responses */

bool pipelines_has_responses(const struct mqtt_pipeline *pipeline)
{
	uint32_t rate = 0, channels = 0;
	return pipeline_input_mode(pipeline->parsed, &rate, &channels) == PIPELINE_SINGLE;
}

void pipelines_expect_responses(
	void *data, const struct mqtt_request *input, size_t *ret_n, size_t *ret_bytes)
{
	const struct mqtt_pipeline *pipeline = pipelines_find(data, input->target);
	*ret_n = 1;
	*ret_bytes = 0;
	if (pipeline && pipelines_has_responses(pipeline)) {
		while (pipeline_model_name(pipeline->parsed, *ret_n)) {
			++*ret_n; /* one per stage */
		}
		*ret_n = *ret_n > pipeline->max_responses ? *ret_n : pipeline->max_responses;
		*ret_bytes = pipeline->max_response_bytes;
	}
}

uint64_t pipelines_tag(struct pipelines *pipelines, const struct mqtt_pipeline *pipeline,
	struct mqtt_request *request)
{
	if (request->response_topic && pipelines_has_responses(pipeline) &&
		!request->responses.tag) {
		request->responses.tag = ++pipelines->last_tag;
	}
	return request->responses.tag;
}

/* Returns the input that the worker has, or whose results are outstanding; NULL: none. */
static struct mqtt_request *find(const struct pipelines *pipelines, uint64_t tag)
{
	struct mqtt_request *request = pipelines->mqtt_requests->first;
	while (request && (request->responses.tag != tag || request->state == MQTT_REQUEST_NEW)) {
		request = request->next;
	}
	return request;
}

static void publish_reply(struct mqtt_requests *requests, struct mqtt_request *request, bool more)
{
	request->responses.n++;
	request->responses.bytes += request->responses.newest_bytes;
	request_respond_with(requests, request, request->responses.newest,
		request->responses.newest_bytes, request->responses.newest_status, more);
}

void pipelines_add_response(struct pipelines *pipelines, const struct mqtt_pipeline *pipeline,
	const struct worker_result *result)
{
	struct mqtt_request *request = find(pipelines, result->tag);
	struct bytes_writer w = {0};
	if (!request) {
		return;
	}
	if (request->responses.newest) {
		publish_reply(pipelines->mqtt_requests, request, true);
		free(take(request->responses.newest));
	}
	pipelines_write_result(pipelines, pipeline, result, request, &w);
	if (w.failed) {
		bytes_writer_deinit(&w);
		return;
	}
	request->responses.newest = w.data;
	request->responses.newest_bytes = w.size;
	request->responses.newest_status = result->kind == PIPELINE_RESULT ? EDGE_CLIENT_OK
		: result->kind == PIPELINE_SKIPPED                         ? EDGE_CLIENT_OVERLOADED
									   : EDGE_CLIENT_INTERNAL;
}

static bool has_more(const struct worker_done *done, uint64_t tag)
{
	for (uint32_t i = 0; i < done->n; i++) {
		if (done->tags[i] == tag) {
			return true;
		}
	}
	return false;
}

static void end(struct pipelines *pipelines, struct mqtt_request *request)
{
	struct mqtt_pipeline *pipeline = pipelines_find(pipelines, request->target);
	if (request->responses.newest) {
		publish_reply(pipelines->mqtt_requests, request, false);
	} else {
		request_respond_refuse(pipelines->mqtt_requests, request, EDGE_CLIENT_SUPERSEDED,
			"it was not looked at (every, latest-only)");
	}
	if (pipeline) { /* for the outbox reserve of later inputs */
		size_t n = request->responses.n, bytes = request->responses.bytes;
		pipeline->max_responses = n > pipeline->max_responses ? n : pipeline->max_responses;
		pipeline->max_response_bytes =
			bytes > pipeline->max_response_bytes ? bytes : pipeline->max_response_bytes;
	}
	request_serve_finish(pipelines->mqtt_requests, request);
}

/* Returns an input whose results are outstanding, but not in @done (NULL: any); NULL: none. */
static struct mqtt_request *next_running(
	const struct pipelines *pipelines, const struct worker_done *done)
{
	struct mqtt_request *request = pipelines->mqtt_requests->first;
	while (request &&
		(request->state != MQTT_REQUEST_RUNNING || !request->of_pipeline ||
			(done && has_more(done, request->responses.tag)))) {
		request = request->next;
	}
	return request;
}

void pipelines_complete_running(struct pipelines *pipelines, const struct worker_done *done)
{
	struct mqtt_request *request = NULL;
	while ((request = next_running(pipelines, done))) {
		end(pipelines, request);
	}
}

void pipelines_refuse_running(struct pipelines *pipelines, const char *why)
{
	struct mqtt_request *request = NULL;
	while ((request = next_running(pipelines, NULL))) {
		request_respond_refuse_and_end(
			pipelines->mqtt_requests, request, EDGE_CLIENT_INTERNAL, why);
	}
}
