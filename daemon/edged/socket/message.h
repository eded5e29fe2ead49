/* SPDX-License-Identifier: Apache-2.0 */
/* message - reply bodies of messages that need no worker */
#ifndef DAEMON_EDGED_SOCKET_MESSAGE_H
#define DAEMON_EDGED_SOCKET_MESSAGE_H

#include "base/wire/wire.h"
#include "daemon/edged/config/config.h"
#include "daemon/edged/serve/serve.h"

struct models_entry;

/*
 * Each function writes a reply's body. -EPROTO for a malformed request, or the error of the
 * look-up. message_describe() returns 1 when the model is unloaded.
 *
 * @shares: the connection can share memory (conn_start_fd_passing()). @ret_capabilities:
 * WIRE_CAP_* that HELLO agrees on.
 */
int must_check message_hello(const struct config *config, const struct wire_hello *hello,
	bool shares, struct bytes_writer *w, uint64_t *ret_capabilities, struct error *err);
/* A model's record in LIST; it borrows the model's texts. */
struct wire_list_item message_item(const struct models_entry *model);
int must_check message_list(const struct serve *serve, struct bytes_writer *w, struct error *err);
int must_check message_store_list(
	const struct serve *serve, struct bytes_writer *w, struct error *err);
int must_check message_describe(const struct serve *serve, const void *body, uint32_t bytes,
	struct bytes_writer *w, struct error *err);
int must_check message_status(
	struct serve *serve, bool memory, struct bytes_writer *w, struct error *err);

/* The body of POWER: the machine, and the model that the request names, if any. */
int must_check message_power(const struct serve *serve, const void *body, uint32_t bytes,
	struct bytes_writer *w, struct error *err);

#endif
