/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/worker/worker_frames.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/mqtt/worker/child_frames.h"

#define MAX_SPECS 256

static int bad_frame(struct error *err)
{
	return error_set(err, -EPROTO, "worker: an invalid frame");
}

static void frame_begin(struct bytes_writer *w, uint8_t type)
{
	bytes_write_u32(w, 0); /* length of the frame, set later */
	bytes_write_u8(w, type);
}

static void put_tensors(struct bytes_writer *w, const struct tensor_bytes *tensors, uint32_t n)
{
	bytes_write_u32(w, n);
	for (uint32_t i = 0; i < n; i++) {
		child_frames_put_tensor(w, &tensors[i]);
	}
}

static int get_tensors(struct bytes_reader *r, uint64_t max_bytes, struct tensor_bytes *tensors,
	uint32_t *ret_n, struct error *err)
{
	uint32_t n = bytes_read_u32(r);
	if (r->failed || n > PIPELINES_MAX_TENSORS) {
		return bad_frame(err);
	}
	for (uint32_t i = 0; i < n; i++) {
		int code = child_frames_get_tensor(r, max_bytes, &tensors[i], err);
		if (code < 0) {
			return code;
		}
		*ret_n = i + 1;
	}
	return 0;
}

static void free_tensors(struct tensor_bytes *tensors, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		tensor_free(&tensors[i]);
	}
}

static void put_bytes(struct bytes_writer *w, const void *data, size_t size)
{
	bytes_write_u32(w, (uint32_t)size);
	bytes_write(w, size ? data : "", size);
	bytes_write_u8(w, 0); /* zero byte of texts */
}

static const void *get_bytes(struct bytes_reader *r, size_t *ret_size)
{
	uint32_t size = bytes_read_u32(r);
	const uint8_t *data = bytes_read(r, size);
	bool ends = data && bytes_read_u8(r) == 0 && !r->failed;
	*ret_size = ends ? size : 0;
	r->failed |= !ends;
	return ends ? data : NULL;
}

/* ---- commands */

void worker_frames_open_write(
	struct bytes_writer *w, const char *path, const char *text, size_t size)
{
	frame_begin(w, WORKER_COMMAND_OPEN);
	put_bytes(w, path, strlen(path));
	put_bytes(w, text, size);
}

int worker_frames_open_read(
	struct bytes_reader *r, struct pipelines_text *ret_text, struct error *err)
{
	size_t length = 0;
	struct pipelines_text open = {0};
	open.path = get_bytes(r, &length);
	open.text = get_bytes(r, &open.size);
	if (r->failed) {
		return bad_frame(err);
	}
	*ret_text = open;
	return 0;
}

void worker_frames_begin_write(struct bytes_writer *w, uint32_t questions)
{
	frame_begin(w, WORKER_COMMAND_BEGIN);
	bytes_write_u32(w, questions);
}

static void put_specs(struct bytes_writer *w, const struct tensor_spec *specs, uint32_t n)
{
	bytes_write_u32(w, n);
	for (uint32_t i = 0; i < n; i++) {
		child_frames_put_spec(w, &specs[i]);
		bytes_write_f32(w, specs[i].score_threshold);
		put_bytes(w, specs[i].labels, specs[i].labels ? specs[i].labels_bytes : 0);
	}
}

/* Labels point into the frame. Returns NULL if the frame is invalid or there is no memory. */
static struct tensor_spec *get_specs(struct bytes_reader *r, uint32_t *ret_n)
{
	uint32_t n = bytes_read_u32(r);
	if (r->failed || n > MAX_SPECS) {
		r->failed = true;
		return NULL;
	}
	struct tensor_spec *specs = calloc((size_t)n + 1, sizeof(specs[0]));
	for (uint32_t i = 0; specs && i < n; i++) {
		child_frames_get_spec(r, &specs[i]);
		specs[i].score_threshold = bytes_read_f32(r);
		specs[i].labels = get_bytes(r, &specs[i].labels_bytes);
	}
	*ret_n = specs ? n : 0;
	return specs;
}

