/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/worker/worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/pipeline/pipeline.h"
#include "daemon/mqtt/worker/decode.h"
#include "daemon/mqtt/worker/worker_frames.h"
#include "daemon/system/child_sandbox.h"

#define CPU_SECONDS (1 << 30) /* not used; the parent limits the time of each command */

/* The last WORKER_COMMAND_MODEL command of a model. */
struct known_model {
	struct known_model *next;
	char name[PIPELINES_MODEL_SIZE], signature[PIPELINES_MODEL_SIZE];
	uint8_t *frame; /* owned */
	size_t size;
};

/* The few-shot examples of a model. */
struct known_examples {
	struct known_examples *next;
	char model[PIPELINES_MODEL_SIZE];
	char *text; /* owned */
};

struct state;

struct open_pipeline {
	struct state *state;
	struct pipeline *pipeline; /* owned; NULL: opening failed, the index stays used */
	uint32_t index;
};

/* All that the process knows. */
struct state {
	struct open_pipeline pipelines[PIPELINES_MAX];
	uint32_t n;
	struct known_model *models;
	struct known_examples *examples;
	struct {
		uint32_t pipeline;
		const struct pipeline_question *request;
	} sent[PIPELINES_MAX_REQUESTS]; /* model requests without a response */
	uint32_t n_sent, max_sent;
	uint32_t next; /* index of the pipeline whose requests are sent next */
	bool broken; /* the parent is gone */
};

/* Sends a frame. Returns false without memory for it; nothing was sent then. */
static bool send_frame(struct state *state, enum worker_frame type, const void *record)
{
	struct bytes_writer w = {0};
	worker_frames_write(&w, type, record);
	const bool whole = !w.failed;
	state->broken |= whole && !worker_frames_send(&w);
	bytes_writer_deinit(&w);
	return whole;
}

static struct pipeline *find(const struct state *state, uint32_t index)
{
	return index < state->n ? state->pipelines[index].pipeline : NULL;
}

/* ---- models */

static struct known_model *model_find(
	const struct state *state, const char *name, const char *signature)
{
	struct known_model *model = state->models;
	while (model && (strcmp(model->name, name) || strcmp(model->signature, signature))) {
		model = model->next;
	}
	return model;
}

static int describe(void *context, const char *name, const char *signature,
	struct pipeline_model *ret_model, struct error *err)
{
	const struct open_pipeline *open = context;
	const struct known_model *known = model_find(open->state, name, signature ? signature : "");
	struct worker_model model = {0};
	if (known) {
		struct bytes_reader r = bytes_reader_of(known->frame, known->size);
		int code = worker_frames_read(&r, WORKER_COMMAND_MODEL, 0, &model, err);
		if (code < 0) {
			return code;
		}
	}
	if (!model.is_served) {
		worker_frames_free(WORKER_COMMAND_MODEL, &model);
		return error_set(err, -ENOENT, "there is no model %s", name);
	}
	*ret_model = model.model;
	return 0;
}

/* The pipelines request the descriptions again. */
static void forget_models(struct state *state)
{
	for (uint32_t i = 0; i < state->n; i++) {
		if (state->pipelines[i].pipeline) {
			pipeline_forget_models(state->pipelines[i].pipeline);
		}
	}
}

/* Resets the pipelines of a model that edged no longer serves. The parent has published the
 * reset. */
static void forget_sources(struct state *state, const char *model)
{
	for (uint32_t i = 0; i < state->n; i++) {
		struct pipeline *p = state->pipelines[i].pipeline;
		const char *name = NULL;
		for (size_t k = 0; p && (name = pipeline_model_name(p, k)); k++) {
			if (strcmp(name, model) == 0) {
				pipeline_forget_sources(p);
			}
		}
	}
}

static int model_take(struct state *state, struct bytes_reader *r, struct error *err)
{
	struct worker_model read;
	struct bytes_reader again = *r;
	int code = worker_frames_read(&again, WORKER_COMMAND_MODEL, 0, &read, err);
	if (code < 0) {
		return code;
	}
	worker_frames_free(WORKER_COMMAND_MODEL, &read);
	struct known_model *model = model_find(state, read.name, read.signature);
	if (!model) {
		model = calloc(1, sizeof(*model));
		if (!model) {
			return error_no_memory(err);
		}
		memcpy(model->name, read.name, sizeof(read.name));
		memcpy(model->signature, read.signature, sizeof(read.signature));
		model->next = state->models;
		state->models = model;
	}
	free(model->frame);
	model->size = r->size - r->at;
	model->frame = malloc(model->size);
	if (!model->frame) {
		model->size = 0;
		return error_no_memory(err);
	}
	memcpy(model->frame, r->data + r->at, model->size);
	forget_models(state);
	if (!read.is_served) {
		forget_sources(state, read.name);
	}
	return 0;
}

