/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_writer - writes small JSON objects from front to back
 *
 * Each function sets w->failed if memory runs out.
 */
#ifndef DAEMON_MQTT_TEXT_JSON_WRITER_H
#define DAEMON_MQTT_TEXT_JSON_WRITER_H

#include "base/bytes.h"

/* @key is NULL for items of a list. Commas are added. */
void json_writer_begin(struct bytes_writer *w, const char *key, char bracket); /* '{' or '[' */
void json_writer_end(struct bytes_writer *w, char bracket); /* '}' or ']' */
/* Writes @text as a JSON string. A character that utf8_is_visible() rejects becomes the escape
 * \uHHHH. A byte that is not UTF-8 becomes the text \xNN. */
void json_writer_text(struct bytes_writer *w, const char *key, const char *text);
/* Writes text that error_clean() has already escaped, such as an error's. */
void json_writer_escaped(struct bytes_writer *w, const char *key, const char *text);
void json_writer_integer(struct bytes_writer *w, const char *key, int64_t value);
/* Writes at most @digits significant digits (9 restore a float32, 17 a float64); null if not
 * finite. */
void json_writer_real(struct bytes_writer *w, const char *key, double value, int digits);
/* Writes "ts" (RFC 3339, UTC) and "ts_ms": the current time. */
void json_writer_time(struct bytes_writer *w);

#endif
