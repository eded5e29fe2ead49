/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/request/request_parse.h"

#include <string.h>

#include "base/clock.h"
#include "client/lib/edge_client.h"

static void copy_text(char *out, size_t size, const char *text)
{
	size_t n = strlen(text);
	if (n < size) {
		memcpy(out, text, n + 1);
	}
}

static uint64_t deadline_of(const struct settings *s, const struct mosq_message *m, uint64_t now)
{
	uint64_t deadline = s->deadline_ms ? now + s->deadline_ms * NSEC_PER_MSEC : 0;
	if (m->expiry_s != MOSQ_NO_EXPIRY) {
		deadline = now + m->expiry_s * NSEC_PER_SEC;
	}
	uint64_t ms = 0;
	if (decode_deadline(m->deadline, &ms) && ms > 0) {
		uint64_t sooner = now + ms * NSEC_PER_MSEC;
		deadline = !deadline || sooner < deadline ? sooner : deadline;
	}
	return deadline;
}

struct mqtt_request *request_parse(const struct settings *settings, struct broker_connection *conn,
	const struct mosq_message *m, const char *model, const char *source,
	const struct settings_route *route)
{
	bool answer_elsewhere = m->response_topic[0] != 0;
	uint64_t ms = 0;
	owned(mqtt_request_free) struct mqtt_request *request = calloc(1, sizeof(*request));
	char *response_topic = request && answer_elsewhere ? strdup(m->response_topic) : NULL;
	if (!request || (answer_elsewhere && !response_topic)) {
		return NULL;
	}
	request->response_topic = response_topic;
	request->conn = conn;
	request->connection_id = conn->number;
	request->arrived_ns = m->arrived_ns;
	request->deadline.ns = deadline_of(settings, m, request->arrived_ns);
	request->deadline.expires_response = m->expiry_s != MOSQ_NO_EXPIRY;
	request->deadline.named =
		request->deadline.expires_response || (decode_deadline(m->deadline, &ms) && ms > 0);
	request->qos = m->qos > 1 ? 1 : m->qos;
	request->priority = mqtt_request_priority_of(m->priority);
	request->format = decode_format_of(m->content_type);
	copy_text(request->target, sizeof(request->target), model);
	copy_text(request->source, sizeof(request->source), source);
	if (topics_is_traceparent(m->traceparent)) {
		copy_text(request->traceparent, sizeof(request->traceparent), m->traceparent);
	}
	bool raw = request->format == DECODE_RAW && strcmp(m->accept, "application/json") != 0;
	raw |= strcmp(m->accept, "application/octet-stream") == 0;
	request->response_format = raw ? MQTT_REQUEST_RAW : MQTT_REQUEST_JSON;
	if (m->correlation_bytes && m->correlation_bytes <= sizeof(request->correlation.data)) {
		request->correlation.bytes = m->correlation_bytes;
		memcpy(request->correlation.data, m->correlation, m->correlation_bytes);
	}
	if (route) {
		request->format = decode_format_named(route->format);
		copy_text(request->fields, sizeof(request->fields), route->fields);
		request->response_format = MQTT_REQUEST_JSON;
	}
	return take(request);
}

bool request_parse_may_respond(const struct settings *s, const struct mosq_message *m)
{
	return !m->response_topic[0] ||
		topics_is_response_topic(m->response_topic, s->response_prefix, s->prefix,
			s->gateway, s->discovery_prefix);
}

uint64_t request_parse_key(
	const struct dedup *dedup, const struct mqtt_request *request, const struct mosq_message *m)
{
	const char *broker = request->conn->settings->name;
	uint64_t key = dedup_keyed_hash(dedup, 0, m->correlation, m->correlation_bytes);
	key = dedup_keyed_hash(dedup, key, broker, strlen(broker));
	key = dedup_keyed_hash(dedup, key, m->response_topic, strlen(m->response_topic));
	key = dedup_keyed_hash(dedup, key, m->topic, strlen(m->topic));
	key = dedup_keyed_hash(dedup, key, m->content_type, strlen(m->content_type));
	key = dedup_keyed_hash(dedup, key, m->accept, strlen(m->accept));
	return dedup_keyed_hash(dedup, key, m->payload, m->size);
}

const char *request_parse_refusal(const struct settings *settings,
	const struct mqtt_request *request, const struct mosq_message *m, unsigned int *ret_status)
{
	if (journal_is_given_up(request->journal)) {
		*ret_status = EDGE_CLIENT_INTERNAL;
		return "edged-mqtt has ended each time that it ran this request";
	}
	*ret_status = EDGE_CLIENT_INVALID;
	if (request->format == DECODE_N_FORMATS) {
		*ret_status = EDGE_CLIENT_UNSUPPORTED;
		return "a content type that is not known";
	}
	if (m->correlation_bytes > OUTBOX_MAX_CORRELATION) {
		return "more than 64 bytes of correlation data";
	}
	uint64_t ms = 0;
	if (!decode_deadline(m->deadline, &ms)) {
		return "deadline_ms is no whole number of milliseconds from 0 to 86400000";
	}
	if (m->size > settings->max_message) {
		*ret_status = EDGE_CLIENT_TOO_LARGE;
		return "above max-message";
	}
	if (request->conn->stopped_published) {
		*ret_status = EDGE_CLIENT_DRAINING;
		return "the gateway is about to stop";
	}
	return NULL;
}
