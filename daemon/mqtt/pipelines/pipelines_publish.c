/* SPDX-License-Identifier: Apache-2.0 */
/* Publishes results and states of pipelines, and applies settings. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/broker/brokers.h"
#include "daemon/mqtt/pipelines/pipelines.h"
#include "daemon/mqtt/text/json_writer.h"
#include "daemon/mqtt/text/threshold.h"

#define SIGNIFICANT_DIGITS 6
#define MAX_STAGES 64
#define JPEG_FIRST_BYTE 0xFF

void pipelines_topic(const struct pipelines *pipelines, const char *pipeline,
	const char *topic_kind, const char *name, char *out)
{
	settings_own_topic(pipelines->mqtt_requests->settings, out, "pipeline/%s/%s%s%s", pipeline,
		topic_kind, name ? "/" : "", name ? name : "");
}

/* Publishes to the topic @topic_kind ("result", "last", ...) of the source. -EFBIG: the outbox could never hold the message. -ENOBUFS: it
 * was dropped. A message to a removed broker counts as published. */
static int publish(struct pipelines *pipelines, const struct mqtt_pipeline *pipeline,
	const struct pipelines_source *source, const char *topic_kind, enum outbox_kind kind,
	const char *content_type, const void *payload, size_t size)
{
	const struct settings *s = pipelines->mqtt_requests->settings;
	struct broker_connection *conn = source->conn;
	char topic[TOPIC_SIZE];
	pipelines_topic(pipelines, pipeline->name, topic_kind, source->name, topic);
	if (!conn || !outbox_may_hold(&conn->outbox, topic, size)) {
		return conn ? -EFBIG : 0;
	}
	struct outbox_message *m = outbox_message_new(kind, topic, payload, size);
	if (!m) {
		return -ENOBUFS;
	}
	m->qos = kind == OUTBOX_RESULT ? (unsigned int)s->result_qos : 1;
	m->retain = settings_has_word(s->retain, topic_kind);
	m->content_type = content_type;
	return broker_connection_publish(conn, m) ? 0 : -ENOBUFS;
}

/* Publishes and frees the JSON text in @w. */
static void publish_json(struct pipelines *pipelines, const struct mqtt_pipeline *pipeline,
	const struct pipelines_source *source, const char *topic_kind, struct bytes_writer *w)
{
	if (!w->failed) {
		(void)!publish(pipelines, pipeline, source, topic_kind, OUTBOX_RESULT,
			"application/json", w->data, w->size);
	}
	bytes_writer_deinit(w);
}

/* Publishes "last". If the outbox is full, the payload is kept and published later, since it is
 * retained until the next one. */
static void publish_last(struct pipelines *pipelines, const struct mqtt_pipeline *pipeline,
	struct pipelines_source *source, const char *text, size_t size)
{
	int r = publish(
		pipelines, pipeline, source, "last", OUTBOX_LAST, "application/json", text, size);
	char *unpublished = r == -ENOBUFS ? strndup(text, size) : NULL;
	free(source->unpublished);
	source->unpublished = unpublished;
	if (unpublished) {
		source->conn->unpublished = true;
	}
}

void pipelines_retry_last(struct pipelines *pipelines)
{
	for (size_t i = 0; i < pipelines->n; i++) {
		struct mqtt_pipeline *pipeline = pipelines->items[i];
		for (size_t k = 0; k < pipeline->n_sources; k++) {
			owned_mem char *text = take(pipeline->sources[k].unpublished);
			if (text && pipeline->sources[k].conn) {
				publish_last(pipelines, pipeline, &pipeline->sources[k], text,
					strlen(text));
			}
		}
	}
}

void pipelines_write_result(struct pipelines *pipelines, const struct mqtt_pipeline *pipeline,
	const struct worker_result *result, const struct mqtt_request *request,
	struct bytes_writer *w)
{
	uint32_t rate = 0, channels = 0;
	json_writer_begin(w, NULL, '{');
	json_writer_text(w, "gw", pipelines->mqtt_requests->settings->gateway);
	if (result->kind == PIPELINE_RESULT && !request) {
		json_writer_integer(w, "seq", (int64_t)++pipelines->mqtt_requests->sequence);
	}
	if (request && request->id[0]) {
		json_writer_text(w, "id", request->id);
	}
	json_writer_time(w);
	uint64_t now_us = clock_now_ns() / NSEC_PER_USEC;
	if (result->time_us && result->time_us <= now_us &&
		pipeline_input_mode(pipeline->parsed, &rate, &channels) != PIPELINE_STREAM_SOUND) {
		json_writer_real(w, "total_ms",
			(double)(now_us - result->time_us) / (double)USEC_PER_MSEC,
			SIGNIFICANT_DIGITS);
	}
	bytes_write_u8(w, ',');
	bytes_write(w, result->flat_json + 1, result->flat_json_bytes - 1); /* without its '{' */
}

