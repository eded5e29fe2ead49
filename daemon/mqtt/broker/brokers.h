/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brokers - the connections to the brokers of the configuration
 *
 * brokers_apply() starts connections and lets others leave. A connection that leaves unsubscribes,
 * stays until its requests are answered and no more messages come, publishes "stopped" and ends,
 * after drain-timeout at the latest. A client id must be connected once only, and a spool has one
 * user, so a new connection waits until the old one of its name or address has left.
 */
#ifndef DAEMON_MQTT_BROKER_BROKERS_H
#define DAEMON_MQTT_BROKER_BROKERS_H

#include <uv.h>

#include "base/log.h"
#include "daemon/mqtt/broker/broker_connection.h"
#include "daemon/mqtt/config/settings.h"

#define BROKERS_MAX (2 * SETTINGS_MAX_BROKERS) /* old and new connection of each broker */

struct brokers_events {
	struct broker_connection_events conn; /* of each connection; conn->data is brokers.data */
	/* A connection was started: subscribe. */
	int (*on_started)(struct broker_connection *conn, struct error *err);
	/* Returns true if no request of @conn is to be answered. */
	bool (*has_no_requests)(const struct broker_connection *conn);
	/* Everything else was sent: publish "stopped". */
	void (*on_before_disconnect)(struct broker_connection *conn);
	/* @conn has left and is freed afterwards. */
	void (*on_removed)(struct broker_connection *conn);
	/* Some have left: call brokers_apply(). Not called while draining. */
	void (*on_connections_left)(void *data);
	/* All have left, while draining. */
	void (*on_drained)(void *data);
};

struct brokers {
	uv_loop_t *loop;
	const struct log *log;
	const struct settings *settings;
	const char *state; /* path of the state folder; "": none */
	const char *status_topic; /* of the wills */
	const struct brokers_events *events;
	void *data;
	struct broker_connection
		*connections[BROKERS_MAX]; /* owned; includes connections that leave */
	size_t n;
	uint32_t last_number; /* of the newest connection */
	uv_timer_t drain; /* runs while connections leave */
	bool draining; /* the program ends: all leave */
	bool lost_empty; /* a message that empties a retained topic found no room */
};

/* All pointers must outlive *brokers. */
void brokers_init(struct brokers *brokers, uv_loop_t *loop, const struct log *log,
	const struct settings *settings, const char *state, const char *status_topic,
	const struct brokers_events *events, void *data);
/* Closes all connections. */
void brokers_stop(struct brokers *brokers);

/* Returns -EINVAL if a broker of @settings needs a spool and there is no folder @state. */
int must_check brokers_check(const char *state, const struct settings *settings, struct error *err);
/* Starts a connection to every broker of the configuration. Connections to brokers that were removed
 * or changed leave; a changed broker is connected again afterwards. Other connections are not
 * touched. An error of one broker does not stop the others. */
int must_check brokers_apply(struct brokers *brokers, struct error *err);
/* Lets all connections leave. */
void brokers_leave(struct brokers *brokers);

/* Returns NULL if there is no connection of that name. */
struct broker_connection *brokers_find(const struct brokers *brokers, const char *name);
size_t brokers_count_up(const struct brokers *brokers);

/* Publishes to @conn, or to all brokers (NULL). Returns false if a connected broker's outbox was
 * full; conn->unpublished is set there if the topic is retained. */
bool brokers_publish(struct brokers *brokers, struct broker_connection *conn, enum outbox_kind kind,
	bool retain, const char *topic, const void *payload, size_t size);

/* The hash of a payload that was published, but not every outbox took it. */
#define BROKERS_PUBLISH_AGAIN 1
/* Updates *hash after brokers_publish() to @conn (NULL: all): @now, or BROKERS_PUBLISH_AGAIN unless
 * @all. */
void brokers_update_hash(
	const struct broker_connection *conn, bool all, uint64_t now, uint64_t *hash);
/* Retains a payload of hash @now at all brokers unless *hash is @now, or at @conn in any case, and
 * updates *hash. */
void brokers_publish_if_changed(struct brokers *brokers, struct broker_connection *conn,
	const char *topic, const void *payload, size_t size, uint64_t now, uint64_t *hash);

#endif
