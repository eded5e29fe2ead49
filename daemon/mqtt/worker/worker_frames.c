/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/worker/worker_frames.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

#define MAX_SPECS 256
#define PIPE 0 /* the descriptor of the pipe at the child; stdin reads from it */

/* ---- the fields of each frame */

enum field_kind {
	FIELD_NUMBER, /* the member's bytes; the machine's byte order */
	FIELD_FLAG, /* bool */
	FIELD_TEXT, /* char array; u16 length, bytes */
	FIELD_STRING, /* const char *; like FIELD_DATA without zero bytes */
	FIELD_DATA, /* const void * and size_t; u32 length, bytes, a zero byte */
	FIELD_SPECS, /* struct tensor_spec * and u32; u32 count, fields of each */
	FIELD_TENSORS, /* struct tensor_bytes array and u32; u32 count; type, shape, data of each */
	FIELD_ERROR, /* struct error; code and text */
	FIELD_TAGS, /* u64 array and u32 */
};

struct field {
	enum field_kind kind;
	size_t offset, size; /* of the member */
	size_t count; /* offset of the member with the number of bytes or items */
};

#define SIZE_OF(type, member) sizeof(((struct type *)0)->member)
#define FIELD(kind, type, member)                                                                  \
	{                                                                                          \
		FIELD_##kind, offsetof(struct type, member), SIZE_OF(type, member), 0              \
	}
#define LIST(kind, type, member, count)                                                            \
	{                                                                                          \
		FIELD_##kind, offsetof(struct type, member), SIZE_OF(type, member),                \
			offsetof(struct type, count)                                               \
	}

