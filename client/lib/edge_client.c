/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lib/edge_client.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "client/lib/client_error.h"
#include "client/lib/connection.h"

int edge_client_process(struct edge_client *client, struct edge_client_error *ret_err)
{
	struct error err = {0};
	int r = connection_process(client, &err);
	return r < 0 ? client_error_copy(&err, ret_err) : 0;
}

int edge_client_fd(const struct edge_client *client)
{
	return client->channel.fd;
}

short edge_client_events(const struct edge_client *client)
{
	return connection_events(client);
}

void edge_client_set_spin(struct edge_client *client, uint32_t us)
{
	client->spin_us = us;
}

void edge_client_set_share_from(struct edge_client *client, size_t bytes)
{
	client->input_region.from = bytes;
	if (bytes == 0) {
		connection_remove_input_region(client, input_region_drop(&client->input_region));
	}
}

size_t edge_client_in_flight(const struct edge_client *client)
{
	return client->n_waiting;
}

const struct edge_client_peer *edge_client_peer(const struct edge_client *client)
{
	return &client->peer;
}

/* ---- in an event loop */

static int start(struct edge_client *client, const struct call *call, edge_client_reply_fn fn,
	void *data, uint64_t *ret_id, struct edge_client_error *ret_err)
{
	struct error err = {0};
	int r = connection_start_call(
		client, call, (struct listener){fn, data, NULL}, ret_id, &err);
	return r < 0 ? client_error_copy(&err, ret_err) : 0;
}

static uint16_t list_type(const struct edge_client *client)
{
	return client->peer.has_store ? WIRE_STORE_LIST : WIRE_LIST;
}

int edge_client_start_list(struct edge_client *client, edge_client_reply_fn fn, void *data,
	uint64_t *ret_id, struct edge_client_error *ret_err)
{
	const struct call call = {.type = list_type(client)};
	return start(client, &call, fn, data, ret_id, ret_err);
}

int edge_client_start_describe(struct edge_client *client, const char *model, const char *version,
	edge_client_reply_fn fn, void *data, uint64_t *ret_id, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_DESCRIBE, .model = model, .version = version};
	return start(client, &call, fn, data, ret_id, ret_err);
}

int edge_client_start_infer(struct edge_client *client, const struct edge_client_request *request,
	edge_client_reply_fn fn, void *data, uint64_t *ret_id, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_INFER, .infer = request};
	return start(client, &call, fn, data, ret_id, ret_err);
}

int edge_client_start_status(struct edge_client *client, edge_client_reply_fn fn, void *data,
	uint64_t *ret_id, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_STATUS};
	return start(client, &call, fn, data, ret_id, ret_err);
}

int edge_client_start_reload(struct edge_client *client, edge_client_reply_fn fn, void *data,
	uint64_t *ret_id, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_RELOAD};
	return start(client, &call, fn, data, ret_id, ret_err);
}

int edge_client_start_session_open(struct edge_client *client, const char *model,
	const char *version, edge_client_reply_fn fn, void *data, uint64_t *ret_id,
	struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_SESSION_OPEN, .model = model, .version = version};
	return start(client, &call, fn, data, ret_id, ret_err);
}

int edge_client_start_session_infer(struct edge_client *client, uint32_t session,
	const struct edge_client_request *request, edge_client_reply_fn fn, void *data,
	uint64_t *ret_id, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_INFER, .session = session, .infer = request};
	return start(client, &call, fn, data, ret_id, ret_err);
}

int edge_client_start_session_reset(struct edge_client *client, uint32_t session,
	edge_client_reply_fn fn, void *data, uint64_t *ret_id, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_SESSION_RESET, .session = session};
	return start(client, &call, fn, data, ret_id, ret_err);
}

int edge_client_start_session_close(struct edge_client *client, uint32_t session,
	edge_client_reply_fn fn, void *data, uint64_t *ret_id, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_SESSION_CLOSE, .session = session};
	return start(client, &call, fn, data, ret_id, ret_err);
}

int edge_client_cancel(struct edge_client *client, uint64_t id, struct edge_client_error *ret_err)
{
	struct error err = {0};
	int r = connection_cancel(client, id, &err);
	return r < 0 ? client_error_copy(&err, ret_err) : 0;
}

/* ---- synchronous calls */

/* A member of struct outcome, and where the caller wants its copy; zeroed: no member. */
struct result {
	size_t offset, size;
	void *copy;
};
#define RESULT(member, ret)                                                                        \
	(struct result)                                                                            \
	{                                                                                          \
		offsetof(struct outcome, member), sizeof(*(ret)), (ret)                            \
	}

/* Waits for the reply and copies @result from its outcome. */
static int call_wait(struct edge_client *client, const struct call *call, uint32_t timeout_ms,
	struct result result, struct edge_client_error *ret_err)
{
	struct outcome outcome = {0};
	struct error err = {0};
	int r = connection_call(client, call, timeout_ms, &outcome, &err);
	if (r == 0 && result.copy) {
		memcpy(result.copy, (const char *)&outcome + result.offset, result.size);
	}
	return r < 0 ? client_error_copy(&err, ret_err) : 0;
}

