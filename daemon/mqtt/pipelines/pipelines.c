/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/pipelines/pipelines.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/broker/brokers.h"

#define MAX_ENDS 2 /* processes that may end in opening one file */

static void begin(struct pipelines *pipelines);

/* ---- commands */

static bool next_open(struct pipelines *pipelines, struct bytes_writer *frame)
{
	if (pipelines->opened < pipelines->n) {
		const struct mqtt_pipeline *pipeline = pipelines->items[pipelines->opened];
		/* Without a text the index stays used. */
		bool ends = pipeline->ends >= MAX_ENDS;
		const struct worker_pipeline file = {.path = pipeline->path,
			.text = ends ? "" : (const char *)pipeline->file.data,
			.size = ends ? 0 : pipeline->file.size};
		worker_frames_write(frame, WORKER_COMMAND_OPEN, &file);
	} else {
		const struct worker_begin begin = {
			.max_requests = (uint32_t)pipelines->mqtt_requests->settings->in_flight};
		worker_frames_write(frame, WORKER_COMMAND_BEGIN, &begin);
	}
	return true;
}

static bool next_model(struct pipelines *pipelines, struct bytes_writer *frame)
{
	for (size_t i = 0; i < pipelines->n_models; i++) {
		struct pipelines_model *model = &pipelines->models[i];
		if (model->send_removal) {
			struct worker_model removal = {.is_served = false};
			memcpy(removal.name, model->name, sizeof(removal.name));
			memcpy(removal.signature, model->signature, sizeof(removal.signature));
			model->send_removal = false;
			model->send_frame = true;
			worker_frames_write(frame, WORKER_COMMAND_MODEL, &removal);
			return true;
		}
		if (model->send_examples) {
			model->send_examples = false;
			bytes_write(frame, model->examples.data, model->examples.size);
			return true;
		}
		if (model->send_frame) {
			model->send_frame = false;
			bytes_write(frame, model->frame.data, model->frame.size);
			return true;
		}
	}
	return false;
}

static bool next_setting(struct pipelines *pipelines, struct bytes_writer *frame)
{
	for (size_t i = 0; i < pipelines->n; i++) {
		struct mqtt_pipeline *pipeline = pipelines->items[i];
		if (pipeline->send_threshold && !pipeline->refused[0]) {
			pipeline->send_threshold = false;
			const struct worker_threshold set = {
				(uint32_t)i, pipeline_threshold(pipeline->parsed)};
			worker_frames_write(frame, WORKER_COMMAND_SET_THRESHOLD, &set);
			return true;
		}
	}
	return false;
}

static uint32_t index_of(const struct pipelines *pipelines, const char *name)
{
	uint32_t i = 0;
	while (i < pipelines->n && strcmp(pipelines->items[i]->name, name) != 0) {
		i++;
	}
	return i;
}

static bool can_take(const struct pipelines *pipelines)
{
	return pipelines->worker.state == WORKER_READY && worker_is_idle(&pipelines->worker);
}

/* Returns false if there is none. */
static bool next_input(struct pipelines *pipelines)
{
	struct mqtt_request *request =
		can_take(pipelines) ? pipelines_dispatch_next_input(pipelines) : NULL;
	struct bytes_writer frame = {0};
	if (!request) {
		return false;
	}
	struct worker_input input = {.pipeline = index_of(pipelines, request->target),
		.connection_id = request->connection_id,
		.time_us = request->arrived_ns / NSEC_PER_USEC,
		.deadline_ns = request->deadline.ns,
		.envelope_parsed = request->envelope_parsed,
		.data = request->payload,
		.size = request->size};
	memcpy(input.source, request->source, sizeof(input.source));
	if (input.pipeline < pipelines->n) { /* else the pipeline was removed since */
		input.tag = pipelines_tag(pipelines, pipelines->items[input.pipeline], request);
	}
	snprintf(input.content_type, sizeof(input.content_type), "%s",
		decode_content_type(request->format));
	snprintf(input.fields, sizeof(input.fields), "%s", request->fields);
	worker_frames_write(&frame, WORKER_COMMAND_INPUT, &input);
	pipelines->result_sent = false;
	pipelines_job_start(pipelines, request, &frame);
	return true;
}

bool pipelines_can_decode(struct pipelines *pipelines)
{
	if (!pipelines->worker.process && !pipelines->stopped) {
		begin(pipelines);
	}
	return can_take(pipelines);
}

