/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broker_connection - the connection to one broker: connecting, subscriptions, outbox and spool
 *
 * Connecting (name lookup, TCP and TLS) runs in a worker thread, which owns the mosq meanwhile. A
 * connection without a CONNACK within connect-timeout is closed. The delay before the next attempt
 * is a random part of a time that doubles with each failure, and is reset after a connection of 30
 * seconds.
 *
 * A connection is allocated on the heap and copies its options, so that the configuration may change. It
 * is freed after broker_connection_stop(), once the loop has closed its handles.
 *
 * All messages go through the outbox, which survives connections. With a spool, results go to disk
 * while the broker is away, and until the spool is empty, so that they stay in order.
 *
 * With protocol = auto the first attempt speaks MQTT 5. The next one speaks MQTT 3.1.1 if the
 * broker refuses the version, or has closed SILENT_MAX attempts without a CONNACK. After a
 * connection with MQTT 3.1.1, or an attempt, MQTT 5 is tried once more.
 */
#ifndef DAEMON_MQTT_BROKER_BROKER_CONNECTION_H
#define DAEMON_MQTT_BROKER_BROKER_CONNECTION_H

#include <uv.h>

#include "base/log.h"
#include "daemon/mqtt/broker/log_ratelimit.h"
#include "daemon/mqtt/broker/mosq.h"
#include "daemon/mqtt/broker/outbox.h"
#include "daemon/mqtt/broker/spool.h"
#include "daemon/mqtt/text/topics.h"

#define BROKER_CONNECTION_MAX_SUBSCRIPTIONS 384

/*
 *   WAITING -> CONNECTING -> GREETING -> UP
 *      ^           |            |        |      any of them -> CLOSED
 *      +--- LOST <-+------------+--------+
 */
enum broker_connection_state {
	BROKER_CONNECTION_WAITING, /* until the next attempt */
	BROKER_CONNECTION_CONNECTING, /* in the worker thread */
	BROKER_CONNECTION_GREETING, /* waiting for the CONNACK */
	BROKER_CONNECTION_UP,
	BROKER_CONNECTION_LOST, /* the connection has ended; its mosq is freed in this turn of the loop */
	BROKER_CONNECTION_CLOSED, /* by broker_connection_stop() */
};

struct discovery;
struct broker_connection;
struct broker_connection_socket;
struct broker_connection_attempt;

struct broker_connection_events {
	void (*on_up)(struct broker_connection *conn);
	void (*on_down)(struct broker_connection *conn);
	void (*on_message)(struct broker_connection *conn, const struct mosq_message *message);
	/* The outbox may have room again while requests wait for it. */
	void (*on_outbox_space)(struct broker_connection *conn);
	/* @message cannot be sent on this connection and is freed afterwards. @too_large: it is
	 * above the size that the broker accepts. */
	void (*on_unsendable)(
		struct broker_connection *conn, struct outbox_message *message, bool too_large);
	/* A retained message with content is about to be sent. */
	void (*on_before_retain)(struct broker_connection *conn, const char *topic);
	/* The broker has acknowledged an empty retained message, and no other one of its topic
	 * waits. */
	void (*on_retained_cleared)(struct broker_connection *conn, const char *topic);
};

struct broker_connection_subscription {
	char *filter; /* owned */
	unsigned int qos;
	int mid; /* message id of the SUBSCRIBE; 0: not sent on this connection */
	bool sent; /* was sent on some connection */
	bool refused;
	/* to be unsubscribed on the next connection, because the broker may keep it in the
	 * session */
	bool gone;
};

/* Subscriptions of this connection and of later ones. */
struct broker_connection_subscriptions {
	struct broker_connection_subscription items[BROKER_CONNECTION_MAX_SUBSCRIPTIONS];
	size_t n;
	size_t unsubscribing; /* UNSUBACKs to come */
};

/* What is known for the next attempt. */
struct broker_connection_retry {
	int version; /* MQTT version: 4 or 5 */
	int reason; /* reason of the last refusing CONNACK; 0: none came */
	unsigned int n_silent; /* MQTT 5 attempts in a row that ended without a CONNACK */
	uint64_t backoff_ms; /* upper limit of the last wait; 0: there was none */
	char lost[160]; /* why the last connection has ended */
	char logged[160]; /* last logged reason of a failure; "" once connected */
};

/* A pause in reading (request_serve.c). */
struct broker_connection_pause {
	bool active; /* nothing is read from the socket */
	uint64_t until_ns; /* CLOCK_MONOTONIC at which reading goes on at the latest */
	uint64_t not_before_ns; /* CLOCK_MONOTONIC before which no other pause begins */
};

struct broker_connection_handles {
	uv_timer_t timer; /* next attempt, or timeout of the current one */
	uv_timer_t second;
	uv_prepare_t prepare;
	unsigned int references; /* open handles and the sync; the last one frees the connection */
};

/* An fsync of the spool in the worker thread. */
struct broker_connection_sync {
	uv_work_t work;
	int fds[SPOOL_MAX_FDS];
	size_t n_fds;
	bool running;
};

struct broker_connection_counts {
	uint64_t lost, received, sent, refused_subscriptions, too_large,
		denied, /* PUBACKs with a code of 128 and above */
		spooled, replayed;
};

