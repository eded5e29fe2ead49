/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define MAX_DEADLINE_MS 86400000
#define STRANGER_NS (2 * NS_PER_S)

static void copy_text(char *out, size_t size, const char *text)
{
	size_t n = strlen(text);
	if (n < size) {
		memcpy(out, text, n + 1);
	}
}

/* "" and "0" are none. */
static bool is_deadline(const char *text)
{
	return strspn(text, "0123456789") == strlen(text) &&
		strtoull(text, NULL, 10) <= MAX_DEADLINE_MS;
}

/* 0: it names none. */
static uint64_t deadline_ms_of(const struct mosq_message *m)
{
	return is_deadline(m->deadline) ? strtoull(m->deadline, NULL, 10) : 0;
}

static uint64_t deadline_of(const struct bridge *b, const struct mosq_message *m, uint64_t now)
{
	uint64_t deadline = b->settings.deadline_ms ? now + b->settings.deadline_ms * NS_PER_MS : 0;
	if (m->expiry_s != MOSQ_NO_EXPIRY) {
		deadline = now + m->expiry_s * NS_PER_S;
	}
	uint64_t ms = deadline_ms_of(m);
	if (ms > 0) {
		uint64_t sooner = now + ms * NS_PER_MS;
		deadline = !deadline || sooner < deadline ? sooner : deadline;
	}
	return deadline;
}

/* What the message says but its payload, into a new ask. NULL: there is no memory. */
static struct ask *make_ask(struct bridge *b, struct link *link, const struct mosq_message *m,
	const char *model, const char *source)
{
	bool answer_elsewhere = m->response_topic[0] != 0;
	owned(ask_free) struct ask *ask = ask_new();
	char *response_topic = ask && answer_elsewhere ? strdup(m->response_topic) : NULL;
	if (!ask || (answer_elsewhere && !response_topic)) {
		return NULL;
	}
	ask->response_topic = response_topic;
	ask->link = link;
	ask->origin = link->number;
	ask->arrived_ns = m->came_ns;
	ask->deadline_ns = deadline_of(b, m, ask->arrived_ns);
	ask->expires = m->expiry_s != MOSQ_NO_EXPIRY;
	ask->names_deadline = ask->expires || deadline_ms_of(m) > 0;
	ask->qos = m->qos > 1 ? 1 : m->qos;
	ask->priority = ask_priority_of(m->priority);
	ask->format = decode_format_of(m->content_type);
	copy_text(ask->model, sizeof(ask->model), model);
	copy_text(ask->source, sizeof(ask->source), source);
	if (topics_is_traceparent(m->traceparent)) {
		copy_text(ask->traceparent, sizeof(ask->traceparent), m->traceparent);
	}
	bool raw = ask->format == DECODE_RAW && strcmp(m->accept, "application/json") != 0;
	raw |= strcmp(m->accept, "application/octet-stream") == 0;
	ask->answer = raw ? ASK_RAW : ASK_JSON;
	if (m->correlation_bytes && m->correlation_bytes <= sizeof(ask->correlation)) {
		ask->correlation_bytes = m->correlation_bytes;
		memcpy(ask->correlation, m->correlation, m->correlation_bytes);
	}
	return take(ask);
}

static bool may_answer(const struct bridge *b, const struct mosq_message *m)
{
	const struct settings *s = &b->settings;
	return !m->response_topic[0] ||
		topics_may_answer(m->response_topic, s->response_prefix, s->prefix, s->gateway,
			s->discovery_prefix);
}

/* What makes a request the same as another: all that it says but its time and priority, and the broker that it came from. */
static uint64_t key_of(const struct bridge *b, const struct ask *ask, const struct mosq_message *m)
{
	const char *broker = ask->link->settings->name;
	uint64_t key = dedup_hash(&b->dedup, 0, m->correlation, m->correlation_bytes);
	key = dedup_hash(&b->dedup, key, broker, strlen(broker));
	key = dedup_hash(&b->dedup, key, m->response_topic, strlen(m->response_topic));
	key = dedup_hash(&b->dedup, key, m->topic, strlen(m->topic));
	key = dedup_hash(&b->dedup, key, m->content_type, strlen(m->content_type));
	key = dedup_hash(&b->dedup, key, m->accept, strlen(m->accept));
	return dedup_hash(&b->dedup, key, m->payload, m->size);
}

