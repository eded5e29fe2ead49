/* SPDX-License-Identifier: Apache-2.0 */
/* What pipelines say becomes messages; what is set over MQTT becomes theirs. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/ini.h"
#include "daemon/mqtt/bridge.h"
#include "daemon/mqtt/flat.h"
#include "daemon/mqtt/threshold.h"

#define NS_PER_S UINT64_C(1000000000)
#define US_PER_MS 1000.0
#define NS_PER_US 1000
#define DIGITS 6
#define MAX_STAGES 64
#define JPEG_BEGINS 0xFF

void pipes_topic(const struct pipes *pipes, const char *pipeline, const char *leaf,
	const char *level, char *out)
{
	const struct settings *s = &pipes->bridge->settings;
	snprintf(out, TOPICS_MAX, "%s/%s/pipeline/%s/%s%s%s", s->prefix, s->gateway, pipeline, leaf,
		level ? "/" : "", level ? level : "");
}

/* False when the broker's outbox could never hold it. @link NULL: it was taken out of the configuration.
 * *ret_taken, or NULL: nobody needs to know. */
static bool publish(struct pipes *pipes, struct link *link, enum outbox_kind kind, bool retain,
	const char *topic, const char *content_type, const void *payload, size_t size,
	bool *ret_taken)
{
	bool taken = true;
	if (link && !outbox_may_hold(&link->outbox, topic, size)) {
		return false;
	}
	struct outbox_message *m = link ? outbox_message_new(kind, topic, payload, size) : NULL;
	if (m) {
		m->qos = kind == OUTBOX_RESULT ? (unsigned int)pipes->bridge->settings.result_qos
					       : 1;
		m->retain = retain;
		m->content_type = content_type;
		taken = link_publish(link, m);
	}
	if (ret_taken) {
		*ret_taken = taken && (m || !link);
	}
	return true;
}

/* Whatever else is not told, this is: it is what people see until the next one. */
static void publish_last(
	struct pipes *pipes, const struct pipe *pipe, struct pipes_source *source, const char *text)
{
	char topic[TOPICS_MAX];
	bool taken = true, retain = settings_has_word(pipes->bridge->settings.retain, "last");
	pipes_topic(pipes, pipe->name, "last", source->name, topic);
	publish(pipes, source->link, OUTBOX_LAST, retain, topic, "application/json", text,
		strlen(text), &taken);
	char *untold = taken ? NULL : strdup(text);
	free(source->untold);
	source->untold = untold;
	if (untold) {
		source->link->untold = true;
	}
}

void pipes_tell_last(struct pipes *pipes)
{
	for (size_t i = 0; i < pipes->n; i++) {
		struct pipe *pipe = pipes->items[i];
		for (size_t k = 0; k < pipe->n_sources; k++) {
			owned_mem char *text = take(pipe->sources[k].untold);
			if (text && pipe->sources[k].link) {
				publish_last(pipes, pipe, &pipe->sources[k], text);
			}
		}
	}
}

static struct pipes_source *source_find(const struct pipe *pipe, uint32_t origin, const char *name)
{
	for (size_t i = 0; i < pipe->n_sources; i++) {
		if (pipe->sources[i].origin == origin && strcmp(pipe->sources[i].name, name) == 0) {
			return (struct pipes_source *)&pipe->sources[i];
		}
	}
	return NULL;
}

void pipes_write_result(struct pipes *pipes, const struct pipe *pipe,
	const struct pipes_result *result, const struct ask *ask, struct bytes_writer *w)
{
	uint32_t rate = 0, channels = 0;
	flat_begin(w, NULL, '{');
	flat_text(w, "gw", pipes->bridge->settings.gateway);
	if (result->kind == PIPELINE_RESULT && !ask) {
		flat_integer(w, "seq", (int64_t)++pipes->bridge->sequence);
	}
	if (ask && ask->id[0]) {
		flat_text(w, "id", ask->id);
	}
	flat_time(w);
	uint64_t now_us = clock_now_ns() / NS_PER_US;
	if (result->time_us && result->time_us <= now_us &&
		pipeline_feed(pipe->about, &rate, &channels) != PIPELINE_STREAM_SOUND) {
		flat_real(w, "total_ms", (double)(now_us - result->time_us) / US_PER_MS, DIGITS);
	}
	bytes_write_u8(w, ',');
	bytes_write(w, result->flat + 1, result->flat_bytes - 1);
}