static struct known_examples *examples_find(const struct state *state, const char *model)
{
	struct known_examples *examples = state->examples;
	while (examples && strcmp(examples->model, model) != 0) {
		examples = examples->next;
	}
	return examples;
}

static int examples_take(struct state *state, struct bytes_reader *r, struct error *err)
{
	struct worker_examples read;
	int code = worker_frames_read(r, WORKER_COMMAND_EXAMPLES, 0, &read, err);
	if (code < 0) {
		return code;
	}
	struct known_examples *examples = examples_find(state, read.model);
	owned_mem char *copy = strdup(read.text);
	if (!copy || (!examples && !(examples = calloc(1, sizeof(*examples))))) {
		return error_no_memory(err);
	}
	if (!examples->text) {
		memcpy(examples->model, read.model, sizeof(read.model));
		examples->next = state->examples;
		state->examples = examples;
	}
	free(examples->text);
	examples->text = take(copy);
	forget_models(state);
	return 0;
}

static int examples_copy(void *context, const char *model, char **ret_text, struct error *err)
{
	const struct open_pipeline *open = context;
	const struct known_examples *examples = examples_find(open->state, model);
	*ret_text = strdup(examples ? examples->text : "");
	return *ret_text ? 0 : error_no_memory(err);
}

/* ---- results and model requests */

static void on_result(void *context, const struct pipeline_result *from)
{
	const struct open_pipeline *open = context;
	struct worker_result result = {.pipeline = open->index,
		.stage = (uint32_t)from->stage_index,
		.kind = from->kind,
		.event = from->event,
		.quiet = from->quiet,
		.time_us = from->time_us,
		.tag = from->tag,
		.connection_id = from->origin,
		.flat = from->flat,
		.flat_bytes = strlen(from->flat),
		.snapshot = from->snapshot,
		.snapshot_bytes = from->snapshot_bytes};
	snprintf(result.source, sizeof(result.source), "%s", from->source);
	if (!send_frame(open->state, WORKER_FRAME_RESULT, &result)) {
		result.snapshot = NULL;
		result.snapshot_bytes = 0;
		bool sent = send_frame(open->state, WORKER_FRAME_RESULT, &result);
		(void)sent; /* without memory the result is lost */
	}
}

static int send_model_request(
	const struct open_pipeline *open, const struct pipeline_question *from, struct error *err)
{
	struct worker_model_request request = {.pipeline = open->index,
		.id = from->id,
		.connection_id = from->origin,
		.session = from->session,
		.deadline_ns = from->deadline_ns,
		.priority = from->priority,
		.n = from->n_inputs};
	if (from->n_inputs > PIPELINES_MAX_TENSORS) {
		return error_set(err, -EOPNOTSUPP, "too many inputs");
	}
	snprintf(request.model, sizeof(request.model), "%s", from->model);
	snprintf(request.signature, sizeof(request.signature), "%s",
		from->signature ? from->signature : "");
	snprintf(request.source, sizeof(request.source), "%s", from->source);
	memcpy(request.tensors, from->inputs, from->n_inputs * sizeof(request.tensors[0]));
	return send_frame(open->state, WORKER_FRAME_MODEL_REQUEST, &request) ? 0
									     : error_no_memory(err);
}

/* Sends model requests of all pipelines in turn, up to the parent's limit. */
static void send_model_requests(struct state *state)
{
	uint32_t idle = 0;
	while (idle < state->n && state->n_sent < state->max_sent && !state->broken) {
		struct error err = {0};
		struct open_pipeline *open = &state->pipelines[state->next++ % state->n];
		const struct pipeline_question *request =
			open->pipeline ? pipeline_next(open->pipeline) : NULL;
		idle = request ? 0 : idle + 1;
		if (!request) {
			continue;
		}
		if (send_model_request(open, request, &err) < 0) {
			pipeline_fail(open->pipeline, request, &err);
			continue;
		}
		state->sent[state->n_sent].pipeline = open->index;
		state->sent[state->n_sent++].request = request;
	}
}

