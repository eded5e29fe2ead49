/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text/utf8.h"

static const struct {
	int code;
	enum edge_status status;
} status_of_code[] = {
	{0, EDGE_OK},
	{-ENOENT, EDGE_NOT_FOUND},
	{-EACCES, EDGE_DENIED},
	{-EPERM, EDGE_DENIED},
	{-E2BIG, EDGE_TOO_LARGE},
	{-EFBIG, EDGE_TOO_LARGE},
	{-EOPNOTSUPP, EDGE_UNSUPPORTED},
	{-EBUSY, EDGE_OVERLOADED},
	{-EAGAIN, EDGE_OVERLOADED},
	{-ETIMEDOUT, EDGE_DEADLINE},
	{-ECANCELED, EDGE_CANCELLED},
	{-EIO, EDGE_BACKEND},
	{-EBADMSG, EDGE_MODEL_REFUSED},
	{-EILSEQ, EDGE_MODEL_REFUSED},
	{-EDOM, EDGE_MODEL_REFUSED},
	{-EINVAL, EDGE_INVALID},
	{-ERANGE, EDGE_INVALID},
	{-EPROTO, EDGE_INVALID},
};

enum edge_status error_status_of(int code)
{
	for (size_t i = 0; i < sizeof(status_of_code) / sizeof(status_of_code[0]); i++) {
		if (status_of_code[i].code == code) {
			return status_of_code[i].status;
		}
	}
	return EDGE_INTERNAL;
}

int error_set(struct error *err, int code, const char *format, ...)
{
	if (err) {
		va_list args;
		va_start(args, format);
		err->code = code;
		err->status = error_status_of(code);
		err->retry_after_us = 0;
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
		utf8_end(err->text);
	}
	return code;
}

void error_prefix(struct error *err, const char *format, ...)
{
	if (!err || err->code == 0) {
		return;
	}
	char old[sizeof(err->text)];
	memcpy(old, err->text, sizeof(old));
	va_list args;
	va_start(args, format);
	int length = vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	const int left = (int)sizeof(err->text) - length - (int)sizeof(": ");
	if (length >= 0 && left > 0) {
		snprintf(err->text + length, (size_t)left + sizeof(": "), ": %.*s", left, old);
	}
	utf8_end(err->text);
}

int error_no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

/* Escapes unprintable bytes as \xNN, and backslashes unless @backslash. */
static char *escape(char *out, size_t size, const uint8_t *s, size_t length, bool backslash)
{
	size_t at = 0, used = 0;
	while (at < length) {
		uint32_t code = 0;
		size_t n = utf8_next(s + at, length - at, &code);
		bool plain = n > 0 && utf8_is_visible(code) && (backslash || code != '\\');
		size_t bytes = n > 0 ? n : 1, need = plain ? bytes : 4 * bytes;
		if (used + need + 1 > size) {
			break;
		}
		for (size_t i = 0; i < bytes; i++, at++) {
			if (plain) {
				out[used++] = (char)s[at];
			} else {
				snprintf(out + used, 5, "\\x%02x", s[at]);
				used += 4;
			}
		}
	}
	if (size > 0) {
		out[used] = 0;
	}
	return out;
}

char *error_escape(char *out, size_t size, const void *text, size_t length)
{
	return escape(out, size, text, length, false);
}

char *error_clean(char *out, size_t size, const void *text, size_t length)
{
	return escape(out, size, text, length, true);
}