int edge_client_list(struct edge_client *client, uint32_t timeout_ms,
	struct edge_client_list **ret_list, struct edge_client_error *ret_err)
{
	const struct call call = {.type = list_type(client)};
	return call_wait(client, &call, timeout_ms, RESULT(list, ret_list), ret_err);
}

int edge_client_describe(struct edge_client *client, const char *model, const char *version,
	uint32_t timeout_ms, struct edge_client_model **ret_model,
	struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_DESCRIBE, .model = model, .version = version};
	return call_wait(client, &call, timeout_ms, RESULT(model, ret_model), ret_err);
}

int edge_client_infer(struct edge_client *client, const struct edge_client_request *request,
	uint32_t timeout_ms, struct edge_client_answer **ret_answer,
	struct edge_client_error *ret_err)
{
	return edge_client_session_infer(client, 0, request, timeout_ms, ret_answer, ret_err);
}

int edge_client_session_infer(struct edge_client *client, uint32_t session,
	const struct edge_client_request *request, uint32_t timeout_ms,
	struct edge_client_answer **ret_answer, struct edge_client_error *ret_err)
{
	struct edge_client_request timed = *request;
	const struct call call = {.type = WIRE_INFER, .session = session, .infer = &timed};
	const uint64_t timeout_us = (uint64_t)timeout_ms * 1000;
	if (timed.deadline_us == 0) {
		timed.deadline_us = timeout_us > UINT32_MAX ? UINT32_MAX : (uint32_t)timeout_us;
	}
	return call_wait(client, &call, timeout_ms, RESULT(answer, ret_answer), ret_err);
}

int edge_client_session_open(struct edge_client *client, const char *model, const char *version,
	uint32_t timeout_ms, uint32_t *ret_session, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_SESSION_OPEN, .model = model, .version = version};
	return call_wait(client, &call, timeout_ms, RESULT(session, ret_session), ret_err);
}

int edge_client_region_add(struct edge_client *client, int fd, size_t bytes, unsigned int uses,
	uint32_t timeout_ms, uint32_t *ret_region, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_REGION_ADD, .fd = fd, .bytes = bytes, .uses = uses};
	return call_wait(client, &call, timeout_ms, RESULT(region, ret_region), ret_err);
}

int edge_client_region_remove(struct edge_client *client, uint32_t region, uint32_t timeout_ms,
	struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_REGION_REMOVE, .region = region};
	return call_wait(client, &call, timeout_ms, (struct result){0}, ret_err);
}

int edge_client_use_ring(
	struct edge_client *client, uint32_t timeout_ms, struct edge_client_error *ret_err)
{
	struct error err = {0};
	struct ring_client ring = {0};
	owned_fd int fd = -1;
	uint32_t region = 0;
	if (client->ring.base) {
		return 0;
	}
	if (!client->peer.has_rings) {
		error_set(&err, -EOPNOTSUPP, "the daemon has no rings");
		return client_error_copy(&err, ret_err);
	}
	int r = ring_client_init(&ring, &fd, &err);
	if (r < 0) {
		return client_error_copy(&err, ret_err);
	}
	r = edge_client_region_add(client, fd, ring.bytes, EDGE_CLIENT_INPUTS | EDGE_CLIENT_OUTPUTS,
		timeout_ms, &region, ret_err);
	if (r == 0) {
		const struct call call = {.type = WIRE_RING_OPEN, .region = region, .ring = &ring};
		r = call_wait(client, &call, timeout_ms, (struct result){0}, ret_err);
	}
	if (r < 0) {
		ring_client_deinit(&ring);
		return r;
	}
	client->ring = ring;
	return 0;
}

int edge_client_session_reset(struct edge_client *client, uint32_t session, uint32_t timeout_ms,
	struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_SESSION_RESET, .session = session};
	return call_wait(client, &call, timeout_ms, (struct result){0}, ret_err);
}

int edge_client_session_close(struct edge_client *client, uint32_t session, uint32_t timeout_ms,
	struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_SESSION_CLOSE, .session = session};
	return call_wait(client, &call, timeout_ms, (struct result){0}, ret_err);
}

int edge_client_status(struct edge_client *client, uint32_t timeout_ms,
	struct edge_client_status *ret_status, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_STATUS};
	return call_wait(client, &call, timeout_ms, RESULT(status, ret_status), ret_err);
}

int edge_client_stats(struct edge_client *client, uint32_t timeout_ms,
	struct edge_client_stats **ret_stats, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_STATS};
	return call_wait(client, &call, timeout_ms, RESULT(stats, ret_stats), ret_err);
}

int edge_client_power(struct edge_client *client, const char *model, uint32_t timeout_ms,
	struct edge_client_power *ret_power, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_POWER, .model = model};
	return call_wait(client, &call, timeout_ms, RESULT(power, ret_power), ret_err);
}

int edge_client_subscribe_models(struct edge_client *client, edge_client_models_fn fn, void *data,
	uint32_t timeout_ms, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_SUBSCRIBE, .models_fn = fn, .models_data = data};
	const uint64_t before = client->subscription;
	int r = call_wait(client, &call, timeout_ms, (struct result){0}, ret_err);
	if (r < 0) {
		client->subscription = before;
	}
	return r;
}

