/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipes_wire - what edged-mqtt and the process of its pipelines say to each other
 *
 * The parent gives one order at a time; its last word on each is PIPES_DONE, after the questions and
 * results that it led to. Both ends are the same program, but the child has read what strangers sent:
 * its words are judged.
 */
#ifndef DAEMON_MQTT_PIPES_WIRE_H
#define DAEMON_MQTT_PIPES_WIRE_H

#include "base/bytes.h"
#include "base/error.h"
#include "client/pipeline/pipeline.h"
#include "daemon/mqtt/decode.h"

#define PIPES_MAX_TENSORS 16 /* inputs, or outputs, of one question */
#define PIPES_SOURCE_SIZE 64
#define PIPES_MAX_TAGS 512 /* of inputs whose answers somebody waits for, at once */
#define PIPES_MODEL_SIZE 64

enum pipes_order {
	PIPES_OPEN = 1, /* the next pipeline; before PIPES_BEGIN */
	PIPES_BEGIN, /* all are there: the child gives up what it does not need */
	PIPES_MODEL, /* what a model is like now */
	PIPES_INPUT,
	PIPES_ANSWER, /* to a question */
	PIPES_SET, /* a threshold */
	PIPES_EXAMPLES, /* what a model was taught; before PIPES_MODEL */
};

enum pipes_word {
	PIPES_DONE = 1,
	PIPES_QUESTION,
	PIPES_RESULT,
	PIPES_ENVELOPE, /* the input is JSON around its data: what was said; it is to come again, opened */
};

/* ---- orders. All views point into the frame, with a zero byte behind each text. */

struct pipes_text { /* PIPES_OPEN */
	const char *path;
	const char *text;
	size_t size;
};

struct pipes_input {
	uint32_t pipeline; /* in the order of PIPES_OPEN */
	uint32_t origin; /* the broker's */
	char source[PIPES_SOURCE_SIZE];
	char content_type[64]; /* "": by its first bytes */
	char fields[256]; /* of JSON: members that are the numbers; "" */
	uint64_t time_us, deadline_ns; /* 0: now; none */
	uint64_t tag; /* 0: nobody waits for its answer */
	bool opened; /* the parent knows its envelope */
	const void *data; /* a zero byte follows */
	size_t size;
};

struct pipes_answer {
	uint32_t pipeline;
	uint64_t question;
	struct error failed; /* code 0: there are outputs */
	uint32_t n;
	struct tensor_bytes tensors[PIPES_MAX_TENSORS]; /* owned */
};

void pipes_open_write(struct bytes_writer *w, const char *path, const char *text, size_t size);
/* @questions: how many the child may have asked at once. */
void pipes_begin_write(struct bytes_writer *w, uint32_t questions);
/* @model NULL: there is none of that name now. */
void pipes_model_write(struct bytes_writer *w, const char *name, const char *signature,
	const struct pipeline_model *model);
void pipes_examples_write(struct bytes_writer *w, const char *model, const char *text);
void pipes_input_write(struct bytes_writer *w, const struct pipes_input *input);
/* Its n and tensors are of the caller, borrowed. */
void pipes_answer_write(struct bytes_writer *w, uint32_t pipeline, uint64_t question,
	const struct error *failed, const struct tensor_bytes *tensors, uint32_t n);
void pipes_set_write(struct bytes_writer *w, uint32_t pipeline, double threshold);

/* Behind the byte of the order. -EPROTO, -ENOMEM. */
int must_check pipes_open_read(
	struct bytes_reader *r, struct pipes_text *ret_text, struct error *err);
int must_check pipes_model_read(struct bytes_reader *r, char name[PIPES_MODEL_SIZE],
	char signature[PIPES_MODEL_SIZE], bool *ret_there, struct pipeline_model *ret_model,
	struct error *err);
int must_check pipes_examples_read(struct bytes_reader *r, char model[PIPES_MODEL_SIZE],
	const char **ret_text, struct error *err);
int must_check pipes_input_read(
	struct bytes_reader *r, struct pipes_input *ret_input, struct error *err);
int must_check pipes_answer_read(
	struct bytes_reader *r, struct pipes_answer *ret_answer, struct error *err);
void pipes_answer_deinit(struct pipes_answer *answer);

/* ---- words */

struct pipes_done {
	struct error failed; /* code 0: it is done */
	uint32_t n;
	uint64_t tags[PIPES_MAX_TAGS];
};

struct pipes_question {
	uint32_t pipeline;
	uint64_t id;
	char model[PIPES_MODEL_SIZE], signature[PIPES_MODEL_SIZE]; /* signature "": the default */
	uint32_t origin;
	char source[PIPES_SOURCE_SIZE];
	uint64_t session, deadline_ns;
	uint32_t priority;
	uint32_t n;
	struct tensor_bytes tensors[PIPES_MAX_TENSORS]; /* owned */
};

struct pipes_result {
	uint32_t pipeline, stage;
	enum pipeline_kind kind;
	bool event;
	uint64_t time_us, tag;
	bool quiet;
	uint32_t origin;
	char source[PIPES_SOURCE_SIZE];
	const char *flat; /* view; an object, not 0-terminated */
	size_t flat_bytes;
	const void *snapshot; /* view; PNG or JPEG, or 0 bytes */
	size_t snapshot_bytes;
};

/* @tags: of inputs that have more to tell. */
void pipes_done_write(
	struct bytes_writer *w, const struct error *failed, const uint64_t *tags, uint32_t n);
void pipes_question_write(
	struct bytes_writer *w, uint32_t pipeline, const struct pipeline_question *question);
void pipes_result_write(
	struct bytes_writer *w, uint32_t pipeline, const struct pipeline_result *result);

void pipes_envelope_write(struct bytes_writer *w, const struct decode_envelope *envelope);

/* Behind the byte of the word. -EPROTO. Texts are printable. @max_bytes: of one tensor. */
int must_check pipes_done_read(
	struct bytes_reader *r, struct pipes_done *ret_done, struct error *err);
int must_check pipes_question_read(struct bytes_reader *r, uint64_t max_bytes,
	struct pipes_question *ret_question, struct error *err);
void pipes_question_deinit(struct pipes_question *question);
int must_check pipes_result_read(
	struct bytes_reader *r, struct pipes_result *ret_result, struct error *err);
int must_check pipes_envelope_read(
	struct bytes_reader *r, struct decode_envelope *ret_envelope, struct error *err);

#endif
