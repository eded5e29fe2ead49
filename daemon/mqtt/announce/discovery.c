/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/announce/discovery.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/mqtt/text/json_writer.h"
#include "daemon/mqtt/text/topics.h"
#include "daemon/system/digest.h"

#define OFF_DELAY_S 10
#define MAX_PLAIN 63 /* characters of an id taken from the name; a hash and a suffix follow */
#define MAX_NUMBER_NAME 48
#define MAX_NUMBERS 32 /* components for numbers of one source */
#define MAX_PLAIN_OF_SOURCE 24

/* Reads the first line of a file; "" if it cannot be read. */
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
	/* The machine id must not be published: machine-id(5). */
	read_line("/etc/machine-id", id, sizeof(id));
	int n = snprintf(salted, sizeof(salted), "edged-mqtt:%s", id);
	if (id[0]) {
		char hex[DIGEST_TEXT_SIZE];
		const struct digest digest = digest_of(salted, (size_t)n);
		snprintf(device->serial, sizeof(device->serial), "%.32s",
			digest_to_hex(&digest, hex));
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

/* Writes the id of a source. It has a capital letter, unlike ids of models. The hash over
 * "PIPELINE/SOURCE" is unique, since neither name has a '/'. */
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

/* State of discovery_write(). */
struct writing {
	struct bytes_writer *w;
	const struct settings *settings;
	const struct model_entry *model; /* NULL: writes a pipeline */
	char base[DISCOVERY_ID_SIZE]; /* MODEL or pipeline/NAME, after PREFIX/GW/ in topics */
	char name[DISCOVERY_NAME_SIZE]; /* display name */
	char id[DISCOVERY_ID_SIZE]; /* id of the model or pipeline */
	char result[TOPIC_SIZE]; /* topic of the results */
	struct discovery *now;
	const struct pipelines *pipelines;
	bool of_source;
	const struct broker_connection *conn; /* connection to the broker that gets the message */
};

static void put_topic(struct writing *g, const char *key, const char *level)
{
	char topic[TOPIC_SIZE];
	settings_own_topic(g->settings, topic, "%s/%s", g->base, level);
	json_writer_text(g->w, key, topic);
}

/* Maps "stopped", which Home Assistant does not know, to "offline". */
static void put_availability(struct bytes_writer *w, const char *topic, const char *template)
{
	json_writer_begin(w, NULL, '{');
	json_writer_text(w, "t", topic);
	json_writer_text(w, "val_tpl", template);
	json_writer_end(w, '}');
}

static void put_status(struct bytes_writer *w, const struct settings *s)
{
	char topic[TOPIC_SIZE];
	settings_own_topic(s, topic, "status");
	put_availability(w, topic, "{{ 'online' if value == 'online' else 'offline' }}");
}

/* A pipeline's component is available while the gateway is online and the pipeline works. */
static void put_pipeline_availability(struct writing *g)
{
	char topic[TOPIC_SIZE];
	settings_own_topic(g->settings, topic, "%s/state", g->base);
	json_writer_begin(g->w, "avty", '[');
	put_status(g->w, g->settings);
	put_availability(g->w, topic,
		"{{ 'offline' if value_json.state in ['waiting', 'refused', 'off'] else 'online' }}");
	json_writer_end(g->w, ']');
	json_writer_text(g->w, "avty_mode", "all");
}

/* Opens a component. Returns false above DISCOVERY_MAX. */
static bool begin(struct writing *g, const char *suffix, const char *platform, const char *name)
{
	char unique[DISCOVERY_ID_SIZE + SETTINGS_MAX_GATEWAY + 16],
		full_name[DISCOVERY_NAME_SIZE + 64];
	if (g->now->n == DISCOVERY_MAX) {
		return false;
	}
	struct discovery_component *c = &g->now->components[g->now->n++];
	snprintf(c->id, sizeof(c->id), "%.80s_%s", g->id, suffix);
	snprintf(c->platform, sizeof(c->platform), "%s", platform);
	snprintf(unique, sizeof(unique), "edged_%s_%s", g->settings->gateway, c->id);
	snprintf(full_name, sizeof(full_name), "%s %s", g->name, name);
	json_writer_begin(g->w, c->id, '{');
	json_writer_text(g->w, "p", platform);
	json_writer_text(g->w, "uniq_id", unique);
	json_writer_text(g->w, "name", full_name);
	if (g->of_source) {
		put_pipeline_availability(g);
	}
	return true;
}

/* A key of a component with its text; NULL ends a list. */
struct component_key {
	const char *key, *text;
};

static const struct component_key measurement[] = {{"stat_cla", "measurement"}, {NULL, NULL}};

/* Writes a component that shows a value of the results. */
static void write_value(struct writing *g, const char *suffix, const char *platform,
	const char *name, const char *template, const struct component_key *keys)
{
	if (!begin(g, suffix, platform, name)) {
		return;
	}
	json_writer_text(g->w, "stat_t", g->result);
	json_writer_text(g->w, "val_tpl", template);
	for (; keys->key; keys++) {
		json_writer_text(g->w, keys->key, keys->text);
	}
	json_writer_end(g->w, '}');
}

static void write_classes(struct writing *g)
{
	const struct component_key attributes[] = {{"json_attr_t", g->result}, {NULL, NULL}};
	write_value(g, "label", "sensor", "label",
		"{{ (value_json.label | default(value_json.index | default('none')) | string)[:255] }}",
		attributes);
	write_value(
		g, "score", "sensor", "score", "{{ value_json.score | default(0) }}", measurement);
	write_value(
		g, "count", "sensor", "count", "{{ value_json.count | default(0) }}", measurement);
}

static void write_anomaly(struct writing *g)
{
	const struct component_key problem[] = {
		{"dev_cla", "problem"}, {"json_attr_t", g->result}, {NULL, NULL}};
	write_value(g, "anomalous", "binary_sensor", "anomalous",
		"{{ 'ON' if value_json.anomalous | default(0) | int > 0 else 'OFF' }}", problem);
	write_value(g, "anomaly", "sensor", "anomaly score",
		"{{ value_json.anomaly_score | default(0) }}", measurement);
}

static void write_time(struct writing *g)
{
	static const struct component_key duration[] = {{"dev_cla", "duration"},
		{"unit_of_meas", "ms"}, {"stat_cla", "measurement"}, {"ent_cat", "diagnostic"},
		{NULL, NULL}};
	write_value(g, "ms", "sensor", "inference time", "{{ value_json.infer_ms | default(0) }}",
		duration);
}

/* @any: any number, for an anomaly score; otherwise 0 to 1. */
static void write_threshold(struct writing *g, bool any)
{
	if (settings_has_word(g->settings->commands, "threshold") &&
		begin(g, "threshold", "number", "threshold")) {
		put_topic(g, "cmd_t", "set/threshold");
		put_topic(g, "stat_t", "get/threshold");
		json_writer_integer(g->w, "min", 0);
		json_writer_integer(g->w, "max", any ? 1000000 : 1);
		json_writer_real(g->w, "step", 0.001, 3);
		json_writer_text(g->w, "mode", "box");
		json_writer_text(g->w, "ent_cat", "config");
		json_writer_end(g->w, '}');
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
	json_writer_text(g->w, "pl_on", "ON");
	json_writer_text(g->w, "pl_off", "OFF");
	json_writer_text(g->w, "ent_cat", "config");
	json_writer_end(g->w, '}');
}

static void write_model(struct writing *g)
{
	const struct settings *s = g->settings;
	discovery_id(g->id, g->model->name);
	snprintf(g->name, sizeof(g->name), "%s", g->model->name);
	snprintf(g->base, sizeof(g->base), "%s", g->model->name);
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

/* Writes the components of a decision, for one source. */
static void write_decision(struct writing *g, const struct pipeline_about *about, const char *last)
{
	/* Without reports of an end the state expires (off_dly). */
	const char *topic = about->tells_ends ? last : g->result;
	if (begin(g, "active", "binary_sensor", "active")) {
		json_writer_text(g->w, "stat_t", topic);
		json_writer_text(g->w, "val_tpl",
			"{{ 'ON' if value_json.active | default(0) | int > 0 else 'OFF' }}");
		json_writer_text(g->w, "json_attr_t", topic);
		if (!about->tells_ends) {
			json_writer_integer(g->w, "off_dly", OFF_DELAY_S);
		}
		json_writer_end(g->w, '}');
	}
	static const struct component_key none[] = {{NULL, NULL}};
	write_value(g, "label", "sensor", "label",
		"{{ (value_json.event_label | default(value_json.label | default('none')))[:255] }}",
		none);
}

static void write_number(struct writing *g, const char *name, const char *unit)
{
	char id[DISCOVERY_ID_SIZE], template[DISCOVERY_ID_SIZE + 64];
	const struct component_key with_unit[] = {
		{"unit_of_meas", unit}, {"stat_cla", "measurement"}, {NULL, NULL}};
	discovery_id(id, name);
	snprintf(template, sizeof(template), "{{ value_json['%s'] | default(0) }}", name);
	if (!strpbrk(name, "'\\{}")) {
		write_value(g, id, "sensor", name, template, unit[0] ? with_unit : measurement);
	}
}

/* Names are those in the results. At most MAX_NUMBERS components. */
static void write_numbers(struct writing *g, const struct mqtt_pipeline *pipeline)
{
	const size_t n = pipelines_count_numbers(g->pipelines, pipeline);
	for (size_t i = 0; i < n && i < MAX_NUMBERS; i++) {
		char name[MAX_NUMBER_NAME];
		if (result_json_number_name(pipeline->properties.names, i, n, name, sizeof(name)) <
			sizeof(name)) {
			write_number(g, name, pipeline->properties.unit);
		}
	}
}

static void write_source(
	struct writing *g, const struct mqtt_pipeline *pipeline, const char *source)
{
	const struct pipeline_about *about = &pipeline->properties;
	char last[TOPIC_SIZE];
	source_id(g->id, pipeline->name, source);
	snprintf(g->name, sizeof(g->name), "%s %s", pipeline->name, source);
	settings_own_topic(g->settings, g->result, "%s/result/%s", g->base, source);
	settings_own_topic(g->settings, last, "%s/last/%s", g->base, source);
	if (about->numbers) {
		write_numbers(g, pipeline);
	} else if (about->anomaly) {
		write_number(g, "score", "");
	} else if (!about->decides) {
		write_classes(g);
	}
	if (about->decides && !about->numbers) {
		write_decision(g, about, last);
	}
	if (about->snapshot && begin(g, "snapshot", "image", "snapshot")) {
		snprintf(last, sizeof(last), "snapshot/%s", source);
		put_topic(g, "img_t", last);
		json_writer_text(
			g->w, "cont_type", about->snapshot_jpeg ? "image/jpeg" : "image/png");
		json_writer_end(g->w, '}');
	}
}

static void write_pipeline(struct writing *g, const struct mqtt_pipeline *pipeline)
{
	char id[DISCOVERY_ID_SIZE];
	g->model = NULL;
	snprintf(g->base, sizeof(g->base), "pipeline/%s", pipeline->name);
	for (size_t i = 0; i < pipeline->n_sources; i++) {
		const struct pipelines_source *source = &pipeline->sources[i];
		if ((source->has_published || source->known) && source->conn == g->conn) {
			g->of_source = true;
			write_source(g, pipeline, source->name);
		}
	}
	g->of_source = false;
	snprintf(id, sizeof(id), "Pipeline-%s", pipeline->name);
	discovery_id(g->id, id);
	snprintf(g->name, sizeof(g->name), "%s", pipeline->name);
	if (pipeline->properties.has_threshold) {
		write_threshold(g, pipeline->properties.anomaly || pipeline->properties.numbers);
	}
	write_switch(g, "enable");
}

bool discovery_has(const struct discovery *d, const char *id)
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
	json_writer_begin(w, "dev", '{');
	json_writer_begin(w, "ids", '[');
	snprintf(text, sizeof(text), "edged_%s", s->gateway);
	json_writer_text(w, NULL, text);
	json_writer_end(w, ']');
	snprintf(text, sizeof(text), "edged %s", s->gateway);
	json_writer_text(w, "name", text);
	json_writer_text(w, "mf", "edged");
	json_writer_text(w, "mdl", device->machine);
	json_writer_text(w, "sw", device->version);
	if (device->serial[0]) {
		json_writer_text(w, "sn", device->serial);
	}
	json_writer_end(w, '}');
	json_writer_begin(w, "o", '{');
	json_writer_text(w, "name", "edged");
	json_writer_text(w, "sw", device->version);
	json_writer_end(w, '}');
	json_writer_begin(w, "avty", '[');
	put_status(w, s);
	json_writer_end(w, ']');
	json_writer_integer(w, "qos", 1);
}

size_t discovery_write(struct bytes_writer *w, const struct settings *settings,
	const struct discovery_device *device, const struct known_models *models,
	const struct pipelines *pipelines, const struct broker_connection *conn,
	const struct discovery *before, struct discovery *now)
{
	struct writing g = {
		.w = w, .settings = settings, .pipelines = pipelines, .conn = conn, .now = now};
	size_t gone = 0;
	now->n = 0;
	json_writer_begin(w, NULL, '{');
	write_device(w, settings, device);
	json_writer_begin(w, "cmps", '{');
	for (size_t i = 0; i < models->n; i++) {
		g.model = models->entries[i];
		if (known_models_is_ready(g.model)) {
			write_model(&g);
		}
	}
	for (size_t i = 0; i < pipelines->n; i++) {
		if (!pipelines->items[i]->refused[0]) {
			write_pipeline(&g, pipelines->items[i]);
		}
	}
	for (size_t i = 0; i < before->n; i++) {
		if (!discovery_has(now, before->components[i].id)) {
			json_writer_begin(w, before->components[i].id, '{');
			json_writer_text(w, "p", before->components[i].platform);
			json_writer_end(w, '}');
			gone++;
		}
	}
	json_writer_end(w, '}');
	json_writer_end(w, '}');
	return gone;
}
