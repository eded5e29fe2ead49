/* SPDX-License-Identifier: Apache-2.0 */
/* Wraps jansson. */
#include "client/pipeline/json_builder.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text/utf8.h"

#define MAX_DEPTH 16
#define DIGITS 7

struct json_document {
	json_t *open[MAX_DEPTH]; /* the first value owns all others */
	size_t depth;
	bool failed;
};

/* Adds @value, which may be NULL after a failed allocation. Returns it borrowed. */
static json_t *put(struct json_document *d, const char *key, json_t *value)
{
	json_t *parent = d ? d->open[d->depth - 1] : NULL;
	int r = key ? json_object_set_new(parent, key, value)
		    : json_array_append_new(parent, value);
	if (d) {
		d->failed |= r < 0;
	}
	return r < 0 ? NULL : value;
}

struct json_document *json_builder_document_new(bool list)
{
	struct json_document *d = calloc(1, sizeof(*d));
	json_t *root = list ? json_array() : json_object();
	if (!d || !root) {
		free(d);
		json_decref(root);
		return NULL;
	}
	d->open[d->depth++] = root;
	return d;
}

void json_builder_document_free(struct json_document *d)
{
	if (d) {
		json_decref(d->open[0]);
		free(d);
	}
}

/* Without memory, later values go into the parent; the document is never printed. */
static void begin(struct json_document *d, const char *key, json_t *value)
{
	json_t *added = put(d, key, value);
	if (d) {
		assert(d->depth < MAX_DEPTH);
		d->open[d->depth] = added ? added : d->open[d->depth - 1];
		d->depth++;
	}
}

void json_builder_begin_object(struct json_document *d, const char *key)
{
	begin(d, key, json_object());
}

void json_builder_begin_list(struct json_document *d, const char *key)
{
	begin(d, key, json_array());
}

void json_builder_end(struct json_document *d)
{
	if (d) {
		assert(d->depth > 1);
		d->depth--;
	}
}

void json_builder_put_text(struct json_document *d, const char *key, const char *text)
{
	if (text) {
		json_builder_put_bytes(d, key, text, strlen(text));
	}
}

void json_builder_put_bytes(
	struct json_document *d, const char *key, const void *bytes, size_t length)
{
	json_t *value = json_stringn(bytes, length);
	if (!value) {
		const size_t room = 4 * length + 1;
		char *escaped = malloc(room);
		value = escaped ? json_string(error_escape(escaped, room, bytes, length)) : NULL;
		free(escaped);
	}
	put(d, key, value);
}

void json_builder_put_integer(struct json_document *d, const char *key, int64_t value)
{
	put(d, key, json_integer(value));
}

void json_builder_put_real(struct json_document *d, const char *key, double value)
{
	put(d, key, isfinite(value) ? json_real(value) : json_null());
}

void json_builder_put_bool(struct json_document *d, const char *key, bool value)
{
	put(d, key, json_boolean(value));
}

void json_builder_put_integers(
	struct json_document *d, const char *key, const int32_t *values, size_t n)
{
	json_builder_begin_list(d, key);
	for (size_t i = 0; i < n; i++) {
		json_builder_put_integer(d, NULL, values[i]);
	}
	json_builder_end(d);
}

void json_builder_put_reals(struct json_document *d, const char *key, const float *values, size_t n)
{
	json_builder_begin_list(d, key);
	for (size_t i = 0; i < n; i++) {
		json_builder_put_real(d, NULL, (double)values[i]);
	}
	json_builder_end(d);
}

/* Code points above 16 bits are written as two surrogates (RFC 8259, 7). */
static void put_escaped(uint32_t code, FILE *out)
{
	if (code > 0xFFFF) {
		fprintf(out, "\\u%04x", (unsigned int)(0xD800 + ((code - 0x10000) >> 10)));
		code = 0xDC00 + ((code - 0x10000) & 0x3FF);
	}
	fprintf(out, "\\u%04x", (unsigned int)code);
}

/* jansson escapes C0. This also escapes other characters that a terminal would interpret; they
 * occur only in strings. */
static int put_shown(const char *text, FILE *out)
{
	size_t n = 0;
	uint32_t code = 0;
	const char *from = text, *at = text;
	for (size_t left = strlen(text); left > 0; at += n, left -= n) {
		n = utf8_next(at, left, &code);
		n = n ? n : 1;
		if (code >= 0x7F && !utf8_is_visible(code)) {
			fwrite(from, 1, (size_t)(at - from), out);
			put_escaped(code, out);
			from = at + n;
		}
	}
	fputs(from, out);
	return fputc('\n', out) == EOF || ferror(out) ? -EIO : 0;
}

int json_builder_print(const struct json_document *d, FILE *out, bool indented)
{
	size_t flags = JSON_REAL_PRECISION(DIGITS);
	flags |= indented ? JSON_INDENT(2) : JSON_COMPACT;
	char *text = !d || d->failed ? NULL : json_dumps(d->open[0], flags);
	int code = text ? put_shown(text, out) : -ENOMEM;
	free(text);
	return code;
}

char *json_builder_text(const struct json_document *d)
{
	return !d || d->failed ? NULL
			       : json_dumps(d->open[0], JSON_REAL_PRECISION(DIGITS) | JSON_COMPACT);
}