void worker_frames_model_write(struct bytes_writer *w, const char *name, const char *signature,
	const struct pipeline_model *model)
{
	frame_begin(w, WORKER_COMMAND_MODEL);
	child_frames_put_text(w, name);
	child_frames_put_text(w, signature);
	bytes_write_u8(w, model != NULL);
	if (model) {
		child_frames_put_text(w, model->version);
		put_specs(w, model->inputs, model->n_inputs);
		put_specs(w, model->outputs, model->n_outputs);
	}
}

/* Copies the labels from the frame to the model. */
static int copy_labels(struct pipeline_model *model)
{
	size_t room = 1;
	for (uint32_t i = 0; i < model->n_outputs; i++) {
		room += model->outputs[i].labels_bytes;
	}
	char *at = model->labels = malloc(room);
	for (uint32_t i = 0; at && i < model->n_outputs; i++) {
		struct tensor_spec *spec = &model->outputs[i];
		const char *from = spec->labels;
		spec->labels = spec->labels_bytes ? at : NULL;
		memcpy(at, from, spec->labels_bytes);
		at += spec->labels_bytes;
	}
	for (uint32_t i = 0; i < model->n_inputs; i++) {
		model->inputs[i].labels = NULL;
	}
	return model->labels ? 0 : -ENOMEM;
}

int worker_frames_model_read(struct bytes_reader *r, char name[PIPELINES_MODEL_SIZE],
	char signature[PIPELINES_MODEL_SIZE], bool *ret_found, struct pipeline_model *ret_model,
	struct error *err)
{
	struct pipeline_model model = {0};
	child_frames_get_text(r, name, PIPELINES_MODEL_SIZE);
	child_frames_get_text(r, signature, PIPELINES_MODEL_SIZE);
	*ret_found = bytes_read_u8(r) != 0;
	if (*ret_found) {
		child_frames_get_text(r, model.version, sizeof(model.version));
		model.inputs = get_specs(r, &model.n_inputs);
		model.outputs = model.inputs ? get_specs(r, &model.n_outputs) : NULL;
	}
	bool whole = !*ret_found || (model.inputs && model.outputs);
	if (r->failed || !whole || (*ret_found && copy_labels(&model) < 0)) {
		pipeline_model_free(&model);
		return r->failed ? bad_frame(err) : error_no_memory(err);
	}
	*ret_model = model;
	return 0;
}

void worker_frames_examples_write(struct bytes_writer *w, const char *model, const char *text)
{
	frame_begin(w, WORKER_COMMAND_EXAMPLES);
	child_frames_put_text(w, model);
	put_bytes(w, text, strlen(text));
}

int worker_frames_examples_read(struct bytes_reader *r, char model[PIPELINES_MODEL_SIZE],
	const char **ret_text, struct error *err)
{
	size_t size = 0;
	child_frames_get_text(r, model, PIPELINES_MODEL_SIZE);
	const char *text = get_bytes(r, &size);
	if (r->failed) {
		return bad_frame(err);
	}
	*ret_text = text;
	return 0;
}

void worker_frames_input_write(struct bytes_writer *w, const struct pipelines_input *input)
{
	frame_begin(w, WORKER_COMMAND_INPUT);
	bytes_write_u32(w, input->pipeline);
	bytes_write_u32(w, input->connection_id);
	child_frames_put_text(w, input->source);
	child_frames_put_text(w, input->content_type);
	child_frames_put_text(w, input->fields);
	bytes_write_u64(w, input->time_us);
	bytes_write_u64(w, input->deadline_ns);
	bytes_write_u64(w, input->tag);
	bytes_write_u8(w, input->envelope_parsed);
	put_bytes(w, input->data, input->size);
}

