/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode - from a message's payload to the input tensors of a request
 *
 * decode_run() is for the worker process (worker.h), because images, sound and JSON come from
 * outside. Formats of payloads:
 *
 *   DECODE_AUTO   JSON if it begins like JSON, else as in `edgectl infer`: by the first bytes
 *                 or the size
 *   DECODE_IMAGE, DECODE_WAV, DECODE_S16LE, DECODE_CSV, DECODE_RAW as in input.h
 *   DECODE_JSON   an object: {"id", "reply_to", "content_type", "data", "inputs", "accept",
 *                 "priority", "deadline_ms", "traceparent"}. "data" is a list of numbers, or
 *                 base64 of data of "content_type"; "inputs" is a list as in the Open Inference
 *                 Protocol v2 ("name", "datatype", "shape", "data"). Or a list of numbers.
 *                 With @fields, the members of these names are the numbers; others are ignored.
 */
#ifndef DAEMON_MQTT_WORKER_DECODE_H
#define DAEMON_MQTT_WORKER_DECODE_H

#include "client/media/tensor.h"

#define DECODE_MAX_INPUTS 16
#define DECODE_ID_SIZE 65
#define DECODE_MAX_DEADLINE_MS 86400000 /* a day */
#define DECODE_RATE 16000 /* samples per second that models expect; edgectl's --rate */

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

/* Members of the JSON object other than the inputs; "" if absent. */
struct decode_envelope {
	bool there; /* the payload is a JSON object */
	bool oip; /* the object has "inputs" */
	char id[DECODE_ID_SIZE];
	char reply_to[1024];
	char accept[64];
	char priority[16];
	char traceparent[64];
	uint64_t deadline_ms; /* 0: none */
};

struct decode_job {
	enum decode_format format;
	const struct tensor_spec *specs;
	uint32_t n_specs; /* 1 .. DECODE_MAX_INPUTS */
	const char *fields;
	const void *payload; /* zero-terminated */
	size_t size;
};

struct decode_result {
	struct decode_envelope envelope;
	uint32_t n;
	struct tensor_bytes tensors[DECODE_MAX_INPUTS]; /* owned */
};

/* Returns the format of a content type, ignoring parameters after ';'. DECODE_N_FORMATS: unknown;
 * DECODE_AUTO: "". */
enum decode_format decode_format_of(const char *content_type);
/* Returns the content type of a format; "" if the first bytes decide. */
const char *decode_content_type(enum decode_format format);
/* Returns the format of a route's format= key; DECODE_AUTO for "auto". */
enum decode_format decode_format_named(const char *name);

/* Parses whole milliseconds, up to DECODE_MAX_DEADLINE_MS; "" is 0. Returns false for other text. */
bool must_check decode_deadline(const char *text, uint64_t *ret_ms);
/* Returns the first character that is no white space; 0: there is none. */
char decode_first_character(const char *text, size_t size);

/* Returns the name of a data type in Open Inference Protocol v2; NULL: none. */
const char *decode_oip_type(unsigned int type);
/* Returns the data type of a name; -1: unknown. */
int decode_oip_type_named(const char *name);

/* Decodes @job. @err must not be NULL. On failure the envelope holds the members that were read. */
int must_check decode_run(
	const struct decode_job *job, struct decode_result *result, struct error *err);
void decode_result_free(struct decode_result *result); /* zeroed is fine */

/* ---- envelope.c: the JSON; the only user of jansson in edged-mqtt */

/*
 * Fills result->envelope, and the tensors if the JSON holds numbers. If "data" is base64,
 * *ret_inner are its bytes (owned, zero-terminated) and *ret_format their format; else *ret_inner
 * stays NULL.
 */
int must_check envelope_read(const struct decode_job *job, struct decode_result *result,
	uint8_t **ret_inner, size_t *ret_inner_bytes, enum decode_format *ret_format,
	struct error *err);

/* Writes the numbers of the members in @fields (separated by blanks; a list gives all its numbers)
 * as one line of CSV. *ret_text is owned and zero-terminated. @payload is zero-terminated. */
int must_check envelope_fields(const void *payload, size_t size, const char *fields,
	char **ret_text, size_t *ret_size, struct error *err);

/*
 * Reads an input of a pipeline that may be an envelope: an object with "reply_to", or with "id" and
 * "data". An object with "values" is not one; its members are numbers. If envelope->there,
 * *ret_data (owned, zero-terminated) is the data in *ret_format: decoded base64, or a JSON list of
 * numbers. Fails only if envelope->there; @envelope then holds the members that were read.
 */
int must_check envelope_open(const void *payload, size_t size, struct decode_envelope *envelope,
	uint8_t **ret_data, size_t *ret_bytes, enum decode_format *ret_format, struct error *err);

#endif