/* Why it is refused before it waits; NULL: it is not. */
static const char *reason_to_refuse(const struct bridge *b, const struct ask *ask,
	const struct mosq_message *m, unsigned int *ret_status)
{
	if (kept_is_given_up(ask->kept)) {
		*ret_status = EDGE_CLIENT_INTERNAL;
		return "edged-mqtt has ended each time that it was asked";
	}
	*ret_status = EDGE_CLIENT_INVALID;
	if (ask->format == DECODE_N_FORMATS) {
		*ret_status = EDGE_CLIENT_UNSUPPORTED;
		return "a content type that is not known";
	}
	if (m->correlation_bytes > OUTBOX_MAX_CORRELATION) {
		return "more than 64 bytes of correlation data";
	}
	if (!is_deadline(m->deadline)) {
		return "deadline_ms is no whole number of milliseconds from 0 to 86400000";
	}
	if (m->size > b->settings.max_message) {
		*ret_status = EDGE_CLIENT_TOO_LARGE;
		return "above max-message";
	}
	if (ask->link->said_stopped) {
		*ret_status = EDGE_CLIENT_DRAINING;
		return "the gateway is about to stop";
	}
	return NULL;
}

/* The same of a pipeline. */
static const char *reason_of_pipeline(
	const struct bridge *b, const struct ask *ask, unsigned int *ret_status)
{
	const struct pipe *pipe = pipes_find(&b->pipes, ask->model);
	if (!ask->source[0]) {
		*ret_status = EDGE_CLIENT_INVALID;
		return "a source is up to 63 letters, digits, '.', '-' or '_'";
	}
	*ret_status = pipe && !pipe->refused[0] ? EDGE_CLIENT_DENIED : EDGE_CLIENT_NOT_FOUND;
	if (!pipe || pipe->refused[0]) {
		return pipe ? pipe->refused : "there is no such pipeline";
	}
	return pipe->off ? "the pipeline was switched off" : NULL;
}

/* There is no memory for it now. The broker had our word for what is of QoS 1, so that is kept, and asked when there
 * is; else who asked is told, if that little goes. @ask: without its payload, or NULL. It and @kept are taken. */
static void put_off(struct bridge *b, struct link *link, const struct mosq_message *m,
	struct ask *unpaid, bool of_pipeline, struct kept_note *kept)
{
	owned(ask_free) struct ask *ask = unpaid;
	if (ask) {
		dedup_forget(&b->dedup, ask->key);
	}
	if (!kept && m->qos > 0 && !of_pipeline) {
		kept = kept_add(&b->kept, link->settings->name, m);
	}
	if (kept) {
		b->counts.requests--; /* it comes again */
		kept_put_off(kept);
		serve_look_again(b);
		return;
	}
	b->counts.shed++;
	if (ask) {
		respond_refuse(b, ask, EDGE_CLIENT_OVERLOADED, "no memory for it");
	}
}

/* Refused or seen before: it is over. */
static bool is_settled(struct bridge *b, struct ask *ask, const struct mosq_message *m)
{
	unsigned int status = 0;
	const char *why = reason_to_refuse(b, ask, m, &status);
	if (!why && ask->of_pipeline) {
		why = reason_of_pipeline(b, ask, &status);
	}
	if (why) {
		respond_refuse(b, ask, status, why);
		return true;
	}
	if (m->qos == 0 || !b->settings.duplicate_window_ms) {
		return false;
	}
	ask->key = key_of(b, ask, m);
	bool duplicate = ask->correlation_bytes && serve_saw(b, ask);
	b->counts.duplicates += duplicate;
	return duplicate;
}

static void take_route(struct ask *ask, const struct settings_route *route)
{
	ask->format = decode_format_named(route->format);
	copy_text(ask->fields, sizeof(ask->fields), route->fields);
	ask->answer = ASK_JSON;
}

