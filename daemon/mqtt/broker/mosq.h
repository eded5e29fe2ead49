/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mosq - one connection to a broker; the only user of libmosquitto
 *
 * An object serves one connection: after on_lost it can only be freed. The library queues nothing
 * for later: an unacknowledged publication stays with the caller, who publishes it again on the
 * next connection. Only mosq_connect() blocks. Callbacks are called from mosq_read(), mosq_write()
 * and mosq_misc(); they may publish and subscribe, but not free the object.
 *
 * Packets are queued by the other functions and written by mosq_write() only. The PUBACK of a QoS 1
 * message is therefore sent after on_message() has returned.
 */
#ifndef DAEMON_MQTT_BROKER_MOSQ_H
#define DAEMON_MQTT_BROKER_MOSQ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "daemon/mqtt/config/settings.h"

#define MOSQ_NO_EXPIRY UINT32_MAX
#define MOSQ_REASON_PROTOCOL 132 /* on_connected(): unsupported version */

/* A received message. Absent texts are "". All pointers are valid during the call only. */
struct mosq_message {
	const char *topic;
	const void *payload;
	size_t size;
	unsigned int qos;
	bool retain;
	const char *response_topic, *content_type;
	const void *correlation;
	size_t correlation_bytes;
	uint32_t expiry_s; /* remaining message expiry in s, or MOSQ_NO_EXPIRY */
	const char *priority, *accept, *traceparent, *deadline; /* user properties */
	uint64_t arrived_ns; /* time of arrival, CLOCK_MONOTONIC */
};

/* A message to publish. Absent texts are NULL or "". */
struct mosq_publication {
	const char *topic;
	const void *payload;
	size_t size;
	unsigned int qos;
	bool retain;
	const char *content_type, *status, *tensors, *traceparent;
	const void *correlation;
	size_t correlation_bytes;
	uint32_t expiry_s;
};

struct mosq_events {
	/* CONNACK. @reason: 0, or why the broker refused (MQTT 5 numbers). */
	void (*on_connected)(void *data, int reason);
	/* The connection has ended. Called once. */
	void (*on_lost)(void *data, const char *why);
	void (*on_message)(void *data, const struct mosq_message *message);
	void (*on_published)(void *data, int mid, int reason);
	/* SUBACK. @granted: the highest of its codes; 128 and above is a refusal. */
	void (*on_subscribed)(void *data, int mid, int granted);
	void (*on_unsubscribed)(void *data);
};

struct mosq;

void mosq_library_init(void);

/* Sets up a connection without network traffic. @version: 4 (MQTT 3.1.1) or 5. The will is a
 * retained "offline" on @will_topic. With MQTT 5 the session expires after broker->session_ms.
 * @broker must stay valid until mosq_connect() returns. */
int must_check mosq_new(const struct settings_broker *broker, const char *client_id, int version,
	uint32_t max_packet, const char *will_topic, struct mosq **ret_mosq, struct error *err);
void mosq_free(struct mosq *mosq); /* NULL is fine */
DEFINE_OWNED(struct mosq *, mosq_free)

/* Resolves the name and connects. Blocks, so call it in another thread; a signal ends it with
 * EINTR. Calls no callbacks. */
int must_check mosq_connect(struct mosq *mosq, struct error *err);
/* Calls @events from now on. */
void mosq_listen(struct mosq *mosq, const struct mosq_events *events, void *data);

/* Returns the socket, or -1 if there is none. */
int mosq_fd(const struct mosq *mosq);
bool mosq_wants_write(struct mosq *mosq);

/* Call when poll() reports the socket as readable or writable. May call on_lost(). */
void mosq_read(struct mosq *mosq);
void mosq_write(struct mosq *mosq);
/* Call every second, for keepalive. */
void mosq_misc(struct mosq *mosq);

/* -EFBIG: larger than the broker accepts. -EINVAL: the library rejects the message. -ENOTCONN,
 * -ENOMEM. */
int must_check mosq_publish(struct mosq *mosq, const struct mosq_publication *publication,
	int *ret_mid, struct error *err);
/* The broker is asked to send no retained messages, which MQTT 3.1.1 cannot express. */
int must_check mosq_subscribe(
	struct mosq *mosq, const char *filter, unsigned int qos, int *ret_mid, struct error *err);
int must_check mosq_unsubscribe(struct mosq *mosq, const char *filter, struct error *err);

/* Sends DISCONNECT. The broker drops the will and ends the session. */
void mosq_disconnect(struct mosq *mosq);

#endif