int worker_frames_input_read(
	struct bytes_reader *r, struct pipelines_input *ret_input, struct error *err)
{
	struct pipelines_input input = {0};
	input.pipeline = bytes_read_u32(r);
	input.connection_id = bytes_read_u32(r);
	child_frames_get_text(r, input.source, sizeof(input.source));
	child_frames_get_text(r, input.content_type, sizeof(input.content_type));
	child_frames_get_text(r, input.fields, sizeof(input.fields));
	input.time_us = bytes_read_u64(r);
	input.deadline_ns = bytes_read_u64(r);
	input.tag = bytes_read_u64(r);
	input.envelope_parsed = bytes_read_u8(r) != 0;
	input.data = get_bytes(r, &input.size);
	if (r->failed) {
		return bad_frame(err);
	}
	*ret_input = input;
	return 0;
}

static void put_error(struct bytes_writer *w, const struct error *error)
{
	bytes_write_u32(w, (uint32_t)-error->code);
	child_frames_put_text(w, error->code ? error->text : "");
}

static void get_error(struct bytes_reader *r, struct error *ret_error)
{
	char text[sizeof(ret_error->text)], escaped[sizeof(ret_error->text)];
	int code = -(int)(bytes_read_u32(r) & 0xFFF);
	child_frames_get_text(r, text, sizeof(text));
	*ret_error = (struct error){0};
	if (code) {
		error_set(ret_error, code, "%s",
			error_clean(escaped, sizeof(escaped), text, strlen(text)));
	}
}

void worker_frames_answer_write(struct bytes_writer *w, uint32_t pipeline, uint64_t question,
	const struct error *error, const struct tensor_bytes *tensors, uint32_t n)
{
	frame_begin(w, WORKER_COMMAND_ANSWER);
	bytes_write_u32(w, pipeline);
	bytes_write_u64(w, question);
	put_error(w, error);
	put_tensors(w, tensors, error->code ? 0 : n);
}

int worker_frames_answer_read(
	struct bytes_reader *r, struct pipelines_answer *ret_answer, struct error *err)
{
	*ret_answer = (struct pipelines_answer){0};
	ret_answer->pipeline = bytes_read_u32(r);
	ret_answer->question = bytes_read_u64(r);
	get_error(r, &ret_answer->error);
	int code = get_tensors(r, UINT64_MAX, ret_answer->tensors, &ret_answer->n, err);
	if (code < 0) {
		worker_frames_answer_deinit(ret_answer);
	}
	return code;
}

void worker_frames_answer_deinit(struct pipelines_answer *answer)
{
	free_tensors(answer->tensors, answer->n);
}

void worker_frames_set_threshold_write(struct bytes_writer *w, uint32_t pipeline, double threshold)
{
	uint64_t bits = 0;
	memcpy(&bits, &threshold, sizeof(bits));
	frame_begin(w, WORKER_COMMAND_SET_THRESHOLD);
	bytes_write_u32(w, pipeline);
	bytes_write_u64(w, bits);
}

static const char *get_text_in_place(struct bytes_reader *r)
{
	size_t size = 0;
	const char *text = get_bytes(r, &size);
	r->failed |= text && strlen(text) != size;
	return text;
}

void worker_frames_decode_write(struct bytes_writer *w, const struct decode_job *job)
{
	frame_begin(w, WORKER_COMMAND_DECODE);
	bytes_write_u8(w, (uint8_t)job->format);
	bytes_write_u8(w, (uint8_t)job->n_specs);
	for (uint32_t i = 0; i < job->n_specs; i++) {
		child_frames_put_spec(w, &job->specs[i]);
	}
	put_bytes(w, job->fields, strlen(job->fields));
	put_bytes(w, job->payload, job->size);
}

int worker_frames_decode_read(struct bytes_reader *r, struct tensor_spec *specs,
	struct decode_job *ret_job, struct error *err)
{
	struct decode_job job = {.specs = specs};
	job.format = (enum decode_format)bytes_read_u8(r);
	job.n_specs = bytes_read_u8(r);
	if (job.n_specs > DECODE_MAX_INPUTS || job.format >= DECODE_N_FORMATS) {
		return bad_frame(err);
	}
	for (uint32_t i = 0; i < job.n_specs; i++) {
		child_frames_get_spec(r, &specs[i]);
	}
	job.fields = get_text_in_place(r);
	job.payload = get_bytes(r, &job.size);
	if (r->failed) {
		return bad_frame(err);
	}
	*ret_job = job;
	return 0;
}