static const struct field spec_fields[] = {
	FIELD(TEXT, tensor_spec, name),
	FIELD(NUMBER, tensor_spec, type),
	FIELD(NUMBER, tensor_spec, shape),
	FIELD(NUMBER, tensor_spec, declared),
	FIELD(NUMBER, tensor_spec, scale),
	FIELD(NUMBER, tensor_spec, zero_point),
	FIELD(NUMBER, tensor_spec, bytes),
	LIST(DATA, tensor_spec, labels, labels_bytes),
	FIELD(NUMBER, tensor_spec, n_mean),
	FIELD(NUMBER, tensor_spec, n_std),
	FIELD(NUMBER, tensor_spec, mean),
	FIELD(NUMBER, tensor_spec, std),
	FIELD(NUMBER, tensor_spec, score_threshold),
};
static const struct field open_fields[] = {
	FIELD(STRING, worker_pipeline, path),
	LIST(DATA, worker_pipeline, text, size),
};
static const struct field begin_fields[] = {
	FIELD(NUMBER, worker_begin, max_requests),
};
static const struct field model_fields[] = {
	FIELD(TEXT, worker_model, name),
	FIELD(TEXT, worker_model, signature),
	FIELD(FLAG, worker_model, is_served),
	FIELD(TEXT, worker_model, model.version),
	LIST(SPECS, worker_model, model.inputs, model.n_inputs),
	LIST(SPECS, worker_model, model.outputs, model.n_outputs),
};
static const struct field input_fields[] = {
	FIELD(NUMBER, worker_input, pipeline),
	FIELD(NUMBER, worker_input, connection_id),
	FIELD(TEXT, worker_input, source),
	FIELD(TEXT, worker_input, content_type),
	FIELD(TEXT, worker_input, fields),
	FIELD(NUMBER, worker_input, time_us),
	FIELD(NUMBER, worker_input, deadline_ns),
	FIELD(NUMBER, worker_input, tag),
	FIELD(FLAG, worker_input, envelope_parsed),
	LIST(DATA, worker_input, data, size),
};
static const struct field model_response_fields[] = {
	FIELD(NUMBER, worker_model_response, pipeline),
	FIELD(NUMBER, worker_model_response, id),
	FIELD(ERROR, worker_model_response, error),
	LIST(TENSORS, worker_model_response, tensors, n),
};
static const struct field threshold_fields[] = {
	FIELD(NUMBER, worker_threshold, pipeline),
	FIELD(NUMBER, worker_threshold, threshold),
};
static const struct field examples_fields[] = {
	FIELD(TEXT, worker_examples, model),
	FIELD(STRING, worker_examples, text),
};
static const struct field decode_fields[] = {
	FIELD(NUMBER, decode_job, format),
	LIST(SPECS, decode_job, specs, n_specs),
	FIELD(STRING, decode_job, fields),
	LIST(DATA, decode_job, payload, size),
};
static const struct field done_fields[] = {
	FIELD(ERROR, worker_done, error),
	LIST(TAGS, worker_done, tags, n),
};
static const struct field model_request_fields[] = {
	FIELD(NUMBER, worker_model_request, pipeline),
	FIELD(NUMBER, worker_model_request, id),
	FIELD(TEXT, worker_model_request, model),
	FIELD(TEXT, worker_model_request, signature),
	FIELD(NUMBER, worker_model_request, connection_id),
	FIELD(TEXT, worker_model_request, source),
	FIELD(NUMBER, worker_model_request, session),
	FIELD(NUMBER, worker_model_request, deadline_ns),
	FIELD(NUMBER, worker_model_request, priority),
	LIST(TENSORS, worker_model_request, tensors, n),
};
static const struct field result_fields[] = {
	FIELD(NUMBER, worker_result, pipeline),
	FIELD(NUMBER, worker_result, stage),
	FIELD(NUMBER, worker_result, kind),
	FIELD(FLAG, worker_result, event),
	FIELD(FLAG, worker_result, only_for_requester),
	FIELD(NUMBER, worker_result, time_us),
	FIELD(NUMBER, worker_result, tag),
	FIELD(NUMBER, worker_result, connection_id),
	FIELD(TEXT, worker_result, source),
	LIST(DATA, worker_result, flat_json, flat_json_bytes),
	LIST(DATA, worker_result, snapshot, snapshot_bytes),
};
static const struct field envelope_members[] = {
	FIELD(FLAG, decode_envelope, there),
	FIELD(FLAG, decode_envelope, oip),
	FIELD(TEXT, decode_envelope, id),
	FIELD(TEXT, decode_envelope, reply_to),
	FIELD(TEXT, decode_envelope, accept),
	FIELD(TEXT, decode_envelope, priority),
	FIELD(TEXT, decode_envelope, traceparent),
	FIELD(NUMBER, decode_envelope, deadline_ms),
};
static const struct field tensors_fields[] = {
	LIST(TENSORS, decode_result, tensors, n),
};

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))
#define FRAME(fields, record) fields, LENGTH_OF(fields), sizeof(struct record)

static const struct frame {
	const struct field *fields;
	size_t n_fields, record_bytes;
} frames[] = {
	[WORKER_COMMAND_OPEN] = {FRAME(open_fields, worker_pipeline)},
	[WORKER_COMMAND_BEGIN] = {FRAME(begin_fields, worker_begin)},
	[WORKER_COMMAND_MODEL] = {FRAME(model_fields, worker_model)},
	[WORKER_COMMAND_INPUT] = {FRAME(input_fields, worker_input)},
	[WORKER_COMMAND_MODEL_RESPONSE] = {FRAME(model_response_fields, worker_model_response)},
	[WORKER_COMMAND_SET_THRESHOLD] = {FRAME(threshold_fields, worker_threshold)},
	[WORKER_COMMAND_EXAMPLES] = {FRAME(examples_fields, worker_examples)},
	[WORKER_COMMAND_DECODE] = {FRAME(decode_fields, decode_job)},
	[WORKER_FRAME_DONE] = {FRAME(done_fields, worker_done)},
	[WORKER_FRAME_MODEL_REQUEST] = {FRAME(model_request_fields, worker_model_request)},
	[WORKER_FRAME_RESULT] = {FRAME(result_fields, worker_result)},
	[WORKER_FRAME_ENVELOPE] = {FRAME(envelope_members, decode_envelope)},
	[WORKER_FRAME_TENSORS] = {FRAME(tensors_fields, decode_result)},
};

