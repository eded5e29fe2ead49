/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reserves outbox room for the responses to a request before it goes to edged or to the child
 * process, because a QoS 1 response must not be dropped.
 */
#include "daemon/mqtt/broker/brokers.h"
#include "daemon/mqtt/request/request_serve.h"

#define SMALL_RESPONSE 1024 /* bytes of an error, or of flat JSON of unknown size */

static uint64_t guess(const struct model_entry *model, enum mqtt_request_response form)
{
	uint64_t raw = 0;
	for (uint32_t i = 0; i < model->n_outputs; i++) {
		raw += model->outputs[i].bytes;
	}
	switch (form) {
	case MQTT_REQUEST_RAW:
		return raw;
	case MQTT_REQUEST_BASE64:
		return SMALL_RESPONSE + raw / 3 * 4;
	case MQTT_REQUEST_OIP:
		return SMALL_RESPONSE + raw * 3; /* numbers as text */
	case MQTT_REQUEST_JSON:
		break;
	}
	return SMALL_RESPONSE;
}

/* Returns the bytes to reserve: the largest response so far, or a guess. A response that the outbox
 * could never hold is replaced by an error. */
static size_t bytes_of_model(
	const struct mqtt_requests *requests, const struct mqtt_request *request)
{
	const struct model_entry *model = known_models_find(requests->models, request->target);
	uint64_t known = model ? model->response_bytes[request->response_format] : 0;
	uint64_t bytes = known || !model ? known : guess(model, request->response_format);
	bytes = request->reserve.response_bytes ? request->reserve.response_bytes : bytes;
	bytes = bytes < SMALL_RESPONSE ? SMALL_RESPONSE : bytes;
	bool large =
		bytes > outbox_largest_response(&request->conn->outbox, request->response_topic);
	return large ? SMALL_RESPONSE : (size_t)bytes;
}

/* Returns the bytes and the number of responses to reserve: the most of any input so far, but at
 * most half of the outbox, so that other requests run too. */
static size_t bytes_of_pipeline(
	const struct mqtt_requests *requests, const struct mqtt_request *request, size_t *ret_n)
{
	const struct outbox *outbox = &request->conn->outbox;
	const size_t header = outbox_cost(request->response_topic, 0);
	const size_t half = (outbox_largest_response(outbox, request->response_topic) + header) / 2;
	size_t n = 1, bytes = 0;
	requests->expect(requests->data, request, &n, &bytes);
	size_t max = half / (header + SMALL_RESPONSE);
	max = max < outbox->max_messages / 2 ? max : outbox->max_messages / 2;
	n = n < max ? n : max;
	n = n > 0 ? n : 1;
	bytes = bytes > n * SMALL_RESPONSE ? bytes : n * SMALL_RESPONSE;
	*ret_n = n;
	const size_t left = half > n * header ? half - n * header : SMALL_RESPONSE;
	return bytes < left ? bytes : left;
}

static size_t bytes_of(
	const struct mqtt_requests *requests, const struct mqtt_request *request, size_t *ret_n)
{
	*ret_n = 1;
	return request->of_pipeline ? bytes_of_pipeline(requests, request, ret_n)
				    : bytes_of_model(requests, request);
}

/* Once a request has found no room, conn->full keeps later ones waiting, so that small responses do
 * not starve a large one. */
bool outbox_reserve_take(const struct mqtt_requests *requests, struct mqtt_request *request)
{
	struct broker_connection *conn = request->conn;
	size_t n = 1;
	if (!conn || !request->response_topic || request->reserve.bytes) {
		return true;
	}
	size_t size = bytes_of(requests, request, &n);
	conn->full = conn->full ||
		!outbox_reserve(
			&conn->outbox, request->response_topic, n, size, &request->reserve.bytes);
	request->reserve.n = request->reserve.bytes ? n : 0;
	request->reserve.is_short = conn->full;
	return !conn->full;
}

void outbox_reserve_use(struct mqtt_request *request, size_t size)
{
	if (!request->conn || request->reserve.n < 2) {
		return;
	}
	size_t rest = outbox_cost(request->response_topic, SMALL_RESPONSE);
	size_t bytes = outbox_cost(request->response_topic, size);
	size_t max = request->reserve.bytes > rest ? request->reserve.bytes - rest : 0;
	bytes = bytes < max ? bytes : max;
	outbox_release(&request->conn->outbox, 1, bytes);
	request->reserve.n--;
	request->reserve.bytes -= bytes;
}

/* A removed connection's outbox is gone too. */
void outbox_reserve_give_back(struct mqtt_request *request)
{
	if (request->reserve.bytes && request->conn) {
		outbox_release(&request->conn->outbox, request->reserve.n, request->reserve.bytes);
	}
	request->reserve.bytes = request->reserve.n = 0;
}

bool outbox_reserve_has_room_for_error(const struct mqtt_request *request)
{
	struct broker_connection *conn = request->conn;
	size_t bytes = 0;
	if (!conn || !request->response_topic || request->reserve.bytes) {
		return true;
	}
	conn->full_for_errors = conn->full_for_errors ||
		!outbox_reserve(&conn->outbox, request->response_topic, 1, SMALL_RESPONSE, &bytes);
	if (bytes) {
		outbox_release(&conn->outbox, 1, bytes);
	}
	return !conn->full_for_errors;
}

/* Ignores reserves of running requests, which end soon. */
static bool lacks_room(const struct mqtt_requests *requests, const struct mqtt_request *request)
{
	size_t n = 1;
	size_t size = bytes_of(requests, request, &n);
	return !outbox_could_reserve(&request->conn->outbox, request->response_topic, n, size);
}

bool outbox_reserve_is_stuck(
	const struct mqtt_requests *requests, const struct mqtt_request *request)
{
	return mqtt_request_is_waiting(request) && request->conn && request->response_topic &&
		!request->reserve.bytes && (request->conn->stuck || lacks_room(requests, request));
}

struct outbox_reserve_live outbox_reserve_update_stuck(struct mqtt_requests *requests)
{
	struct outbox_reserve_live live = {0};
	for (size_t i = 0; i < requests->brokers->n; i++) {
		struct broker_connection *conn = requests->brokers->connections[i];
		conn->stuck = !outbox_could_reserve(&conn->outbox, "", 1, SMALL_RESPONSE);
	}
	for (struct mqtt_request *request = requests->first; request; request = request->next) {
		request->reserve.stuck = outbox_reserve_is_stuck(requests, request);
		if (request->reserve.stuck) {
			request->conn->stuck = true;
		} else if (request->state != MQTT_REQUEST_RUNNING) {
			live.n++;
			live.bytes += request->size;
		}
	}
	return live;
}