/* ---- frames of the child */

void worker_frames_done_write(
	struct bytes_writer *w, const struct error *error, const uint64_t *tags, uint32_t n)
{
	frame_begin(w, WORKER_FRAME_DONE);
	put_error(w, error);
	bytes_write_u32(w, n);
	for (uint32_t i = 0; i < n; i++) {
		bytes_write_u64(w, tags[i]);
	}
}

int worker_frames_done_read(
	struct bytes_reader *r, struct pipelines_done *ret_done, struct error *err)
{
	get_error(r, &ret_done->error);
	ret_done->n = bytes_read_u32(r);
	if (r->failed || ret_done->n > PIPELINES_MAX_TAGS) {
		return bad_frame(err);
	}
	for (uint32_t i = 0; i < ret_done->n; i++) {
		ret_done->tags[i] = bytes_read_u64(r);
	}
	return r->failed ? bad_frame(err) : 0;
}

void worker_frames_model_request_write(
	struct bytes_writer *w, uint32_t pipeline, const struct pipeline_question *q)
{
	frame_begin(w, WORKER_FRAME_MODEL_REQUEST);
	bytes_write_u32(w, pipeline);
	bytes_write_u64(w, q->id);
	child_frames_put_text(w, q->model);
	child_frames_put_text(w, q->signature ? q->signature : "");
	bytes_write_u32(w, q->origin);
	child_frames_put_text(w, q->source);
	bytes_write_u64(w, q->session);
	bytes_write_u64(w, q->deadline_ns);
	bytes_write_u32(w, q->priority);
	put_tensors(w, q->inputs, q->n_inputs);
}

int worker_frames_model_request_read(struct bytes_reader *r, uint64_t max_bytes,
	struct worker_model_request *ret_request, struct error *err)
{
	*ret_request = (struct worker_model_request){0};
	ret_request->pipeline = bytes_read_u32(r);
	ret_request->id = bytes_read_u64(r);
	child_frames_get_text(r, ret_request->model, sizeof(ret_request->model));
	child_frames_get_text(r, ret_request->signature, sizeof(ret_request->signature));
	ret_request->connection_id = bytes_read_u32(r);
	child_frames_get_text(r, ret_request->source, sizeof(ret_request->source));
	ret_request->session = bytes_read_u64(r);
	ret_request->deadline_ns = bytes_read_u64(r);
	ret_request->priority = bytes_read_u32(r);
	int code = get_tensors(r, max_bytes, ret_request->tensors, &ret_request->n, err);
	if (code < 0) {
		worker_frames_model_request_deinit(ret_request);
	}
	return code;
}

void worker_frames_model_request_deinit(struct worker_model_request *request)
{
	free_tensors(request->tensors, request->n);
	request->n = 0;
}

void worker_frames_result_write(
	struct bytes_writer *w, uint32_t pipeline, const struct pipeline_result *result)
{
	frame_begin(w, WORKER_FRAME_RESULT);
	bytes_write_u32(w, pipeline);
	bytes_write_u32(w, (uint32_t)result->stage_index);
	bytes_write_u8(w, (uint8_t)result->kind);
	bytes_write_u8(w, result->event);
	bytes_write_u8(w, result->quiet);
	bytes_write_u64(w, result->time_us);
	bytes_write_u64(w, result->tag);
	bytes_write_u32(w, result->origin);
	child_frames_put_text(w, result->source);
	put_bytes(w, result->flat, strlen(result->flat));
	put_bytes(w, result->snapshot, result->snapshot_bytes);
}

void worker_frames_envelope_write(struct bytes_writer *w, const struct decode_envelope *e)
{
	frame_begin(w, WORKER_FRAME_ENVELOPE);
	bytes_write_u8(w, e->there);
	bytes_write_u8(w, e->oip);
	child_frames_put_text(w, e->id);
	child_frames_put_text(w, e->reply_to);
	child_frames_put_text(w, e->accept);
	child_frames_put_text(w, e->priority);
	child_frames_put_text(w, e->traceparent);
	bytes_write_u64(w, e->deadline_ms);
}

