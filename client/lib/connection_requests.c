/* SPDX-License-Identifier: Apache-2.0 */
/* Builds and queues the requests of connection.h. */
#include <errno.h>

#include "client/lib/connection.h"
#include "client/lib/infer_request.h"
#include "client/lib/replies.h"

static const struct connection_extra no_extra = {.fd = -1};

int connection_start(struct edge_client *client, uint16_t type, struct bytes_writer *body,
	struct listener listener, uint64_t *ret_id, struct error *err)
{
	return connection_start_header(
		client, (struct wire_header){.type = type}, body, &no_extra, listener, ret_id, err);
}

int connection_start_hello(
	struct edge_client *client, struct listener listener, uint64_t *ret_id, struct error *err)
{
	struct bytes_writer body = {0};
	struct wire_hello hello = {.major = WIRE_MAJOR,
		.minor = WIRE_MINOR,
		.capabilities = WIRE_CAP_SESSIONS | WIRE_CAP_SHARED_MEMORY | WIRE_CAP_ADMIN |
			WIRE_CAP_STREAMS | WIRE_CAP_RINGS,
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

int connection_abandon_session(
	struct edge_client *client, const void *body, size_t size, struct error *err)
{
	uint32_t session = 0;
	uint64_t id = 0;
	struct error ignored = {0};
	int r = replies_session(body, size, &session, err);
	if (r == 0 &&
		connection_start_session(client, WIRE_SESSION_CLOSE, session, (struct listener){0},
			&id, &ignored) < 0) {
		/* The session stays open until the connection ends. */
		return 0;
	}
	return r;
}

int connection_start_store(struct edge_client *client, const struct wire_store *store, int fd,
	struct listener listener, uint64_t *ret_id, struct error *err)
{
	struct bytes_writer body = {0};
	const struct connection_extra extra = {.fd = fd};
	if (!client->peer.has_store) {
		return error_set(err, -EOPNOTSUPP, "the daemon has no store");
	}
	if (store->verb > WIRE_STORE_HISTORY && client->peer.protocol_minor < 3) {
		return error_set(err, -EOPNOTSUPP, "the daemon is older than that");
	}
	if (fd >= 0 && !client->peer.has_regions) {
		return error_set(
			err, -EOPNOTSUPP, "the daemon takes no descriptors of this connection");
	}
	wire_store_encode(&body, store);
	return connection_start_header(client, (struct wire_header){.type = WIRE_STORE}, &body,
		&extra, listener, ret_id, err);
}

int connection_no_sessions(struct error *err)
{
	return error_set(err, -EOPNOTSUPP, "the daemon has no sessions");
}

/* The daemon is too old, is configured without shared memory, or has no room. */
static int no_regions(struct error *err)
{
	return error_set(err, -EOPNOTSUPP, "the daemon shares no memory with this connection");
}

/* ---- the input region */

/* The next call reports a lost connection. */
void connection_remove_input_region(struct edge_client *client, uint32_t id)
{
	struct input_region *region = &client->input_region;
	struct error ignored = {0};
	if (id == 0) {
		return;
	}
	int r = connection_start_region_remove(
		client, id, (struct listener){0}, &region->removed_at, &ignored);
	if (r < 0) {
		region->refused = true; /* the region stays until the connection ends */
		return;
	}
	r = channel_send(&client->channel, &ignored);
	(void)r;
}

void connection_finish_input_region(struct edge_client *client)
{
	struct outcome *reply = client->adding;
	if (!reply || !reply->done) {
		return;
	}
	const uint32_t id = reply->err.code == 0 ? reply->region : 0;
	client->adding = NULL;
	free(reply);
	connection_remove_input_region(client, input_region_added(&client->input_region, id));
}

/* Gives the old region back and asks for one of @bytes. */
static void renew_input_region(struct edge_client *client, uint64_t bytes)
{
	const struct wire_region wanted = {.bytes = bytes, .uses = WIRE_REGION_INPUTS};
	struct input_region *region = &client->input_region;
	struct error ignored = {0};
	owned_fd int fd = -1;
	uint64_t id = 0;
	connection_remove_input_region(client, input_region_drop(region));
	if (!input_region_map(region, bytes, &fd)) {
		return;
	}
	client->adding = calloc(1, sizeof(*client->adding));
	if (!client->adding ||
		connection_start_region_add(client, fd, &wanted,
			(struct listener){NULL, NULL, client->adding}, &id, &ignored) < 0) {
		free(client->adding);
		client->adding = NULL;
		input_region_added(region, 0);
	}
}

/* True: the inputs of @infer are in the input region. */
static bool share_inputs(struct edge_client *client, struct wire_infer *infer)
{
	uint64_t wanted = 0;
	const bool put = client->peer.has_regions &&
		input_region_put(
			&client->input_region, infer, client->peer.max_body_bytes, &wanted);
	if (wanted) {
		renew_input_region(client, wanted);
	}
	return put;
}

/* ---- requests with tensors */

int connection_start_infer(struct edge_client *client, uint32_t session,
	const struct edge_client_request *request, struct listener listener, uint64_t *ret_id,
	struct error *err)
{
	struct bytes_writer body = {0};
	struct wire_infer infer;
	int r = infer_request_build(request, &infer, err);
	if (r < 0) {
		return r;
	}
	if (session && client->peer.max_sessions == 0) {
		return connection_no_sessions(err);
	}
	if (infer.regions && !client->peer.has_regions) {
		return no_regions(err);
	}
	const bool shared = listener.outcome && share_inputs(client, &infer);
	const bool classes = client->peer.protocol_minor >= 3;
	infer.key = classes ? infer.key : 0;
	wire_infer_encode(&body, &infer);
	const unsigned int flags = (infer.regions ? WIRE_FLAG_REGIONS : 0) |
		(infer.key ? WIRE_FLAG_KEY : 0) |
		(classes ? request->priority << WIRE_CLASS_SHIFT : 0);
	const struct wire_header header = {.type = WIRE_INFER,
		.flags = (uint16_t)flags,
		.deadline_us = request->deadline_us,
		.session = session};
	const struct connection_extra extra = {.fd = -1,
		.places = infer.places,
		.n_places = infer.n_places,
		.ring = listener.outcome != NULL};
	r = connection_start_header(client, header, &body, &extra, listener, ret_id, err);
	if (r == 0 && shared) {
		client->input_region.request = *ret_id;
	}
	return r;
}

int connection_start_region_add(struct edge_client *client, int fd,
	const struct wire_region *region, struct listener listener, uint64_t *ret_id,
	struct error *err)
{
	struct bytes_writer body = {0};
	const struct connection_extra extra = {.fd = fd};
	if (!client->peer.has_regions) {
		return no_regions(err);
	}
	if (fd < 0) {
		return error_set(err, -EINVAL, "no descriptor");
	}
	wire_region_add_encode(&body, region);
	return connection_start_header(client, (struct wire_header){.type = WIRE_REGION_ADD}, &body,
		&extra, listener, ret_id, err);
}

int connection_start_region_remove(struct edge_client *client, uint32_t region,
	struct listener listener, uint64_t *ret_id, struct error *err)
{
	struct bytes_writer body = {0};
	if (!client->peer.has_regions) {
		return no_regions(err);
	}
	wire_region_encode(&body, region);
	return connection_start(client, WIRE_REGION_REMOVE, &body, listener, ret_id, err);
}

int connection_start_ring(struct edge_client *client, const struct ring_client *ring,
	uint32_t region, struct listener listener, uint64_t *ret_id, struct error *err)
{
	struct bytes_writer body = {0};
	const struct connection_extra extra = {.fd = ring->doorbell};
	struct wire_ring shape = ring->shape;
	if (!client->peer.has_rings) {
		return error_set(err, -EOPNOTSUPP, "the daemon has no rings");
	}
	shape.region = region;
	wire_ring_encode(&body, &shape);
	return connection_start_header(client, (struct wire_header){.type = WIRE_RING_OPEN}, &body,
		&extra, listener, ret_id, err);
}

int connection_ask(struct edge_client *client, uint16_t type, uint32_t timeout_ms, void **ret_body,
	size_t *ret_size, struct error *err)
{
	struct outcome outcome = {0};
	uint64_t id = 0;
	if (client->peer.protocol_minor < 3) {
		return error_set(err, -EOPNOTSUPP, "the daemon is older than that");
	}
	int r = connection_start_empty(
		client, type, (struct listener){NULL, NULL, &outcome}, &id, err);
	r = r < 0 ? r : connection_wait(client, id, &outcome, timeout_ms, err);
	if (r == 0) {
		*ret_body = outcome.body;
		*ret_size = outcome.size;
	}
	return r;
}