/* A request, or an input of the pipeline @model. @kept: it is kept already, or NULL; taken. */
static void request(struct bridge *b, struct link *link, const struct mosq_message *m,
	const char *model, const char *source, const struct settings_route *route, bool of_pipeline,
	struct kept_note *kept)
{
	owned(kept_cross_out) struct kept_note *note = kept;
	b->counts.requests++;
	b->counts.expired += m->expiry_s == 0;
	b->counts.refused += m->expiry_s != 0 && !may_answer(b, m);
	if (m->expiry_s == 0 || !may_answer(b, m)) {
		return;
	}
	owned(ask_free) struct ask *ask = make_ask(b, link, m, model, source);
	if (!ask) {
		put_off(b, link, m, NULL, of_pipeline, take(note));
		return;
	}
	ask->of_pipeline = of_pipeline;
	ask->kept = take(note);
	b->kept.given_up += kept_is_given_up(ask->kept);
	if (route) {
		take_route(ask, route);
	}
	if (is_settled(b, ask, m)) {
		return;
	}
	if (ask_set_payload(ask, m->payload, m->size) < 0) {
		struct kept_note *again = take(ask->kept);
		put_off(b, link, m, take(ask), of_pipeline, again);
		return;
	}
	if (m->qos > 0 && !of_pipeline && !ask->kept) {
		ask->kept = kept_add(&b->kept, link->settings->name, m);
	}
	serve_accept(b, take(ask));
}

static const struct settings_route *route_of(const struct bridge *b, const char *topic)
{
	for (size_t i = 0; i < b->settings.n_routes; i++) {
		if (topics_match(b->settings.routes[i].topic, topic)) {
			return &b->settings.routes[i];
		}
	}
	return NULL;
}

/* Home Assistant has started: it is told again, after a while that differs from gateway to gateway. */
static bool is_home_birth(const struct bridge *b, const struct mosq_message *m)
{
	char topic[TOPICS_MAX];
	snprintf(topic, sizeof(topic), "%s/status", b->settings.discovery_prefix);
	return strcmp(topic, m->topic) == 0 && m->size == 6 && memcmp(m->payload, "online", 6) == 0;
}

static void route_message(struct bridge *b, struct link *link, const struct mosq_message *m,
	const struct settings_route *route, struct kept_note *kept)
{
	char source[TOPICS_SOURCE_SIZE] = "";
	if (route->model[0]) {
		request(b, link, m, route->model, route->name, route, false, kept);
		return;
	}
	kept_cross_out(kept); /* no input is kept */
	topics_source(route->topic, m->topic, source);
	request(b, link, m, route->pipeline, source[0] ? source : route->name, route, true, NULL);
}

/* What the broker has kept: nobody asks now, and bookworm's gives old ones to groups. */
static void retained_message(struct bridge *b, struct link *link, const struct mosq_message *m,
	const struct topics_parts *parts)
{
	if (leftover_take(b, link, m)) {
		return;
	}
	if (parts->kind == TOPICS_PIPELINE_LAST && m->size) {
		pipes_on_last(&b->pipes, link, parts->model, parts->key);
	} else if (m->size) {
		b->counts.retained++;
	}
}

/* The broker goes on with what an earlier life had asked for. That is as good as a subscription of this one until it is
 * known which models there are; when edged does not say so soon, others are to have the requests. */
static void leave_stranger(struct bridge *b, struct link *link, const struct topics_parts *parts)
{
	char filter[TOPICS_MAX];
	bool known = b->listed || clock_now_ns() - b->started_ns > STRANGER_NS;
	if (parts->kind == TOPICS_POOL) {
		announce_pool_filter(b, filter, parts->model);
	} else {
		announce_pool_filter_of_pipeline(b, filter, parts->model);
	}
	if (known && !link->leave_by_ns && link->unsubscribing == 0 &&
		!link_is_subscribed(link, filter)) {
		link_unsubscribe(link, filter);
	}
}

