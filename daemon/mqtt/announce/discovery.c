/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/discovery.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/digest.h"
#include "daemon/mqtt/flat.h"
#include "daemon/mqtt/topics.h"

#define URL "https://example.org/edged"
#define OFF_DELAY_S 10
#define MAX_PLAIN 63 /* letters of an id that are the name's own: a hash and a suffix follow */
#define MAX_NUMBER_NAME 48
#define MAX_NUMBERS 32 /* of one source that become components */
#define MAX_PLAIN_OF_SOURCE 24

/* A file's first line; "" when it cannot be read. */
static void read_line(const char *path, char *out, size_t size)
{
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, out, size - 1);
	out[n > 0 ? n : 0] = 0;
	out[strcspn(out, "\n")] = 0;
}

void discovery_device_find(struct discovery_device *device, const char *version)
{
	char id[64] = "", salted[96];
	*device = (struct discovery_device){.version = version};
	read_line("/proc/device-tree/model", device->machine, sizeof(device->machine));
	if (!device->machine[0]) {
		snprintf(device->machine, sizeof(device->machine), "Linux gateway");
	}
	/* The machine's id itself must not leave it: machine-id(5). */
	read_line("/etc/machine-id", id, sizeof(id));
	int n = snprintf(salted, sizeof(salted), "edged-mqtt:%s", id);
	if (id[0]) {
		char hex[DIGEST_TEXT_SIZE];
		const struct digest digest = digest_of(salted, (size_t)n);
		snprintf(device->serial, sizeof(device->serial), "%.32s",
			digest_print(&digest, hex));
	}
}

void discovery_id(char out[DISCOVERY_ID_SIZE], const char *name)
{
	const size_t length = strlen(name);
	bool changed = length > MAX_PLAIN || topics_is_hashed(name, length);
	size_t n = 0;
	for (; name[n] && n < MAX_PLAIN; n++) {
		const char one[] = {name[n], 0};
		bool fits = topics_is_word(one);
		changed |= !fits;
		out[n] = fits ? *one : '_';
	}
	out[n] = 0;
	if (changed) {
		out[n++] = '_';
		topics_hash(name, length, out + n);
	}
}

/* No model's id has a capital letter; the hash keeps sources apart: neither name has a '/'. */
static void source_id(char out[DISCOVERY_ID_SIZE], const char *pipeline, const char *source)
{
	char both[2 * DISCOVERY_ID_SIZE], hash[TOPICS_HASH + 1];
	int n = snprintf(both, sizeof(both), "%s/%s", pipeline, source);
	topics_hash(both, (size_t)n, hash);
	for (char *at = both; *at; at++) {
		const char one[] = {*at, 0};
		*at = topics_is_word(one) ? *at : *at == '/' ? '-' : '_';
	}
	snprintf(out, DISCOVERY_ID_SIZE, "Source-%.*s_%s", MAX_PLAIN_OF_SOURCE, both, hash);
}

void discovery_topic(char *out, size_t size, const struct settings *settings)
{
	snprintf(out, size, "%s/device/edged_%s/config", settings->discovery_prefix,
		settings->gateway);
}

/* What is being written. */
struct writing {
	struct bytes_writer *w;
	const struct settings *settings;
	const struct model_entry *model; /* NULL: of a pipeline */
	char base[TOPICS_MAX / 2]; /* its topics begin with it */
	char name[DISCOVERY_NAME_SIZE]; /* for people */
	char id[DISCOVERY_ID_SIZE]; /* of the model or pipeline */
	char result[TOPICS_MAX]; /* its topic of results */
	struct discovery *now;
	const struct pipes *pipes;
	bool of_source;
	const struct link *link; /* to the broker that is told */
};

static void put_topic(struct writing *g, const char *key, const char *level)
{
	char topic[TOPICS_MAX];
	snprintf(topic, sizeof(topic), "%s/%s", g->base, level);
	flat_text(g->w, key, topic);
}

/* "stopped" is not Home Assistant's word. */
static void put_availability(struct bytes_writer *w, const char *topic, const char *template)
{
	flat_begin(w, NULL, '{');
	flat_text(w, "t", topic);
	flat_text(w, "val_tpl", template);
	flat_end(w, '}');
}

static void put_status(struct bytes_writer *w, const struct settings *s)
{
	char topic[TOPICS_MAX];
	snprintf(topic, sizeof(topic), "%s/%s/status", s->prefix, s->gateway);
	put_availability(w, topic, "{{ 'online' if value == 'online' else 'offline' }}");
}

