/* SPDX-License-Identifier: Apache-2.0 */
/* Those requests of connection.h that bring nothing but their body. */
#include <errno.h>

#include "client/connection.h"

int connection_start_hello(
	struct edge_client *client, struct listener listener, uint64_t *ret_id, struct error *err)
{
	struct bytes_writer body = {0};
	struct wire_hello hello = {.major = WIRE_MAJOR,
		.minor = WIRE_MINOR,
		.capabilities = WIRE_CAP_SESSIONS | WIRE_CAP_SHARED_MEMORY | WIRE_CAP_ADMIN |
			WIRE_CAP_STREAMS,
		.name = wire_text_of("libedged-client")};
	wire_hello_encode(&body, &hello);
	return connection_start(client, WIRE_HELLO, &body, listener, ret_id, err);
}

int connection_start_empty(struct edge_client *client, uint16_t type, struct listener listener,
	uint64_t *ret_id, struct error *err)
{
	struct bytes_writer body = {0};
	return connection_start(client, type, &body, listener, ret_id, err);
}

int connection_start_subscribe(struct edge_client *client, edge_client_models_fn fn, void *data,
	struct listener listener, uint64_t *ret_id, struct error *err)
{
	struct bytes_writer body = {0};
	if (!client->peer.has_events) {
		return error_set(err, -EOPNOTSUPP, "the daemon tells nothing by itself");
	}
	if (client->subscription) {
		return error_set(err, -EINVAL, "this connection has subscribed already");
	}
	wire_subscribe_encode(&body, WIRE_EVENT_MODELS);
	int r = connection_start(client, WIRE_SUBSCRIBE, &body, listener, ret_id, err);
	if (r == 0) {
		client->subscription = *ret_id;
		client->models_fn = fn;
		client->models_data = data;
	}
	return r;
}

int connection_start_describe(struct edge_client *client, const char *model, const char *version,
	struct listener listener, uint64_t *ret_id, struct error *err)
{
	struct bytes_writer body = {0};
	struct wire_describe describe = {
		.model = wire_text_of(model), .version = wire_text_of(version ? version : "")};
	wire_describe_encode(&body, &describe);
	return connection_start(client, WIRE_DESCRIBE, &body, listener, ret_id, err);
}

int connection_start_power(struct edge_client *client, const char *model, struct listener listener,
	uint64_t *ret_id, struct error *err)
{
	struct bytes_writer body = {0};
	wire_power_ask_encode(&body, wire_text_of(model ? model : ""));
	return connection_start(client, WIRE_POWER, &body, listener, ret_id, err);
}

int connection_start_session_open(struct edge_client *client, const char *model,
	const char *version, struct listener listener, uint64_t *ret_id, struct error *err)
{
	struct bytes_writer body = {0};
	struct wire_session_open open = {
		.model = wire_text_of(model), .version = wire_text_of(version ? version : "")};
	if (client->peer.max_sessions == 0) {
		return connection_no_sessions(err);
	}
	wire_session_open_encode(&body, &open);
	return connection_start(client, WIRE_SESSION_OPEN, &body, listener, ret_id, err);
}

int connection_start_session(struct edge_client *client, uint16_t type, uint32_t session,
	struct listener listener, uint64_t *ret_id, struct error *err)
{
	struct bytes_writer body = {0};
	if (client->peer.max_sessions == 0) {
		return connection_no_sessions(err);
	}
	wire_session_encode(&body, session);
	return connection_start(client, type, &body, listener, ret_id, err);
}