static int model_response_take(struct state *state, struct bytes_reader *r, struct error *err)
{
	struct worker_model_response response;
	int code = worker_frames_read(r, WORKER_COMMAND_MODEL_RESPONSE, UINT64_MAX, &response, err);
	if (code < 0) {
		return code;
	}
	uint32_t i = 0;
	while (i < state->n_sent &&
		(state->sent[i].pipeline != response.pipeline ||
			state->sent[i].request->id != response.id)) {
		i++;
	}
	if (i < state->n_sent) {
		struct pipeline *p = state->pipelines[response.pipeline].pipeline;
		const struct pipeline_question *request = state->sent[i].request;
		state->sent[i] = state->sent[--state->n_sent];
		if (!response.error.code && response.n != request->n_outputs) {
			error_set(&response.error, -EPROTO, "%u outputs instead of %u", response.n,
				request->n_outputs);
		}
		if (response.error.code) {
			pipeline_fail(p, request, &response.error);
		} else {
			int sent = pipeline_answer(p, request, response.tensors, response.n, NULL);
			(void)sent; /* errors are reported to the sink */
		}
	}
	worker_frames_free(WORKER_COMMAND_MODEL_RESPONSE, &response);
	return 0;
}

/* ---- commands */

static int open_take(struct state *state, struct bytes_reader *r, struct error *err)
{
	struct worker_pipeline file;
	int code = worker_frames_read(r, WORKER_COMMAND_OPEN, 0, &file, err);
	if (state->n == PIPELINES_MAX) {
		return error_set(err, -EFBIG, "too many pipelines");
	}
	struct open_pipeline *open = &state->pipelines[state->n];
	open->state = state;
	open->index = state->n++; /* the parent counts rejected pipelines, too */
	if (code < 0) {
		return code;
	}
	const struct pipeline_models models = {
		.describe = describe, .context = open, .examples = examples_copy};
	const struct pipeline_sink sink = {.result = on_result, .context = open};
	return pipeline_open_text(
		file.path, file.text, file.size, &models, &sink, &open->pipeline, err);
}

/* Returns true if the input may be a JSON envelope. */
static bool may_be_envelope(const struct worker_input *input)
{
	const char *text = input->data, *type = input->content_type;
	size_t at = 0;
	while (at < input->size && text[at] && strchr(" \t\r\n", text[at])) {
		at++;
	}
	return at < input->size && text[at] == '{' && !input->fields[0] &&
		(!type[0] || strcmp(type, "application/json") == 0);
}

/* Replaces @push by the data of an envelope. *ret_wait: sends the envelope; the parent sends the
 * input again, because it needs the response topic first. */
static int input_open(struct state *state, const struct worker_input *input,
	struct pipeline_input *push, uint8_t **ret_data, bool *ret_wait, struct error *err)
{
	struct decode_envelope envelope = {0};
	enum decode_format format = DECODE_AUTO;
	size_t bytes = 0;
	int code =
		envelope_open(input->data, input->size, &envelope, ret_data, &bytes, &format, err);
	if (envelope.there && !input->envelope_parsed) {
		*ret_wait = true;
		return send_frame(state, WORKER_FRAME_ENVELOPE, &envelope) ? code
									   : error_no_memory(err);
	}
	if (code == 0 && envelope.there) {
		const char *type = decode_content_type(format);
		push->data = *ret_data;
		push->size = bytes;
		push->content_type = type[0] ? type : NULL;
	}
	return code;
}

static int input_take(struct state *state, struct bytes_reader *r, struct error *err)
{
	struct worker_input input;
	owned_mem char *numbers = NULL;
	owned_mem uint8_t *data = NULL;
	bool wait = false;
	uint32_t rate = 0, channels = 0;
	int code = worker_frames_read(r, WORKER_COMMAND_INPUT, 0, &input, err);
	struct pipeline *p = code < 0 ? NULL : find(state, input.pipeline);
	if (!p) {
		return code < 0 ? code : error_set(err, -ENOENT, "no such pipeline");
	}
	bool sound = pipeline_feed(p, &rate, &channels) == PIPELINE_STREAM_SOUND;
	struct pipeline_input push = {.data = input.data,
		.size = input.size,
		.content_type = input.content_type[0] ? input.content_type : NULL,
		.source = input.source,
		.origin = input.connection_id,
		.time_us = sound ? 0 : input.time_us, /* the number of samples is a better clock */
		.deadline_ns = input.deadline_ns,
		.tag = input.tag};
	if (input.fields[0]) {
		code = envelope_fields(
			input.data, input.size, input.fields, &numbers, &push.size, err);
		push.data = numbers;
		push.content_type = "text/csv";
	} else if (may_be_envelope(&input)) {
		code = input_open(state, &input, &push, &data, &wait, err);
	}
	return code < 0 || wait ? code : pipeline_push(p, &push, err);
}

