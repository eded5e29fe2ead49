/* SPDX-License-Identifier: Apache-2.0 */
/* Builds and queues the requests of connection.h. */
#include <errno.h>

#include "client/lib/connection.h"
#include "client/lib/replies.h"

static int too_old(struct error *err)
{
	return error_set(err, -EOPNOTSUPP, "the daemon is older than that");
}

/* By version or by configuration. */
static int no_sessions(struct error *err)
{
	return error_set(err, -EOPNOTSUPP, "the daemon has no sessions");
}

/* The daemon is too old, is configured without shared memory, or has no room. */
static int no_regions(struct error *err)
{
	return error_set(err, -EOPNOTSUPP, "the daemon shares no memory with this connection");
}

static struct wire_text text_of(const char *text)
{
	return wire_text_of(text ? text : "");
}

int connection_abandon_session(
	struct edge_client *client, const void *body, size_t size, struct error *err)
{
	uint32_t session = 0;
	uint64_t id = 0;
	struct error ignored = {0};
	int r = replies_session(body, size, &session, err);
	if (r == 0 &&
		connection_start_call(client,
			&(struct call){.type = WIRE_SESSION_CLOSE, .session = session},
			(struct listener){0}, &id, &ignored) < 0) {
		/* The session stays open until the connection ends. */
		return 0;
	}
	return r;
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
	int r = connection_start_call(client,
		&(struct call){.type = WIRE_REGION_REMOVE, .region = id}, (struct listener){0},
		&region->removed_at, &ignored);
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
	struct input_region *region = &client->input_region;
	struct error ignored = {0};
	owned_fd int fd = -1;
	uint64_t id = 0;
	connection_remove_input_region(client, input_region_drop(region));
	if (!input_region_map(region, bytes, &fd)) {
		return;
	}
	client->adding = calloc(1, sizeof(*client->adding));
	const struct call call = {
		.type = WIRE_REGION_ADD, .bytes = bytes, .uses = WIRE_REGION_INPUTS, .fd = fd};
	if (!client->adding ||
		connection_start_call(client, &call, (struct listener){NULL, NULL, client->adding},
			&id, &ignored) < 0) {
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

static int check_tensor(const struct edge_client_tensor *from, uint32_t i, struct wire_tensor *to,
	struct error *err)
{
	uint64_t bytes = 0;
	if (from->shape.rank > EDGE_CLIENT_MAX_RANK || from->bytes > UINT32_MAX ||
		from->type >= DTYPE_COUNT || (!from->name && from->index >= WIRE_BY_NAME) ||
		(from->bytes && !from->data && !from->region)) {
		return error_set(err, -EINVAL, "input %u: rank, type, index or data", i);
	}
	*to = (struct wire_tensor){
		.index = from->name ? WIRE_BY_NAME : (uint16_t)from->index,
		.name = wire_text_of(from->name ? from->name : ""),
		.type = (uint8_t)from->type,
		.shape = {.rank = (uint8_t)from->shape.rank},
		.bytes = (uint32_t)from->bytes,
		.region = from->region,
		.offset = from->region ? from->offset : 0,
		.data = from->region ? NULL : from->data,
	};
	memcpy(to->shape.dim, from->shape.dim, sizeof(to->shape.dim));
	if (from->type != EDGE_CLIENT_STRING &&
		(shape_bytes(&to->shape, from->type, &bytes) < 0 || bytes != from->bytes)) {
		return error_set(
			err, -EINVAL, "input %u: %zu bytes do not fill its shape", i, from->bytes);
	}
	return 0;
}

static int check_places(
	const struct edge_client_request *request, struct wire_infer *infer, struct error *err)
{
	if (request->n_places > WIRE_MAX_TENSORS) {
		return error_set(
			err, -EINVAL, "%u places, limit %d", request->n_places, WIRE_MAX_TENSORS);
	}
	for (uint32_t i = 0; i < request->n_places; i++) {
		const struct edge_client_place *from = &request->places[i];
		if (from->output > UINT16_MAX || from->region == 0) {
			return error_set(err, -EINVAL, "place %u: output or region", i);
		}
		infer->places[i] = (struct wire_place){.output = (uint16_t)from->output,
			.region = from->region,
			.offset = from->offset,
			.room = from->room};
	}
	infer->n_places = request->n_places;
	return 0;
}

/* True if an input or an output place of @request is in a region. */
static bool uses_regions(const struct edge_client_request *request)
{
	bool uses = request->n_places > 0;
	for (uint32_t i = 0; i < request->n_inputs; i++) {
		uses = uses || request->inputs[i].region != 0;
	}
	return uses;
}

/* Converts @request to an INFER message, which borrows its memory from it. */
static int infer_build(
	const struct edge_client_request *request, struct wire_infer *infer, struct error *err)
{
	/* Field by field: zeroing all tensors of *infer would take longer than everything else
	 * here. */
	infer->regions = uses_regions(request);
	infer->model = wire_text_of(request->model ? request->model : "");
	infer->version = wire_text_of(request->version ? request->version : "");
	infer->signature = wire_text_of(request->signature ? request->signature : "");
	infer->key = request->latest_key;
	infer->n_inputs = request->n_inputs;
	infer->n_wanted = WIRE_ALL_OUTPUTS;
	infer->n_places = 0;
	if (request->priority > EDGE_CLIENT_CONTROL) {
		return error_set(err, -EINVAL, "there is no priority %u", request->priority);
	}
	if (request->n_inputs > WIRE_MAX_TENSORS) {
		return error_set(
			err, -EINVAL, "%u inputs, limit %d", request->n_inputs, WIRE_MAX_TENSORS);
	}
	for (uint32_t i = 0; i < request->n_inputs; i++) {
		int r = check_tensor(&request->inputs[i], i, &infer->inputs[i], err);
		if (r < 0) {
			return r;
		}
	}
	return check_places(request, infer, err);
}

static int start_infer(struct edge_client *client, const struct call *call,
	struct listener listener, uint64_t *ret_id, struct error *err)
{
	const struct edge_client_request *request = call->infer;
	struct bytes_writer body = {0};
	struct wire_infer infer;
	int r = infer_build(request, &infer, err);
	if (r < 0) {
		return r;
	}
	if (call->session && client->peer.max_sessions == 0) {
		return no_sessions(err);
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
		.session = call->session};
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

/* ---- other requests */

static int store_build(struct edge_client *client, const struct call *call,
	struct bytes_writer *body, struct error *err)
{
	if (!client->peer.has_store) {
		return error_set(err, -EOPNOTSUPP, "the daemon has no store");
	}
	if (call->store->verb > WIRE_STORE_HISTORY && client->peer.protocol_minor < 3) {
		return too_old(err);
	}
	if (call->fd >= 0 && !client->peer.has_regions) {
		return error_set(
			err, -EOPNOTSUPP, "the daemon takes no descriptors of this connection");
	}
	wire_store_encode(body, call->store);
	return 0;
}

static int subscribe_build(struct edge_client *client, struct bytes_writer *body, struct error *err)
{
	if (!client->peer.has_events) {
		return error_set(err, -EOPNOTSUPP, "the daemon tells nothing by itself");
	}
	if (client->subscription) {
		return error_set(err, -EINVAL, "this connection has subscribed already");
	}
	wire_subscribe_encode(body, WIRE_EVENT_MODELS);
	return 0;
}

static int session_build(struct edge_client *client, const struct call *call,
	struct bytes_writer *body, struct error *err)
{
	const struct wire_session_open open = {
		.model = text_of(call->model), .version = text_of(call->version)};
	if (client->peer.max_sessions == 0) {
		return no_sessions(err);
	}
	if (call->type == WIRE_SESSION_OPEN) {
		wire_session_open_encode(body, &open);
	} else {
		wire_session_encode(body, call->session);
	}
	return 0;
}

static int region_build(struct edge_client *client, const struct call *call,
	struct bytes_writer *body, struct error *err)
{
	const struct wire_region region = {.bytes = call->bytes, .uses = call->uses};
	if (!client->peer.has_regions) {
		return no_regions(err);
	}
	if (call->type == WIRE_REGION_ADD && call->fd < 0) {
		return error_set(err, -EINVAL, "no descriptor");
	}
	if (call->type == WIRE_REGION_ADD) {
		wire_region_add_encode(body, &region);
	} else {
		wire_region_encode(body, call->region);
	}
	return 0;
}

static int ring_build(struct edge_client *client, const struct call *call,
	struct bytes_writer *body, struct error *err)
{
	struct wire_ring shape = call->ring->shape;
	if (!client->peer.has_rings) {
		return error_set(err, -EOPNOTSUPP, "the daemon has no rings");
	}
	shape.region = call->region;
	wire_ring_encode(body, &shape);
	return 0;
}

static void hello_build(struct bytes_writer *body)
{
	const struct wire_hello hello = {.major = WIRE_MAJOR,
		.minor = WIRE_MINOR,
		.capabilities = WIRE_CAP_SESSIONS | WIRE_CAP_SHARED_MEMORY | WIRE_CAP_ADMIN |
			WIRE_CAP_STREAMS | WIRE_CAP_RINGS,
		.name = wire_text_of("libedged-client")};
	wire_hello_encode(body, &hello);
}

/* Encodes the body; one without content for types that have none. */
static int body_build(struct edge_client *client, const struct call *call,
	struct bytes_writer *body, struct error *err)
{
	const struct wire_describe describe = {
		.model = text_of(call->model), .version = text_of(call->version)};
	switch (call->type) {
	case WIRE_HELLO:
		hello_build(body);
		return 0;
	case WIRE_DESCRIBE:
		wire_describe_encode(body, &describe);
		return 0;
	case WIRE_POWER:
	case WIRE_STATS:
	case WIRE_FLIGHT:
	case WIRE_CONFIG:
		if (client->peer.protocol_minor < 3) {
			return too_old(err);
		}
		if (call->type == WIRE_POWER) {
			wire_power_ask_encode(body, text_of(call->model));
		}
		return 0;
	case WIRE_STORE:
		return store_build(client, call, body, err);
	case WIRE_SUBSCRIBE:
		return subscribe_build(client, body, err);
	case WIRE_SESSION_OPEN:
	case WIRE_SESSION_RESET:
	case WIRE_SESSION_CLOSE:
		return session_build(client, call, body, err);
	case WIRE_REGION_ADD:
	case WIRE_REGION_REMOVE:
		return region_build(client, call, body, err);
	case WIRE_RING_OPEN:
		return ring_build(client, call, body, err);
	default:
		return 0;
	}
}

static int fd_of(const struct call *call)
{
	return call->type == WIRE_RING_OPEN                                 ? call->ring->doorbell
		: call->type == WIRE_STORE || call->type == WIRE_REGION_ADD ? call->fd
									    : -1;
}

int connection_start_call(struct edge_client *client, const struct call *call,
	struct listener listener, uint64_t *ret_id, struct error *err)
{
	struct bytes_writer body = {0};
	const struct connection_extra extra = {.fd = fd_of(call)};
	if (call->type == WIRE_INFER) {
		return start_infer(client, call, listener, ret_id, err);
	}
	int r = body_build(client, call, &body, err);
	if (r == 0) {
		r = connection_start_header(client, (struct wire_header){.type = call->type}, &body,
			&extra, listener, ret_id, err);
	}
	if (r == 0 && call->type == WIRE_SUBSCRIBE) {
		client->subscription = *ret_id;
		client->models_fn = call->models_fn;
		client->models_data = call->models_data;
	}
	return r;
}

static int call_once(struct edge_client *client, const struct call *call, uint32_t timeout_ms,
	struct outcome *outcome, struct error *err)
{
	uint64_t id = 0;
	int r = connection_start_call(
		client, call, (struct listener){NULL, NULL, outcome}, &id, err);
	return r < 0 ? r : connection_wait(client, id, outcome, timeout_ms, err);
}

int connection_call(struct edge_client *client, const struct call *call, uint32_t timeout_ms,
	struct outcome *outcome, struct error *err)
{
	int r = call_once(client, call, timeout_ms, outcome, err);
	if (r < 0 && outcome->retry) { /* at most once: the input region is given back only once */
		*outcome = (struct outcome){0};
		r = call_once(client, call, timeout_ms, outcome, err);
	}
	return r;
}

int connection_ask(struct edge_client *client, uint16_t type, uint32_t timeout_ms, void **ret_body,
	size_t *ret_size, struct error *err)
{
	struct outcome outcome = {0};
	int r = connection_call(client, &(struct call){.type = type}, timeout_ms, &outcome, err);
	if (r == 0) {
		*ret_body = outcome.body;
		*ret_size = outcome.size;
	}
	return r;
}
