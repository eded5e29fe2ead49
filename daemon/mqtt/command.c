/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"
#include "daemon/mqtt/text/threshold.h"

#define VALUE_SIZE 32
#define TIMEOUT_MS 5000

/* A pin or unpin request to edged, on a blocking connection in a worker thread. */
struct pin_command {
	uv_work_t work;
	struct bridge *bridge;
	char model[64];
	char socket[CONFIG_SOCKET_SIZE];
	bool on;
	int result;
	struct edge_client_error err;
};

static void run_pin(uv_work_t *work)
{
	struct pin_command *command = work->data;
	struct edge_client *client = NULL;
	command->result = edge_client_open(command->socket, TIMEOUT_MS, &client, &command->err);
	if (command->result == 0) {
		command->result = edge_client_store(client,
			command->on ? EDGE_CLIENT_STORE_PIN : EDGE_CLIENT_STORE_UNPIN,
			command->model, NULL, TIMEOUT_MS, NULL, &command->err);
		edge_client_close(client);
	}
}

static void on_pinned(uv_work_t *work, int status)
{
	owned_mem struct pin_command *command = work->data;
	struct bridge *b = command->bridge;
	(void)status;
	if (command->result < 0) {
		log_warning(&b->log, "pin %s: %s", command->model, command->err.text);
	}
	if (!b->brokers.draining) {
		edged_client_poll(&b->edged); /* the list has the new state */
	}
}

static void set_pin(struct bridge *b, const struct model_entry *model, bool on)
{
	struct pin_command *command = calloc(1, sizeof(*command));
	if (!command) {
		return;
	}
	command->work.data = command;
	command->bridge = b;
	command->on = on;
	memcpy(command->model, model->name, sizeof(command->model));
	memcpy(command->socket, b->settings.socket, sizeof(command->socket));
	if (uv_queue_work(&b->loop, &command->work, run_pin, on_pinned) < 0) {
		free(command);
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

/* Checks that @key may be set, and copies the payload as text. For models and pipelines. */
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

/* Reports a refused command on the error topic. The value in force stays on the "get" topic. */
static void refuse(struct bridge *b, struct broker_connection *conn, bool of_pipeline,
	const char *name, const struct error *why)
{
	char others[LOG_RATELIMIT_TEXT_SIZE];
	struct mqtt_request command = {.conn = conn, .of_pipeline = of_pipeline, .source = "set"};
	const unsigned int status = why->code == -EPERM ? EDGE_CLIENT_DENIED
		: why->code == -ENOENT                  ? EDGE_CLIENT_NOT_FOUND
							: EDGE_CLIENT_INVALID;
	b->counts.refused++;
	if (log_ratelimit_allows(&b->commands.refused, clock_now_ns(), others)) {
		log_notice(&b->log, "%s %s: a refused command: %s%s",
			of_pipeline ? "pipeline" : "model", name, why->text, others);
	}
	snprintf(command.target, sizeof(command.target), "%s", name);
	request_respond_report(&b->requests, &command, status, why->text);
}

static void log_set(struct bridge *b, const char *kind, const char *name, const char *key)
{
	char others[LOG_RATELIMIT_TEXT_SIZE];
	if (log_ratelimit_allows(&b->commands.accepted, clock_now_ns(), others)) {
		log_info(&b->log, "%s%s: %s was set%s", kind, name, key, others);
	}
}

void command_message(struct bridge *b, struct broker_connection *conn, const char *name,
	const char *key, const struct mosq_message *message)
{
	char value[VALUE_SIZE];
	struct error err = {0};
	struct bytes_writer settings = {0};
	struct model_entry *model = known_models_find(&b->models, name);
	const bool there = model && model->listed;
	const bool was_off = there && model->off;
	const double was = there ? model->threshold : 0;
	int r = there ? take_value(b, key, message, value, &err)
		      : error_set(&err, -ENOENT, "there is no such model");
	r = r < 0 ? r : set(b, model, key, value, &err);
	if (r < 0) {
		refuse(b, conn, false, name, &err);
		return;
	}
	b->counts.commands++;
	bool changed = model->off != was_off ||
		memcmp(&model->threshold, &was, sizeof(was)) != 0; /* compares NaN, too */
	if (changed) {
		known_models_write_settings(&b->models, &settings);
		state_file_write(&b->commands.models_file, &settings);
	}
	log_set(b, "", name, key);
	announce_models(&b->announce);
}

static int set_pipeline(struct bridge *b, struct mqtt_pipeline *pipeline, const char *key,
	const char *value, bool *ret_changed, struct error *err)
{
	bool on = true;
	if (strcmp(key, "threshold") == 0) {
		return pipelines_set_threshold(&b->pipelines, pipeline, value, ret_changed, err);
	}
	if (strcmp(key, "enable") != 0 || command_parse_switch(value, &on) < 0) {
		return error_set(err, -EINVAL, "what is set is a threshold, or enable: ON or OFF");
	}
	*ret_changed = pipelines_set_off(&b->pipelines, pipeline, !on);
	return 0;
}

void command_pipeline_message(struct bridge *b, struct broker_connection *conn, const char *name,
	const char *key, const struct mosq_message *message)
{
	char value[VALUE_SIZE];
	struct error err = {0};
	struct bytes_writer settings = {0};
	struct mqtt_pipeline *pipeline = pipelines_find(&b->pipelines, name);
	bool changed = false;
	int r = pipeline ? take_value(b, key, message, value, &err)
			 : error_set(&err, -ENOENT, "there is no such pipeline");
	r = r < 0 ? r : set_pipeline(b, pipeline, key, value, &changed, &err);
	if (r < 0) {
		refuse(b, conn, true, name, &err);
		return;
	}
	b->counts.commands++;
	if (changed) {
		pipelines_write_settings(&b->pipelines, &settings);
		state_file_write(&b->commands.pipelines_file, &settings);
	}
	log_set(b, "pipeline ", name, key);
}