/* Once a second: what is too large once is so each time. */
static void say_no_snapshot(
	struct pipes *pipes, const struct pipe *pipe, struct pipes_source *source, size_t bytes)
{
	struct bytes_writer w = {0};
	char topic[TOPICS_MAX], text[96];
	uint64_t now = clock_now_ns();
	if (source->no_snapshot_ns && now - source->no_snapshot_ns < NS_PER_S) {
		return;
	}
	source->no_snapshot_ns = now;
	snprintf(text, sizeof(text), "the snapshot has %zu bytes, more than outbox-bytes", bytes);
	flat_begin(&w, NULL, '{');
	flat_text(&w, "gw", pipes->bridge->settings.gateway);
	flat_time(&w);
	flat_told(&w, "error", text);
	flat_end(&w, '}');
	if (!w.failed) {
		pipes_topic(pipes, pipe->name, "error", source->name, topic);
		publish(pipes, source->link, OUTBOX_RESULT, false, topic, "application/json",
			w.data, w.size, NULL);
	}
	bytes_writer_deinit(&w);
	log_notice(&pipes->bridge->log, "pipeline %s: %s", pipe->name, text);
}

static void say_result(struct pipes *pipes, struct pipe *pipe, struct pipes_source *source,
	const struct pipes_result *result)
{
	const char *retain = pipes->bridge->settings.retain;
	struct bytes_writer w = {0};
	char topic[TOPICS_MAX];
	pipes_write_result(pipes, pipe, result, NULL, &w);
	if (w.failed) {
		bytes_writer_deinit(&w);
		return;
	}
	pipes_topic(pipes, pipe->name, "result", source->name, topic);
	publish(pipes, source->link, OUTBOX_RESULT, false, topic, "application/json", w.data,
		w.size, NULL);
	bytes_write_u8(&w, 0); /* of the text */
	if (result->event && result->stage == 0 && !w.failed) {
		publish_last(pipes, pipe, source, (const char *)w.data);
	}
	if (result->snapshot_bytes) {
		pipes_topic(pipes, pipe->name, "snapshot", source->name, topic);
		const uint8_t *picture = result->snapshot;
		if (!publish(pipes, source->link, OUTBOX_SNAPSHOT,
			    settings_has_word(retain, "snapshot"), topic,
			    picture[0] == JPEG_BEGINS ? "image/jpeg" : "image/png",
			    result->snapshot, result->snapshot_bytes, NULL)) {
			say_no_snapshot(pipes, pipe, source, result->snapshot_bytes);
		}
	}
	bytes_writer_deinit(&w);
	if (!source->told) {
		source->told = true;
		home_follow(pipes->bridge);
	}
}

/* Stages that are skipped are told once a second: there are many when there are some. */
static void say_trouble(struct pipes *pipes, struct pipe *pipe, struct pipes_source *source,
	const struct pipes_result *result)
{
	struct bytes_writer w = {0};
	char topic[TOPICS_MAX];
	uint64_t now = clock_now_ns();
	if (result->kind == PIPELINE_SKIPPED) {
		if (source->skipped_ns && now - source->skipped_ns < NS_PER_S) {
			return;
		}
		source->skipped_ns = now;
	}
	pipes_write_result(pipes, pipe, result, NULL, &w);
	if (!w.failed) {
		pipes_topic(pipes, pipe->name, "error", source->name, topic);
		publish(pipes, source->link, OUTBOX_RESULT, false, topic, "application/json",
			w.data, w.size, NULL);
	}
	bytes_writer_deinit(&w);
}

bool pipes_publish(struct pipes *pipes, const struct pipes_result *result)
{
	struct pipe *pipe = result->pipeline < pipes->n ? pipes->items[result->pipeline] : NULL;
	struct pipes_source *source =
		pipe ? source_find(pipe, result->origin, result->source) : NULL;
	if (!pipe || result->stage > MAX_STAGES) {
		return false;
	}
	if (result->tag) {
		pipes_note_answer(pipes, pipe, result);
	}
	if (result->quiet) {
		return true; /* only who has asked wants it */
	}
	if (!source) {
		return true; /* so many others have come since that it was forgotten */
	}
	pipes->counts.results += result->kind == PIPELINE_RESULT;
	pipes->counts.events += result->event;
	pipes->counts.skipped += result->kind == PIPELINE_SKIPPED;
	pipes->counts.failed += result->kind == PIPELINE_FAILED;
	if (result->kind == PIPELINE_RESULT) {
		say_result(pipes, pipe, source, result);
	} else {
		say_trouble(pipes, pipe, source, result);
	}
	return true;
}

/* ---- what is retained */

/* Publishes when it differs from what *hash stands for, or to a broker that has just come. */
static void say_news(struct pipes *pipes, struct link *link, const char *topic, const void *data,
	size_t size, uint64_t *hash)
{
	struct bridge *b = pipes->bridge;
	uint64_t now = dedup_hash(&b->dedup, 0, data, size);
	if (link || *hash != now) {
		bool all = announce_publish(b, link, OUTBOX_LAST, true, topic, data, size);
		announce_note(link, all, now, hash);
	}
}

