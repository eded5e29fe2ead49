/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/broker/brokers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

#define DRAIN_TURN_MS 20
/* Without a message for so long, a broker is taken to have sent all queued messages. */
#define QUIET_NS (300 * NSEC_PER_MSEC)
#define PACKET_ROOM 4096 /* bytes of a packet besides topic and payload */

void brokers_init(struct brokers *brokers, uv_loop_t *loop, const struct log *log,
	const struct settings *settings, const char *state, const char *status_topic,
	const struct brokers_events *events, void *data)
{
	*brokers = (struct brokers){.loop = loop,
		.log = log,
		.settings = settings,
		.state = state,
		.status_topic = status_topic,
		.events = events,
		.data = data};
	uv_timer_init(loop, &brokers->drain);
	brokers->drain.data = brokers;
}

void brokers_stop(struct brokers *brokers)
{
	uv_close((uv_handle_t *)&brokers->drain, NULL);
	while (brokers->n > 0) {
		broker_connection_stop(brokers->connections[--brokers->n]);
	}
}

struct broker_connection *brokers_find(const struct brokers *brokers, const char *name)
{
	for (size_t i = 0; i < brokers->n; i++) {
		if (strcmp(brokers->connections[i]->settings->name, name) == 0) {
			return brokers->connections[i];
		}
	}
	return NULL;
}

size_t brokers_count_up(const struct brokers *brokers)
{
	size_t up = 0;
	for (size_t i = 0; i < brokers->n; i++) {
		up += brokers->connections[i]->state == BROKER_CONNECTION_UP;
	}
	return up;
}

/* ---- publishing */

/* Returns true for a connected broker. Others get all retained topics when they connect. */
static bool is_to_know(const struct broker_connection *conn)
{
	return conn->state == BROKER_CONNECTION_UP && !broker_connection_is_leaving(conn);
}

bool brokers_publish(struct brokers *brokers, struct broker_connection *conn, enum outbox_kind kind,
	bool retain, const char *topic, const void *payload, size_t size)
{
	bool all = true;
	for (size_t i = 0; i < brokers->n; i++) {
		struct broker_connection *to = brokers->connections[i];
		if (conn && conn != to) {
			continue;
		}
		struct outbox_message *m = outbox_message_new(kind, topic, payload, size);
		if (m) {
			m->qos = 1;
			m->retain = retain;
		}
		bool taken = m && broker_connection_publish(to, m);
		brokers->lost_empty |= retain && size == 0 && !taken; /* also while it is away */
		if (!taken && is_to_know(to) && outbox_may_hold(&to->outbox, topic, size)) {
			to->unpublished |= retain;
			all = false;
		}
	}
	return all;
}

void brokers_update_hash(
	const struct broker_connection *conn, bool all, uint64_t now, uint64_t *hash)
{
	if (!all) {
		*hash = BROKERS_PUBLISH_AGAIN;
	} else if (!conn || *hash != BROKERS_PUBLISH_AGAIN) { /* that may be for another broker */
		*hash = now;
	}
}

void brokers_publish_if_changed(struct brokers *brokers, struct broker_connection *conn,
	const char *topic, const void *payload, size_t size, uint64_t now, uint64_t *hash)
{
	if (conn || *hash != now) {
		bool all = brokers_publish(brokers, conn, OUTBOX_LAST, true, topic, payload, size);
		brokers_update_hash(conn, all, now, hash);
	}
}

/* ---- starting */

static int begin(struct brokers *b, const struct settings_broker *broker, struct error *err)
{
	char folder[CONFIG_PATH_SIZE + SETTINGS_NAME_SIZE + 8];
	struct broker_connection_options options = {
		.broker = *broker, .max_packet = (uint32_t)b->settings->max_message + PACKET_ROOM};
	snprintf(options.will_topic, sizeof(options.will_topic), "%s", b->status_topic);
	settings_write_client_id(b->settings, broker, options.client_id);
	snprintf(folder, sizeof(folder), "%s/spool-%s", b->state, broker->name);
	struct broker_connection **slot = &b->connections[b->n];
	int r = broker_connection_start(b->loop, b->log, &options, b->state[0] ? folder : NULL,
		&b->events->conn, b->data, slot, err);
	if (r < 0) {
		return r;
	}
	b->n++;
	(*slot)->number = ++b->last_number;
	return b->events->on_started(*slot, err);
}

