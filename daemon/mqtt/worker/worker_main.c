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

/* The last WORKER_COMMAND_MODEL or WORKER_COMMAND_EXAMPLES of a model. */
struct known {
	struct known *next;
	enum worker_frame command;
	char model[PIPELINES_MODEL_SIZE], signature[PIPELINES_MODEL_SIZE];
	uint8_t *frame; /* owned */
	size_t size;
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
	struct known *known;
	uint64_t memory_bytes; /* limit of the sandbox */
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

static struct known *known_find(const struct state *state, enum worker_frame command,
	const char *model, const char *signature)
{
	struct known *known = state->known;
	while (known &&
		(known->command != command || strcmp(known->model, model) != 0 ||
			strcmp(known->signature, signature) != 0)) {
		known = known->next;
	}
	return known;
}

/* Reads the last command about a model. Without one, *ret_record stays as it is. */
static int known_read(const struct state *state, enum worker_frame command, const char *model,
	const char *signature, void *ret_record, struct error *err)
{
	const struct known *known = known_find(state, command, model, signature);
	struct bytes_reader r =
		bytes_reader_of(known ? known->frame : NULL, known ? known->size : 0);
	return known ? worker_frames_read(&r, command, 0, ret_record, err) : 0;
}

/* Keeps a copy of the command for known_read(). */
static int known_set(struct state *state, enum worker_frame command, const char *model,
	const char *signature, const struct bytes_reader *frame, struct error *err)
{
	const size_t size = frame->size - frame->at;
	struct known *known = known_find(state, command, model, signature);
	owned_mem uint8_t *copy = malloc(size);
	if (!copy || (!known && !(known = calloc(1, sizeof(*known))))) {
		return error_no_memory(err);
	}
	if (!known->frame) {
		known->command = command;
		snprintf(known->model, sizeof(known->model), "%s", model);
		snprintf(known->signature, sizeof(known->signature), "%s", signature);
		known->next = state->known;
		state->known = known;
	}
	memcpy(copy, frame->data + frame->at, size);
	free(known->frame);
	known->frame = take(copy);
	known->size = size;
	return 0;
}

static int describe(void *context, const char *name, const char *signature,
	struct pipeline_model *ret_model, struct error *err)
{
	const struct open_pipeline *open = context;
	struct worker_model model = {0};
	int code = known_read(
		open->state, WORKER_COMMAND_MODEL, name, signature ? signature : "", &model, err);
	if (code < 0) {
		return code;
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

static int model_take(struct state *state, const struct worker_model *model,
	const struct bytes_reader *frame, struct error *err)
{
	int code =
		known_set(state, WORKER_COMMAND_MODEL, model->name, model->signature, frame, err);
	if (code < 0) {
		return code;
	}
	forget_models(state);
	if (!model->is_served) {
		forget_sources(state, model->name);
	}
	return 0;
}

static int examples_take(struct state *state, const struct worker_examples *examples,
	const struct bytes_reader *frame, struct error *err)
{
	int code = known_set(state, WORKER_COMMAND_EXAMPLES, examples->model, "", frame, err);
	if (code == 0) {
		forget_models(state);
	}
	return code;
}

static int examples_copy(void *context, const char *model, char **ret_text, struct error *err)
{
	const struct open_pipeline *open = context;
	struct worker_examples examples = {.text = ""};
	int code = known_read(open->state, WORKER_COMMAND_EXAMPLES, model, "", &examples, err);
	*ret_text = code < 0 ? NULL : strdup(examples.text);
	return *ret_text || code < 0 ? code : error_no_memory(err);
}

/* ---- results and model requests */

static void on_result(void *context, const struct pipeline_result *from)
{
	const struct open_pipeline *open = context;
	struct worker_result result = {.pipeline = open->index,
		.stage = (uint32_t)from->stage_index,
		.kind = from->kind,
		.event = from->event,
		.only_for_requester = from->only_for_requester,
		.time_us = from->time_us,
		.tag = from->tag,
		.connection_id = from->origin,
		.flat_json = from->flat_json,
		.flat_json_bytes = strlen(from->flat_json),
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

static void model_response_take(struct state *state, struct worker_model_response *response)
{
	uint32_t i = 0;
	while (i < state->n_sent &&
		(state->sent[i].pipeline != response->pipeline ||
			state->sent[i].request->id != response->id)) {
		i++;
	}
	if (i == state->n_sent) {
		return;
	}
	struct pipeline *p = state->pipelines[response->pipeline].pipeline;
	const struct pipeline_question *request = state->sent[i].request;
	state->sent[i] = state->sent[--state->n_sent];
	if (!response->error.code && response->n != request->n_outputs) {
		error_set(&response->error, -EPROTO, "%u outputs instead of %u", response->n,
			request->n_outputs);
	}
	if (response->error.code) {
		pipeline_fail(p, request, &response->error);
	} else {
		int sent = pipeline_answer(p, request, response->tensors, response->n, NULL);
		(void)sent; /* errors are reported to the sink */
	}
}

/* ---- commands */

static int open_take(struct state *state, const struct worker_pipeline *file, struct error *err)
{
	if (state->n == PIPELINES_MAX) {
		return error_set(err, -EFBIG, "too many pipelines");
	}
	struct open_pipeline *open = &state->pipelines[state->n];
	const struct pipeline_models models = {
		.describe = describe, .context = open, .examples = examples_copy};
	const struct pipeline_sink sink = {.result = on_result, .context = open};
	open->state = state;
	open->index = state->n++; /* the parent counts rejected pipelines, too */
	return pipeline_open_text(
		file->path, file->text, file->size, &models, &sink, &open->pipeline, err);
}

/* Returns true if the input may be a JSON envelope. */
static bool may_be_envelope(const struct worker_input *input)
{
	const char *type = input->content_type;
	return decode_first_character(input->data, input->size) == '{' && !input->fields[0] &&
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

static int input_take(struct state *state, const struct worker_input *input, struct error *err)
{
	owned_mem char *numbers = NULL;
	owned_mem uint8_t *data = NULL;
	bool wait = false;
	uint32_t rate = 0, channels = 0;
	int code = 0;
	struct pipeline *p = find(state, input->pipeline);
	if (!p) {
		return error_set(err, -ENOENT, "no such pipeline");
	}
	bool sound = pipeline_input_mode(p, &rate, &channels) == PIPELINE_STREAM_SOUND;
	struct pipeline_input push = {.data = input->data,
		.size = input->size,
		.content_type = input->content_type[0] ? input->content_type : NULL,
		.source = input->source,
		.origin = input->connection_id,
		.time_us = sound ? 0 : input->time_us, /* the number of samples is a better clock */
		.deadline_ns = input->deadline_ns,
		.tag = input->tag};
	if (input->fields[0]) {
		code = envelope_fields(
			input->data, input->size, input->fields, &numbers, &push.size, err);
		push.data = numbers;
		push.content_type = "text/csv";
	} else if (may_be_envelope(input)) {
		code = input_open(state, input, &push, &data, &wait, err);
	}
	return code < 0 || wait ? code : pipeline_push(p, &push, err);
}

static int threshold_take(
	struct state *state, const struct worker_threshold *set, struct error *err)
{
	struct pipeline *p = find(state, set->pipeline);
	return p ? pipeline_set_threshold(p, set->threshold, err)
		 : error_set(err, -ENOENT, "no such pipeline");
}

/* Decodes the payload of a request to a model. */
static int decode_take(struct state *state, const struct decode_job *job, struct error *err)
{
	struct decode_result result = {0};
	int code = decode_run(job, &result, err);
	if (result.envelope.there && /* also if it has a mistake: it may name the response topic */
		!send_frame(state, WORKER_FRAME_ENVELOPE, &result.envelope)) {
		code = error_no_memory(err);
	}
	if (code == 0 && !send_frame(state, WORKER_FRAME_TENSORS, &result)) {
		code = error_no_memory(err);
	}
	decode_result_free(&result);
	return code;
}

static int begin_take(struct state *state, const struct worker_begin *begin, struct error *err)
{
	if (begin->max_requests > PIPELINES_MAX_REQUESTS) {
		return error_set(err, -EPROTO, "too many model requests");
	}
	state->max_sent = begin->max_requests;
	child_sandbox_enter(CPU_SECONDS, state->memory_bytes);
	return 0;
}

union record {
	struct worker_pipeline file;
	struct worker_begin begin;
	struct worker_model model;
	struct worker_examples examples;
	struct worker_input input;
	struct worker_model_response response;
	struct worker_threshold threshold;
	struct decode_job job;
};

/* @frame: the fields of the command, which @record was read from. */
static int take_record(struct state *state, enum worker_frame command, union record *record,
	const struct bytes_reader *frame, struct error *err)
{
	switch (command) {
	case WORKER_COMMAND_OPEN:
		return open_take(state, &record->file, err);
	case WORKER_COMMAND_BEGIN:
		return begin_take(state, &record->begin, err);
	case WORKER_COMMAND_MODEL:
		return model_take(state, &record->model, frame, err);
	case WORKER_COMMAND_EXAMPLES:
		return examples_take(state, &record->examples, frame, err);
	case WORKER_COMMAND_INPUT:
		return input_take(state, &record->input, err);
	case WORKER_COMMAND_MODEL_RESPONSE:
		model_response_take(state, &record->response);
		return 0;
	case WORKER_COMMAND_SET_THRESHOLD:
		return threshold_take(state, &record->threshold, err);
	default:
		return decode_take(state, &record->job, err);
	}
}

static int run_command(struct state *state, struct bytes_reader *r, struct error *err)
{
	union record record;
	const enum worker_frame command = bytes_read_u8(r);
	const struct bytes_reader frame = *r;
	if (command < WORKER_COMMAND_OPEN || command > WORKER_COMMAND_DECODE) {
		return error_set(err, -EPROTO, "no such command");
	}
	int code = worker_frames_read(r, command, UINT64_MAX, &record, err);
	if (code == 0) {
		code = take_record(state, command, &record, &frame, err);
		worker_frames_free(command, &record);
	}
	return code;
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
	state.memory_bytes = memory_bytes;
	for (;;) {
		struct worker_done done = {0};
		size_t size = 0;
		owned_mem uint8_t *frame = worker_frames_receive(&size);
		if (!frame || state.broken) {
			return 0; /* the exit frees everything */
		}
		struct bytes_reader r = bytes_reader_of(frame, size);
		int code = run_command(&state, &r, &done.error);
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
