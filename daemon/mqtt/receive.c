/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"
#include "daemon/mqtt/request/request_parse.h"

#define OLD_POOL_NS (2 * NSEC_PER_SEC)

/* Returns why an input of a pipeline is refused at once; NULL: it is not. */
static const char *reason_of_pipeline(
	const struct bridge *b, const struct mqtt_request *request, unsigned int *ret_status)
{
	const struct mqtt_pipeline *pipeline = pipelines_find(&b->pipelines, request->target);
	if (!request->source[0]) {
		*ret_status = EDGE_CLIENT_INVALID;
		return "a source is up to 63 letters, digits, '.', '-' or '_'";
	}
	*ret_status =
		pipeline && !pipeline->refused[0] ? EDGE_CLIENT_DENIED : EDGE_CLIENT_NOT_FOUND;
	if (!pipeline || pipeline->refused[0]) {
		return pipeline ? pipeline->refused : "there is no such pipeline";
	}
	return pipeline->off ? "the pipeline was switched off" : NULL;
}

/* Handles a lack of memory. A QoS 1 request goes to the journal and is read from there later; any
 * other one gets OVERLOADED. @unpaid is the request without payload, or NULL. Takes @unpaid and
 * @journal. */
static void put_off(struct bridge *b, struct broker_connection *conn, const struct mosq_message *m,
	struct mqtt_request *unpaid, bool of_pipeline, struct journal_entry *journal)
{
	owned(mqtt_request_free) struct mqtt_request *request = unpaid;
	if (request) {
		dedup_forget(&b->dedup, request->key);
	}
	if (!journal && m->qos > 0 && !of_pipeline) {
		journal = journal_add(&b->journal, conn->settings->name, m);
	}
	if (journal) {
		b->counts.requests--; /* counted again when it is read from the journal */
		journal_put_off(journal);
		request_serve_retry_soon(&b->requests);
		return;
	}
	b->counts.shed++;
	if (request) {
		request_respond_refuse(
			&b->requests, request, EDGE_CLIENT_OVERLOADED, "no memory for it");
	}
}

/* Returns true if the request was refused or is a duplicate. */
static bool is_settled(struct bridge *b, struct mqtt_request *request, const struct mosq_message *m)
{
	unsigned int status = 0;
	const char *why = request_parse_refusal(&b->settings, request, m, &status);
	if (!why && request->of_pipeline) {
		why = reason_of_pipeline(b, request, &status);
	}
	if (why) {
		request_respond_refuse(&b->requests, request, status, why);
		return true;
	}
	if (m->qos == 0 || !b->settings.duplicate_window_ms) {
		return false;
	}
	request->key = request_parse_key(&b->dedup, request, m);
	bool duplicate =
		request->correlation.bytes && request_serve_is_duplicate(&b->requests, request);
	b->counts.duplicates += duplicate;
	return duplicate;
}

/* Handles a request, or an input of pipeline @model. @journal: its journal entry, or NULL; taken. */
static void request(struct bridge *b, struct broker_connection *conn, const struct mosq_message *m,
	const char *model, const char *source, const struct settings_route *route, bool of_pipeline,
	struct journal_entry *journal)
{
	owned(journal_delete) struct journal_entry *note = journal;
	b->counts.requests++;
	b->counts.expired += m->expiry_s == 0;
	if (m->expiry_s == 0) {
		return;
	}
	if (!request_parse_may_respond(&b->settings, m)) {
		b->counts.refused++;
		return;
	}
	owned(mqtt_request_free) struct mqtt_request *request =
		request_parse(&b->settings, conn, m, model, source, route);
	if (!request) {
		put_off(b, conn, m, NULL, of_pipeline, take(note));
		return;
	}
	request->of_pipeline = of_pipeline;
	request->journal = take(note);
	b->journal.given_up += journal_is_given_up(request->journal);
	if (is_settled(b, request, m)) {
		return;
	}
	if (mqtt_request_set_payload(request, m->payload, m->size) < 0) {
		struct journal_entry *again = take(request->journal);
		put_off(b, conn, m, take(request), of_pipeline, again);
		return;
	}
	if (m->qos > 0 && !of_pipeline && !request->journal) {
		request->journal = journal_add(&b->journal, conn->settings->name, m);
	}
	pipelines_dispatch_accept(&b->pipelines, take(request));
}

static const struct settings_route *route_of(const struct bridge *b, const char *topic)
{
	for (size_t i = 0; i < b->settings.n_routes; i++) {
		if (topics_overlap(b->settings.routes[i].topic, topic)) {
			return &b->settings.routes[i];
		}
	}
	return NULL;
}

/* Returns true if Home Assistant has started. The discovery message is sent again after a random
 * delay. */
static bool is_home_birth(const struct bridge *b, const struct mosq_message *m)
{
	char topic[TOPIC_SIZE];
	snprintf(topic, sizeof(topic), "%s/status", b->settings.discovery_prefix);
	return strcmp(topic, m->topic) == 0 && m->size == 6 && memcmp(m->payload, "online", 6) == 0;
}

static void route_message(struct bridge *b, struct broker_connection *conn,
	const struct mosq_message *m, const struct settings_route *route,
	struct journal_entry *journal)
{
	char source[TOPICS_SOURCE_SIZE] = "";
	if (route->model[0]) {
		request(b, conn, m, route->model, route->name, route, false, journal);
		return;
	}
	journal_delete(journal); /* inputs of pipelines are not in the journal */
	topics_source(route->topic, m->topic, source);
	request(b, conn, m, route->pipeline, source[0] ? source : route->name, route, true, NULL);
}

