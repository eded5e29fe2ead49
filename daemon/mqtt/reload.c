/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration at run time: reading, subscriptions and reload. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/mqtt/bridge.h"
#include "daemon/system/service_manager.h"

int reload_read(struct bridge *b, struct settings *ret_settings, struct error *err)
{
	int r = settings_load(ret_settings, b->path, &b->log, err);
	if (r < 0) {
		return r;
	}
	if (b->socket && strlen(b->socket) >= sizeof(ret_settings->socket)) {
		return error_set(err, -EINVAL, "the socket's path is too long");
	}
	if (b->socket) {
		memcpy(ret_settings->socket, b->socket, strlen(b->socket) + 1);
	}
	return 0;
}

static int subscribe_pipelines(struct bridge *b, struct broker_connection *conn, struct error *err)
{
	static const char *const leaves[] = {"in", "set"};
	char filter[TOPIC_SIZE];
	int r = 0;
	for (size_t i = 0; i < (b->settings.commands[0] ? 2 : 1) && r == 0; i++) {
		pipelines_topic(&b->pipelines, "+", leaves[i], "+", filter);
		r = broker_connection_subscribe(conn, filter, 1, err);
	}
	return r;
}

/* In reverse order and before other subscriptions: where filters are equal, the last QoS applies,
 * which is that of the first route or of our own topics. */
static int subscribe_routes(
	const struct settings *s, struct broker_connection *conn, struct error *err)
{
	int r = 0;
	for (size_t i = s->n_routes; i-- > 0 && r == 0;) {
		r = broker_connection_subscribe(
			conn, s->routes[i].topic, (unsigned int)s->routes[i].qos, err);
	}
	return r;
}

int reload_subscribe_all(struct bridge *b, struct broker_connection *conn, struct error *err)
{
	char filter[TOPIC_SIZE];
	const struct settings *s = &b->settings;
	int r = subscribe_routes(s, conn, err);
	settings_own_topic(s, filter, "+/infer");
	r = r < 0 ? r : broker_connection_subscribe(conn, filter, 1, err);
	settings_own_topic(s, filter, "+/set/+");
	r = r < 0 || !s->commands[0] ? r : broker_connection_subscribe(conn, filter, 1, err);
	snprintf(filter, sizeof(filter), "%s/status", s->discovery_prefix);
	r = r < 0 || !conn->settings->discovery ? r
						: broker_connection_subscribe(conn, filter, 0, err);
	if (strcmp(s->pipelines, "none") != 0) {
		r = r < 0 ? r : subscribe_pipelines(b, conn, err);
	}
	return r;
}

/* ---- routes, which brokers may keep in the session over a restart */

#define ALL_BROKERS "*"

static bool is_route(const struct settings *s, const char *topic)
{
	for (size_t i = 0; i < s->n_routes; i++) {
		if (strcmp(s->routes[i].topic, topic) == 0) {
			return true;
		}
	}
	return false;
}

void reload_follow_up(struct bridge *b)
{
	struct retained_list *list = &b->announce.retained;
	const char *entry = NULL;
	for (size_t at = 0; (entry = retained_list_next(list, ALL_BROKERS, "route", &at));) {
		if (is_route(&b->settings, entry)) {
			continue;
		}
		for (size_t i = 0; i < b->brokers.n && topics_is_filter(entry); i++) {
			broker_connection_unsubscribe(b->brokers.connections[i], entry);
		}
		retained_list_remove_at(list, &at);
	}
	for (size_t i = 0; i < b->settings.n_routes; i++) {
		retained_list_add(list, ALL_BROKERS, "route", b->settings.routes[i].topic);
	}
}

#define FIXED(member)                                                                              \
	{                                                                                          \
		offsetof(struct settings, member), sizeof(((struct settings *)0)->member)          \
	}

/* Restores keys that only a restart changes. Returns true if one has changed. */
static bool restore_fixed(const struct settings *old, struct settings *now)
{
	static const struct {
		size_t offset, size;
	} fixed[] = {FIXED(gateway), FIXED(socket), FIXED(state), FIXED(prefix),
		FIXED(discovery_prefix), FIXED(pool_group), FIXED(max_memory), FIXED(max_message),
		FIXED(journal_bytes)};
	bool same = true;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		const void *from = (const char *)old + fixed[i].offset;
		void *to = (char *)now + fixed[i].offset;
		same &= memcmp(to, from, fixed[i].size) == 0;
		memcpy(to, from, fixed[i].size);
	}
	return !same;
}

static void take_settings(struct bridge *b)
{
	const struct settings *s = &b->settings;
	struct error err = {0};
	mqtt_requests_set_limits(&b->requests);
	b->edged.poll_ms = s->poll_ms;
	atomic_store(&b->log.level, (int)s->log_level);
	uv_timer_stop(&b->stats);
	if (s->stats_ms) {
		uv_timer_start(&b->stats, stats_on_timer, s->stats_ms, s->stats_ms);
	}
	reload_follow_up(b);
	for (size_t i = 0; i < b->brokers.n; i++) {
		if (!broker_connection_is_leaving(b->brokers.connections[i]) &&
			reload_subscribe_all(b, b->brokers.connections[i], &err) < 0) {
			log_error(&b->log, "%s", err.text);
		}
	}
	if (bridge_apply_brokers(b, &err) < 0) {
		log_error(&b->log, "%s", err.text);
	}
}

static void log_reloaded(struct bridge *b, int r, size_t bad, const struct error *err)
{
	if (r < 0) {
		log_error(
			&b->log, "configuration reloaded; pipelines are unchanged: %s", err->text);
	} else {
		log_notice(&b->log, "configuration read again: %zu pipelines, %zu no good",
			b->pipelines.n, bad);
	}
}

void reload_begin(struct bridge *b)
{
	struct error err = {0};
	size_t bad = 0;
	owned_mem struct settings *now = malloc(sizeof(*now));
	owned_mem struct settings *old = malloc(sizeof(*old));
	service_manager_reloading();
	int r = now && old ? reload_read(b, now, &err) : error_no_memory(&err);
	r = r < 0 ? r : brokers_check(b->state, now, &err);
	if (r < 0) {
		log_error(&b->log, "configuration: %s; all stays as it was", err.text);
	} else {
		*old = b->settings;
		if (restore_fixed(old, now)) {
			log_warning(&b->log,
				"gateway, socket, state, prefix, discovery-prefix, pool-group, max-memory, max-message and kept-bytes stay as they were until a restart");
		}
		b->settings = *now;
		take_settings(b);
		r = pipelines_reload(&b->pipelines, &bad, &err);
		log_reloaded(b, r, bad, &err);
		retained_cleanup_request(
			&b->announce); /* settings and pipelines may have been removed */
	}
	announce_models(&b->announce);
	edged_client_poll(&b->edged);
	bridge_publish_status(b);
}