/* It is there while the gateway is, and its pipeline works. */
static void put_pipeline_availability(struct writing *g)
{
	char topic[TOPICS_MAX];
	snprintf(topic, sizeof(topic), "%s/state", g->base);
	flat_begin(g->w, "avty", '[');
	put_status(g->w, g->settings);
	put_availability(g->w, topic,
		"{{ 'offline' if value_json.state in ['waiting', 'refused', 'off'] else 'online' }}");
	flat_end(g->w, ']');
	flat_text(g->w, "avty_mode", "all");
}

/* Opens a component; false when there are too many. */
static bool begin(struct writing *g, const char *suffix, const char *platform, const char *name)
{
	char unique[DISCOVERY_ID_SIZE + SETTINGS_MAX_GATEWAY + 16], shown[DISCOVERY_NAME_SIZE + 64];
	if (g->now->n == DISCOVERY_MAX) {
		return false;
	}
	struct discovery_component *c = &g->now->components[g->now->n++];
	snprintf(c->id, sizeof(c->id), "%.80s_%s", g->id, suffix);
	c->platform = platform;
	snprintf(unique, sizeof(unique), "edged_%s_%s", g->settings->gateway, c->id);
	snprintf(shown, sizeof(shown), "%s %s", g->name, name);
	flat_begin(g->w, c->id, '{');
	flat_text(g->w, "p", platform);
	flat_text(g->w, "uniq_id", unique);
	flat_text(g->w, "name", shown);
	if (g->of_source) {
		put_pipeline_availability(g);
	}
	return true;
}

/* A component that shows something of the results. */
static bool begin_of_result(struct writing *g, const char *suffix, const char *platform,
	const char *name, const char *template)
{
	if (!begin(g, suffix, platform, name)) {
		return false;
	}
	flat_text(g->w, "stat_t", g->result);
	flat_text(g->w, "val_tpl", template);
	return true;
}

static void write_classes(struct writing *g)
{
	if (begin_of_result(g, "label", "sensor", "label",
		    "{{ (value_json.label | default(value_json.index | default('none')) | string)[:255] }}")) {
		flat_text(g->w, "json_attr_t", g->result);
		flat_end(g->w, '}');
	}
	if (begin_of_result(g, "score", "sensor", "score", "{{ value_json.score | default(0) }}")) {
		flat_text(g->w, "stat_cla", "measurement");
		flat_end(g->w, '}');
	}
	if (begin_of_result(g, "count", "sensor", "count", "{{ value_json.count | default(0) }}")) {
		flat_text(g->w, "stat_cla", "measurement");
		flat_end(g->w, '}');
	}
}

static void write_anomaly(struct writing *g)
{
	if (begin_of_result(g, "anomalous", "binary_sensor", "anomalous",
		    "{{ 'ON' if value_json.anomalous | default(0) | int > 0 else 'OFF' }}")) {
		flat_text(g->w, "dev_cla", "problem");
		flat_text(g->w, "json_attr_t", g->result);
		flat_end(g->w, '}');
	}
	if (begin_of_result(g, "anomaly", "sensor", "anomaly score",
		    "{{ value_json.anomaly_score | default(0) }}")) {
		flat_text(g->w, "stat_cla", "measurement");
		flat_end(g->w, '}');
	}
}

static void write_time(struct writing *g)
{
	if (begin_of_result(g, "ms", "sensor", "inference time",
		    "{{ value_json.infer_ms | default(0) }}")) {
		flat_text(g->w, "dev_cla", "duration");
		flat_text(g->w, "unit_of_meas", "ms");
		flat_text(g->w, "stat_cla", "measurement");
		flat_text(g->w, "ent_cat", "diagnostic");
		flat_end(g->w, '}');
	}
}

/* Any number may be an anomaly's; others are shares. */
static void write_threshold(struct writing *g, bool any)
{
	if (settings_has_word(g->settings->commands, "threshold") &&
		begin(g, "threshold", "number", "threshold")) {
		put_topic(g, "cmd_t", "set/threshold");
		put_topic(g, "stat_t", "get/threshold");
		flat_integer(g->w, "min", 0);
		flat_integer(g->w, "max", any ? 1000000 : 1);
		flat_real(g->w, "step", 0.001, 3);
		flat_text(g->w, "mode", "box");
		flat_text(g->w, "ent_cat", "config");
		flat_end(g->w, '}');
	}
}

static void write_switch(struct writing *g, const char *key)
{
	char set[16], get[16];
	if (!settings_has_word(g->settings->commands, key) || !begin(g, key, "switch", key)) {
		return;
	}
	snprintf(set, sizeof(set), "set/%s", key);
	snprintf(get, sizeof(get), "get/%s", key);
	put_topic(g, "cmd_t", set);
	put_topic(g, "stat_t", get);
	flat_text(g->w, "pl_on", "ON");
	flat_text(g->w, "pl_off", "OFF");
	flat_text(g->w, "ent_cat", "config");
	flat_end(g->w, '}');
}

