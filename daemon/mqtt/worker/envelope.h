/* SPDX-License-Identifier: Apache-2.0 */
/* envelope - reads the JSON of decode.h; the only user of jansson in edged-mqtt */
#ifndef DAEMON_MQTT_WORKER_ENVELOPE_H
#define DAEMON_MQTT_WORKER_ENVELOPE_H

#include "daemon/mqtt/worker/decode.h"

/*
 * Fills result->envelope, and the tensors if the JSON holds numbers. If "data" is base64,
 * *ret_inner are its bytes (owned, zero-terminated) and *ret_format their format; else *ret_inner
 * stays NULL.
 */
int must_check envelope_read(const struct decode_job *job, struct decode_result *result,
	uint8_t **ret_inner, size_t *ret_inner_bytes, enum decode_format *ret_format,
	struct error *err);

/* Writes the numbers of the members in @fields (separated by blanks; a list gives all its numbers)
 * as one line of CSV. *ret_text is owned and zero-terminated. @payload is zero-terminated. */
int must_check envelope_fields(const void *payload, size_t size, const char *fields,
	char **ret_text, size_t *ret_size, struct error *err);

/*
 * Reads an input of a pipeline that may be an envelope: an object with "reply_to", or with "id" and
 * "data". An object with "values" is not one; its members are numbers. If envelope->there,
 * *ret_data (owned, zero-terminated) is the data in *ret_format: decoded base64, or a JSON list of
 * numbers. Fails only if envelope->there; @envelope then holds the members that were read.
 */
int must_check envelope_open(const void *payload, size_t size, struct decode_envelope *envelope,
	uint8_t **ret_data, size_t *ret_bytes, enum decode_format *ret_format, struct error *err);

#endif
