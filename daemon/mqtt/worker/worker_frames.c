/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/pipes_wire.h"

#include <errno.h>
#include <string.h>

#include "daemon/mqtt/parts.h"

#define MAX_SPECS 256

static int no_sense(struct error *err)
{
	return error_set(err, -EPROTO, "pipelines: a frame that makes no sense");
}

static void begin(struct bytes_writer *w, uint8_t what)
{
	bytes_write_u32(w, 0); /* the frame's length */
	bytes_write_u8(w, what);
}

static void put_tensors(struct bytes_writer *w, const struct tensor_bytes *tensors, uint32_t n)
{
	bytes_write_u32(w, n);
	for (uint32_t i = 0; i < n; i++) {
		parts_put_tensor(w, &tensors[i]);
	}
}

static int get_tensors(struct bytes_reader *r, uint64_t max_bytes, struct tensor_bytes *tensors,
	uint32_t *ret_n, struct error *err)
{
	uint32_t n = bytes_read_u32(r);
	if (r->failed || n > PIPES_MAX_TENSORS) {
		return no_sense(err);
	}
	for (uint32_t i = 0; i < n; i++) {
		int code = parts_get_tensor(r, max_bytes, &tensors[i], err);
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
	bytes_write_u8(w, 0); /* texts end with it */
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

/* ---- orders */

void pipes_open_write(struct bytes_writer *w, const char *path, const char *text, size_t size)
{
	begin(w, PIPES_OPEN);
	put_bytes(w, path, strlen(path));
	put_bytes(w, text, size);
}

int pipes_open_read(struct bytes_reader *r, struct pipes_text *ret_text, struct error *err)
{
	size_t length = 0;
	struct pipes_text open = {0};
	open.path = get_bytes(r, &length);
	open.text = get_bytes(r, &open.size);
	if (r->failed) {
		return no_sense(err);
	}
	*ret_text = open;
	return 0;
}

void pipes_begin_write(struct bytes_writer *w, uint32_t questions)
{
	begin(w, PIPES_BEGIN);
	bytes_write_u32(w, questions);
}

static void put_specs(struct bytes_writer *w, const struct spec *specs, uint32_t n)
{
	bytes_write_u32(w, n);
	for (uint32_t i = 0; i < n; i++) {
		parts_put_spec(w, &specs[i]);
		bytes_write_f32(w, specs[i].score_threshold);
		put_bytes(w, specs[i].labels, specs[i].labels ? specs[i].labels_bytes : 0);
	}
}

/* Labels point into the frame at first. NULL: the frame has failed, or there is no memory. */
static struct spec *get_specs(struct bytes_reader *r, uint32_t *ret_n)
{
	uint32_t n = bytes_read_u32(r);
	if (r->failed || n > MAX_SPECS) {
		r->failed = true;
		return NULL;
	}
	struct spec *specs = calloc((size_t)n + 1, sizeof(specs[0]));
	for (uint32_t i = 0; specs && i < n; i++) {
		parts_get_spec(r, &specs[i]);
		specs[i].score_threshold = bytes_read_f32(r);
		specs[i].labels = get_bytes(r, &specs[i].labels_bytes);
	}
	*ret_n = specs ? n : 0;
	return specs;
}

void pipes_model_write(struct bytes_writer *w, const char *name, const char *signature,
	const struct pipeline_model *model)
{
	begin(w, PIPES_MODEL);
	parts_put_text(w, name);
	parts_put_text(w, signature);
	bytes_write_u8(w, model != NULL);
	if (model) {
		parts_put_text(w, model->version);
		put_specs(w, model->inputs, model->n_inputs);
		put_specs(w, model->outputs, model->n_outputs);
	}
}

/* Labels move from the frame into the model. */
static int keep_labels(struct pipeline_model *model)
{
	size_t room = 1;
	for (uint32_t i = 0; i < model->n_outputs; i++) {
		room += model->outputs[i].labels_bytes;
	}
	char *at = model->labels = malloc(room);
	for (uint32_t i = 0; at && i < model->n_outputs; i++) {
		struct spec *spec = &model->outputs[i];
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

int pipes_model_read(struct bytes_reader *r, char name[PIPES_MODEL_SIZE],
	char signature[PIPES_MODEL_SIZE], bool *ret_there, struct pipeline_model *ret_model,
	struct error *err)
{
	struct pipeline_model model = {0};
	parts_get_text(r, name, PIPES_MODEL_SIZE);
	parts_get_text(r, signature, PIPES_MODEL_SIZE);
	*ret_there = bytes_read_u8(r) != 0;
	if (*ret_there) {
		parts_get_text(r, model.version, sizeof(model.version));
		model.inputs = get_specs(r, &model.n_inputs);
		model.outputs = model.inputs ? get_specs(r, &model.n_outputs) : NULL;
	}
	bool whole = !*ret_there || (model.inputs && model.outputs);
	if (r->failed || !whole || (*ret_there && keep_labels(&model) < 0)) {
		pipeline_model_free(&model);
		return r->failed ? no_sense(err) : error_no_memory(err);
	}
	*ret_model = model;
	return 0;
}

void pipes_examples_write(struct bytes_writer *w, const char *model, const char *text)
{
	begin(w, PIPES_EXAMPLES);
	parts_put_text(w, model);
	put_bytes(w, text, strlen(text));
}

int pipes_examples_read(struct bytes_reader *r, char model[PIPES_MODEL_SIZE], const char **ret_text,
	struct error *err)
{
	size_t size = 0;
	parts_get_text(r, model, PIPES_MODEL_SIZE);
	const char *text = get_bytes(r, &size);
	if (r->failed) {
		return no_sense(err);
	}
	*ret_text = text;
	return 0;
}

void pipes_input_write(struct bytes_writer *w, const struct pipes_input *input)
{
	begin(w, PIPES_INPUT);
	bytes_write_u32(w, input->pipeline);
	bytes_write_u32(w, input->origin);
	parts_put_text(w, input->source);
	parts_put_text(w, input->content_type);
	parts_put_text(w, input->fields);
	bytes_write_u64(w, input->time_us);
	bytes_write_u64(w, input->deadline_ns);
	bytes_write_u64(w, input->tag);
	bytes_write_u8(w, input->opened);
	put_bytes(w, input->data, input->size);
}

int pipes_input_read(struct bytes_reader *r, struct pipes_input *ret_input, struct error *err)
{
	struct pipes_input input = {0};
	input.pipeline = bytes_read_u32(r);
	input.origin = bytes_read_u32(r);
	parts_get_text(r, input.source, sizeof(input.source));
	parts_get_text(r, input.content_type, sizeof(input.content_type));
	parts_get_text(r, input.fields, sizeof(input.fields));
	input.time_us = bytes_read_u64(r);
	input.deadline_ns = bytes_read_u64(r);
	input.tag = bytes_read_u64(r);
	input.opened = bytes_read_u8(r) != 0;
	input.data = get_bytes(r, &input.size);
	if (r->failed) {
		return no_sense(err);
	}
	*ret_input = input;
	return 0;
}

static void put_error(struct bytes_writer *w, const struct error *failed)
{
	bytes_write_u32(w, (uint32_t)-failed->code);
	parts_put_text(w, failed->code ? failed->text : "");
}

static void get_error(struct bytes_reader *r, struct error *ret_failed)
{
	char text[sizeof(ret_failed->text)], shown[sizeof(ret_failed->text)];
	int code = -(int)(bytes_read_u32(r) & 0xFFF);
	parts_get_text(r, text, sizeof(text));
	*ret_failed = (struct error){0};
	if (code) {
		error_set(ret_failed, code, "%s",
			error_clean(shown, sizeof(shown), text, strlen(text)));
	}
}

void pipes_answer_write(struct bytes_writer *w, uint32_t pipeline, uint64_t question,
	const struct error *failed, const struct tensor_bytes *tensors, uint32_t n)
{
	begin(w, PIPES_ANSWER);
	bytes_write_u32(w, pipeline);
	bytes_write_u64(w, question);
	put_error(w, failed);
	put_tensors(w, tensors, failed->code ? 0 : n);
}

int pipes_answer_read(struct bytes_reader *r, struct pipes_answer *ret_answer, struct error *err)
{
	*ret_answer = (struct pipes_answer){0};
	ret_answer->pipeline = bytes_read_u32(r);
	ret_answer->question = bytes_read_u64(r);
	get_error(r, &ret_answer->failed);
	int code = get_tensors(r, UINT64_MAX, ret_answer->tensors, &ret_answer->n, err);
	if (code < 0) {
		pipes_answer_deinit(ret_answer);
	}
	return code;
}

void pipes_answer_deinit(struct pipes_answer *answer)
{
	free_tensors(answer->tensors, answer->n);
}

void pipes_set_write(struct bytes_writer *w, uint32_t pipeline, double threshold)
{
	uint64_t bits = 0;
	memcpy(&bits, &threshold, sizeof(bits));
	begin(w, PIPES_SET);
	bytes_write_u32(w, pipeline);
	bytes_write_u64(w, bits);
}

/* ---- words */

void pipes_done_write(
	struct bytes_writer *w, const struct error *failed, const uint64_t *tags, uint32_t n)
{
	begin(w, PIPES_DONE);
	put_error(w, failed);
	bytes_write_u32(w, n);
	for (uint32_t i = 0; i < n; i++) {
		bytes_write_u64(w, tags[i]);
	}
}

int pipes_done_read(struct bytes_reader *r, struct pipes_done *ret_done, struct error *err)
{
	get_error(r, &ret_done->failed);
	ret_done->n = bytes_read_u32(r);
	if (r->failed || ret_done->n > PIPES_MAX_TAGS) {
		return no_sense(err);
	}
	for (uint32_t i = 0; i < ret_done->n; i++) {
		ret_done->tags[i] = bytes_read_u64(r);
	}
	return r->failed ? no_sense(err) : 0;
}

void pipes_question_write(
	struct bytes_writer *w, uint32_t pipeline, const struct pipeline_question *q)
{
	begin(w, PIPES_QUESTION);
	bytes_write_u32(w, pipeline);
	bytes_write_u64(w, q->id);
	parts_put_text(w, q->model);
	parts_put_text(w, q->signature ? q->signature : "");
	bytes_write_u32(w, q->origin);
	parts_put_text(w, q->source);
	bytes_write_u64(w, q->session);
	bytes_write_u64(w, q->deadline_ns);
	bytes_write_u32(w, q->priority);
	put_tensors(w, q->inputs, q->n_inputs);
}

int pipes_question_read(struct bytes_reader *r, uint64_t max_bytes,
	struct pipes_question *ret_question, struct error *err)
{
	*ret_question = (struct pipes_question){0};
	ret_question->pipeline = bytes_read_u32(r);
	ret_question->id = bytes_read_u64(r);
	parts_get_text(r, ret_question->model, sizeof(ret_question->model));
	parts_get_text(r, ret_question->signature, sizeof(ret_question->signature));
	ret_question->origin = bytes_read_u32(r);
	parts_get_text(r, ret_question->source, sizeof(ret_question->source));
	ret_question->session = bytes_read_u64(r);
	ret_question->deadline_ns = bytes_read_u64(r);
	ret_question->priority = bytes_read_u32(r);
	int code = get_tensors(r, max_bytes, ret_question->tensors, &ret_question->n, err);
	if (code < 0) {
		pipes_question_deinit(ret_question);
	}
	return code;
}

void pipes_question_deinit(struct pipes_question *question)
{
	free_tensors(question->tensors, question->n);
	question->n = 0;
}

void pipes_result_write(
	struct bytes_writer *w, uint32_t pipeline, const struct pipeline_result *result)
{
	begin(w, PIPES_RESULT);
	bytes_write_u32(w, pipeline);
	bytes_write_u32(w, (uint32_t)result->stage_index);
	bytes_write_u8(w, (uint8_t)result->kind);
	bytes_write_u8(w, result->event);
	bytes_write_u8(w, result->quiet);
	bytes_write_u64(w, result->time_us);
	bytes_write_u64(w, result->tag);
	bytes_write_u32(w, result->origin);
	parts_put_text(w, result->source);
	put_bytes(w, result->flat, strlen(result->flat));
	put_bytes(w, result->snapshot, result->snapshot_bytes);
}

void pipes_envelope_write(struct bytes_writer *w, const struct decode_envelope *envelope)
{
	begin(w, PIPES_ENVELOPE);
	decode_envelope_write(w, envelope);
}

int pipes_envelope_read(
	struct bytes_reader *r, struct decode_envelope *ret_envelope, struct error *err)
{
	struct decode_envelope envelope = {0};
	decode_envelope_read(r, &envelope);
	if (r->failed) {
		return no_sense(err);
	}
	*ret_envelope = envelope;
	return 0;
}

int pipes_result_read(struct bytes_reader *r, struct pipes_result *ret_result, struct error *err)
{
	struct pipes_result result = {0};
	result.pipeline = bytes_read_u32(r);
	result.stage = bytes_read_u32(r);
	uint8_t kind = bytes_read_u8(r);
	result.event = bytes_read_u8(r) != 0;
	result.quiet = bytes_read_u8(r) != 0;
	result.time_us = bytes_read_u64(r);
	result.tag = bytes_read_u64(r);
	result.origin = bytes_read_u32(r);
	parts_get_text(r, result.source, sizeof(result.source));
	result.flat = get_bytes(r, &result.flat_bytes);
	result.snapshot = get_bytes(r, &result.snapshot_bytes);
	/* Something goes before its first member. */
	bool object = result.flat && result.flat_bytes > 2 && result.flat[0] == '{' &&
		result.flat[1] == '"' && result.flat[result.flat_bytes - 1] == '}';
	if (r->failed || kind > PIPELINE_FAILED || !object) {
		return no_sense(err);
	}
	result.kind = (enum pipeline_kind)kind;
	*ret_result = result;
	return 0;
}