/* ---- writing */

static void write_text(struct bytes_writer *w, const char *text)
{
	const size_t length = strlen(text);
	bytes_write_u16(w, (uint16_t)length);
	bytes_write(w, text, length);
}

static void write_data(struct bytes_writer *w, const void *data, size_t size)
{
	bytes_write_u32(w, (uint32_t)size);
	bytes_write(w, size ? data : "", size);
	bytes_write_u8(w, 0);
}

static void write_tensors(struct bytes_writer *w, const struct tensor_bytes *tensors, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		bytes_write_u32(w, tensors[i].type);
		bytes_write(w, &tensors[i].shape, sizeof(tensors[i].shape));
		bytes_write_u64(w, tensors[i].bytes);
		bytes_write(w, tensors[i].data, (size_t)tensors[i].bytes);
	}
}

static void write_field(struct bytes_writer *w, const struct field *field, const void *record);

static void write_specs(struct bytes_writer *w, const struct tensor_spec *specs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		for (size_t k = 0; k < LENGTH_OF(spec_fields); k++) {
			write_field(w, &spec_fields[k], &specs[i]);
		}
	}
}

static void write_error(struct bytes_writer *w, const struct error *error)
{
	bytes_write_u32(w, (uint32_t)-error->code);
	write_text(w, error->code ? error->text : "");
}

static void write_field(struct bytes_writer *w, const struct field *field, const void *record)
{
	const void *member = (const char *)record + field->offset;
	const void *count = (const char *)record + field->count;
	switch (field->kind) {
	case FIELD_NUMBER:
		bytes_write(w, member, field->size);
		break;
	case FIELD_FLAG:
		bytes_write_u8(w, *(const bool *)member);
		break;
	case FIELD_TEXT:
		write_text(w, member);
		break;
	case FIELD_STRING:
		write_data(w, *(const char *const *)member, strlen(*(const char *const *)member));
		break;
	case FIELD_DATA:
		write_data(w, *(const void *const *)member, *(const size_t *)count);
		break;
	case FIELD_SPECS:
		bytes_write_u32(w, *(const uint32_t *)count);
		write_specs(
			w, *(const struct tensor_spec *const *)member, *(const uint32_t *)count);
		break;
	case FIELD_TENSORS:
		bytes_write_u32(w, *(const uint32_t *)count);
		write_tensors(w, member, *(const uint32_t *)count);
		break;
	case FIELD_ERROR:
		write_error(w, member);
		break;
	case FIELD_TAGS:
		bytes_write_u32(w, *(const uint32_t *)count);
		bytes_write(w, member, *(const uint32_t *)count * sizeof(uint64_t));
		break;
	}
}

void worker_frames_write(struct bytes_writer *w, enum worker_frame type, const void *record)
{
	bytes_write_u32(w, 0); /* length of the frame, set later */
	bytes_write_u8(w, (uint8_t)type);
	for (size_t i = 0; i < frames[type].n_fields; i++) {
		write_field(w, &frames[type].fields[i], record);
	}
}

/* ---- reading. A field that is not valid sets r->failed. */

static void read_number(struct bytes_reader *r, void *out, size_t size)
{
	const void *data = bytes_read(r, size);
	if (data) {
		memcpy(out, data, size);
	}
}

static void read_text(struct bytes_reader *r, char *out, size_t size)
{
	const uint16_t length = bytes_read_u16(r);
	const char *text = bytes_read(r, length);
	r->failed |= length >= size || (text && memchr(text, 0, length));
	if (text && !r->failed) {
		memcpy(out, text, length);
		out[length] = 0;
	}
}

static const void *read_data(struct bytes_reader *r, size_t *ret_size)
{
	const uint32_t size = bytes_read_u32(r);
	const void *data = bytes_read(r, size);
	r->failed |= bytes_read_u8(r) != 0;
	*ret_size = r->failed ? 0 : size;
	return r->failed ? NULL : data;
}

