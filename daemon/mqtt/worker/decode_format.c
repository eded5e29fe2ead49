/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/worker/decode_format.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *type;
	enum decode_format format;
} types[] = {
	{"application/octet-stream", DECODE_RAW},
	{"application/json", DECODE_JSON},
	{"image/jpeg", DECODE_IMAGE},
	{"image/png", DECODE_IMAGE},
	{"image/bmp", DECODE_IMAGE},
	{"image/x-portable-anymap", DECODE_IMAGE},
	{"audio/wav", DECODE_WAV},
	{"audio/x-wav", DECODE_WAV},
	{"audio/wave", DECODE_WAV},
	{"audio/l16", DECODE_S16LE},
	{"text/csv", DECODE_CSV},
	{"application/x-npy", DECODE_AUTO},
};

enum decode_format decode_format_of(const char *content_type)
{
	size_t length = strcspn(content_type, "; ");
	if (length == 0) {
		return DECODE_AUTO;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strlen(types[i].type) == length &&
			strncasecmp(types[i].type, content_type, length) == 0) {
			return types[i].format;
		}
	}
	return DECODE_N_FORMATS;
}

const char *decode_content_type(enum decode_format format)
{
	static const char *const names[DECODE_N_FORMATS] = {[DECODE_WAV] = "audio/wav",
		[DECODE_S16LE] = "audio/l16",
		[DECODE_CSV] = "text/csv",
		[DECODE_JSON] = "application/json",
		[DECODE_RAW] = "application/octet-stream"};
	return names[format] ? names[format] : "";
}

enum decode_format decode_format_named(const char *name)
{
	static const char *const names[] = {"auto", "image", "wav", "s16le", "csv", "json", "raw"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			return (enum decode_format)i;
		}
	}
	return DECODE_N_FORMATS;
}

void decode_result_free(struct decode_result *result)
{
	for (uint32_t i = 0; i < DECODE_MAX_INPUTS; i++) {
		tensor_free(&result->tensors[i]);
	}
	result->n = 0;
}