bool pipelines_send_next_input(struct pipelines *pipelines)
{
	struct bytes_writer frame = {0};
	struct error err = {0};
	if (!worker_is_idle(&pipelines->worker)) {
		return false;
	}
	bool there = pipelines->worker.state == WORKER_READY
		? next_model(pipelines, &frame) || next_setting(pipelines, &frame) ||
			pipelines_next_model_response(pipelines, &frame)
		: next_open(pipelines, &frame);
	if (!there) {
		return false;
	}
	pipelines->result_sent = false;
	if (worker_send(&pipelines->worker, &frame, &err) == -ENOMEM) {
		worker_restart(&pipelines->worker, "no memory");
	}
	return true;
}

bool pipelines_send_next(struct pipelines *pipelines)
{
	return pipelines_send_next_input(pipelines) || next_input(pipelines);
}

/* ---- frames of the child */

/* If memory was short, the child is restarted once. A second failure in a row rejects the
 * pipeline. */
static void open_end(struct pipelines *pipelines, const struct error *failed)
{
	struct mqtt_pipeline *pipeline = pipelines->items[pipelines->opened++];
	bool was_short = pipeline->memory_was_short;
	pipeline->memory_was_short = failed->code == -ENOMEM;
	if (pipeline->memory_was_short && !was_short) {
		worker_restart(&pipelines->worker, failed->text);
		return;
	}
	pipeline->ends = pipeline->ends < MAX_ENDS ? 0 : pipeline->ends;
	const char *why = pipeline->ends >= MAX_ENDS ? "the process that opens it ends"
		: failed->code                       ? failed->text
						     : "";
	snprintf(pipeline->refused, sizeof(pipeline->refused), "%s", why);
	if (failed->code) {
		log_error(pipelines->mqtt_requests->log, "%s", failed->text);
	}
}

static void begin_end(struct pipelines *pipelines, const struct error *failed)
{
	if (failed->code) {
		worker_restart(&pipelines->worker, failed->text);
		return;
	}
	if (pipelines->n == 0) {
		return;
	}
	pipelines->has_worked = true;
	pipelines_check_needs(pipelines);
	pipelines_announce(pipelines, NULL);
	pipelines->on_change(pipelines->data);
}

static void on_done(void *data, enum worker_frame command, const struct worker_done *done)
{
	struct pipelines *pipelines = data;
	const struct error *failed = &done->error;
	bool lacks = command == WORKER_COMMAND_MODEL || command == WORKER_COMMAND_EXAMPLES ||
		command == WORKER_COMMAND_SET_THRESHOLD || command == WORKER_COMMAND_MODEL_RESPONSE;
	if (lacks && failed->code == -ENOMEM) {
		/* Only a new child gets the model or setting again. */
		worker_restart(&pipelines->worker, failed->text);
		pipelines_dispatch(pipelines);
		return;
	}
	pipelines_command_ended(pipelines);
	if (command == WORKER_COMMAND_INPUT || command == WORKER_COMMAND_DECODE) {
		pipelines_job_end(pipelines, command, failed);
	} else if (command == WORKER_COMMAND_OPEN) {
		open_end(pipelines, failed);
	} else if (command == WORKER_COMMAND_BEGIN) {
		begin_end(pipelines, failed);
	} else if (failed->code) {
		log_warning(pipelines->mqtt_requests->log, "pipelines: %s", failed->text);
	}
	pipelines_complete_running(pipelines, done);
	pipelines_dispatch(pipelines);
}

/* Without memory for its tensors, the child's request is answered with an error. */
static bool take_model_request(struct pipelines *pipelines, struct bytes_reader *r)
{
	struct worker_model_request model_request;
	int code = worker_frames_read(r, WORKER_FRAME_MODEL_REQUEST,
		pipelines->worker.max_tensor_bytes, &model_request, NULL);
	return (code == 0 || code == -ENOMEM) &&
		pipelines_request_model(pipelines, &model_request, code);
}

static bool take_result(struct pipelines *pipelines, struct bytes_reader *r)
{
	struct worker_result result;
	pipelines->result_sent = true;
	return worker_frames_read(r, WORKER_FRAME_RESULT, 0, &result, NULL) == 0 &&
		pipelines_publish(pipelines, &result);
}