static void write_model(struct writing *g)
{
	const struct settings *s = g->settings;
	discovery_id(g->id, g->model->name);
	snprintf(g->name, sizeof(g->name), "%s", g->model->name);
	snprintf(g->base, sizeof(g->base), "%s/%s/%s", s->prefix, s->gateway, g->model->name);
	if (!topics_fill(g->result, sizeof(g->result), s->result_topic, s->prefix, s->gateway,
		    g->model->name, "infer")) {
		return;
	}
	if (g->model->kind == MODELS_CLASSES) {
		write_classes(g);
	} else if (g->model->kind == MODELS_ANOMALY) {
		write_anomaly(g);
	}
	write_time(g);
	if (g->model->kind != MODELS_TENSORS) {
		write_threshold(g, g->model->kind == MODELS_ANOMALY);
	}
	write_switch(g, "enable");
	write_switch(g, "pin");
}

/* ---- pipelines */

/* What a decision has found, of one source. */
static void write_decision(struct writing *g, const struct pipeline_about *says, const char *last)
{
	/* Where ends are not told the state falls back by itself. */
	const char *topic = says->tells_ends ? last : g->result;
	if (begin(g, "active", "binary_sensor", "active")) {
		flat_text(g->w, "stat_t", topic);
		flat_text(g->w, "val_tpl",
			"{{ 'ON' if value_json.active | default(0) | int > 0 else 'OFF' }}");
		flat_text(g->w, "json_attr_t", topic);
		if (!says->tells_ends) {
			flat_integer(g->w, "off_dly", OFF_DELAY_S);
		}
		flat_end(g->w, '}');
	}
	if (begin_of_result(g, "label", "sensor", "label",
		    "{{ (value_json.event_label | default(value_json.label | default('none')))[:255] }}")) {
		flat_end(g->w, '}');
	}
}

static void write_number(struct writing *g, const char *name, const char *unit)
{
	char id[DISCOVERY_ID_SIZE], template[DISCOVERY_ID_SIZE + 64];
	discovery_id(id, name);
	snprintf(template, sizeof(template), "{{ value_json['%s'] | default(0) }}", name);
	if (!strpbrk(name, "'\\{}") && begin_of_result(g, id, "sensor", name, template)) {
		if (unit[0]) {
			flat_text(g->w, "unit_of_meas", unit);
		}
		flat_text(g->w, "stat_cla", "measurement");
		flat_end(g->w, '}');
	}
}

/* As results call them. Nobody looks at hundreds. */
static void write_numbers(struct writing *g, const struct pipe *pipe)
{
	const size_t n = pipes_count_numbers(g->pipes, pipe);
	for (size_t i = 0; i < n && i < MAX_NUMBERS; i++) {
		char name[MAX_NUMBER_NAME];
		if (pipeline_number_name(pipe->says.names, i, n, name, sizeof(name)) <
			sizeof(name)) {
			write_number(g, name, pipe->says.unit);
		}
	}
}

static void write_source(struct writing *g, const struct pipe *pipe, const char *source)
{
	const struct pipeline_about *says = &pipe->says;
	char last[TOPICS_MAX];
	source_id(g->id, pipe->name, source);
	snprintf(g->name, sizeof(g->name), "%s %s", pipe->name, source);
	snprintf(g->result, sizeof(g->result), "%s/result/%s", g->base, source);
	snprintf(last, sizeof(last), "%s/last/%s", g->base, source);
	if (says->numbers) {
		write_numbers(g, pipe);
	} else if (says->anomaly) {
		write_number(g, "score", "");
	} else if (!says->decides) {
		write_classes(g);
	}
	if (says->decides && !says->numbers) {
		write_decision(g, says, last);
	}
	if (says->snapshot && begin(g, "snapshot", "image", "snapshot")) {
		snprintf(last, sizeof(last), "snapshot/%s", source);
		put_topic(g, "img_t", last);
		flat_text(g->w, "cont_type", says->snapshot_jpeg ? "image/jpeg" : "image/png");
		flat_end(g->w, '}');
	}
}

