/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_frames - frames between edged-mqtt and the worker process
 *
 * The parent sends one command at a time. The child sends its model requests, results and tensors,
 * then WORKER_FRAME_DONE. The child parses data from outside, so the parent checks all its frames. A frame
 * is its length (u32) and that many bytes, in both directions, on the child's descriptor 0.
 */
#ifndef DAEMON_MQTT_WORKER_WORKER_FRAMES_H
#define DAEMON_MQTT_WORKER_WORKER_FRAMES_H

#include "base/bytes.h"
#include "base/error.h"
#include "client/pipeline/pipeline.h"
#include "daemon/mqtt/worker/decode_format.h"

#define FRAME_HEADER_BYTES 4
#define PIPELINES_MAX_TENSORS 16 /* inputs or outputs of one model request */
#define PIPELINES_SOURCE_SIZE 64
#define PIPELINES_MAX_TAGS 512 /* inputs with outstanding responses at once */
#define PIPELINES_MODEL_SIZE 64

enum worker_command {
	WORKER_COMMAND_OPEN = 1, /* the next pipeline; before WORKER_COMMAND_BEGIN */
	WORKER_COMMAND_BEGIN, /* all pipelines were sent: the child enters its sandbox */
	WORKER_COMMAND_MODEL, /* description of a model */
	WORKER_COMMAND_INPUT,
	WORKER_COMMAND_ANSWER, /* answer to a model request */
	WORKER_COMMAND_SET_THRESHOLD, /* threshold of a pipeline */
	WORKER_COMMAND_EXAMPLES, /* few-shot examples of a model; before WORKER_COMMAND_MODEL */
	WORKER_COMMAND_DECODE, /* payload of a request that is for a model, not for a pipeline */
};

enum worker_frame_type {
	WORKER_FRAME_DONE = 1,
	WORKER_FRAME_MODEL_REQUEST,
	WORKER_FRAME_RESULT,
	/* The payload is a JSON envelope. The parent sends an input of a pipeline again with
	 * @envelope_parsed set. */
	WORKER_FRAME_ENVELOPE,
	WORKER_FRAME_TENSORS, /* input tensors of the WORKER_COMMAND_DECODE command */
};

/* ---- commands. All pointers point into the frame; each text is zero-terminated. */

struct pipelines_text { /* payload of WORKER_COMMAND_OPEN */
	const char *path;
	const char *text;
	size_t size;
};

struct pipelines_input {
	uint32_t pipeline; /* index in the order of WORKER_COMMAND_OPEN */
	uint32_t connection_id; /* number of the broker's connection */
	char source[PIPELINES_SOURCE_SIZE];
	char content_type[64]; /* "": decided by the first bytes */
	char fields[256]; /* JSON members with the numbers; "" */
	uint64_t time_us, deadline_ns; /* CLOCK_MONOTONIC; time 0: now; deadline 0: none */
	uint64_t tag; /* number for the results; 0: no response */
	bool envelope_parsed; /* the parent has read the envelope */
	const void *data; /* zero-terminated */
	size_t size;
};

struct pipelines_answer {
	uint32_t pipeline;
	uint64_t question;
	struct error error; /* code 0: the request succeeded */
	uint32_t n;
	struct tensor_bytes tensors[PIPELINES_MAX_TENSORS]; /* owned */
};

void worker_frames_open_write(
	struct bytes_writer *w, const char *path, const char *text, size_t size);
/* @questions: limit of the child's model requests at once. */
void worker_frames_begin_write(struct bytes_writer *w, uint32_t questions);
/* @model NULL: edged does not serve the model. */
void worker_frames_model_write(struct bytes_writer *w, const char *name, const char *signature,
	const struct pipeline_model *model);
void worker_frames_examples_write(struct bytes_writer *w, const char *model, const char *text);
void worker_frames_input_write(struct bytes_writer *w, const struct pipelines_input *input);
/* @tensors are borrowed. */
void worker_frames_answer_write(struct bytes_writer *w, uint32_t pipeline, uint64_t question,
	const struct error *error, const struct tensor_bytes *tensors, uint32_t n);
void worker_frames_set_threshold_write(struct bytes_writer *w, uint32_t pipeline, double threshold);
void worker_frames_decode_write(struct bytes_writer *w, const struct decode_job *job);