/* Returns true once a second. *last_ns: CLOCK_MONOTONIC of the last report. */
static bool may_report(uint64_t *last_ns)
{
	const uint64_t now = clock_now_ns();
	const bool may = !*last_ns || now - *last_ns >= NSEC_PER_SEC;
	*last_ns = may ? now : *last_ns;
	return may;
}

/* Once a second, because further snapshots are likely to be too large as well. */
static void report_no_snapshot(struct pipelines *pipelines, const struct mqtt_pipeline *pipeline,
	struct pipelines_source *source, size_t bytes)
{
	struct bytes_writer w = {0};
	char text[96];
	if (!may_report(&source->no_snapshot_reported_ns)) {
		return;
	}
	snprintf(text, sizeof(text), "the snapshot has %zu bytes, more than outbox-bytes", bytes);
	json_writer_begin(&w, NULL, '{');
	json_writer_text(&w, "gw", pipelines->mqtt_requests->settings->gateway);
	json_writer_time(&w);
	json_writer_escaped(&w, "error", text);
	json_writer_end(&w, '}');
	publish_json(pipelines, pipeline, source, "error", &w);
	log_notice(pipelines->mqtt_requests->log, "pipeline %s: %s", pipeline->name, text);
}

static void publish_result(struct pipelines *pipelines, struct mqtt_pipeline *pipeline,
	struct pipelines_source *source, const struct worker_result *result)
{
	const uint8_t *snapshot = result->snapshot;
	struct bytes_writer w = {0};
	pipelines_write_result(pipelines, pipeline, result, NULL, &w);
	if (w.failed) {
		bytes_writer_deinit(&w);
		return;
	}
	(void)!publish(pipelines, pipeline, source, "result", OUTBOX_RESULT, "application/json",
		w.data, w.size);
	if (result->event && result->stage == 0) { /* "last": decisions of the first stage */
		publish_last(pipelines, pipeline, source, (const char *)w.data, w.size);
	}
	bytes_writer_deinit(&w);
	if (result->snapshot_bytes &&
		publish(pipelines, pipeline, source, "snapshot", OUTBOX_SNAPSHOT,
			snapshot[0] == JPEG_FIRST_BYTE ? "image/jpeg" : "image/png", snapshot,
			result->snapshot_bytes) == -EFBIG) {
		report_no_snapshot(pipelines, pipeline, source, result->snapshot_bytes);
	}
	if (!source->has_published) {
		source->has_published = true;
		pipelines->on_new_source(pipelines->data);
	}
}

/* Skipped stages are reported once a second, because there may be many. */
static void publish_error(struct pipelines *pipelines, struct mqtt_pipeline *pipeline,
	struct pipelines_source *source, const struct worker_result *result)
{
	struct bytes_writer w = {0};
	if (result->kind != PIPELINE_SKIPPED || may_report(&source->skipped_reported_ns)) {
		pipelines_write_result(pipelines, pipeline, result, NULL, &w);
		publish_json(pipelines, pipeline, source, "error", &w);
	}
}

bool pipelines_publish(struct pipelines *pipelines, const struct worker_result *result)
{
	struct mqtt_pipeline *pipeline =
		result->pipeline < pipelines->n ? pipelines->items[result->pipeline] : NULL;
	struct pipelines_source *source = pipeline
		? pipelines_source_find(pipeline, result->connection_id, result->source)
		: NULL;
	if (!pipeline || result->stage > MAX_STAGES) {
		return false;
	}
	if (result->tag) {
		pipelines_add_response(pipelines, pipeline, result);
	}
	if (result->only_for_requester) {
		return true; /* only the requester gets it */
	}
	if (!source) {
		return true; /* the source was replaced by newer ones */
	}
	pipelines->counts.results += result->kind == PIPELINE_RESULT;
	pipelines->counts.events += result->event;
	pipelines->counts.skipped += result->kind == PIPELINE_SKIPPED;
	pipelines->counts.failed += result->kind == PIPELINE_FAILED;
	if (result->kind == PIPELINE_RESULT) {
		publish_result(pipelines, pipeline, source, result);
	} else {
		publish_error(pipelines, pipeline, source, result);
	}
	return true;
}

/* ---- retained topics */