static void write_state(const struct pipes *pipes, const struct pipe *pipe, struct bytes_writer *w)
{
	const char *model = NULL;
	char models[512] = "";
	size_t used = 0;
	for (size_t i = 0; (model = pipeline_model_name(pipe->about, i)); i++) {
		int n = snprintf(models + used, sizeof(models) - used, "%s%s", i ? " " : "", model);
		used += n > 0 && (size_t)n < sizeof(models) - used ? (size_t)n : 0;
	}
	flat_begin(w, NULL, '{');
	flat_text(w, "state",
		pipe->refused[0]                          ? "refused"
			: pipe->off                       ? "off"
			: !pipes->works                   ? "starting"
			: pipe->waits[0]                  ? "waiting"
			: pipes_knows_models(pipes, pipe) ? "ready"
							  : "starting");
	flat_text(w, "description", pipeline_description(pipe->about));
	flat_text(w, "models", models);
	if (pipe->refused[0] || pipe->waits[0]) {
		flat_told(w, "reason", pipe->refused[0] ? pipe->refused : pipe->waits);
	}
	flat_end(w, '}');
}

static void say_setting(struct pipes *pipes, struct link *link, const struct pipe *pipe,
	const char *key, const char *value, uint64_t *hash)
{
	char topic[TOPICS_MAX];
	bool its = strcmp(key, "threshold") != 0 || pipe->says.has_threshold;
	if (its && settings_has_word(pipes->bridge->settings.commands, key)) {
		pipes_topic(pipes, pipe->name, "get", key, topic);
		say_news(pipes, link, topic, value, strlen(value), hash);
	} else {
		*hash = 0; /* it is emptied (leftover.c) */
	}
}

static void announce_one(struct pipes *pipes, struct link *link, struct pipe *pipe)
{
	char topic[TOPICS_MAX], number[THRESHOLD_TEXT_SIZE];
	struct bytes_writer w = {0};
	write_state(pipes, pipe, &w);
	if (!w.failed) {
		pipes_topic(pipes, pipe->name, "state", NULL, topic);
		say_news(pipes, link, topic, w.data, w.size, &pipe->said_state);
	}
	bytes_writer_deinit(&w);
	threshold_print(pipeline_threshold(pipe->about), number);
	say_setting(pipes, link, pipe, "threshold", number, &pipe->said_threshold);
	say_setting(pipes, link, pipe, "enable", pipe->off ? "OFF" : "ON", &pipe->said_enable);
}

void pipes_announce(struct pipes *pipes, struct link *link)
{
	for (size_t i = 0; i < pipes->n; i++) {
		announce_one(pipes, link, pipes->items[i]);
	}
}

/* @link NULL: at all brokers. */
static void empty(struct pipes *pipes, struct link *link, const char *pipeline, const char *leaf,
	const char *level)
{
	char topic[TOPICS_MAX];
	pipes_topic(pipes, pipeline, leaf, level, topic);
	announce_publish(pipes->bridge, link, OUTBOX_LAST, true, topic, "", 0);
}

void pipes_forget_source(
	struct pipes *pipes, const struct pipe *pipe, const struct pipes_source *source)
{
	const struct bridge *b = pipes->bridge;
	for (size_t i = 0; i < b->n_links && source->told; i++) {
		/* A broker that was taken out may have come again. */
		bool its = source->link ? source->link == b->links[i]
					: !source_find(pipe, b->links[i]->number, source->name);
		if (its) {
			empty(pipes, b->links[i], pipe->name, "last", source->name);
			empty(pipes, b->links[i], pipe->name, "snapshot", source->name);
		}
	}
}

static void leave_pool(struct pipes *pipes, const struct pipe *pipe)
{
	struct bridge *b = pipes->bridge;
	char filter[TOPICS_MAX];
	announce_pool_filter_of_pipeline(b, filter, pipe->name);
	for (size_t i = 0; i < b->n_links; i++) {
		if (link_is_subscribed(b->links[i], filter)) {
			link_unsubscribe(b->links[i], filter);
		}
	}
}

void pipes_forget(struct pipes *pipes, struct pipe *pipe)
{
	leave_pool(pipes, pipe);
	empty(pipes, NULL, pipe->name, "state", NULL);
	empty(pipes, NULL, pipe->name, "get", "threshold");
	empty(pipes, NULL, pipe->name, "get", "enable");
	for (size_t i = 0; i < pipe->n_sources; i++) {
		pipes_forget_source(pipes, pipe, &pipe->sources[i]);
	}
}

void pipes_say_reset_of(struct pipes *pipes, struct pipe *pipe)
{
	for (size_t i = 0; i < pipe->n_sources && pipe->says.decides; i++) {
		if (pipe->sources[i].told) {
			publish_last(pipes, pipe, &pipe->sources[i], "{\"active\":0}");
		}
	}
}