/* Read a command after its first byte. -EPROTO, -ENOMEM. */
int must_check worker_frames_open_read(
	struct bytes_reader *r, struct pipelines_text *ret_text, struct error *err);
int must_check worker_frames_model_read(struct bytes_reader *r, char name[PIPELINES_MODEL_SIZE],
	char signature[PIPELINES_MODEL_SIZE], bool *ret_found, struct pipeline_model *ret_model,
	struct error *err);
int must_check worker_frames_examples_read(struct bytes_reader *r, char model[PIPELINES_MODEL_SIZE],
	const char **ret_text, struct error *err);
int must_check worker_frames_input_read(
	struct bytes_reader *r, struct pipelines_input *ret_input, struct error *err);
int must_check worker_frames_answer_read(
	struct bytes_reader *r, struct pipelines_answer *ret_answer, struct error *err);
void worker_frames_answer_deinit(struct pipelines_answer *answer);
/* @specs has room for DECODE_MAX_INPUTS. */
int must_check worker_frames_decode_read(struct bytes_reader *r, struct tensor_spec *specs,
	struct decode_job *ret_job, struct error *err);

/* ---- frames of the child */

struct pipelines_done {
	struct error error; /* code 0: the command succeeded */
	uint32_t n;
	uint64_t tags[PIPELINES_MAX_TAGS];
};

struct worker_model_request {
	uint32_t pipeline;
	uint64_t id;
	char model[PIPELINES_MODEL_SIZE],
		signature[PIPELINES_MODEL_SIZE]; /* signature "": the default */
	uint32_t connection_id;
	char source[PIPELINES_SOURCE_SIZE];
	uint64_t session, deadline_ns;
	uint32_t priority;
	uint32_t n;
	struct tensor_bytes tensors[PIPELINES_MAX_TENSORS]; /* owned */
};

struct pipelines_result {
	uint32_t pipeline, stage;
	enum pipeline_kind kind;
	bool event;
	uint64_t time_us, tag;
	bool quiet;
	uint32_t connection_id;
	char source[PIPELINES_SOURCE_SIZE];
	const char *flat; /* points into the frame; a JSON object, not zero-terminated */
	size_t flat_bytes;
	const void *snapshot; /* points into the frame; PNG or JPEG, or 0 bytes */
	size_t snapshot_bytes;
};

/* @tags: inputs that have outstanding results. */
void worker_frames_done_write(
	struct bytes_writer *w, const struct error *error, const uint64_t *tags, uint32_t n);
void worker_frames_model_request_write(
	struct bytes_writer *w, uint32_t pipeline, const struct pipeline_question *question);
void worker_frames_result_write(
	struct bytes_writer *w, uint32_t pipeline, const struct pipeline_result *result);

void worker_frames_envelope_write(struct bytes_writer *w, const struct decode_envelope *envelope);
void worker_frames_tensors_write(struct bytes_writer *w, const struct decode_result *result);

/* Read a frame after its first byte. -EPROTO. Texts are printable. @max_bytes: limit of one
 * tensor. */
int must_check worker_frames_done_read(
	struct bytes_reader *r, struct pipelines_done *ret_done, struct error *err);
int must_check worker_frames_model_request_read(struct bytes_reader *r, uint64_t max_bytes,
	struct worker_model_request *ret_request, struct error *err);
void worker_frames_model_request_deinit(struct worker_model_request *request);
int must_check worker_frames_result_read(
	struct bytes_reader *r, struct pipelines_result *ret_result, struct error *err);
int must_check worker_frames_envelope_read(
	struct bytes_reader *r, struct decode_envelope *ret_envelope, struct error *err);
/* There must be @n tensors of these @types. Sets the tensors of @ret_result. */
int must_check worker_frames_tensors_read(struct bytes_reader *r, uint64_t max_bytes,
	const uint32_t *types, uint32_t n, struct decode_result *ret_result, struct error *err);

/* ---- the pipe, at the child */

/* Reads the next frame; the caller frees it. NULL if the parent is gone or without memory. */
uint8_t *worker_frames_read(size_t *ret_size);
/* Fills in the length and writes @frame. Returns false if the parent is gone. */
bool worker_frames_write(struct bytes_writer *frame);

#endif
