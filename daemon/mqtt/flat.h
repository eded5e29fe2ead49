/* SPDX-License-Identifier: Apache-2.0 */
/* flat - JSON is written, front to back: what goes out is small, known, and made for each result */
#ifndef DAEMON_MQTT_FLAT_H
#define DAEMON_MQTT_FLAT_H

#include "base/bytes.h"

/* @key NULL: an item of a list. Commas come by themselves. Running out of memory shows in w->failed. */
void flat_begin(struct bytes_writer *w, const char *key, char bracket); /* '{' or '[' */
void flat_end(struct bytes_writer *w, char bracket); /* '}' or ']' */
/* Who reads the JSON has @text again: what a terminal would act on is written as \uHHHH. Only bytes that are no UTF-8 become
 * the text \xNN. */
void flat_text(struct bytes_writer *w, const char *key, const char *text);
/* A text that was told, such as an error's: escaped once already (error_clean()). */
void flat_told(struct bytes_writer *w, const char *key, const char *text);
void flat_integer(struct bytes_writer *w, const char *key, int64_t value);
/* As short as @digits significant ones allow (9 give a float32 back, 17 a float64); null for what is not
 * finite. */
void flat_real(struct bytes_writer *w, const char *key, double value, int digits);
/* "ts" (RFC 3339, UTC) and "ts_ms": the calendar's time now. */
void flat_time(struct bytes_writer *w);

#endif
