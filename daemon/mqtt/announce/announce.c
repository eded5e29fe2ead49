/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "daemon/mqtt/announce/announce.h"
#include "daemon/mqtt/text/json_writer.h"
#include "daemon/mqtt/text/threshold.h"

#define DIGITS 6
#define INVENTORY_WAIT_NS (10000 * NSEC_PER_MSEC) /* then known models and pipelines suffice */

static void publish_last(struct announce *a, struct broker_connection *conn, bool retain,
	const char *topic, struct bytes_writer *w)
{
	if (!w->failed) {
		brokers_publish(a->brokers, conn, OUTBOX_LAST, retain, topic, w->data, w->size);
	}
	bytes_writer_deinit(w);
}

void announce_start(struct announce *a)
{
	struct error err = {0};
	retained_list_init(&a->retained);
	if (a->state_folder[0] && retained_list_open(&a->retained, a->state_folder, &err) < 0) {
		log_warning(a->log, "retained topics: %s", err.text);
	}
	discovery_device_find(&a->device, EDGED_VERSION);
	uv_timer_init(a->loop, &a->discovery_timer);
	uv_timer_init(a->loop, &a->rediscover_timer);
	a->discovery_timer.data = a->rediscover_timer.data = a;
}

void announce_stop(struct announce *a)
{
	uv_close((uv_handle_t *)&a->discovery_timer, NULL);
	uv_close((uv_handle_t *)&a->rediscover_timer, NULL);
}

void announce_deinit(struct announce *a)
{
	retained_list_deinit(&a->retained);
}

/* ---- models */

static bool is_known(const struct model_entry *m)
{
	return !m->listed ||
		(strcmp(m->state, "loading") != 0 &&
			(m->generation == 0 || m->described == m->generation));
}

bool announce_is_inventory_known(struct announce *a)
{
	bool all = a->models->listed && (a->pipelines->n == 0 || a->pipelines->has_worked);
	for (size_t i = 0; i < a->models->n; i++) {
		all &= is_known(a->models->entries[i]);
	}
	bool late = a->models->listed && clock_now_ns() - a->started_ns > INVENTORY_WAIT_NS;
	a->inventory_known |= all || late;
	return a->inventory_known;
}

static void write_state(struct bytes_writer *w, const struct model_entry *m, bool away)
{
	char shape[SHAPE_TEXT_SIZE];
	json_writer_begin(w, NULL, '{');
	json_writer_text(w, "state", m->off ? "off" : away ? "away" : m->state);
	json_writer_text(w, "version", m->version);
	json_writer_integer(w, "generation", (int64_t)m->generation);
	if (m->sha256[0]) {
		json_writer_text(w, "sha256", m->sha256);
	}
	if (m->reason[0]) {
		json_writer_escaped(w, "reason", m->reason);
	}
	if (known_models_is_ready(m) && m->n_inputs == 1) {
		json_writer_text(w, "input_type", dtype_name(m->inputs[0].type));
		json_writer_text(
			w, "input_shape", shape_format(shape, sizeof(shape), &m->inputs[0].shape));
		json_writer_integer(w, "input_bytes", (int64_t)m->inputs[0].bytes);
	}
	json_writer_end(w, '}');
}

static void publish_setting(struct announce *a, struct broker_connection *conn,
	const struct model_entry *m, const char *key, const char *value, uint64_t *hash)
{
	char topic[TOPIC_SIZE];
	if (!settings_has_word(a->settings->commands, key)) {
		*hash = 0; /* the retained cleanup empties the topic (retained_cleanup.c) */
		return;
	}
	settings_own_topic(a->settings, topic, "%s/get/%s", m->name, key);
	brokers_publish_if_changed(a->brokers, conn, topic, value, strlen(value),
		dedup_keyed_hash(a->dedup, 0, value, strlen(value)), hash);
}

static void publish_settings(
	struct announce *a, struct broker_connection *conn, struct model_entry *m)
{
	struct known_models_published *published = &m->published;
	char number[THRESHOLD_TEXT_SIZE];
	threshold_print(m->threshold, number);
	if (!number[0] && m->n_outputs && !isnan(m->outputs[0].score_threshold)) {
		/* 7 digits show a float as it was written. */
		snprintf(number, sizeof(number), "%.7g", (double)m->outputs[0].score_threshold);
	}
	publish_setting(a, conn, m, "threshold", number, &published->threshold);
	publish_setting(a, conn, m, "enable", m->off ? "OFF" : "ON", &published->enable);
	publish_setting(a, conn, m, "pin", m->pinned ? "ON" : "OFF", &published->pin);
}