static bool on_frame(void *data, enum worker_frame command, uint8_t type, struct bytes_reader *r)
{
	struct pipelines *pipelines = data;
	if (!r) { /* the tensors are the only large frame of this command */
		pipelines->job.state =
			command == WORKER_COMMAND_DECODE ? JOB_NO_MEMORY : pipelines->job.state;
		return command == WORKER_COMMAND_DECODE;
	}
	switch (type) {
	case WORKER_FRAME_ENVELOPE:
		return pipelines_job_take_envelope(pipelines, r);
	case WORKER_FRAME_TENSORS:
		return command == WORKER_COMMAND_DECODE && pipelines_job_take_tensors(pipelines, r);
	case WORKER_FRAME_MODEL_REQUEST:
		return take_model_request(pipelines, r);
	case WORKER_FRAME_RESULT:
		return take_result(pipelines, r);
	default:
		return false;
	}
}

/* ---- life of the child */

/* Forgets the state of a child that has ended. */
static void forget_child(struct pipelines *pipelines, const char *why, bool may_again)
{
	pipelines->epoch++;
	pipelines_forget_requests(pipelines);
	pipelines_publish_all_inactive(pipelines);
	pipelines_refuse_running(pipelines, why);
	pipelines_job_retry(pipelines, why, may_again);
}

/* A payload that has ended the process itself is not decoded again. */
static void on_end(void *data, enum worker_frame command, enum worker_end how, const char *why)
{
	struct pipelines *pipelines = data;
	bool may_again = !pipelines->stopped && how != WORKER_LATE &&
		(command != WORKER_COMMAND_DECODE || how != WORKER_CRASHED);
	if (command == WORKER_COMMAND_OPEN && (how == WORKER_LATE || how == WORKER_CRASHED)) {
		pipelines->items[pipelines->opened]->ends++;
	}
	forget_child(pipelines, why, may_again);
}

static void begin(struct pipelines *pipelines)
{
	if (pipelines->stopped) {
		return;
	}
	pipelines->opened = 0;
	for (size_t i = 0; i < pipelines->n_models; i++) {
		struct pipelines_model *model = &pipelines->models[i];
		model->send_removal = false;
		model->send_frame = model->frame.size > 0;
		model->send_examples = model->examples.size > 0;
	}
	for (size_t i = 0; i < pipelines->n; i++) {
		pipelines->items[i]->send_threshold = !isnan(pipelines->items[i]->threshold);
	}
	worker_start(&pipelines->worker);
}

/* Without pipelines the process starts with the first request that it decodes. */
static void on_may_restart(void *data)
{
	struct pipelines *pipelines = data;
	if (pipelines->n > 0) {
		begin(pipelines);
	}
	pipelines_dispatch(pipelines);
}

void pipelines_start(struct pipelines *pipelines)
{
	static const struct worker_events events = {.on_frame = on_frame,
		.on_done = on_done,
		.on_end = on_end,
		.on_may_restart = on_may_restart};
	const struct settings *s = pipelines->mqtt_requests->settings;
	worker_init(&pipelines->worker, pipelines->loop, pipelines->mqtt_requests->log,
		s->decode_memory, s->decode_timeout_ms,
		s->max_memory ? s->max_memory / 4 : s->decode_memory, &events, pipelines);
	pipelines_load_settings(pipelines);
	on_may_restart(pipelines);
}

int pipelines_reload(struct pipelines *pipelines, size_t *ret_bad, struct error *err)
{
	const struct settings *s = pipelines->mqtt_requests->settings;
	worker_kill(&pipelines->worker);
	pipelines->worker.memory_bytes = s->decode_memory;
	pipelines->worker.timeout_ms = s->decode_timeout_ms;
	forget_child(pipelines, "the configuration was read again", true);
	int r = pipelines_load(pipelines, ret_bad, err);
	for (size_t i = 0; i < pipelines->n_models; i++) {
		known_models_forget_description(
			pipelines->mqtt_requests->models, pipelines->models[i].name);
	}
	on_may_restart(pipelines);
	pipelines_announce(pipelines, NULL);
	return r;
}

void pipelines_stop(struct pipelines *pipelines)
{
	pipelines->stopped = true;
	worker_stop(&pipelines->worker);
}

void pipelines_deinit(struct pipelines *pipelines)
{
	for (size_t i = 0; i < pipelines->n; i++) {
		mqtt_pipeline_free(pipelines->items[i]);
	}
	for (size_t i = 0; i < pipelines->n_models; i++) {
		pipelines_model_deinit(&pipelines->models[i]);
	}
	free(pipelines->models);
}

/* ---- inputs */