/* The Home Assistant message at this broker (home_assistant.c). */
struct broker_connection_home {
	struct discovery *announced; /* owned; last announced components; NULL: none */
	uint64_t hash; /* of the last message; 0: send it again */
	bool removes_components; /* the last message removes components */
	bool remove_device; /* from Home Assistant, once everything else was sent */
};

/* Options of one connection; the worker thread has a copy. */
struct broker_connection_options {
	struct settings_broker broker;
	char client_id[SETTINGS_TOPIC_SIZE], will_topic[TOPIC_SIZE];
	uint32_t max_packet;
};

struct broker_connection {
	uint32_t number; /* unique in the process; set by the caller of broker_connection_start() */
	uv_loop_t *loop;
	const struct log *log;
	struct broker_connection_options options;
	const struct settings_broker *settings; /* = &options.broker */
	const struct broker_connection_events *events;
	void *data;

	enum broker_connection_state state; /* changed by broker_connection.c only */
	struct broker_connection_retry retry;
	uint64_t up_since_ns; /* CLOCK_MONOTONIC of the CONNACK; 0: this attempt was not accepted */
	struct mosq *mosq; /* NULL: WAITING, CONNECTING or CLOSED */
	struct broker_connection_attempt *attempt; /* NULL: not CONNECTING */
	struct broker_connection_socket *socket; /* NULL: nothing was sent on this connection */
	struct broker_connection_pause pause;
	uint64_t heard_ns; /* CLOCK_MONOTONIC of the last received message */
	/* CLOCK_MONOTONIC at which a leaving connection is closed at the latest; 0: it stays */
	uint64_t leave_by_ns;
	bool stopped_published; /* a leaving connection has published "stopped" */
	struct broker_connection_handles handles;
	struct outbox outbox;
	bool full; /* requests wait for outbox room (request/outbox_reserve.c) */
	bool full_for_errors; /* the outbox has no room even for an error response */
	bool stuck; /* the outbox had no room for a response at the last outbox_reserve_update_stuck() */
	bool unpublished; /* a retained message found no room; see announce_unpublished() */
	struct spool *spool; /* NULL: none */
	struct broker_connection_sync sync;
	struct broker_connection_subscriptions subscriptions;
	struct broker_connection_home home;
	struct broker_connection_counts counts;
	struct log_ratelimit denied; /* log rate limit of refused messages */
};

/* True once the connection has been told to close after what it still has to send. */
static inline bool broker_connection_is_leaving(const struct broker_connection *conn)
{
	return conn->leave_by_ns != 0;
}

/* Starts the first attempt. @spool_folder: NULL for no spool. Release with broker_connection_stop(). */
int must_check broker_connection_start(uv_loop_t *loop, const struct log *log,
	const struct broker_connection_options *options, const char *spool_folder,
	const struct broker_connection_events *events, void *data,
	struct broker_connection **ret_conn, struct error *err);

/* Sends DISCONNECT, closes the spool and the handles. The connection frees itself in the loop's turns. */
void broker_connection_stop(struct broker_connection *conn);

/* Sends or spools @message, and takes it. Returns false if the outbox dropped it. */
bool broker_connection_publish(struct broker_connection *conn, struct outbox_message *message);

/* Subscribes on this connection, if there is no subscription of this QoS, and on later ones.
 * -ENOSPC above BROKER_CONNECTION_MAX_SUBSCRIPTIONS. */
int must_check broker_connection_subscribe(
	struct broker_connection *conn, const char *filter, unsigned int qos, struct error *err);
/* Unsubscribes now or on the next connection. @filter need not be subscribed: the session of an
 * earlier run may have it. */
void broker_connection_unsubscribe(struct broker_connection *conn, const char *filter);
bool broker_connection_is_subscribed(const struct broker_connection *conn, const char *filter);

/* Returns true if disconnected, or if outbox, spool and the library's queue are empty and all
 * UNSUBACKs have come. */
bool broker_connection_is_flushed(const struct broker_connection *conn);

/* ---- broker_connection_send.c, for broker_connection.c */

/* Writes packets that the library has queued, such as acknowledgements. */
void broker_connection_flush(struct broker_connection *conn);
/* Hands messages of the outbox to the library, up to in-flight QoS 1 messages at once. */
void broker_connection_pump(struct broker_connection *conn);
/* Call when a connection has ended. Moves all results of the outbox to the spool, if there is one,
 * and marks other messages as not sent. */
void broker_connection_put_back(struct broker_connection *conn);
/* Logs how many records the spool has lost since spool_dropped() was @before. */
void broker_connection_log_missing(const struct broker_connection *conn, uint64_t before);
/* Syncs new spool data to disk in a worker thread. */
void broker_connection_sync(struct broker_connection *conn);
/* Drops one reference of conn->handles.references. The last one frees @conn. */
void broker_connection_release(struct broker_connection *conn);
/* Callback of struct mosq_events. */
void broker_connection_on_published(void *data, int mid, int reason);

/* ---- broker_connection_subscribe.c, for broker_connection.c */

/* Sends all subscriptions on a new connection. */
void broker_connection_subscribe_all(struct broker_connection *conn);
/* Sends subscriptions again that were refused or could not be sent. */
void broker_connection_subscribe_again(struct broker_connection *conn);
/* Call when a connection has ended. */
void broker_connection_subscriptions_lost(struct broker_connection *conn);
/* Callbacks of struct mosq_events. */
void broker_connection_on_subscribed(void *data, int mid, int granted);
void broker_connection_on_unsubscribed(void *data);

#endif
