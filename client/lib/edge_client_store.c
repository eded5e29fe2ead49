/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the daemon's store of models. */
#include <stdlib.h>

#include "client/lib/client_error.h"
#include "client/lib/connection.h"

static struct wire_store order_of(
	enum edge_client_store_verb verb, const char *model, const char *argument)
{
	return (struct wire_store){.verb = (uint32_t)verb,
		.model = wire_text_of(model ? model : ""),
		.argument = wire_text_of(argument ? argument : "")};
}

int edge_client_start_store(struct edge_client *client, enum edge_client_store_verb verb,
	const char *model, const char *argument, edge_client_reply_fn fn, void *data,
	uint64_t *ret_id, struct edge_client_error *ret_err)
{
	struct error err = {0};
	const struct wire_store wanted = order_of(verb, model, argument);
	const struct call call = {.type = WIRE_STORE, .store = &wanted, .fd = -1};
	int r = connection_start_call(
		client, &call, (struct listener){fn, data, NULL}, ret_id, &err);
	return r < 0 ? client_error_copy(&err, ret_err) : 0;
}

int edge_client_store_fd(struct edge_client *client, enum edge_client_store_verb verb,
	const char *model, const char *argument, int fd, uint32_t timeout_ms, char **ret_text,
	struct edge_client_error *ret_err)
{
	const struct wire_store wanted = order_of(verb, model, argument);
	struct error err = {0};
	struct outcome outcome = {0};
	const struct call call = {.type = WIRE_STORE, .store = &wanted, .fd = fd};
	int r = connection_call(client, &call, timeout_ms, &outcome, &err);
	if (r < 0) {
		return client_error_copy(&err, ret_err);
	}
	if (ret_text) {
		*ret_text = outcome.text;
	} else {
		free(outcome.text);
	}
	return 0;
}

int edge_client_store(struct edge_client *client, enum edge_client_store_verb verb,
	const char *model, const char *argument, uint32_t timeout_ms, char **ret_text,
	struct edge_client_error *err)
{
	return edge_client_store_fd(client, verb, model, argument, -1, timeout_ms, ret_text, err);
}

void edge_client_text_free(char *text)
{
	free(text);
}