int edge_client_reload(struct edge_client *client, uint32_t timeout_ms,
	struct edge_client_reload *ret_reload, struct edge_client_error *ret_err)
{
	const struct call call = {.type = WIRE_RELOAD};
	return call_wait(client, &call, timeout_ms, RESULT(reload, ret_reload), ret_err);
}

/* ---- the daemon's store of models */

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
	const struct wire_store wanted = order_of(verb, model, argument);
	const struct call call = {.type = WIRE_STORE, .store = &wanted, .fd = -1};
	return start(client, &call, fn, data, ret_id, ret_err);
}

int edge_client_store_fd(struct edge_client *client, enum edge_client_store_verb verb,
	const char *model, const char *argument, int fd, uint32_t timeout_ms, char **ret_text,
	struct edge_client_error *ret_err)
{
	const struct wire_store wanted = order_of(verb, model, argument);
	const struct call call = {.type = WIRE_STORE, .store = &wanted, .fd = fd};
	char *text = NULL;
	int r = call_wait(client, &call, timeout_ms, RESULT(text, &text), ret_err);
	if (r == 0 && ret_text) {
		*ret_text = text;
		return 0;
	}
	free(text);
	return r;
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

/* ---- opening and closing */

static int open_connected(
	int fd, uint32_t timeout_ms, struct edge_client **ret_client, struct error *err)
{
	struct edge_client *client = calloc(1, sizeof(*client));
	if (!client) {
		close(fd);
		return error_no_memory(err);
	}
	channel_init(&client->channel, fd);
	input_region_init(&client->input_region);
	struct outcome outcome = {0};
	int r = connection_call(
		client, &(struct call){.type = WIRE_HELLO}, timeout_ms, &outcome, err);
	if (r < 0) {
		edge_client_close(client);
		return r;
	}
	*ret_client = client;
	return 0;
}

int edge_client_open_fd(int fd, uint32_t timeout_ms, struct edge_client **ret_client,
	struct edge_client_error *ret_err)
{
	struct error err = {0};
	int r = open_connected(fd, timeout_ms, ret_client, &err);
	return r < 0 ? client_error_copy(&err, ret_err) : 0;
}

static int connect_error(int code, struct error *err)
{
	switch (code) {
	case EACCES:
	case EPERM:
		return error_set(err, -EACCES, "the socket is not for this user");
	case EAGAIN:
		return error_set(err, -ETIMEDOUT, "the daemon takes no connection");
	case ENOENT:
	case ECONNREFUSED:
		return error_set(err, -ENOTCONN, "no daemon listens there");
	default:
		return error_set(err, -ENOTCONN, "connect: %s", strerror(code));
	}
}

/* connect() waits for room in the daemon's backlog for at most the send timeout. */
static int connect_to(const char *path, uint32_t timeout_ms, int *ret_fd, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	size_t length = strlen(path);
	if (length == 0 || length >= sizeof(address.sun_path)) {
		return error_set(err, -EINVAL, "a socket's path has 1 to %zu bytes",
			sizeof(address.sun_path) - 1);
	}
	memcpy(address.sun_path, path, length);
	owned_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return error_set(err, -errno, "socket: %s", strerror(errno));
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		return connect_error(errno, err);
	}
	*ret_fd = take_fd(fd);
	return 0;
}

/* Connects and sends the greeting. Returns 1 if the peer closed the connection before it
 * answered HELLO. */
static int open_once(
	const char *path, uint32_t timeout_ms, struct edge_client **ret_client, struct error *err)
{
	int fd = -1;
	int r = connect_to(path, timeout_ms, &fd, err);
	if (r < 0) {
		return r;
	}
	r = open_connected(fd, timeout_ms, ret_client, err);
	return r == -ENOTCONN ? 1 : r;
}

int edge_client_open(const char *path, uint32_t timeout_ms, struct edge_client **ret_client,
	struct edge_client_error *ret_err)
{
	struct error err = {0};
	const char *named = getenv("EDGED_SOCKET");
	const char *otherwise = named && named[0] ? named : EDGE_CLIENT_DEFAULT_SOCKET;
	const char *where = path ? path : otherwise;
	int r = open_once(where, timeout_ms, ret_client, &err);
	/* A stopping daemon had accepted the connection. With socket activation the next daemon
	 * answers. */
	r = r > 0 ? open_once(where, timeout_ms, ret_client, &err) : r;
	if (r > 0) {
		error_prefix(&err, "HELLO");
	}
	return r != 0 ? client_error_copy(&err, ret_err) : 0;
}

void edge_client_close(struct edge_client *client)
{
	struct error err = {0};
	if (!client) {
		return;
	}
	error_set(&err, -ENOTCONN, "the connection was closed");
	connection_lose(client, &err);
	channel_deinit(&client->channel);
	ring_client_deinit(&client->ring);
	input_region_deinit(&client->input_region);
	free(client->adding);
	free(client);
}

const char *edge_client_code_name(unsigned int status)
{
	return status_name(status);
}