static void write_pipeline(struct writing *g, const struct pipe *pipe)
{
	const struct settings *s = g->settings;
	char id[DISCOVERY_ID_SIZE];
	g->model = NULL;
	snprintf(g->base, sizeof(g->base), "%s/%s/pipeline/%s", s->prefix, s->gateway, pipe->name);
	for (size_t i = 0; i < pipe->n_sources; i++) {
		const struct pipes_source *source = &pipe->sources[i];
		if ((source->told || source->known) && source->link == g->link) {
			g->of_source = true;
			write_source(g, pipe, source->name);
		}
	}
	g->of_source = false;
	snprintf(id, sizeof(id), "Pipeline-%s", pipe->name);
	discovery_id(g->id, id);
	snprintf(g->name, sizeof(g->name), "%s", pipe->name);
	if (pipe->says.has_threshold) {
		write_threshold(g, pipe->says.anomaly || pipe->says.numbers);
	}
	write_switch(g, "enable");
}

static bool has(const struct discovery *d, const char *id)
{
	for (size_t i = 0; i < d->n; i++) {
		if (strcmp(d->components[i].id, id) == 0) {
			return true;
		}
	}
	return false;
}

static void write_device(
	struct bytes_writer *w, const struct settings *s, const struct discovery_device *device)
{
	char text[128];
	flat_begin(w, "dev", '{');
	flat_begin(w, "ids", '[');
	snprintf(text, sizeof(text), "edged_%s", s->gateway);
	flat_text(w, NULL, text);
	flat_end(w, ']');
	snprintf(text, sizeof(text), "edged %s", s->gateway);
	flat_text(w, "name", text);
	flat_text(w, "mf", "edged");
	flat_text(w, "mdl", device->machine);
	flat_text(w, "sw", device->version);
	if (device->serial[0]) {
		flat_text(w, "sn", device->serial);
	}
	flat_end(w, '}');
	flat_begin(w, "o", '{');
	flat_text(w, "name", "edged");
	flat_text(w, "sw", device->version);
	flat_text(w, "url", URL);
	flat_end(w, '}');
	flat_begin(w, "avty", '[');
	put_status(w, s);
	flat_end(w, ']');
	flat_integer(w, "qos", 1);
}

size_t discovery_write(struct bytes_writer *w, const struct settings *settings,
	const struct discovery_device *device, const struct models *models,
	const struct pipes *pipes, const struct link *link, const struct discovery *before,
	struct discovery *now)
{
	struct writing g = {.w = w, .settings = settings, .pipes = pipes, .link = link, .now = now};
	size_t gone = 0;
	now->n = 0;
	flat_begin(w, NULL, '{');
	write_device(w, settings, device);
	flat_begin(w, "cmps", '{');
	for (size_t i = 0; i < models->n; i++) {
		g.model = models->entries[i];
		if (models_is_ready(g.model)) {
			write_model(&g);
		}
	}
	for (size_t i = 0; i < pipes->n; i++) {
		if (!pipes->items[i]->refused[0]) {
			write_pipeline(&g, pipes->items[i]);
		}
	}
	for (size_t i = 0; i < before->n; i++) {
		if (!has(now, before->components[i].id)) {
			flat_begin(w, before->components[i].id, '{');
			flat_text(w, "p", before->components[i].platform);
			flat_end(w, '}');
			gone++;
		}
	}
	flat_end(w, '}');
	flat_end(w, '}');
	return gone;
}

/* The text of @size bytes up to its quote; 0: there is none. */
static size_t quoted(const uint8_t *at, size_t size)
{
	const uint8_t *end = memchr(at, '"', size);
	return end ? (size_t)(end - at) : 0;
}

static void add_component(struct discovery *to, const uint8_t *id, size_t length,
	const uint8_t *platform, size_t of_platform)
{
	static const char *const platforms[] = {
		"sensor", "binary_sensor", "number", "switch", "image"};
	struct discovery_component one = {0};
	if (length >= sizeof(one.id) || to->n == DISCOVERY_MAX) {
		return;
	}
	memcpy(one.id, id, length);
	for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
		bool is = strlen(platforms[i]) == of_platform &&
			memcmp(platforms[i], platform, of_platform) == 0;
		one.platform = is ? platforms[i] : one.platform;
	}
	if (one.platform && topics_is_word(one.id) && !has(to, one.id)) {
		to->components[to->n++] = one;
	}
}

/* Inside of a text a quote has a backslash before it, so this can only be what it looks like: "ID":{"p":"PLATFORM" */
void discovery_read(struct discovery *to, const uint8_t *payload, size_t size)
{
	static const char opens[] = "\":{\"p\":\"";
	const size_t n = sizeof(opens) - 1;
	const uint8_t *at = payload, *end = payload + size, *found = NULL;
	while ((found = memmem(at, (size_t)(end - at), opens, n))) {
		const uint8_t *id = found;
		while (id > at && id[-1] != '"') {
			id--;
		}
		at = found + n;
		add_component(to, id, (size_t)(found - id), at, quoted(at, (size_t)(end - at)));
	}
}
