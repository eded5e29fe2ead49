/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration at work: read, listened for, and read again without losing a connection. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bus.h"
#include "daemon/mqtt/bridge.h"

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

/* Its own last words too: those of an earlier life are taken back. */
static int subscribe_pipelines(struct bridge *b, struct link *link, struct error *err)
{
	static const char *const leaves[] = {"in", "set", "last"};
	char filter[TOPICS_MAX];
	int r = 0;
	for (size_t i = 0; i < 3 && r == 0; i++) {
		if (i != 1 || b->settings.commands[0]) {
			pipes_topic(&b->pipes, "+", leaves[i], "+", filter);
			r = i == 2 ? link_subscribe_own(link, filter, err)
				   : link_subscribe(link, filter, 1, err);
		}
	}
	return r;
}

/* The last word has the first of those with the same topic, as for what comes, and before all of them what is not of
 * a route. */
static int subscribe_routes(const struct settings *s, struct link *link, struct error *err)
{
	int r = 0;
	for (size_t i = s->n_routes; i-- > 0 && r == 0;) {
		r = link_subscribe(link, s->routes[i].topic, (unsigned int)s->routes[i].qos, err);
	}
	return r;
}

int reload_subscribe(struct bridge *b, struct link *link, struct error *err)
{
	char filter[TOPICS_MAX];
	const struct settings *s = &b->settings;
	int r = subscribe_routes(s, link, err);
	snprintf(filter, sizeof(filter), "%s/%s/+/infer", s->prefix, s->gateway);
	r = r < 0 ? r : link_subscribe(link, filter, 1, err);
	snprintf(filter, sizeof(filter), "%s/%s/+/set/+", s->prefix, s->gateway);
	r = r < 0 || !s->commands[0] ? r : link_subscribe(link, filter, 1, err);
	snprintf(filter, sizeof(filter), "%s/status", s->discovery_prefix);
	r = r < 0 || !link->settings->discovery ? r : link_subscribe(link, filter, 0, err);
	if (strcmp(s->pipelines, "none") != 0) {
		r = r < 0 ? r : subscribe_pipelines(b, link, err);
	}
	return r;
}

static void unsubscribe_unless_it_stays(struct bridge *b, const char *topic)
{
	bool stays = false;
	for (size_t k = 0; k < b->settings.n_routes; k++) {
		stays |= strcmp(b->settings.routes[k].topic, topic) == 0;
	}
	for (size_t k = 0; k < b->n_links && !stays; k++) {
		link_unsubscribe(b->links[k], topic);
	}
}

/* Filters of routes that are no more. */
static void unsubscribe_routes(struct bridge *b, const struct settings *old)
{
	for (size_t i = 0; i < old->n_routes; i++) {
		unsubscribe_unless_it_stays(b, old->routes[i].topic);
	}
}

/* ---- what a later life needs to know */

#define NOTE_PATH_SIZE (CONFIG_PATH_SIZE + 16)

/* False without a runtime folder. */
static bool note_path(const char *name, char out[NOTE_PATH_SIZE])
{
	const char *folder = getenv("RUNTIME_DIRECTORY");
	int n = folder ? snprintf(out, NOTE_PATH_SIZE, "%s/%s", folder, name) : -1;
	return n > 0 && n < NOTE_PATH_SIZE;
}

/* A topic a line. */
static void unsubscribe_noted(struct bridge *b)
{
	char path[NOTE_PATH_SIZE], topic[SETTINGS_TOPIC_SIZE + 1];
	FILE *file = note_path("routes", path) ? fopen(path, "re") : NULL;
	while (file && fgets(topic, sizeof(topic), file)) {
		topic[strcspn(topic, "\n")] = 0;
		if (topics_is_filter(topic)) {
			unsubscribe_unless_it_stays(b, topic);
		}
	}
	if (file) {
		fclose(file);
	}
}

