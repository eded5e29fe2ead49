/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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
}

int error_no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

/* Length of the well-formed UTF-8 sequence at @s (RFC 3629), 0 if there is none; *ret_code its code
 * point. */
static size_t utf8_sequence(const uint8_t *s, size_t n, uint32_t *ret_code)
{
	static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = s[0] < 0x80 ? 1
		: s[0] < 0xC2       ? 0
		: s[0] < 0xE0       ? 2
		: s[0] < 0xF0       ? 3
		: s[0] < 0xF5       ? 4
				    : 0;
	if (length == 0 || length > n) {
		return 0;
	}
	uint32_t code = length == 1 ? s[0] : s[0] & (0xFFu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xC0) != 0x80) {
			return 0;
		}
		code = code << 6 | (s[i] & 0x3F);
	}
	if (code < smallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
		return 0;
	}
	*ret_code = code;
	return length;
}

static bool printable(uint32_t code)
{
	bool bidi = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
		code == 0x200E || code == 0x200F || code == 0x061C;
	return code >= 0x20 && code != 0x5C && !(code >= 0x7F && code < 0xA0) && code != 0x2028 &&
		code != 0x2029 && !bidi;
}

char *error_escape(char *out, size_t size, const void *text, size_t length)
{
	const uint8_t *s = text;
	size_t at = 0, used = 0;
	while (at < length) {
		uint32_t code = 0;
		size_t n = utf8_sequence(s + at, length - at, &code);
		bool plain = n > 0 && printable(code);
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
