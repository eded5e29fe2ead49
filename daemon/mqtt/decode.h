/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode - a message's bytes become the tensors of a request
 *
 * Runs in the child process of decoder.h, because pictures, sounds and JSON come from strangers. What a
 * message may be:
 *
 *   DECODE_AUTO   JSON where it begins like it, else what `edgectl infer` takes: its first bytes
 *                 decide, or its size
 *   DECODE_IMAGE, DECODE_WAV, DECODE_S16LE, DECODE_CSV, DECODE_RAW as input.h
 *   DECODE_JSON   an object: {"id", "reply_to", "content_type", "data", "inputs", "accept", "priority",
 *                 "deadline_ms", "traceparent"}. "data" is a list of numbers, or base64 of a message
 *                 of "content_type"; "inputs" is a list as in the Open Inference Protocol v2 ("name",
 *                 "datatype", "shape", "data"). Or a list of numbers alone.
 *                 With @fields these members are the numbers, and nothing else is looked at.
 */
#ifndef DAEMON_MQTT_DECODE_H
#define DAEMON_MQTT_DECODE_H

#include "client/pipeline/tensor.h"

#define DECODE_MAX_INPUTS 16
#define DECODE_ID_SIZE 65
#define DECODE_RATE 16000 /* samples a second that models expect, as edgectl's --rate */

enum decode_format {
	DECODE_AUTO,
	DECODE_IMAGE,
	DECODE_WAV,
	DECODE_S16LE,
	DECODE_CSV,
	DECODE_JSON,
	DECODE_RAW,
	DECODE_N_FORMATS
};

/* What JSON said beside the inputs; "" where it did not. */
struct decode_envelope {
	bool there; /* it was a JSON object */
	bool oip; /* with "inputs" */
	char id[DECODE_ID_SIZE];
	char reply_to[1024];
	char accept[64];
	char priority[16];
	char traceparent[64];
	uint64_t deadline_ms; /* 0: none */
};

struct decode_job {
	enum decode_format format;
	const struct spec *specs;
	uint32_t n_specs; /* 1 .. DECODE_MAX_INPUTS */
	const char *fields;
	const void *payload; /* one zero byte follows the last */
	size_t size;
};

struct decode_result {
	struct decode_envelope envelope;
	uint32_t n;
	struct tensor_bytes tensors[DECODE_MAX_INPUTS]; /* owned */
};

/* Of a content type (what follows a ';' is ignored); DECODE_N_FORMATS for one that is not known, DECODE_AUTO
 * for none. */
enum decode_format decode_format_of(const char *content_type);
/* What a pipeline takes for it; "" where the first bytes decide. */
const char *decode_content_type(enum decode_format format);
/* Of a route's word; DECODE_AUTO for "auto". */
enum decode_format decode_format_named(const char *name);

/* @err is not NULL; its text says what and where. The envelope is filled also on failure, as far as it was read. */
int must_check decode_run(
	const struct decode_job *job, struct decode_result *result, struct error *err);
void decode_result_free(struct decode_result *result); /* zeroed is fine */

/* Job and result as bytes, for the pipe between both processes. */
struct bytes_writer;
struct bytes_reader;
void decode_envelope_write(struct bytes_writer *w, const struct decode_envelope *envelope);
/* Marks @r failed where it is none. */
void decode_envelope_read(struct bytes_reader *r, struct decode_envelope *envelope);
void decode_job_write(struct bytes_writer *w, const struct decode_job *job);
/* @specs: room for DECODE_MAX_INPUTS. -EPROTO. Points into @data. */
int must_check decode_job_read(const void *data, size_t size, struct spec *specs,
	struct decode_job *ret_job, struct error *err);
/* @failed: instead of tensors why not. */
void decode_result_write(
	struct bytes_writer *w, const struct decode_result *result, const struct error *failed);
/* Judges what the child wrote: tensors are of @specs' types, within @max_bytes. Gives what the child
 * says went wrong as *failed, code 0 when nothing did. -EPROTO. */
int must_check decode_result_read(const void *data, size_t size, const struct spec *specs,
	uint32_t n_specs, uint64_t max_bytes, struct decode_result *ret_result,
	struct error *failed, struct error *err);

#endif