static const char *read_string(struct bytes_reader *r)
{
	size_t size = 0;
	const char *text = read_data(r, &size);
	r->failed |= text && strlen(text) != size;
	return text;
}

static int read_tensor(struct bytes_reader *r, uint64_t max_bytes, struct tensor_bytes *ret_tensor)
{
	struct shape shape = {0};
	uint64_t expected = 0;
	const uint32_t type = bytes_read_u32(r);
	read_number(r, &shape, sizeof(shape));
	const uint64_t bytes = bytes_read_u64(r);
	r->failed |= shape.rank > SHAPE_MAX_RANK || bytes > max_bytes ||
		(type != DTYPE_STRING &&
			(shape_bytes(&shape, type, &expected) < 0 || expected != bytes));
	const void *data = r->failed ? NULL : bytes_read(r, (size_t)bytes);
	return data ? tensor_copy(type, &shape, data, bytes, ret_tensor, NULL) : -EPROTO;
}

static int read_tensors(
	struct bytes_reader *r, uint64_t max_bytes, struct tensor_bytes *tensors, uint32_t *ret_n)
{
	const uint32_t n = bytes_read_u32(r);
	int code = n > PIPELINES_MAX_TENSORS ? -EPROTO : 0;
	for (uint32_t i = 0; i < n && code == 0; i++) {
		code = read_tensor(r, max_bytes, &tensors[i]);
		*ret_n = i + (code == 0);
	}
	return code;
}

static int read_field(
	struct bytes_reader *r, const struct field *field, uint64_t max_bytes, void *record);

/* Labels point into the frame. */
static int read_specs(struct bytes_reader *r, struct tensor_spec **ret_specs, uint32_t *ret_n)
{
	const uint32_t n = bytes_read_u32(r);
	if (r->failed || n > MAX_SPECS) {
		return -EPROTO;
	}
	struct tensor_spec *specs = calloc((size_t)n + 1, sizeof(specs[0]));
	if (!specs) {
		return -ENOMEM;
	}
	*ret_specs = specs;
	*ret_n = n;
	for (uint32_t i = 0; i < n; i++) {
		for (size_t k = 0; k < LENGTH_OF(spec_fields); k++) {
			int code = read_field(r, &spec_fields[k], 0, &specs[i]);
			if (code < 0) {
				return code;
			}
		}
		specs[i].labels = specs[i].labels_bytes ? specs[i].labels : NULL;
		r->failed |= specs[i].n_mean > SPEC_MAX_CHANNELS ||
			specs[i].n_std > SPEC_MAX_CHANNELS ||
			specs[i].shape.rank > SHAPE_MAX_RANK ||
			specs[i].declared.rank > SHAPE_MAX_RANK;
	}
	return 0;
}

static void read_error(struct bytes_reader *r, struct error *ret_error)
{
	char text[sizeof(ret_error->text)] = "", escaped[sizeof(ret_error->text)];
	const int code = -(int)(bytes_read_u32(r) & 0xFFF);
	read_text(r, text, sizeof(text));
	if (code) {
		error_set(ret_error, code, "%s",
			error_clean(escaped, sizeof(escaped), text, strlen(text)));
	}
}

static void read_tags(struct bytes_reader *r, uint64_t *tags, uint32_t *ret_n)
{
	const uint32_t n = bytes_read_u32(r);
	r->failed |= n > PIPELINES_MAX_TAGS;
	*ret_n = r->failed ? 0 : n;
	read_number(r, tags, *ret_n * sizeof(tags[0]));
}

