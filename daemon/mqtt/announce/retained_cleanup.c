/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retained cleanup: empties retained topics of models, pipelines and settings that are gone, also
 * those of an earlier run. The list of retained topics is in the state folder (retained_list.h).
 */
#include <stdio.h>
#include <string.h>

#include "daemon/mqtt/announce/announce.h"

#define MAX_AT_ONCE 256 /* outbox messages; the rest follows later */
#define MAX_LEVELS 4

void retained_cleanup_on_cleared(
	struct announce *a, const struct broker_connection *conn, const char *topic)
{
	char home[TOPIC_SIZE];
	discovery_topic(home, sizeof(home), a->settings);
	retained_list_remove(&a->retained, conn->settings->name, "topic", topic);
	if (strcmp(topic, home) == 0) {
		retained_list_remove_all(&a->retained, conn->settings->name, "component");
		retained_list_remove_all(&a->retained, conn->settings->name, "source");
	}
}

/* An empty outbox of any size has room. */
static bool has_room(const struct broker_connection *conn)
{
	const struct outbox *o = &conn->outbox;
	return o->n < MAX_AT_ONCE && o->n <= o->max_messages / 4 && o->bytes <= o->max_bytes / 4;
}

static size_t split(char *text, char *levels[MAX_LEVELS + 1])
{
	size_t n = 0;
	while (text && n <= MAX_LEVELS) {
		levels[n++] = strsep(&text, "/");
	}
	return n;
}

static bool is_set(const struct announce *a, const char *key, bool has_threshold)
{
	return settings_has_word(a->settings->commands, key) &&
		(has_threshold || strcmp(key, "threshold") != 0);
}

/* Returns true if pipeline/@level... is in use. */
static bool is_of_pipeline(
	const struct announce *a, const struct broker_connection *conn, char **level, size_t n)
{
	const struct mqtt_pipeline *pipeline = pipelines_find(a->pipelines, level[1]);
	if (n == 4 && (strcmp(level[2], "snapshot") == 0 || strcmp(level[2], "last") == 0)) {
		return settings_has_word(a->settings->retain, level[2]) &&
			pipelines_was_published(a->pipelines, conn, level[1], level[3]);
	}
	bool get = n == 4 && strcmp(level[2], "get") == 0;
	return pipeline && (!get || is_set(a, level[3], pipeline->properties.has_threshold));
}

/* Returns true if the topic below PREFIX/GW/ is in use. Changes @topic. */
static bool is_own_current(
	const struct announce *a, const struct broker_connection *conn, char *topic)
{
	char *level[MAX_LEVELS + 1];
	const size_t n = split(topic, level);
	if (n == 1) {
		return true; /* status, info, capability */
	}
	/* pipeline/get/KEY belongs to a model named "pipeline". A pipeline named "get" has
	 * pipeline/get/state. */
	bool of_model = n == 3 && strcmp(level[1], "get") == 0 && strcmp(level[2], "state") != 0;
	if (strcmp(level[0], "pipeline") == 0 && n > 2 && !of_model) {
		return is_of_pipeline(a, conn, level, n);
	}
	const struct model_entry *model = known_models_find(a->models, level[0]);
	return model && model->listed && (n != 3 || is_set(a, level[2], true));
}

static bool is_current(
	const struct announce *a, const struct broker_connection *conn, const char *topic)
{
	const struct settings *s = a->settings;
	char text[TOPIC_SIZE];
	discovery_topic(text, sizeof(text), s);
	if (strcmp(topic, text) == 0) {
		return conn->settings->discovery;
	}
	if (strcmp(topic, ANNOUNCE_HEALTH_TOPIC) == 0) {
		return s->health;
	}
	int n = snprintf(text, sizeof(text), "%s/%s/", s->prefix, s->gateway);
	if (strncmp(topic, text, (size_t)n) != 0) {
		return false; /* of another prefix or gateway name */
	}
	snprintf(text, sizeof(text), "%s", topic + n);
	return is_own_current(a, conn, text);
}

/* Returns false if the outbox has no room for the rest. */
static bool empty_stale(struct announce *a, struct broker_connection *conn)
{
	const char *topic = NULL;
	bool done = true;
	for (size_t at = 0; done &&
		(topic = retained_list_next(&a->retained, conn->settings->name, "topic", &at));) {
		if (!is_current(a, conn, topic)) {
			done = has_room(conn);
			if (done) {
				brokers_publish(a->brokers, conn, OUTBOX_LAST, true, topic, "", 0);
			}
		}
	}
	return done;
}

void retained_cleanup_run(struct announce *a)
{
	bool was_unknown = !a->inventory_known;
	if (!announce_is_inventory_known(a)) {
		return;
	}
	if (was_unknown) {
		home_assistant_schedule_publish(a);
	}
	bool due = a->cleanup_due || a->brokers->lost_empty;
	a->cleanup_due = a->brokers->lost_empty = false;
	for (size_t i = 0; i < a->brokers->n && due; i++) {
		struct broker_connection *conn = a->brokers->connections[i];
		a->cleanup_due |= !broker_connection_is_leaving(conn) && !empty_stale(a, conn);
	}
}

void retained_cleanup_request(struct announce *a)
{
	a->cleanup_due = true;
	retained_cleanup_run(a);
}