static void write_state(const struct pipelines *pipelines, const struct mqtt_pipeline *pipeline,
	struct bytes_writer *w)
{
	const char *model = NULL;
	char models[512] = "";
	size_t used = 0;
	for (size_t i = 0; (model = pipeline_model_name(pipeline->parsed, i)); i++) {
		int n = snprintf(models + used, sizeof(models) - used, "%s%s", i ? " " : "", model);
		used += n > 0 && (size_t)n < sizeof(models) - used ? (size_t)n : 0;
	}
	json_writer_begin(w, NULL, '{');
	json_writer_text(w, "state",
		pipeline->refused[0]                                          ? "refused"
			: pipeline->off                                       ? "off"
			: pipelines->worker.state != WORKER_READY             ? "starting"
			: pipeline->wait_reason[0]                            ? "waiting"
			: pipelines_are_models_described(pipelines, pipeline) ? "ready"
									      : "starting");
	json_writer_text(w, "description", pipeline_description(pipeline->parsed));
	json_writer_text(w, "models", models);
	if (pipeline->refused[0] || pipeline->wait_reason[0]) {
		json_writer_escaped(w, "reason",
			pipeline->refused[0] ? pipeline->refused : pipeline->wait_reason);
	}
	json_writer_end(w, '}');
}

static void publish_setting(struct pipelines *pipelines, struct broker_connection *conn,
	const struct mqtt_pipeline *pipeline, const char *key, const char *value, uint64_t *hash)
{
	char topic[TOPIC_SIZE];
	bool applies = strcmp(key, "threshold") != 0 || pipeline->properties.has_threshold;
	if (applies && settings_has_word(pipelines->mqtt_requests->settings->commands, key)) {
		pipelines_topic(pipelines, pipeline->name, "get", key, topic);
		brokers_publish_if_changed(pipelines->mqtt_requests->brokers, conn, topic, value,
			strlen(value),
			dedup_keyed_hash(pipelines->mqtt_requests->dedup, 0, value, strlen(value)),
			hash);
	} else {
		*hash = 0; /* the retained cleanup empties the topic (retained_cleanup.c) */
	}
}

static void announce_one(
	struct pipelines *pipelines, struct broker_connection *conn, struct mqtt_pipeline *pipeline)
{
	char topic[TOPIC_SIZE], number[THRESHOLD_TEXT_SIZE];
	struct bytes_writer w = {0};
	write_state(pipelines, pipeline, &w);
	if (!w.failed) {
		pipelines_topic(pipelines, pipeline->name, "state", NULL, topic);
		brokers_publish_if_changed(pipelines->mqtt_requests->brokers, conn, topic, w.data,
			w.size,
			dedup_keyed_hash(pipelines->mqtt_requests->dedup, 0, w.data, w.size),
			&pipeline->state_hash);
	}
	bytes_writer_deinit(&w);
	threshold_print(pipeline_threshold(pipeline->parsed), number);
	publish_setting(pipelines, conn, pipeline, "threshold", number, &pipeline->threshold_hash);
	publish_setting(pipelines, conn, pipeline, "enable", pipeline->off ? "OFF" : "ON",
		&pipeline->enable_hash);
}

void pipelines_announce(struct pipelines *pipelines, struct broker_connection *conn)
{
	for (size_t i = 0; i < pipelines->n; i++) {
		announce_one(pipelines, conn, pipelines->items[i]);
	}
}

/* @conn NULL: at all brokers. */
static void clear_retained(struct pipelines *pipelines, struct broker_connection *conn,
	const char *pipeline, const char *topic_kind, const char *name)
{
	char topic[TOPIC_SIZE];
	pipelines_topic(pipelines, pipeline, topic_kind, name, topic);
	brokers_publish(pipelines->mqtt_requests->brokers, conn, OUTBOX_LAST, true, topic, "", 0);
}

void pipelines_forget_source(struct pipelines *pipelines, struct mqtt_pipeline *pipeline,
	const struct pipelines_source *source)
{
	const struct brokers *brokers = pipelines->mqtt_requests->brokers;
	for (size_t i = 0; i < brokers->n && source->has_published; i++) {
		struct broker_connection *conn = brokers->connections[i];
		/* The broker of @source may be removed and have a new connection by now: it
		 * clears the topic, unless it has such a source itself. */
		if (source->conn ? source->conn == conn
				 : !pipelines_source_find(pipeline, conn->number, source->name)) {
			clear_retained(pipelines, conn, pipeline->name, "last", source->name);
			clear_retained(pipelines, conn, pipeline->name, "snapshot", source->name);
		}
	}
}

static void unsubscribe_shared(struct pipelines *pipelines, const struct mqtt_pipeline *pipeline)
{
	char filter[TOPIC_SIZE];
	settings_pool_filter(pipelines->mqtt_requests->settings, true, pipeline->name, filter);
	for (size_t i = 0; i < pipelines->mqtt_requests->brokers->n; i++) {
		struct broker_connection *conn = pipelines->mqtt_requests->brokers->connections[i];
		if (broker_connection_is_subscribed(conn, filter)) {
			broker_connection_unsubscribe(conn, filter);
		}
	}
}

