/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/text/json_writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text/utf8.h"

/* Writes a character as \uHHHH, above 16 bits as two surrogates (RFC 8259, section 7), or a byte
 * that is not UTF-8 (@n: 0) as \\xHH. */
static void put_escaped(struct bytes_writer *w, uint8_t byte, size_t n, uint32_t code)
{
	char text[16];
	int used = n == 0        ? snprintf(text, sizeof(text), "\\\\x%02x", byte)
		: code <= 0xFFFF ? snprintf(text, sizeof(text), "\\u%04x", (unsigned int)code)
				 : snprintf(text, sizeof(text), "\\u%04x\\u%04x",
					   (unsigned int)(0xD800 + ((code - 0x10000) >> 10)),
					   (unsigned int)(0xDC00 + ((code - 0x10000) & 0x3FF)));
	bytes_write(w, text, (size_t)used);
}

static void quote(struct bytes_writer *w, const char *text)
{
	bytes_write_u8(w, '"');
	for (size_t left = strlen(text), n = 0; left > 0; text += n, left -= n) {
		uint32_t code = 0;
		n = utf8_next(text, left, &code);
		if (n == 0 || !utf8_is_visible(code)) {
			put_escaped(w, (uint8_t)*text, n, code);
			n = n ? n : 1;
			continue;
		}
		if (*text == '"' || *text == '\\') {
			bytes_write_u8(w, '\\');
		}
		bytes_write(w, text, n);
	}
	bytes_write_u8(w, '"');
}

static void put_key(struct bytes_writer *w, const char *key)
{
	uint8_t before = w->size ? w->data[w->size - 1] : '{';
	if (before != '{' && before != '[') {
		bytes_write_u8(w, ',');
	}
	if (key) {
		quote(w, key);
		bytes_write_u8(w, ':');
	}
}

void json_writer_begin(struct bytes_writer *w, const char *key, char bracket)
{
	if (w->size) {
		put_key(w, key);
	}
	bytes_write_u8(w, (uint8_t)bracket);
}

void json_writer_end(struct bytes_writer *w, char bracket)
{
	bytes_write_u8(w, (uint8_t)bracket);
}

void json_writer_text(struct bytes_writer *w, const char *key, const char *text)
{
	put_key(w, key);
	quote(w, text);
}

void json_writer_escaped(struct bytes_writer *w, const char *key, const char *text)
{
	char escaped[2048];
	put_key(w, key);
	quote(w, error_clean(escaped, sizeof(escaped), text, strlen(text)));
}

void json_writer_integer(struct bytes_writer *w, const char *key, int64_t value)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%" PRId64, value);
	put_key(w, key);
	bytes_write(w, text, (size_t)n);
}

void json_writer_real(struct bytes_writer *w, const char *key, double value, int digits)
{
	char text[40];
	int n = isfinite(value) ? snprintf(text, sizeof(text), "%.*g", digits, value)
				: snprintf(text, sizeof(text), "null");
	put_key(w, key);
	bytes_write(w, text, (size_t)n);
}

void json_writer_time(struct bytes_writer *w)
{
	struct timespec now;
	struct tm tm;
	char date[32], text[48];
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	int ms = (int)(now.tv_nsec / NSEC_PER_MSEC);
	snprintf(text, sizeof(text), "%s.%03dZ", date, ms);
	json_writer_text(w, "ts", text);
	json_writer_integer(w, "ts_ms", (int64_t)now.tv_sec * 1000 + ms);
}
