/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mosq - one connection to a broker: the door of libmosquitto
 *
 * An object is good for one connection: after on_lost it is only freed. Nothing is kept in the
 * library: what is published belongs to the caller until on_published, and is published again by
 * him on the next connection. All but mosq_connect() never wait. Callbacks come from within mosq_read(),
 * mosq_write() and mosq_misc(); they may publish and subscribe, and must not free.
 *
 * Nothing is written but by mosq_write(): so the broker is told that we have a message of QoS 1 after
 * on_message() has returned, not before.
 */
#ifndef DAEMON_MQTT_MOSQ_H
#define DAEMON_MQTT_MOSQ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "daemon/mqtt/settings.h"

#define MOSQ_NO_EXPIRY UINT32_MAX
#define MOSQ_REASON_PROTOCOL 132 /* of on_connected: another version of MQTT is wanted */

/* What came. Texts are "" where the message has none, and end with the call. */
struct mosq_message {
	const char *topic;
	const void *payload;
	size_t size;
	unsigned int qos;
	bool retain;
	const char *response_topic, *content_type;
	const void *correlation;
	size_t correlation_bytes;
	uint32_t expiry_s; /* what is left, MOSQ_NO_EXPIRY */
	const char *priority, *accept, *traceparent, *deadline; /* user properties */
	uint64_t came_ns; /* CLOCK_MONOTONIC */
};

/* What goes. Texts may be NULL. */
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
	/* 0: the broker took us; else its reason (MQTT 5 numbers). */
	void (*on_connected)(void *data, int reason);
	/* @reason: of the broker's DISCONNECT (MQTT 5), or 0. Once. */
	void (*on_lost)(void *data, int reason, const char *why);
	void (*on_message)(void *data, const struct mosq_message *message);
	void (*on_published)(void *data, int mid, int reason);
	/* @granted: the worst of the codes; 128 and above is a refusal. */
	void (*on_subscribed)(void *data, int mid, int granted);
	void (*on_unsubscribed)(void *data);
};

struct mosq;

void mosq_library_init(void);

/* @version: 4 or 5. The will is @will_topic with "offline", retained; NULL: there is none, and 3.1.1 leaves what the broker keeps
 * for us too, which else it has forgotten. No network yet. @broker outlives
 * mosq_connect(). With MQTT 5 the broker keeps what is on its way here for as long as settings say. */
int must_check mosq_new(const struct settings_broker *broker, const char *client_id, int version,
	uint32_t max_packet, const char *will_topic, struct mosq **ret_mosq, struct error *err);
void mosq_free(struct mosq *mosq); /* NULL is fine */
DEFINE_OWNED(struct mosq *, mosq_free)

/* Looks up the name and connects: waits, so it is for another thread. EINTR ends it. Nobody is told. */
int must_check mosq_connect(struct mosq *mosq, struct error *err);
/* From now on @events are. */
void mosq_listen(struct mosq *mosq, const struct mosq_events *events, void *data);

/* -1 when there is none. */
int mosq_fd(const struct mosq *mosq);
bool mosq_wants_write(struct mosq *mosq);

/* What poll() said; afterwards on_lost may have been called. */
void mosq_read(struct mosq *mosq);
void mosq_write(struct mosq *mosq);
/* Every second. */
void mosq_misc(struct mosq *mosq);

/* -EFBIG for what the broker said that it does not take, -EINVAL for what the library takes from nobody, -ENOTCONN, -ENOMEM. */
int must_check mosq_publish(struct mosq *mosq, const struct mosq_publication *publication,
	int *ret_mid, struct error *err);
/* Nothing that is retained comes, as far as the version can say so. With @own that alone does, and not what
 * this connection publishes. */
int must_check mosq_subscribe(struct mosq *mosq, const char *filter, unsigned int qos, bool own,
	int *ret_mid, struct error *err);
int must_check mosq_unsubscribe(struct mosq *mosq, const char *filter, struct error *err);

/* Says goodbye; the will is not sent, nothing is kept for us. */
void mosq_disconnect(struct mosq *mosq);

#endif
