/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/worker/decode.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "client/media/input_file.h"

static const struct {
	const char *name; /* of a route's format= key */
	const char *content_type; /* "": the first bytes decide */
	enum input_format input;
} formats[DECODE_N_FORMATS] = {
	[DECODE_AUTO] = {"auto", "", INPUT_AUTO},
	[DECODE_IMAGE] = {"image", "", INPUT_IMAGE},
	[DECODE_WAV] = {"wav", "audio/wav", INPUT_WAV},
	[DECODE_S16LE] = {"s16le", "audio/l16", INPUT_S16LE},
	[DECODE_CSV] = {"csv", "text/csv", INPUT_CSV},
	[DECODE_JSON] = {"json", "application/json", INPUT_CSV},
	[DECODE_RAW] = {"raw", "application/octet-stream", INPUT_RAW},
};

/* Content types that decode_content_type() does not return. */
static const struct {
	const char *type;
	enum decode_format format;
} other_types[] = {
	{"image/jpeg", DECODE_IMAGE},
	{"image/png", DECODE_IMAGE},
	{"image/bmp", DECODE_IMAGE},
	{"image/x-portable-anymap", DECODE_IMAGE},
	{"audio/x-wav", DECODE_WAV},
	{"audio/wave", DECODE_WAV},
	{"application/x-npy", DECODE_AUTO},
};

static bool is_type(const char *type, const char *text, size_t length)
{
	return strlen(type) == length && strncasecmp(type, text, length) == 0;
}

enum decode_format decode_format_of(const char *content_type)
{
	const size_t length = strcspn(content_type, "; ");
	for (size_t i = 0; i < DECODE_N_FORMATS; i++) {
		if (is_type(formats[i].content_type, content_type, length)) {
			return (enum decode_format)i;
		}
	}
	for (size_t i = 0; i < sizeof(other_types) / sizeof(other_types[0]); i++) {
		if (is_type(other_types[i].type, content_type, length)) {
			return other_types[i].format;
		}
	}
	return DECODE_N_FORMATS;
}

const char *decode_content_type(enum decode_format format)
{
	return formats[format].content_type;
}

enum decode_format decode_format_named(const char *name)
{
	unsigned int i = 0;
	while (i < DECODE_N_FORMATS && strcmp(formats[i].name, name) != 0) {
		i++;
	}
	return (enum decode_format)i;
}

bool decode_deadline(const char *text, uint64_t *ret_ms)
{
	const unsigned long long ms = strtoull(text, NULL, 10);
	if (text[strspn(text, "0123456789")] || ms > DECODE_MAX_DEADLINE_MS) {
		return false;
	}
	*ret_ms = ms;
	return true;
}

char decode_first_character(const char *text, size_t size)
{
	size_t at = 0;
	while (at < size && text[at] && strchr(" \t\r\n", text[at])) {
		at++;
	}
	return (char)(at < size ? text[at] : 0);
}

void decode_result_free(struct decode_result *result)
{
	for (uint32_t i = 0; i < DECODE_MAX_INPUTS; i++) {
		tensor_free(&result->tensors[i]);
	}
	result->n = 0;
}

static const char *const oip_types[DTYPE_COUNT] = {
	[DTYPE_BOOL] = "BOOL",
	[DTYPE_UINT8] = "UINT8",
	[DTYPE_UINT16] = "UINT16",
	[DTYPE_UINT32] = "UINT32",
	[DTYPE_UINT64] = "UINT64",
	[DTYPE_INT8] = "INT8",
	[DTYPE_INT16] = "INT16",
	[DTYPE_INT32] = "INT32",
	[DTYPE_INT64] = "INT64",
	[DTYPE_FLOAT16] = "FP16",
	[DTYPE_FLOAT32] = "FP32",
	[DTYPE_FLOAT64] = "FP64",
};

const char *decode_oip_type(unsigned int type)
{
	return type < DTYPE_COUNT ? oip_types[type] : NULL;
}

int decode_oip_type_named(const char *name)
{
	for (int i = 0; i < DTYPE_COUNT; i++) {
		if (oip_types[i] && strcmp(oip_types[i], name) == 0) {
			return i;
		}
	}
	return -1;
}

/* Returns true for text without control characters. A table of numbers may begin with column
 * names. */
static bool looks_like_table(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)text[i] < ' ' && !strchr("\t\r\n", text[i] ? text[i] : 1)) {
			return false;
		}
	}
	return size > 0;
}

/* Decodes a payload that is not JSON, for a model with one input. */
static int run_plain(enum decode_format format, const struct decode_job *job, const void *data,
	size_t size, struct decode_result *result, struct error *err)
{
	const struct preprocess_options options = {.rate = DECODE_RATE};
	const struct source source = {
		.path = "message", .data = (uint8_t *)(uintptr_t)data, .size = size};
	if (job->n_specs != 1) {
		return error_set(err, -EINVAL,
			"the model has %u inputs: they are named in JSON \"inputs\"", job->n_specs);
	}
	if (format == DECODE_AUTO && source_format_of(&source) == SOURCE_UNKNOWN &&
		size != job->specs->bytes && looks_like_table(data, size)) {
		format = DECODE_CSV;
	}
	int r = input_file_read(
		job->specs, &options, formats[format].input, &source, &result->tensors[0], err);
	result->n = r == 0;
	return r;
}

static int run_json(const struct decode_job *job, struct decode_result *result, struct error *err)
{
	owned_mem uint8_t *inner = NULL;
	size_t inner_bytes = 0;
	enum decode_format format = DECODE_AUTO;
	int r = envelope_read(job, result, &inner, &inner_bytes, &format, err);
	return r == 0 && inner ? run_plain(format, job, inner, inner_bytes, result, err) : r;
}

int decode_run(const struct decode_job *job, struct decode_result *result, struct error *err)
{
	*result = (struct decode_result){0};
	const char first = decode_first_character(job->payload, job->size);
	bool json = job->format == DECODE_JSON ||
		(job->format == DECODE_AUTO && (first == '{' || first == '['));
	if (!json) {
		return run_plain(job->format, job, job->payload, job->size, result, err);
	}
	int r = run_json(job, result, err);
	if (r < 0 && job->format == DECODE_AUTO && !result->envelope.there && job->n_specs == 1 &&
		job->size == job->specs->bytes) {
		decode_result_free(result);
		*err = (struct error){0};
		return run_plain(DECODE_RAW, job, job->payload, job->size, result, err);
	}
	return r;
}