/* Returns why @folder cannot be used; NULL: it can. */
static const char *why_no_folder(const char *folder)
{
	struct stat st;
	int code = stat(folder, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	return code ? strerror(code) : NULL;
}

int brokers_check(const char *state, const struct settings *s, struct error *err)
{
	for (size_t i = 0; i < s->n_brokers; i++) {
		const struct settings_broker *broker = &s->brokers[i];
		char location[SETTINGS_LOCATION_SIZE];
		settings_write_location(s, "broker", broker->locations, "spool", location);
		if (broker->spool_bytes && !state[0]) {
			return error_set(err, -EINVAL, "%s[broker %s]: spool needs a state folder",
				location, broker->name);
		}
		const char *why = broker->spool_bytes ? why_no_folder(state) : NULL;
		if (why) {
			return error_set(err, -EINVAL,
				"%s[broker %s]: spool needs the folder of [bridge] state, %s: %s",
				location, broker->name, state, why);
		}
	}
	return 0;
}

/* ---- leaving */

static void on_drain(uv_timer_t *timer);

static void leave(struct brokers *b, struct broker_connection *conn)
{
	conn->heard_ns = clock_now_ns();
	conn->leave_by_ns = conn->heard_ns + b->settings->drain_timeout_ms * NSEC_PER_MSEC;
	while (conn->subscriptions.n > 0) {
		broker_connection_unsubscribe(conn, conn->subscriptions.items[0].filter);
	}
	uv_timer_start(&b->drain, on_drain, DRAIN_TURN_MS, DRAIN_TURN_MS);
}

/* A broker still sends queued messages after the UNSUBACK. So the connection stays until all
 * requests are answered and no more messages come; then "stopped" is published, and closing waits
 * until it was sent. */
static bool may_stop(const struct brokers *b, struct broker_connection *conn)
{
	bool late = clock_now_ns() >= conn->leave_by_ns;
	bool done = b->events->has_no_requests(conn) && broker_connection_is_flushed(conn) &&
		clock_now_ns() - conn->heard_ns > QUIET_NS;
	if (!late && !done) {
		return false;
	}
	if (conn->stopped_published) {
		return true;
	}
	b->events->on_before_disconnect(conn);
	conn->stopped_published = true;
	return late;
}

static void forget(struct brokers *b, size_t at)
{
	struct broker_connection *conn = b->connections[at];
	b->connections[at] = b->connections[--b->n];
	b->events->on_removed(conn);
	log_info(b->log, "broker %s: left", conn->settings->name);
	broker_connection_stop(conn);
}

static void on_drain(uv_timer_t *timer)
{
	struct brokers *b = timer->data;
	size_t n_leaving = 0, n_gone = 0;
	for (size_t i = b->n; i-- > 0;) {
		bool leaves = broker_connection_is_leaving(b->connections[i]);
		bool may = leaves && may_stop(b, b->connections[i]);
		n_leaving += leaves && !may;
		if (may && !b->draining) {
			forget(b, i);
			n_gone++;
		}
	}
	if (n_leaving == 0) {
		uv_timer_stop(timer);
	}
	if (b->draining && n_leaving == 0) {
		b->events->on_drained(b->data);
	} else if (n_gone > 0) {
		b->events->on_connections_left(b->data);
	}
}

void brokers_leave(struct brokers *b)
{
	for (size_t i = 0; i < b->n; i++) {
		leave(b, b->connections[i]);
	}
	b->draining = true;
	uv_timer_start(&b->drain, on_drain, DRAIN_TURN_MS, DRAIN_TURN_MS);
}

/* ---- following the configuration */

static const struct settings_broker *find_broker(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->n_brokers; i++) {
		if (strcmp(s->brokers[i].name, name) == 0) {
			return &s->brokers[i];
		}
	}
	return NULL;
}

static bool is_taken(const struct brokers *b, const struct settings_broker *broker)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct settings_broker *other = b->connections[i]->settings;
		bool leaves = broker_connection_is_leaving(b->connections[i]);
		if (strcmp(other->name, broker->name) == 0 ||
			(leaves && strcmp(other->address, broker->address) == 0)) {
			return true;
		}
	}
	return false;
}

int brokers_apply(struct brokers *b, struct error *err)
{
	const struct settings *s = b->settings;
	int r = 0;
	if (b->draining) {
		return 0;
	}
	for (size_t i = 0; i < b->n; i++) {
		struct broker_connection *conn = b->connections[i];
		const struct settings_broker *now = find_broker(s, conn->settings->name);
		if (!broker_connection_is_leaving(conn) &&
			(!now || !settings_same_broker(now, conn->settings))) {
			conn->home.remove_device = now && !now->discovery;
			leave(b, conn);
		}
	}
	for (size_t i = 0; i < s->n_brokers; i++) {
		if (!is_taken(b, &s->brokers[i]) && b->n < BROKERS_MAX) {
			int one = begin(b, &s->brokers[i], err);
			r = one < 0 ? one : r;
		}
	}
	return r;
}