void pipelines_forget(struct pipelines *pipelines, struct mqtt_pipeline *pipeline)
{
	unsubscribe_shared(pipelines, pipeline);
	clear_retained(pipelines, NULL, pipeline->name, "state", NULL);
	clear_retained(pipelines, NULL, pipeline->name, "get", "threshold");
	clear_retained(pipelines, NULL, pipeline->name, "get", "enable");
	for (size_t i = 0; i < pipeline->n_sources; i++) {
		pipelines_forget_source(pipelines, pipeline, &pipeline->sources[i]);
	}
}

void pipelines_publish_inactive(struct pipelines *pipelines, struct mqtt_pipeline *pipeline)
{
	static const char inactive[] = "{\"active\":0}";
	for (size_t i = 0; i < pipeline->n_sources && pipeline->properties.decides; i++) {
		if (pipeline->sources[i].has_published) {
			publish_last(pipelines, pipeline, &pipeline->sources[i], inactive,
				sizeof(inactive) - 1);
		}
	}
}

void pipelines_publish_all_inactive(struct pipelines *pipelines)
{
	for (size_t i = 0; i < pipelines->n && !pipelines->stopped; i++) {
		pipelines_publish_inactive(pipelines, pipelines->items[i]);
	}
}

/* A source whose connection was removed counts for every @conn: each may be a new connection to
 * its broker. */
bool pipelines_was_published(const struct pipelines *pipelines,
	const struct broker_connection *conn, const char *name, const char *source)
{
	const struct mqtt_pipeline *pipeline = pipelines_find(pipelines, name);
	for (size_t i = 0; pipeline && i < pipeline->n_sources; i++) {
		const struct pipelines_source *one = &pipeline->sources[i];
		if (one->has_published && (!one->conn || one->conn == conn) &&
			strcmp(one->name, source) == 0) {
			return true;
		}
	}
	return false;
}

/* ---- settings */

/* "" restores the file's threshold, which may be NaN. */
static int set_threshold(void *item, const char *value, struct error *err)
{
	struct mqtt_pipeline *pipeline = item;
	double threshold = 0;
	bool any_size = pipeline->properties.anomaly || pipeline->properties.numbers;
	int r = threshold_parse(value, any_size, &threshold, err);
	r = r < 0 ? r
		  : pipeline_set_threshold(
			    pipeline->parsed, value[0] ? threshold : pipeline->own_threshold, err);
	if (r == 0) {
		pipeline->threshold = threshold;
		pipeline->send_threshold = true;
	}
	return r;
}

static void announce_setting(struct pipelines *pipelines, struct mqtt_pipeline *pipeline)
{
	announce_one(pipelines, NULL, pipeline);
	pipelines->on_change(pipelines->data);
	pipelines_send_next(pipelines);
}

int pipelines_set_threshold(struct pipelines *pipelines, struct mqtt_pipeline *pipeline,
	const char *value, bool *ret_changed, struct error *err)
{
	const double before = pipeline->threshold;
	int r = set_threshold(pipeline, value, err);
	if (r == 0) {
		*ret_changed = pipeline->threshold != before &&
			!(isnan(pipeline->threshold) && isnan(before));
		announce_setting(pipelines, pipeline);
	}
	return r;
}

bool pipelines_set_off(struct pipelines *pipelines, struct mqtt_pipeline *pipeline, bool off)
{
	const bool changed = pipeline->off != off;
	pipeline->off = off;
	announce_setting(pipelines, pipeline);
	return changed;
}

/* set-pipelines.conf: [PIPELINE] with threshold = NUMBER and enable = yes or no. */
static void *find_item(void *pipelines, const char *name)
{
	return pipelines_find(pipelines, name);
}

static void set_off(void *item, bool off)
{
	struct mqtt_pipeline *pipeline = item;
	pipeline->off = off;
}

void pipelines_load_settings(struct pipelines *pipelines)
{
	struct error err = {0};
	const struct threshold_sink sink = {pipelines, find_item, set_threshold, set_off};
	if (threshold_load_settings(pipelines->state, "set-pipelines.conf", &sink, &err) < 0) {
		log_warning(pipelines->mqtt_requests->log, "settings: %s", err.text);
	}
}

void pipelines_write_settings(const struct pipelines *pipelines, struct bytes_writer *w)
{
	for (size_t i = 0; i < pipelines->n; i++) {
		const struct mqtt_pipeline *pipeline = pipelines->items[i];
		threshold_write_settings(w, pipeline->name, pipeline->off, pipeline->threshold);
	}
}