static void note_routes(struct bridge *b)
{
	char path[NOTE_PATH_SIZE], new[NOTE_PATH_SIZE];
	if (!note_path("routes", path) || !note_path("routes.new", new)) {
		return;
	}
	FILE *file = fopen(new, "we");
	for (size_t i = 0; file && i < b->settings.n_routes; i++) {
		fprintf(file, "%s\n", b->settings.routes[i].topic);
	}
	bool ok = file && fflush(file) == 0;
	if (file) {
		fclose(file);
	}
	if (!ok || rename(new, path) < 0) {
		log_warning(&b->log, "%s: %s", path, strerror(errno));
	}
}

void reload_follow_up(struct bridge *b)
{
	unsubscribe_noted(b);
	note_routes(b);
}

#define FIXED(member)                                                                              \
	{                                                                                          \
		offsetof(struct settings, member), sizeof(((struct settings *)0)->member)          \
	}

/* What can only be taken at a start stays as it was. True when something of that would change. */
static bool keep_fixed(const struct settings *old, struct settings *now)
{
	static const struct {
		size_t offset, size;
	} fixed[] = {FIXED(gateway), FIXED(socket), FIXED(state), FIXED(prefix),
		FIXED(discovery_prefix), FIXED(pool_group), FIXED(max_memory), FIXED(max_message),
		FIXED(kept_bytes)};
	bool same = true;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		const void *from = (const char *)old + fixed[i].offset;
		void *to = (char *)now + fixed[i].offset;
		same &= memcmp(to, from, fixed[i].size) == 0;
		memcpy(to, from, fixed[i].size);
	}
	return !same;
}

static void take_settings(struct bridge *b, const struct settings *old)
{
	const struct settings *s = &b->settings;
	struct error err = {0};
	b->asks.max = s->queue_length;
	b->asks.max_bytes = s->queue_bytes;
	b->asks.max_work_bytes = settings_work_bytes(s);
	b->decoder.memory_bytes = s->decode_memory;
	b->decoder.timeout_ms = s->decode_timeout_ms;
	b->service.poll_ms = s->poll_ms;
	atomic_store(&b->log.level, (int)s->log_level);
	uv_timer_stop(&b->stats);
	if (s->stats_ms) {
		uv_timer_start(&b->stats, announce_on_stats, s->stats_ms, s->stats_ms);
	}
	unsubscribe_routes(b, old);
	note_routes(b);
	for (size_t i = 0; i < b->n_links; i++) {
		if (!b->links[i]->leave_by_ns && reload_subscribe(b, b->links[i], &err) < 0) {
			log_error(&b->log, "%s", err.text);
		}
	}
	if (brokers_follow(b, &err) < 0) {
		log_error(&b->log, "%s", err.text);
	}
}

static void say_reloaded(struct bridge *b, int r, size_t bad, const struct error *err)
{
	if (r < 0) {
		log_error(
			&b->log, "configuration taken; pipelines stay as they were: %s", err->text);
	} else {
		log_notice(&b->log, "configuration read again: %zu pipelines, %zu no good",
			b->pipes.n, bad);
	}
}

void reload_begin(struct bridge *b)
{
	struct error err = {0};
	size_t bad = 0;
	owned_mem struct settings *now = malloc(sizeof(*now));
	owned_mem struct settings *old = malloc(sizeof(*old));
	bus_reloading();
	int r = now && old ? reload_read(b, now, &err) : error_no_memory(&err);
	r = r < 0 ? r : brokers_check(b, now, &err);
	if (r < 0) {
		log_error(&b->log, "configuration: %s; all stays as it was", err.text);
	} else {
		*old = b->settings;
		if (keep_fixed(old, now)) {
			log_warning(&b->log,
				"gateway, socket, state, prefix, discovery-prefix, pool-group, max-memory, max-message and kept-bytes stay as they were until a restart");
		}
		b->settings = *now;
		take_settings(b, old);
		r = pipes_reload(&b->pipes, &bad, &err);
		say_reloaded(b, r, bad, &err);
		leftover_owe(b); /* what is set and told of may be less now */
	}
	announce_models(b);
	service_poll(&b->service);
	bridge_say_status(b);
}