/* A broker may still send pool requests for a subscription of an earlier run. They are served until
 * the models are known, or OLD_POOL_NS after the start; then the filter is unsubscribed. */
static void leave_old_pool(
	struct bridge *b, struct broker_connection *conn, const struct topics_parts *parts)
{
	char filter[TOPIC_SIZE];
	bool known = b->models.listed || clock_now_ns() - b->started_ns > OLD_POOL_NS;
	settings_pool_filter(
		&b->settings, parts->kind == TOPICS_PIPELINE_POOL, parts->model, filter);
	if (known && !broker_connection_is_leaving(conn) &&
		conn->subscriptions.unsubscribing == 0 &&
		!broker_connection_is_subscribed(conn, filter)) {
		broker_connection_unsubscribe(conn, filter);
	}
}

static void receive(struct bridge *b, struct broker_connection *conn, const struct mosq_message *m,
	struct journal_entry *journal)
{
	const struct settings *s = &b->settings;
	struct topics_parts parts = topics_parse(s->prefix, s->gateway, m->topic);
	const struct settings_route *route =
		parts.kind == TOPICS_OTHER ? route_of(b, m->topic) : NULL;
	if (parts.kind == TOPICS_INFER || parts.kind == TOPICS_POOL) {
		request(b, conn, m, parts.model, parts.kind == TOPICS_POOL ? "pool" : "infer", NULL,
			false, journal);
	} else if (route) {
		route_message(b, conn, m, route, journal);
	} else {
		journal_delete(journal);
	}
}

void receive_message(struct bridge *b, struct broker_connection *conn, const struct mosq_message *m)
{
	const struct settings *s = &b->settings;
	if (is_home_birth(b, m)) {
		uint64_t wait_ms = 200 + dedup_keyed_hash(&b->dedup, 0, m->topic, 1) % 2000;
		home_assistant_announce_again_after(&b->announce, wait_ms);
		return;
	}
	struct topics_parts parts = topics_parse(s->prefix, s->gateway, m->topic);
	/* A retained message is never a request: nobody waits for it, and Mosquitto of Debian 12
	 * sends old ones to shared subscriptions. */
	if (m->retain) {
		b->counts.retained += m->size > 0;
	} else if (parts.kind == TOPICS_SET) {
		command_message(b, conn, parts.model, parts.key, m);
	} else if (parts.kind == TOPICS_PIPELINE_SET) {
		command_pipeline_message(b, conn, parts.model, parts.key, m);
	} else if (parts.kind == TOPICS_PIPELINE_IN || parts.kind == TOPICS_PIPELINE_POOL) {
		request(b, conn, m, parts.model, parts.key, NULL, true, NULL);
	} else if (parts.kind == TOPICS_PIPELINE_NO_SOURCE && m->response_topic[0]) {
		request(b, conn, m, parts.model, "", NULL, true, NULL); /* is refused */
	} else {
		receive(b, conn, m, NULL);
	}
	if (parts.kind == TOPICS_POOL || parts.kind == TOPICS_PIPELINE_POOL) {
		leave_old_pool(b, conn, &parts);
	}
}

struct journal_room {
	const struct bridge *bridge;
	struct outbox_reserve_live live;
};

static bool is_stuck(const struct bridge *b, const struct journal_entry *note)
{
	const struct broker_connection *conn = brokers_find(&b->brokers, note->broker);
	return conn && conn->stuck;
}

/* Requests of the journal must not fill the queue so far that they are refused. One above
 * queue-bytes waits for an empty queue. */
static bool has_room(const struct journal_room *room, const struct journal_entry *note)
{
	const struct mqtt_requests *requests = &room->bridge->requests;
	const bool stuck = is_stuck(room->bridge, note);
	const size_t n = stuck ? requests->n : room->live.n;
	const size_t bytes = stuck ? requests->bytes : room->live.bytes;
	return n == 0 || (n <= requests->max / 2 && bytes + note->bytes <= requests->max_bytes);
}

/* In order, but a stuck broker does not delay the others. */
static bool may_be_next(const void *data, const struct journal_entry *note)
{
	const struct journal_room *room = data;
	return !is_stuck(room->bridge, note) || has_room(room, note);
}

static bool next_journalled(
	struct bridge *b, struct journal_record *ret_record, struct journal_entry **ret_note)
{
	const struct journal_room room = {b, outbox_reserve_update_stuck(&b->requests)};
	const struct journal_entry *next = journal_oldest(&b->journal, may_be_next, &room);
	return next && has_room(&room, next) &&
		journal_next(&b->journal, may_be_next, &room, ret_record, ret_note);
}

void receive_journalled(struct bridge *b)
{
	struct journal_record record;
	struct journal_entry *note = NULL;
	bool memory = true;
	while (memory && next_journalled(b, &record, &note)) {
		struct broker_connection *conn = brokers_find(&b->brokers, record.broker);
		bool earlier = note->earlier;
		if (conn) {
			receive(b, conn, &record.message, note);
			memory = !note->waits;
			b->counts.resumed += earlier && memory;
		} else {
			b->journal.given_up++; /* the broker was removed from the configuration */
			journal_delete(note);
		}
		free(record.buffer);
	}
}

void receive_on_expiry(uv_timer_t *timer)
{
	struct bridge *b = timer->data;
	receive_journalled(b);
	pipelines_dispatch(&b->pipelines);
	if (b->requests.n > 0 || b->pipelines.n_requests > 0 || b->journal.n_waiting > 0) {
		request_serve_retry_soon(&b->requests);
	}
}
