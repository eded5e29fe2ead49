/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/flat.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/error.h"

#define NS_PER_MS 1000000

static void quote(struct bytes_writer *w, const char *text)
{
	bytes_write_u8(w, '"');
	for (const char *at = text; *at; at++) {
		if (*at == '"' || *at == '\\') {
			bytes_write_u8(w, '\\');
		}
		bytes_write_u8(w, (uint8_t)*at);
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

void flat_begin(struct bytes_writer *w, const char *key, char bracket)
{
	if (w->size) {
		put_key(w, key);
	}
	bytes_write_u8(w, (uint8_t)bracket);
}

void flat_end(struct bytes_writer *w, char bracket)
{
	bytes_write_u8(w, (uint8_t)bracket);
}

void flat_text(struct bytes_writer *w, const char *key, const char *text)
{
	char shown[2048];
	put_key(w, key);
	quote(w, error_escape(shown, sizeof(shown), text, strlen(text)));
}

void flat_told(struct bytes_writer *w, const char *key, const char *text)
{
	char shown[2048];
	put_key(w, key);
	quote(w, error_clean(shown, sizeof(shown), text, strlen(text)));
}

void flat_integer(struct bytes_writer *w, const char *key, int64_t value)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%" PRId64, value);
	put_key(w, key);
	bytes_write(w, text, (size_t)n);
}

void flat_real(struct bytes_writer *w, const char *key, double value, int digits)
{
	char text[40];
	int n = isfinite(value) ? snprintf(text, sizeof(text), "%.*g", digits, value)
				: snprintf(text, sizeof(text), "null");
	put_key(w, key);
	bytes_write(w, text, (size_t)n);
}

void flat_time(struct bytes_writer *w)
{
	struct timespec now;
	struct tm tm;
	char date[32], text[48];
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	int ms = (int)(now.tv_nsec / NS_PER_MS);
	snprintf(text, sizeof(text), "%s.%03dZ", date, ms);
	flat_text(w, "ts", text);
	flat_integer(w, "ts_ms", (int64_t)now.tv_sec * 1000 + ms);
}
