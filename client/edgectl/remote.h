/* SPDX-License-Identifier: Apache-2.0 */
/* remote - edgectl's connection to the daemon, with struct error */
#ifndef CLIENT_EDGECTL_REMOTE_H
#define CLIENT_EDGECTL_REMOTE_H

#include "base/error.h"
#include "base/own.h"
#include "client/lib/edge_client.h"

#define REMOTE_TIMEOUT_MS 10000u /* default timeout of all requests but inference */

/* Like edge_client_open(). Messages begin with the socket's path. */
int must_check remote_open(const char *socket, uint32_t timeout_ms, struct edge_client **ret_client,
	struct error *err);

/* Returns the timeout of a request: @timeout_ms, or the default for 0. */
static inline uint32_t remote_timeout_ms(uint32_t timeout_ms)
{
	return timeout_ms ? timeout_ms : REMOTE_TIMEOUT_MS;
}

/* Copies @from to @err. Returns its code. */
int remote_error(const struct edge_client_error *from, struct error *err);

/* Sends one request to the daemon's store, over a connection of its own. @timeout_ms: of the
 * request, 0: none, because loading may take long. @fd: sent with the request; -1: none. @model,
 * @argument and @ret_text may be NULL. */
int must_check remote_store(const char *socket, uint32_t timeout_ms,
	enum edge_client_store_verb verb, const char *model, const char *argument, int fd,
	char **ret_text, struct error *err);

DEFINE_OWNED(struct edge_client *, edge_client_close)
DEFINE_OWNED(char *, edge_client_text_free)
DEFINE_OWNED(struct edge_client_list *, edge_client_list_free)
DEFINE_OWNED(struct edge_client_model *, edge_client_model_free)

#endif