struct mqtt_pipeline *pipelines_find(const struct pipelines *pipelines, const char *name)
{
	uint32_t i = index_of(pipelines, name);
	return i < pipelines->n ? pipelines->items[i] : NULL;
}

struct pipelines_source *pipelines_source_find(
	struct mqtt_pipeline *pipeline, uint32_t connection_id, const char *name)
{
	for (size_t i = 0; i < pipeline->n_sources; i++) {
		if (pipeline->sources[i].connection_id == connection_id &&
			strcmp(pipeline->sources[i].name, name) == 0) {
			return &pipeline->sources[i];
		}
	}
	return NULL;
}

/* Returns the source. If there are too many, it replaces the least recently used. */
static struct pipelines_source *source_of(struct pipelines *pipelines,
	struct mqtt_pipeline *pipeline, struct broker_connection *conn, uint32_t connection_id,
	const char *name)
{
	struct pipelines_source *known = pipelines_source_find(pipeline, connection_id, name);
	struct pipelines_source *oldest = &pipeline->sources[0];
	if (known) {
		return known;
	}
	for (size_t i = 0; i < pipeline->n_sources; i++) {
		if (pipeline->sources[i].last_used < oldest->last_used) {
			oldest = &pipeline->sources[i];
		}
	}
	struct pipelines_source *source = pipeline->n_sources < PIPELINE_MAX_SOURCES
		? &pipeline->sources[pipeline->n_sources++]
		: oldest;
	pipelines_forget_source(pipelines, pipeline, source);
	free(source->unpublished);
	*source = (struct pipelines_source){.connection_id = connection_id, .conn = conn};
	snprintf(source->name, sizeof(source->name), "%s", name);
	return source;
}

void pipelines_add_known_source(struct pipelines *pipelines, struct broker_connection *conn,
	const char *name, const char *source)
{
	struct mqtt_pipeline *pipeline = pipelines_find(pipelines, name);
	if (pipeline && pipeline->n_sources < PIPELINE_MAX_SOURCES) { /* replaces no other source */
		source_of(pipelines, pipeline, conn, conn->number, source)->known = true;
	}
}

void pipelines_forget_connection(struct pipelines *pipelines, const struct broker_connection *conn)
{
	for (size_t i = 0; i < pipelines->n; i++) {
		struct mqtt_pipeline *pipeline = pipelines->items[i];
		for (size_t k = 0; k < pipeline->n_sources; k++) {
			struct pipelines_source *source = &pipeline->sources[k];
			source->conn = source->conn == conn ? NULL : source->conn;
		}
	}
}

bool pipelines_is_poolable(const struct pipelines *pipelines, const struct mqtt_pipeline *pipeline)
{
	bool ready = pipelines->has_worked && !pipeline->refused[0] && !pipeline->off;
	const char *model = NULL;
	for (size_t i = 0; ready && (model = pipeline_model_name(pipeline->parsed, i)); i++) {
		const struct model_entry *entry =
			known_models_find(pipelines->mqtt_requests->models, model);
		ready = entry && known_models_is_ready(entry);
	}
	return ready && !pipeline->properties.remembers && pipelines_has_responses(pipeline);
}

/* Returns the waiting input of the same source as @newer; NULL: none. */
static struct mqtt_request *older_input(
	const struct mqtt_requests *requests, const struct mqtt_request *newer)
{
	struct mqtt_request *request = requests->first;
	while (request &&
		(request->state != MQTT_REQUEST_NEW || !request->of_pipeline ||
			strcmp(request->target, newer->target) != 0 ||
			request->connection_id != newer->connection_id ||
			strcmp(request->source, newer->source) != 0)) {
		request = request->next;
	}
	return request;
}

void pipelines_accept(struct pipelines *pipelines, struct mqtt_request *request)
{
	struct mqtt_pipeline *pipeline = pipelines_find(pipelines, request->target);
	struct pipelines_source *source = source_of(
		pipelines, pipeline, request->conn, request->connection_id, request->source);
	source->last_used = ++pipelines->uses;
	struct mqtt_request *older = pipeline->properties.latest_only
		? older_input(pipelines->mqtt_requests, request)
		: NULL;
	if (older) {
		pipelines->counts.sampled++;
		if (older->response_topic) {
			request_respond_refuse(pipelines->mqtt_requests, older,
				EDGE_CLIENT_SUPERSEDED, "a newer input took its place");
		}
		request_serve_finish(pipelines->mqtt_requests, older);
	}
}
