/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"
#include "daemon/mqtt/flat.h"
#include "daemon/mqtt/threshold.h"

#define VALUE_SIZE 32
#define TIMEOUT_MS 5000

/* A pin order: asked on a connection of its own in another thread, because it waits. */
struct pin_order {
	uv_work_t work;
	struct bridge *bridge;
	char model[64];
	char socket[CONFIG_SOCKET_SIZE];
	bool on;
	int result;
	struct edge_client_error err;
};

static void order_pin(uv_work_t *work)
{
	struct pin_order *order = work->data;
	struct edge_client *client = NULL;
	order->result = edge_client_open(order->socket, TIMEOUT_MS, &client, &order->err);
	if (order->result == 0) {
		order->result = edge_client_store(client,
			order->on ? EDGE_CLIENT_STORE_PIN : EDGE_CLIENT_STORE_UNPIN, order->model,
			NULL, TIMEOUT_MS, NULL, &order->err);
		edge_client_close(client);
	}
}

static void on_pinned(uv_work_t *work, int status)
{
	owned_mem struct pin_order *order = work->data;
	struct bridge *b = order->bridge;
	(void)status;
	if (order->result < 0) {
		log_warning(&b->log, "pin %s: %s", order->model, order->err.text);
	}
	if (!b->draining) {
		service_poll(&b->service); /* the list says what is true now */
	}
}

static void set_pin(struct bridge *b, const struct model_entry *model, bool on)
{
	struct pin_order *order = calloc(1, sizeof(*order));
	if (!order) {
		return;
	}
	order->work.data = order;
	order->bridge = b;
	order->on = on;
	memcpy(order->model, model->name, sizeof(order->model));
	memcpy(order->socket, b->settings.socket, sizeof(order->socket));
	if (uv_queue_work(&b->loop, &order->work, order_pin, on_pinned) < 0) {
		free(order);
	}
}

int command_parse_switch(const char *text, bool *ret_on)
{
	static const struct {
		const char *word;
		bool on;
	} words[] = {{"ON", true}, {"1", true}, {"true", true}, {"yes", true}, {"OFF", false},
		{"0", false}, {"false", false}, {"no", false}};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(words[i].word, text) == 0) {
			*ret_on = words[i].on;
			return 0;
		}
	}
	return -EINVAL;
}

static int set(struct bridge *b, struct model_entry *model, const char *key, const char *value,
	struct error *err)
{
	bool on = false;
	if (strcmp(key, "threshold") == 0) {
		return threshold_parse(
			value, model->kind == MODELS_ANOMALY, &model->threshold, err);
	}
	if (command_parse_switch(value, &on) < 0) {
		return error_set(err, -EINVAL, "%s is ON or OFF", key);
	}
	if (strcmp(key, "enable") == 0) {
		model->off = !on;
	} else {
		set_pin(b, model, on);
	}
	return 0;
}

/* What is the same of models and pipelines: may @key be set, and is there a text for it? */
static int take_value(const struct bridge *b, const char *key, const struct mosq_message *message,
	char value[VALUE_SIZE], struct error *err)
{
	if (!settings_has_word(b->settings.commands, key)) {
		return error_set(err, -EPERM, "%s is none of commands", key);
	}
	if (message->size >= VALUE_SIZE ||
		(message->size && memchr(message->payload, 0, message->size))) {
		return error_set(
			err, -EINVAL, "%s is a text of up to %d bytes", key, VALUE_SIZE - 1);
	}
	memset(value, 0, VALUE_SIZE);
	if (message->size) {
		memcpy(value, message->payload, message->size);
	}
	return 0;
}

/* Who set it has no answer but this; what is true still stands below get. */
static void refuse(struct bridge *b, struct link *link, const char *kind, const char *name,
	const char *topic, const struct error *why)
{
	struct bytes_writer w = {0};
	char others[HUSH_TEXT_SIZE];
	const unsigned int status = why->code == -EPERM ? EDGE_CLIENT_DENIED
		: why->code == -ENOENT                  ? EDGE_CLIENT_NOT_FOUND
							: EDGE_CLIENT_INVALID;
	b->counts.refused++;
	if (hush_allows(&b->refused, clock_now_ns(), others)) {
		log_notice(&b->log, "%s %s: an order that is not taken: %s%s", kind, name,
			why->text, others);
	}
	flat_begin(&w, NULL, '{');
	flat_text(&w, kind, name);
	flat_text(&w, "gw", b->settings.gateway);
	flat_text(&w, "source", "set");
	flat_time(&w);
	flat_text(&w, "error", edge_client_code_name(status));
	flat_integer(&w, "code", status);
	flat_told(&w, "message", why->text);
	flat_end(&w, '}');
	if (!w.failed) {
		announce_publish(b, link, OUTBOX_RESULT, false, topic, w.data, w.size);
	}
	bytes_writer_deinit(&w);
}

static void say_set(struct bridge *b, const char *kind, const char *name, const char *key)
{
	char others[HUSH_TEXT_SIZE];
	if (hush_allows(&b->orders, clock_now_ns(), others)) {
		log_info(&b->log, "%s%s: %s was set%s", kind, name, key, others);
	}
}

void command_message(struct bridge *b, struct link *link, const char *name, const char *key,
	const struct mosq_message *message)
{
	char value[VALUE_SIZE], topic[TOPICS_MAX];
	struct error err = {0};
	struct bytes_writer settings = {0};
	struct model_entry *model = models_find(&b->models, name);
	const bool there = model && model->listed;
	const bool was_off = there && model->off;
	const double was = there ? model->threshold : 0;
	int r = there ? take_value(b, key, message, value, &err)
		      : error_set(&err, -ENOENT, "there is no such model");
	r = r < 0 ? r : set(b, model, key, value, &err);
	if (r < 0) {
		snprintf(topic, sizeof(topic), "%s/%s/%s/error", b->settings.prefix,
			b->settings.gateway, name);
		refuse(b, link, "model", name, topic, &err);
		return;
	}
	b->counts.commands++;
	bool changed = model->off != was_off ||
		memcmp(&model->threshold, &was, sizeof(was)) != 0; /* NaN is NaN */
	if (changed) {
		models_write_settings(&b->models, &settings);
		saver_write(&b->set, &settings);
	}
	say_set(b, "", name, key);
	announce_settings(b, model);
}

void command_pipeline_message(struct bridge *b, struct link *link, const char *name,
	const char *key, const struct mosq_message *message)
{
	char value[VALUE_SIZE], topic[TOPICS_MAX];
	struct error err = {0};
	struct bytes_writer settings = {0};
	struct pipe *pipe = pipes_find(&b->pipes, name);
	bool changed = false;
	int r = pipe ? take_value(b, key, message, value, &err)
		     : error_set(&err, -ENOENT, "there is no such pipeline");
	r = r < 0 ? r : pipes_set(&b->pipes, pipe, key, value, &changed, &err);
	if (r < 0) {
		pipes_topic(&b->pipes, name, "error", "set", topic);
		refuse(b, link, "pipeline", name, topic, &err);
		return;
	}
	b->counts.commands++;
	if (changed) {
		pipes_write_settings(&b->pipes, &settings);
		saver_write(&b->set_pipelines, &settings);
	}
	say_set(b, "pipeline ", name, key);
}