static int read_field(
	struct bytes_reader *r, const struct field *field, uint64_t max_bytes, void *record)
{
	void *member = (char *)record + field->offset;
	void *count = (char *)record + field->count;
	int code = 0;
	switch (field->kind) {
	case FIELD_NUMBER:
		read_number(r, member, field->size);
		break;
	case FIELD_FLAG:
		*(bool *)member = bytes_read_u8(r) != 0;
		break;
	case FIELD_TEXT:
		read_text(r, member, field->size);
		break;
	case FIELD_STRING:
		*(const char **)member = read_string(r);
		break;
	case FIELD_DATA:
		*(const void **)member = read_data(r, count);
		break;
	case FIELD_SPECS:
		code = read_specs(r, member, count);
		break;
	case FIELD_TENSORS:
		code = read_tensors(r, max_bytes, member, count);
		break;
	case FIELD_ERROR:
		read_error(r, member);
		break;
	case FIELD_TAGS:
		read_tags(r, member, count);
		break;
	}
	return r->failed ? -EPROTO : code;
}

/* The parent writes its own members and a comma after the '{', so the object must not be empty. */
static bool is_object(const char *text, size_t size)
{
	return size > 2 && text[0] == '{' && text[1] == '"' && text[size - 1] == '}';
}

/* Checks the record, and copies what must outlive the frame. */
static int complete(enum worker_frame type, void *record)
{
	const struct worker_result *result = record;
	const struct decode_job *job = record;
	struct worker_model *model = record;
	switch (type) {
	case WORKER_FRAME_RESULT:
		return result->kind <= PIPELINE_FAILED &&
				is_object(result->flat_json, result->flat_json_bytes)
			? 0
			: -EPROTO;
	case WORKER_COMMAND_DECODE:
		return job->n_specs <= DECODE_MAX_INPUTS && job->format < DECODE_N_FORMATS
			? 0
			: -EPROTO;
	case WORKER_COMMAND_MODEL:
		return pipeline_model_own_labels(&model->model);
	default:
		return 0;
	}
}

int worker_frames_read(struct bytes_reader *r, enum worker_frame type, uint64_t max_tensor_bytes,
	void *ret_record, struct error *err)
{
	const struct frame *frame = &frames[type];
	int code = 0;
	memset(ret_record, 0, frame->record_bytes);
	for (size_t i = 0; i < frame->n_fields && code == 0; i++) {
		code = read_field(r, &frame->fields[i], max_tensor_bytes, ret_record);
	}
	code = code < 0 ? code : complete(type, ret_record);
	if (code == 0) {
		return 0;
	}
	worker_frames_free(type, ret_record);
	return code == -ENOMEM ? error_no_memory(err)
			       : error_set(err, code, "worker: an invalid frame");
}

void worker_frames_free(enum worker_frame type, void *record)
{
	for (size_t i = 0; i < frames[type].n_fields; i++) {
		const struct field *field = &frames[type].fields[i];
		void *member = (char *)record + field->offset;
		uint32_t *count = (void *)((char *)record + field->count);
		if (field->kind == FIELD_SPECS) {
			struct tensor_spec **specs = member;
			free(take(*specs));
			*count = 0;
		} else if (field->kind == FIELD_TENSORS) {
			struct tensor_bytes *tensors = member;
			while (*count > 0) {
				tensor_free(&tensors[--*count]);
			}
		}
	}
	if (type == WORKER_COMMAND_MODEL) {
		free(take(((struct worker_model *)record)->model.labels));
	}
}

/* ---- the pipe, at the child: blocking, one frame at a time */

uint8_t *worker_frames_receive(size_t *ret_size)
{
	uint32_t bytes = 0;
	if (fread(&bytes, sizeof(bytes), 1, stdin) != 1) {
		return NULL;
	}
	owned_mem uint8_t *body = malloc(bytes ? bytes : 1);
	if (!body || fread(body, 1, bytes, stdin) != bytes) {
		return NULL;
	}
	*ret_size = bytes;
	return take(body);
}

bool worker_frames_send(struct bytes_writer *frame)
{
	if (frame->failed) {
		return false;
	}
	worker_frames_set_length(frame);
	return file_write(PIPE, frame->data, frame->size) == 0;
}