/* Empties the retained topics of a removed model. */
static void forget_model(struct announce *a, struct model_entry *m)
{
	static const char *const rests[] = {"state", "get/threshold", "get/enable", "get/pin"};
	char topic[TOPIC_SIZE];
	struct known_models_published *published = &m->published;
	bool all = true;
	if (!published->state) {
		return;
	}
	for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
		settings_own_topic(a->settings, topic, "%s/%s", m->name, rests[i]);
		all &= brokers_publish(a->brokers, NULL, OUTBOX_LAST, true, topic, "", 0);
	}
	published->threshold = published->enable = published->pin = 0;
	published->state = all ? 0 : BROKERS_PUBLISH_AGAIN;
}

static void publish_model(struct announce *a, struct broker_connection *conn, struct model_entry *m)
{
	char topic[TOPIC_SIZE];
	struct bytes_writer w = {0};
	if (!m->listed) {
		return;
	}
	settings_own_topic(a->settings, topic, "%s/state", m->name);
	write_state(&w, m, edged_client_is_away(a->edged));
	if (!w.failed) {
		brokers_publish_if_changed(a->brokers, conn, topic, w.data, w.size,
			dedup_keyed_hash(a->dedup, 0, w.data, w.size), &m->published.state);
	}
	bytes_writer_deinit(&w);
	publish_settings(a, conn, m);
}

void announce_models(struct announce *a)
{
	for (size_t i = 0; i < a->models->n; i++) {
		struct model_entry *m = a->models->entries[i];
		if (m->listed) {
			publish_model(a, NULL, m);
		} else {
			forget_model(a, m);
		}
	}
	home_assistant_schedule_publish(a);
	announce_update_pool_subscriptions(a);
}

/* ---- the gateway */

static void publish_info(struct announce *a, struct broker_connection *conn)
{
	char topic[TOPIC_SIZE];
	struct utsname u;
	struct bytes_writer w = {0};
	uname(&u);
	settings_own_topic(a->settings, topic, "info");
	json_writer_begin(&w, NULL, '{');
	json_writer_text(&w, "gw", a->settings->gateway);
	json_writer_text(&w, "version", EDGED_VERSION);
	json_writer_text(&w, "machine", u.machine);
	json_writer_text(&w, "model", a->device.machine);
	json_writer_text(&w, "edged",
		edged_client_is_up(a->edged) ? edge_client_peer(a->edged->client)->version : "");
	json_writer_integer(&w, "max_message", (int64_t)a->settings->max_message);
	json_writer_end(&w, '}');
	publish_last(a, conn, true, topic, &w);
}

static void publish_health(struct announce *a, struct broker_connection *conn, const char *status)
{
	char text[64];
	if (a->settings->health) {
		int n = snprintf(text, sizeof(text), "{\"pid\":%d,\"status\":\"%s\"}",
			(int)getpid(), status);
		brokers_publish(a->brokers, conn, OUTBOX_LAST, true, ANNOUNCE_HEALTH_TOPIC, text,
			(size_t)n);
	}
}

void announce_gateway(struct announce *a, struct broker_connection *conn)
{
	publish_info(a, conn);
	publish_health(a, conn, edged_client_is_up(a->edged) ? "up" : "down");
}

static void publish_online(struct announce *a, struct broker_connection *conn)
{
	brokers_publish(a->brokers, conn, OUTBOX_LAST, true, a->status_topic, "online", 6);
	announce_gateway(a, conn);
}

void announce_all(struct announce *a, struct broker_connection *conn)
{
	publish_online(a, conn);
	for (size_t i = 0; i < a->models->n; i++) {
		publish_model(a, conn, a->models->entries[i]);
	}
	pipelines_announce(a->pipelines, conn);
	retained_cleanup_run(a);
	home_assistant_announce_again(a, conn);
	announce_capability(a);
}

/* Waits until the outbox is half empty, because models and pipelines are published to all
 * brokers. */
void announce_unpublished(struct announce *a)
{
	bool any = false;
	for (size_t i = 0; i < a->brokers->n; i++) {
		struct broker_connection *conn = a->brokers->connections[i];
		bool room = conn->outbox.n < conn->outbox.max_messages / 2 &&
			conn->outbox.bytes < conn->outbox.max_bytes / 2;
		if (conn->unpublished && room && conn->state == BROKER_CONNECTION_UP &&
			!broker_connection_is_leaving(conn)) {
			conn->unpublished = false;
			publish_online(a, conn);
			any = true;
		}
	}
	if (any) {
		announce_models(a);
		pipelines_announce(a->pipelines, NULL);
		pipelines_retry_last(a->pipelines);
	}
}

void announce_stopped(struct announce *a, struct broker_connection *conn)
{
	publish_health(a, conn, "down");
	brokers_publish(a->brokers, conn, OUTBOX_LAST, true, a->status_topic, "stopped", 7);
}

/* ---- the pool */