static int threshold_take(struct state *state, struct bytes_reader *r, struct error *err)
{
	struct worker_threshold set;
	int code = worker_frames_read(r, WORKER_COMMAND_SET_THRESHOLD, 0, &set, err);
	struct pipeline *p = code < 0 ? NULL : find(state, set.pipeline);
	if (code < 0) {
		return code;
	}
	return p ? pipeline_set_threshold(p, set.threshold, err)
		 : error_set(err, -ENOENT, "no such pipeline");
}

/* Decodes the payload of a request to a model. */
static int decode_take(struct state *state, struct bytes_reader *r, struct error *err)
{
	struct decode_job job;
	struct decode_result result = {0};
	int code = worker_frames_read(r, WORKER_COMMAND_DECODE, 0, &job, err);
	code = code < 0 ? code : decode_run(&job, &result, err);
	if (result.envelope.there && /* also if it has a mistake: it may name the response topic */
		!send_frame(state, WORKER_FRAME_ENVELOPE, &result.envelope)) {
		code = error_no_memory(err);
	}
	if (code == 0 && !send_frame(state, WORKER_FRAME_TENSORS, &result)) {
		code = error_no_memory(err);
	}
	decode_result_free(&result);
	worker_frames_free(WORKER_COMMAND_DECODE, &job);
	return code;
}

static int begin_take(
	struct state *state, struct bytes_reader *r, uint64_t memory_bytes, struct error *err)
{
	struct worker_begin begin;
	int code = worker_frames_read(r, WORKER_COMMAND_BEGIN, 0, &begin, err);
	if (code < 0 || begin.max_requests > PIPELINES_MAX_REQUESTS) {
		return error_set(err, -EPROTO, "too many model requests");
	}
	state->max_sent = begin.max_requests;
	child_sandbox_enter(CPU_SECONDS, memory_bytes);
	return 0;
}

static int run_command(
	struct state *state, struct bytes_reader *r, uint64_t memory_bytes, struct error *err)
{
	switch (bytes_read_u8(r)) {
	case WORKER_COMMAND_OPEN:
		return open_take(state, r, err);
	case WORKER_COMMAND_BEGIN:
		return begin_take(state, r, memory_bytes, err);
	case WORKER_COMMAND_MODEL:
		return model_take(state, r, err);
	case WORKER_COMMAND_EXAMPLES:
		return examples_take(state, r, err);
	case WORKER_COMMAND_INPUT:
		return input_take(state, r, err);
	case WORKER_COMMAND_MODEL_RESPONSE:
		return model_response_take(state, r, err);
	case WORKER_COMMAND_SET_THRESHOLD:
		return threshold_take(state, r, err);
	case WORKER_COMMAND_DECODE:
		return decode_take(state, r, err);
	default:
		return error_set(err, -EPROTO, "no such command");
	}
}

/* Fills done->tags. The parent's limit of running inputs keeps them within PIPELINES_MAX_TAGS. */
static void collect_tags(const struct state *state, struct worker_done *done)
{
	uint64_t some[PIPELINE_MAX_QUESTIONS];
	for (uint32_t i = 0; i < state->n; i++) {
		const struct pipeline *p = state->pipelines[i].pipeline;
		const size_t n = p ? pipeline_tags(p, some) : 0;
		for (size_t k = 0; k < n && done->n < PIPELINES_MAX_TAGS; k++) {
			bool known = false;
			for (uint32_t j = 0; j < done->n && !known; j++) {
				known = done->tags[j] == some[k];
			}
			done->tags[done->n] = some[k];
			done->n += !known;
		}
	}
}

int worker_main(uint64_t memory_bytes)
{
	static struct state state; /* one per process; too large for the stack */
	for (;;) {
		struct worker_done done = {0};
		size_t size = 0;
		owned_mem uint8_t *frame = worker_frames_receive(&size);
		if (!frame || state.broken) {
			return 0; /* the exit frees everything */
		}
		struct bytes_reader r = bytes_reader_of(frame, size);
		int code = run_command(&state, &r, memory_bytes, &done.error);
		if (code == -ENOMEM) { /* the text names the setting to raise */
			error_prefix(&done.error, "decode-memory");
		}
		send_model_requests(&state);
		collect_tags(&state, &done);
		if (!send_frame(&state, WORKER_FRAME_DONE, &done)) {
			return 1; /* the parent sees the end of the process */
		}
	}
}