int worker_frames_envelope_read(
	struct bytes_reader *r, struct decode_envelope *ret_envelope, struct error *err)
{
	struct decode_envelope e = {0};
	e.there = bytes_read_u8(r) != 0;
	e.oip = bytes_read_u8(r) != 0;
	child_frames_get_text(r, e.id, sizeof(e.id));
	child_frames_get_text(r, e.reply_to, sizeof(e.reply_to));
	child_frames_get_text(r, e.accept, sizeof(e.accept));
	child_frames_get_text(r, e.priority, sizeof(e.priority));
	child_frames_get_text(r, e.traceparent, sizeof(e.traceparent));
	e.deadline_ms = bytes_read_u64(r);
	if (r->failed) {
		return bad_frame(err);
	}
	*ret_envelope = e;
	return 0;
}

void worker_frames_tensors_write(struct bytes_writer *w, const struct decode_result *result)
{
	frame_begin(w, WORKER_FRAME_TENSORS);
	put_tensors(w, result->tensors, result->n);
}

int worker_frames_tensors_read(struct bytes_reader *r, uint64_t max_bytes, const uint32_t *types,
	uint32_t n, struct decode_result *ret_result, struct error *err)
{
	struct decode_result result = {0};
	int code = get_tensors(r, max_bytes, result.tensors, &result.n, err);
	bool matches = result.n == n;
	for (uint32_t i = 0; i < n && matches; i++) {
		matches = result.tensors[i].type == types[i];
	}
	if (code < 0 || !matches) {
		decode_result_free(&result);
		return code < 0 ? code : bad_frame(err);
	}
	*ret_result = result;
	return 0;
}

int worker_frames_result_read(
	struct bytes_reader *r, struct pipelines_result *ret_result, struct error *err)
{
	struct pipelines_result result = {0};
	result.pipeline = bytes_read_u32(r);
	result.stage = bytes_read_u32(r);
	uint8_t kind = bytes_read_u8(r);
	result.event = bytes_read_u8(r) != 0;
	result.quiet = bytes_read_u8(r) != 0;
	result.time_us = bytes_read_u64(r);
	result.tag = bytes_read_u64(r);
	result.connection_id = bytes_read_u32(r);
	child_frames_get_text(r, result.source, sizeof(result.source));
	result.flat = get_bytes(r, &result.flat_bytes);
	result.snapshot = get_bytes(r, &result.snapshot_bytes);
	/* pipelines_write_result() writes its own members and a comma after the '{', so the object
	 * must not be empty. */
	bool object = result.flat && result.flat_bytes > 2 && result.flat[0] == '{' &&
		result.flat[1] == '"' && result.flat[result.flat_bytes - 1] == '}';
	if (r->failed || kind > PIPELINE_FAILED || !object) {
		return bad_frame(err);
	}
	result.kind = (enum pipeline_kind)kind;
	*ret_result = result;
	return 0;
}

/* ---- the pipe, at the child: blocking, one frame at a time */

#define PIPE 0

static bool read_all(void *data, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = read(PIPE, (char *)data + at, size - at);
		if (n == 0 || (n < 0 && errno != EINTR)) {
			return false;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

uint8_t *worker_frames_read(size_t *ret_size)
{
	uint32_t bytes = 0;
	if (!read_all(&bytes, sizeof(bytes))) {
		return NULL;
	}
	owned_mem uint8_t *body = malloc(bytes ? bytes : 1);
	if (!body || !read_all(body, bytes)) {
		return NULL;
	}
	*ret_size = bytes;
	return take(body);
}

bool worker_frames_write(struct bytes_writer *frame)
{
	const uint32_t bytes = (uint32_t)(frame->size - FRAME_HEADER_BYTES);
	if (frame->failed) {
		return false;
	}
	memcpy(frame->data, &bytes, sizeof(bytes));
	for (size_t at = 0; at < frame->size;) {
		ssize_t n = write(PIPE, frame->data + at, frame->size - at);
		if (n < 0 && errno != EINTR) {
			return false;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}
