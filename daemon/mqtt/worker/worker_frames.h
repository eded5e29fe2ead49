/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_frames - frames between edged-mqtt and the worker process
 *
 * The parent sends one command at a time. The worker sends its model requests, results and tensors,
 * then WORKER_FRAME_DONE. The worker parses data from outside, so the parent checks all its frames.
 * A frame is its length (u32), its type (u8) and its fields, in both directions, on the worker's
 * descriptor 0. Both ends are the same program, so numbers are in the machine's byte order.
 */
#ifndef DAEMON_MQTT_WORKER_WORKER_FRAMES_H
#define DAEMON_MQTT_WORKER_WORKER_FRAMES_H

#include "base/bytes.h"
#include "base/error.h"
#include "client/pipeline/pipeline.h"
#include "daemon/mqtt/worker/decode.h"

#define FRAME_HEADER_BYTES 4
#define PIPELINES_MAX_TENSORS 16 /* inputs or outputs of one model request */
#define PIPELINES_SOURCE_SIZE 64
#define PIPELINES_MAX_TAGS 512 /* inputs with outstanding responses at once */
#define PIPELINES_MODEL_SIZE 64

/* Types of frames, each with the struct of its fields. Types below WORKER_FRAME_DONE are commands. */
enum worker_frame {
	WORKER_COMMAND_OPEN =
		1, /* worker_pipeline: the next pipeline; before WORKER_COMMAND_BEGIN */
	/* worker_begin: all pipelines were sent; the worker enters its sandbox */
	WORKER_COMMAND_BEGIN,
	WORKER_COMMAND_MODEL, /* worker_model */
	WORKER_COMMAND_INPUT, /* worker_input: for a pipeline */
	WORKER_COMMAND_MODEL_RESPONSE, /* worker_model_response */
	WORKER_COMMAND_SET_THRESHOLD, /* worker_threshold */
	WORKER_COMMAND_EXAMPLES, /* worker_examples: before WORKER_COMMAND_MODEL */
	WORKER_COMMAND_DECODE, /* decode_job: payload of a request to a model */
	WORKER_FRAME_DONE, /* worker_done: the command has ended */
	WORKER_FRAME_MODEL_REQUEST, /* worker_model_request */
	WORKER_FRAME_RESULT, /* worker_result */
	/* decode_envelope: the payload is a JSON envelope. The parent sends an input of a pipeline
	 * again with @envelope_parsed set. */
	WORKER_FRAME_ENVELOPE,
	WORKER_FRAME_TENSORS, /* decode_result, its tensors only: of WORKER_COMMAND_DECODE */
};

/* ---- commands. Pointers are borrowed, and point into the frame after reading. */

struct worker_pipeline {
	const char *path, *text; /* of the pipeline's file */
	size_t size;
};

struct worker_begin {
	uint32_t max_requests; /* limit of the worker's model requests at once */
};

struct worker_model {
	char name[PIPELINES_MODEL_SIZE];
	char signature[PIPELINES_MODEL_SIZE]; /* "": the default */
	bool is_served; /* by edged; false: @model is empty */
	struct pipeline_model model; /* owned after reading */
};

struct worker_examples { /* few-shot examples of a model */
	char model[PIPELINES_MODEL_SIZE];
	const char *text;
};

struct worker_threshold {
	uint32_t pipeline;
	double threshold;
};

struct worker_input {
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

struct worker_model_response {
	uint32_t pipeline;
	uint64_t id; /* of the worker_model_request */
	struct error error; /* code 0: the request succeeded */
	uint32_t n;
	struct tensor_bytes tensors[PIPELINES_MAX_TENSORS]; /* owned after reading */
};

/* ---- frames of the worker. Texts are printable. */

struct worker_done {
	struct error error; /* code 0: the command succeeded */
	uint32_t n;
	uint64_t tags[PIPELINES_MAX_TAGS]; /* inputs that have outstanding results */
};

struct worker_model_request {
	uint32_t pipeline;
	uint64_t id;
	char model[PIPELINES_MODEL_SIZE];
	char signature[PIPELINES_MODEL_SIZE]; /* "": the default */
	uint32_t connection_id;
	char source[PIPELINES_SOURCE_SIZE];
	uint64_t session, deadline_ns;
	uint32_t priority;
	uint32_t n;
	struct tensor_bytes tensors[PIPELINES_MAX_TENSORS]; /* owned after reading */
};

struct worker_result {
	uint32_t pipeline, stage;
	enum pipeline_kind kind;
	bool event;
	uint64_t time_us, tag;
	bool only_for_requester;
	uint32_t connection_id;
	char source[PIPELINES_SOURCE_SIZE];
	const char *flat_json; /* points into the frame; a JSON object, not zero-terminated */
	size_t flat_json_bytes;
	const void *snapshot; /* points into the frame; PNG or JPEG, or 0 bytes */
	size_t snapshot_bytes;
};

/* Appends a frame. @record is the struct of @type. */
void worker_frames_write(struct bytes_writer *w, enum worker_frame type, const void *record);
/* Reads a frame after its type to *ret_record, the struct of @type. Release with
 * worker_frames_free(). @max_tensor_bytes: limit of one tensor. -EPROTO, -ENOMEM; *ret_record then
 * has the fields before, and owns nothing. */
int must_check worker_frames_read(struct bytes_reader *r, enum worker_frame type,
	uint64_t max_tensor_bytes, void *ret_record, struct error *err);
/* Frees what a read record owns. */
void worker_frames_free(enum worker_frame type, void *record);

/* Fills in the length of a written frame. */
static inline void worker_frames_set_length(struct bytes_writer *frame)
{
	const uint32_t bytes = (uint32_t)(frame->size - FRAME_HEADER_BYTES);
	memcpy(frame->data, &bytes, sizeof(bytes));
}

/* ---- the pipe, at the worker */

/* Reads the next frame; the caller frees it. NULL if the parent is gone or without memory. */
uint8_t *worker_frames_receive(size_t *ret_size);
/* Fills in the length and writes @frame. Returns false if the parent is gone. */
bool worker_frames_send(struct bytes_writer *frame);

#endif
