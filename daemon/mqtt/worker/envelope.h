/* SPDX-License-Identifier: Apache-2.0 */
/* envelope - the JSON of decode.h is read: the door of jansson on this side of the project */
#ifndef DAEMON_MQTT_ENVELOPE_H
#define DAEMON_MQTT_ENVELOPE_H

#include "daemon/mqtt/decode.h"

/*
 * Fills result->envelope, and the tensors where the numbers are in the JSON itself. Where "data" is
 * base64, *ret_inner (owned, a zero byte follows) are its bytes and *ret_format is their format;
 * else *ret_inner stays NULL.
 */
int must_check envelope_read(const struct decode_job *job, struct decode_result *result,
	uint8_t **ret_inner, size_t *ret_inner_bytes, enum decode_format *ret_format,
	struct error *err);

/* The numbers of the members that @fields name (separated by blanks; a list gives all of its own), as one line of
 * CSV: *ret_text is owned, a zero byte follows. @payload has one behind its end too. */
int must_check envelope_fields(const void *payload, size_t size, const char *fields,
	char **ret_text, size_t *ret_size, struct error *err);

/*
 * An input of a pipeline: is it an object with "reply_to", or with "id" and "data"? Not one with "values", which are
 * plain numbers. envelope->there says so; then *ret_data (owned, a zero byte follows) is what was in it, of *ret_format: the
 * bytes of base64, or a list of numbers as JSON. An error is of an envelope, which is filled as far as it was read.
 */
int must_check envelope_open(const void *payload, size_t size, struct decode_envelope *envelope,
	uint8_t **ret_data, size_t *ret_bytes, enum decode_format *ret_format, struct error *err);

#endif
