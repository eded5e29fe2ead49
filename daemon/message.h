/* SPDX-License-Identifier: Apache-2.0 */
/* message - what edged answers to each message that needs no worker */
#ifndef DAEMON_MESSAGE_H
#define DAEMON_MESSAGE_H

#include "base/wire.h"

struct edged;
struct store_model;

/* Each writes the reply's body. Errors: -EPROTO for a malformed request, or what the look-up gave.
 * @offered: WIRE_CAP_* that this connection may have beside those that all may.
 * @ret_capabilities: WIRE_CAP_* of the connection from now on. */
int must_check message_hello(const struct edged *edged, const struct wire_hello *hello,
	uint64_t offered, struct bytes_writer *w, uint64_t *ret_capabilities, struct error *err);
/* A model as LIST tells it; the texts are the model's. */
struct wire_list_item message_item(const struct store_model *model);
int must_check message_list(const struct edged *edged, struct bytes_writer *w, struct error *err);
int must_check message_store_list(
	const struct edged *edged, struct bytes_writer *w, struct error *err);
int must_check message_describe(const struct edged *edged, const void *body, uint32_t bytes,
	struct bytes_writer *w, struct error *err);
int must_check message_status(
	struct edged *edged, bool memory, struct bytes_writer *w, struct error *err);

/* POWER: of the machine, and of the model that it names. */
int must_check message_power(const struct edged *edged, const void *body, uint32_t bytes,
	struct bytes_writer *w, struct error *err);

#endif