static void receive(
	struct bridge *b, struct link *link, const struct mosq_message *m, struct kept_note *kept)
{
	const struct settings *s = &b->settings;
	struct topics_parts parts = topics_parse(s->prefix, s->gateway, m->topic);
	const struct settings_route *route =
		parts.kind == TOPICS_OTHER ? route_of(b, m->topic) : NULL;
	if (parts.kind == TOPICS_INFER || parts.kind == TOPICS_POOL) {
		request(b, link, m, parts.model, parts.kind == TOPICS_POOL ? "pool" : "infer", NULL,
			false, kept);
	} else if (route) {
		route_message(b, link, m, route, kept);
	} else {
		kept_cross_out(kept);
	}
}

void receive_message(struct bridge *b, struct link *link, const struct mosq_message *m)
{
	const struct settings *s = &b->settings;
	if (is_home_birth(b, m)) {
		uint64_t wait_ms = 200 + dedup_hash(&b->dedup, 0, m->topic, 1) % 2000;
		uv_timer_start(&b->rediscover, home_on_rediscover, wait_ms, 0);
		return;
	}
	struct topics_parts parts = topics_parse(s->prefix, s->gateway, m->topic);
	if (m->retain) {
		retained_message(b, link, m, &parts);
	} else if (parts.kind == TOPICS_SET) {
		command_message(b, link, parts.model, parts.key, m);
	} else if (parts.kind == TOPICS_PIPELINE_SET) {
		command_pipeline_message(b, link, parts.model, parts.key, m);
	} else if (parts.kind == TOPICS_PIPELINE_IN || parts.kind == TOPICS_PIPELINE_POOL) {
		request(b, link, m, parts.model, parts.key, NULL, true, NULL);
	} else if (parts.kind == TOPICS_PIPELINE_NO_SOURCE && m->response_topic[0]) {
		request(b, link, m, parts.model, "", NULL, true, NULL); /* which says so */
	} else {
		receive(b, link, m, NULL);
	}
	if (parts.kind == TOPICS_POOL || parts.kind == TOPICS_PIPELINE_POOL) {
		leave_stranger(b, link, &parts);
	}
}

static struct link *find_link(const struct bridge *b, const char *name)
{
	for (size_t i = 0; i < b->n_links; i++) {
		if (strcmp(b->links[i]->settings->name, name) == 0) {
			return b->links[i];
		}
	}
	return NULL;
}

struct place {
	const struct bridge *bridge;
	struct room_live live;
};

static bool is_stuck(const struct bridge *b, const struct kept_note *note)
{
	const struct link *link = find_link(b, note->broker);
	return link && link->stuck;
}

/* What waits is not to push itself out of the line. One that is larger than all of the line goes into an empty one. */
static bool has_place(const struct place *place, const struct kept_note *note)
{
	const struct asks *asks = &place->bridge->asks;
	const bool stuck = is_stuck(place->bridge, note);
	const size_t n = stuck ? asks->n : place->live.n;
	const size_t bytes = stuck ? asks->bytes : place->live.bytes;
	return n == 0 || (n <= asks->max / 2 && bytes + note->bytes <= asks->max_bytes);
}

/* In their order, but that a broker that takes no answers keeps nobody waiting. */
static bool may_be_next(const void *data, const struct kept_note *note)
{
	const struct place *place = data;
	return !is_stuck(place->bridge, note) || has_place(place, note);
}

static bool next_kept(struct bridge *b, struct kept_record *ret_record, struct kept_note **ret_note)
{
	const struct place place = {b, room_look(b)};
	const struct kept_note *next = kept_oldest(&b->kept, may_be_next, &place);
	return next && has_place(&place, next) &&
		kept_next(&b->kept, may_be_next, &place, ret_record, ret_note);
}

void receive_kept(struct bridge *b)
{
	struct kept_record record;
	struct kept_note *note = NULL;
	bool memory = true;
	while (memory && next_kept(b, &record, &note)) {
		struct link *link = find_link(b, record.broker);
		bool earlier = note->earlier;
		if (link) {
			receive(b, link, &record.message, note);
			memory = !note->waits;
			b->counts.resumed += earlier && memory;
		} else {
			b->kept.given_up++; /* its broker was taken out of the configuration */
			kept_cross_out(note);
		}
		free(record.buffer);
	}
}