/* Hysteresis: leaves the pool when the waiting time reaches pool-max-wait, joins below half of
 * it. */
static bool has_time(const struct announce *a)
{
	double max_ms = (double)a->settings->pool_max_wait_ms;
	return request_serve_wait_ms(a->requests) < (a->in_pool ? max_ms : max_ms / 2);
}

static void set_pool_subscription(
	struct announce *a, struct broker_connection *conn, const char *filter, bool in)
{
	struct error err = {0};
	if (in == broker_connection_is_subscribed(conn, filter)) {
		return;
	}
	if (!in) {
		broker_connection_unsubscribe(conn, filter);
	} else if (broker_connection_subscribe(conn, filter, 1, &err) < 0) {
		log_warning(a->log, "pool: %s", err.text);
	}
}

void announce_update_pool_subscriptions(struct announce *a)
{
	char filter[TOPIC_SIZE];
	a->in_pool = !a->brokers->draining && edged_client_is_up(a->edged) && a->models->listed &&
		has_time(a);
	for (size_t i = 0; i < a->brokers->n; i++) {
		struct broker_connection *conn = a->brokers->connections[i];
		bool in = a->in_pool && !broker_connection_is_leaving(conn);
		for (size_t k = 0; k < a->models->n && conn->settings->pool; k++) {
			const struct model_entry *m = a->models->entries[k];
			settings_pool_filter(a->settings, false, m->name, filter);
			set_pool_subscription(
				a, conn, filter, in && known_models_is_ready(m) && !m->off);
		}
		for (size_t k = 0; k < a->pipelines->n && conn->settings->pool; k++) {
			const struct mqtt_pipeline *pipeline = a->pipelines->items[k];
			settings_pool_filter(a->settings, true, pipeline->name, filter);
			set_pool_subscription(a, conn, filter,
				in && pipelines_is_poolable(a->pipelines, pipeline));
		}
	}
}

static void add_name(struct bytes_writer *names, const char *name)
{
	if (names->size) {
		bytes_write_u8(names, ' ');
	}
	bytes_write(names, name, strlen(name));
}

/* "pool" differs by broker. */
static void write_capability(struct bytes_writer *w, const struct announce *a,
	const struct broker_connection *conn, const char *models, const char *pipelines,
	int64_t ready)
{
	json_writer_begin(w, NULL, '{');
	json_writer_text(w, "gw", a->settings->gateway);
	json_writer_text(w, "models", models);
	json_writer_integer(w, "models_ready", ready);
	json_writer_text(w, "pipelines", pipelines);
	json_writer_integer(w, "pool",
		a->in_pool && conn->settings->pool && !broker_connection_is_leaving(conn));
	json_writer_integer(w, "draining", a->brokers->draining);
	json_writer_integer(w, "queue_length", (int64_t)a->requests->n);
	json_writer_integer(w, "in_flight", (int64_t)a->requests->running);
	json_writer_real(w, "wait_ms", request_serve_wait_ms(a->requests), 3);
	json_writer_end(w, '}');
}

/* Appends the names of ready models, separated by blanks. Returns their number. */
static int64_t name_models(const struct announce *a, struct bytes_writer *names)
{
	int64_t ready = 0;
	for (size_t i = 0; i < a->models->n && !edged_client_is_away(a->edged); i++) {
		const struct model_entry *m = a->models->entries[i];
		if (known_models_is_ready(m) && !m->off) {
			add_name(names, m->name);
			ready++;
		}
	}
	bytes_write_u8(names, 0);
	return ready;
}

static void name_pipelines(struct announce *a, struct bytes_writer *names)
{
	for (size_t i = 0; i < a->pipelines->n && !edged_client_is_away(a->edged); i++) {
		const struct mqtt_pipeline *pipeline = a->pipelines->items[i];
		if (pipelines_is_poolable(a->pipelines, pipeline)) {
			add_name(names, pipeline->name);
		}
	}
	bytes_write_u8(names, 0);
}

void announce_capability(struct announce *a)
{
	char topic[TOPIC_SIZE];
	struct bytes_writer models = {0}, pipelines = {0};
	int64_t ready = name_models(a, &models);
	name_pipelines(a, &pipelines);
	announce_update_pool_subscriptions(a);
	settings_own_topic(a->settings, topic, "capability");
	for (size_t i = 0; i < a->brokers->n && !models.failed && !pipelines.failed; i++) {
		struct broker_connection *conn = a->brokers->connections[i];
		struct bytes_writer w = {0};
		write_capability(&w, a, conn, (const char *)models.data,
			(const char *)pipelines.data, ready);
		publish_last(a, conn, true, topic, &w);
	}
	bytes_writer_deinit(&models);
	bytes_writer_deinit(&pipelines);
}
