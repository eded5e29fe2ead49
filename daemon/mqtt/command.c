/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/mqtt/bridge.h"

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

/* A number, or nothing for the model's own. */
static int parse_threshold(const char *text, double *ret_threshold)
{
	char *end = NULL;
	double value = text[0] ? strtod(text, &end) : (double)NAN;
	if (text[0] && (*end || !isfinite(value))) {
		return -EINVAL;
	}
	*ret_threshold = value;
	return 0;
}

static int set(struct bridge *b, struct model_entry *model, const char *key, const char *value)
{
	bool on = false;
	if (strcmp(key, "threshold") == 0) {
		return parse_threshold(value, &model->threshold);
	}
	int r = command_parse_switch(value, &on);
	if (r == 0 && strcmp(key, "enable") == 0) {
		model->off = !on;
	} else if (r == 0) {
		set_pin(b, model, on);
	}
	return r;
}

void command_message(
	struct bridge *b, const char *name, const char *key, const struct mosq_message *message)
{
	char value[VALUE_SIZE] = "";
	struct error err = {0};
	struct model_entry *model = models_find(&b->models, name);
	bool allowed = model && model->listed && settings_has_word(b->settings.commands, key) &&
		message->size < sizeof(value);
	if (allowed && message->size) {
		memcpy(value, message->payload, message->size);
	}
	const bool was_off = allowed && model->off;
	const double was = allowed ? model->threshold : 0;
	if (!allowed || set(b, model, key, value) < 0) {
		b->counts.refused++;
		log_notice(&b->log, "%s: an order that is not taken", name);
		return;
	}
	b->counts.commands++;
	bool changed = model->off != was_off ||
		memcmp(&model->threshold, &was, sizeof(was)) != 0; /* NaN is NaN */
	if (changed && models_save_settings(&b->models, b->state, &err) < 0) {
		log_warning(&b->log, "%s", err.text);
	}
	log_info(&b->log, "%s: %s was set", name, key);
	announce_settings(b, model);
}

void command_pipeline_message(
	struct bridge *b, const char *name, const char *key, const struct mosq_message *message)
{
	char value[VALUE_SIZE] = "";
	struct error err = {0};
	struct pipe *pipe = pipes_find(&b->pipes, name);
	bool changed = false;
	bool allowed = pipe && settings_has_word(b->settings.commands, key) &&
		message->size < sizeof(value);
	if (allowed && message->size) {
		memcpy(value, message->payload, message->size);
	}
	if (!allowed || pipes_set(&b->pipes, pipe, key, value, &changed) < 0) {
		b->counts.refused++;
		log_notice(&b->log, "pipeline %s: an order that is not taken", name);
		return;
	}
	b->counts.commands++;
	if (changed && pipes_save_settings(&b->pipes, &err) < 0) {
		log_warning(&b->log, "%s", err.text);
	}
	log_info(&b->log, "pipeline %s: %s was set", name, key);
}
