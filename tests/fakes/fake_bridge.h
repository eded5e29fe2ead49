/* SPDX-License-Identifier: Apache-2.0 */
/* A bridge with brokers that are not connected: what is published stays in their outboxes. */
#ifndef TESTS_FAKES_FAKE_BRIDGE_H
#define TESTS_FAKES_FAKE_BRIDGE_H

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"

#define FAKE_LINKS 2

static inline void fake_bridge_start(struct bridge *b, size_t max_requests, size_t max_messages)
{
	bridge_init(b);
	atomic_store(&b->log.level, LOG_LEVEL_ERROR);
	strcpy(b->settings.gateway, "gw1");
	strcpy(b->settings.prefix, "edged");
	strcpy(b->settings.response_prefix, "edged/reply");
	strcpy(b->settings.discovery_prefix, "homeassistant");
	strcpy(b->settings.feed, "unanswered");
	strcpy(b->settings.result_topic, "{prefix}/{gw}/{model}/result");
	b->settings.in_flight = 4;
	b->settings.top_k = 3;
	b->settings.duplicate_window_ms = 60000;
	b->requests.max = max_requests;
	b->requests.max_bytes = 10000;
	b->requests.max_decoded_bytes = 100000;
	dedup_init(&b->dedup);
	journal_init(&b->journal);
	assert_int_equal(uv_loop_init(&b->loop), 0);
	request_serve_start(&b->requests, &b->loop, receive_on_expiry, b);
	b->brokers.loop = &b->loop;
	b->brokers.log = &b->log;
	b->brokers.settings = &b->settings;
	b->brokers.state = b->state;
	b->brokers.status_topic = b->status_topic;
	uv_timer_init(&b->loop, &b->announce.discovery_timer);
	b->announce.discovery_timer.data = &b->announce;
	for (size_t i = 0; i < FAKE_LINKS; i++) {
		struct broker_connection *conn = b->brokers.connections[i] =
			calloc(1, sizeof(*conn));
		assert_non_null(conn);
		conn->log = &b->log;
		conn->number = (uint32_t)(i + 1);
		conn->settings = &conn->options.broker;
		conn->options.broker.name[0] = (char)('a' + i);
		outbox_init(&conn->outbox, max_messages, 100000);
	}
	b->brokers.n = FAKE_LINKS;
}

static inline void fake_bridge_end(struct bridge *b)
{
	while (b->requests.first) {
		struct mqtt_request *request = b->requests.first;
		mqtt_requests_remove(&b->requests, request);
		mqtt_request_free(request);
	}
	known_models_deinit(&b->models);
	pipelines_deinit(&b->pipelines);
	for (size_t i = 0; i < FAKE_LINKS; i++) {
		outbox_deinit(&b->brokers.connections[i]->outbox);
		free(b->brokers.connections[i]);
	}
	request_serve_stop(&b->requests);
	uv_close((uv_handle_t *)&b->announce.discovery_timer, NULL);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&b->loop), 0);
}

/* A request of model "digits" at broker @conn, answered on edged/reply/me. */
static inline struct mqtt_request *fake_bridge_ask(
	struct bridge *b, size_t conn, enum mqtt_request_priority priority)
{
	struct mqtt_request *request = calloc(1, sizeof(*request));
	assert_non_null(request);
	assert_int_equal(mqtt_request_set_payload(request, "1,2", 3), 0);
	request->conn = b->brokers.connections[conn];
	request->connection_id = request->conn->number;
	request->priority = priority;
	request->qos = 1;
	request->arrived_ns = clock_now_ns();
	strcpy(request->target, "digits");
	strcpy(request->source, "infer");
	request->response_topic = strdup("edged/reply/me");
	assert_non_null(request->response_topic);
	return request;
}

/* A model with one input and one output of two float32. */
static inline struct model_entry *fake_bridge_model(struct bridge *b)
{
	struct model_entry *model = known_models_add(&b->models, "digits");
	assert_non_null(model);
	const struct tensor_spec spec = {.name = "x",
		.type = DTYPE_FLOAT32,
		.shape = {.rank = 2, .dim = {1, 2}},
		.declared = {.rank = 2, .dim = {1, 2}},
		.bytes = 8};
	model->listed = model->usable = true;
	model->generation = model->described = 1;
	model->n_inputs = model->n_outputs = 1;
	model->inputs[0] = model->outputs[0] = spec;
	b->models.listed = true;
	return model;
}

/* The newest message in the outbox of @conn; fails without one. */
static inline const struct outbox_message *fake_bridge_newest(const struct bridge *b, size_t conn)
{
	const struct outbox_message *m = b->brokers.connections[conn]->outbox.first;
	assert_non_null(m);
	while (m->next) {
		m = m->next;
	}
	return m;
}

static inline bool fake_bridge_says(const struct outbox_message *m, const char *text)
{
	return memmem(m->payload, m->size, text, strlen(text)) != NULL;
}

#endif