void pipes_say_reset(struct pipes *pipes)
{
	for (size_t i = 0; i < pipes->n && !pipes->stopped; i++) {
		pipes_say_reset_of(pipes, pipes->items[i]);
	}
}

/* Or at a broker that was taken out, which this one may have been. */
bool pipes_was_told(const struct pipes *pipes, const struct link *link, const char *pipeline,
	const char *source)
{
	const struct pipe *pipe = pipes_find(pipes, pipeline);
	for (size_t i = 0; pipe && i < pipe->n_sources; i++) {
		const struct pipes_source *one = &pipe->sources[i];
		if (one->told && (!one->link || one->link == link) &&
			strcmp(one->name, source) == 0) {
			return true;
		}
	}
	return false;
}

void pipes_on_last(struct pipes *pipes, struct link *link, const char *pipeline, const char *source)
{
	if (pipes_was_told(pipes, link, pipeline, source)) {
		return;
	}
	link->look_again = true; /* for others that the broker had no room for, and the snapshot */
	if (leftover_has_room(link)) {
		empty(pipes, link, pipeline, "last", source);
	}
}

/* ---- what is set */

/* Nothing: the file's own, which may be none but the model's (NaN). */
static int set_threshold(struct pipe *pipe, const char *value, struct error *err)
{
	double threshold = 0;
	bool any = pipe->says.anomaly || pipe->says.numbers;
	int r = threshold_parse(value, any, &threshold, err);
	r = r < 0 ? r
		  : pipeline_set_threshold(
			    pipe->about, value[0] ? threshold : pipe->own_threshold, err);
	if (r == 0) {
		pipe->threshold = threshold;
		pipe->threshold_is_news = true;
	}
	return r;
}

static bool is_same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

int pipes_set(struct pipes *pipes, struct pipe *pipe, const char *key, const char *value,
	bool *ret_changed, struct error *err)
{
	bool on = true;
	bool was_off = pipe->off;
	double was = pipe->threshold;
	int r = 0;
	if (strcmp(key, "threshold") == 0) {
		r = set_threshold(pipe, value, err);
	} else if (strcmp(key, "enable") == 0 && command_parse_switch(value, &on) == 0) {
		pipe->off = !on;
	} else {
		r = error_set(err, -EINVAL, "what is set is a threshold, or enable: ON or OFF");
	}
	*ret_changed = r == 0 && (pipe->off != was_off || !is_same(pipe->threshold, was));
	if (r == 0) {
		announce_one(pipes, NULL, pipe);
		announce_pool(pipes->bridge);
		pipes_feed(pipes);
	}
	return r;
}

/* The file: [PIPELINE] with threshold = NUMBER and enable = yes or no. */
struct reading {
	struct pipes *pipes;
	struct pipe *pipe;
	struct error bad; /* the first that is not taken */
};

static int section_read(void *context, const char *name, struct error *err)
{
	struct reading *reading = context;
	(void)err;
	reading->pipe = pipes_find(reading->pipes, name);
	return 0;
}

static int key_read(void *context, unsigned int line, char *key, char *value, struct error *err)
{
	struct reading *reading = context;
	struct error bad = {0};
	bool on = true;
	(void)err;
	/* The pipeline's own file may have changed since. */
	if (reading->pipe && strcmp(key, "threshold") == 0 &&
		set_threshold(reading->pipe, value, &bad) < 0 && !reading->bad.code) {
		reading->bad = bad;
		error_prefix(&reading->bad, "set-pipelines.conf:%u", line);
	}
	if (reading->pipe && strcmp(key, "enable") == 0 && ini_truth(value, &on) == 0) {
		reading->pipe->off = !on;
	}
	return 0;
}

static bool path_of(const struct pipes *pipes, const char *name, char *out, size_t size)
{
	const char *folder = pipes->bridge->state;
	int n = snprintf(out, size, "%s/%s", folder, name);
	return folder[0] && n > 0 && (size_t)n < size;
}

void pipes_load_settings(struct pipes *pipes)
{
	char path[CONFIG_PATH_SIZE + 32];
	struct reading reading = {.pipes = pipes};
	const struct ini_reader reader = {section_read, key_read, &reading};
	FILE *file =
		path_of(pipes, "set-pipelines.conf", path, sizeof(path)) ? fopen(path, "re") : NULL;
	if (file) { /* what could be read counts */
		int r = ini_read(file, "set-pipelines.conf", &reader, &reading.bad);
		fclose(file);
		if (r < 0 || reading.bad.code) {
			log_warning(&pipes->bridge->log, "what was set: %s", reading.bad.text);
		}
	}
}

void pipes_write_settings(const struct pipes *pipes, struct bytes_writer *w)
{
	for (size_t i = 0; i < pipes->n; i++) {
		const struct pipe *pipe = pipes->items[i];
		threshold_write_settings(w, pipe->name, pipe->off, pipe->threshold);
	}
}
