/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox - messages that wait to be published to one broker
 *
 * A bounded queue in order. A QoS 1 message stays until its PUBACK, a QoS 0 message until it was
 * handed to the library, across connections. When the queue is full, the kind of a message decides
 * what is dropped:
 *
 *   OUTBOX_SNAPSHOT  a newer one of its topic replaces it; dropped before all others
 *   OUTBOX_LAST      a newer one of its topic replaces it; not dropped otherwise
 *   OUTBOX_RESULT    the oldest is dropped once there is no snapshot left
 *   OUTBOX_RESPONSE  with QoS 0 the oldest is dropped once there is no result left;
 *                    with QoS 1 none is dropped
 *
 * So that a QoS 1 response finds room, room for it is reserved before the request runs. Requests
 * without a reserve wait in the request queue. Reserves leave a part of the outbox free for error
 * responses, which need no reserve.
 */
#ifndef DAEMON_MQTT_BROKER_OUTBOX_H
#define DAEMON_MQTT_BROKER_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "daemon/mqtt/broker/journal.h"

enum outbox_kind {
	OUTBOX_LAST,
	OUTBOX_SNAPSHOT,
	OUTBOX_RESULT,
	OUTBOX_RESPONSE
};

#define OUTBOX_MAX_CORRELATION 64

struct outbox_message {
	struct outbox_message *next;
	enum outbox_kind kind;
	char *topic; /* topic and payload are in the message's own allocation */
	uint8_t *payload;
	size_t size;
	unsigned int qos;
	bool retain;
	const char *content_type; /* static string, or NULL */
	char status[16], traceparent[64], tensors[256]; /* "": absent */
	char id[65]; /* "id" of a JSON request that this answers, or "" */
	uint8_t correlation[OUTBOX_MAX_CORRELATION];
	size_t correlation_bytes;
	uint64_t expires_ns; /* CLOCK_MONOTONIC; 0: never */
	bool of_spool; /* the message is also a record of the spool */
	uint64_t record; /* number of the spool's record */
	struct journal_entry *journal; /* owned; journal entry of the answered request, or NULL */
	int mid; /* message id of the library; 0: not in flight */
};

struct outbox {
	struct outbox_message *first, **last;
	size_t n, bytes, max_messages, max_bytes;
	size_t reserved_messages, reserved_bytes; /* room for responses to come */
	size_t in_flight; /* QoS 1 messages without a PUBACK */
	uint64_t dropped, expired; /* since the start */
};

/* Copies topic and payload; all other fields are 0. Returns NULL without memory. */
struct outbox_message *outbox_message_new(
	enum outbox_kind kind, const char *topic, const void *payload, size_t size);
void outbox_message_free(struct outbox_message *message); /* NULL is fine */
DEFINE_OWNED(struct outbox_message *, outbox_message_free)

void outbox_init(struct outbox *outbox, size_t max_messages, size_t max_bytes);
void outbox_deinit(struct outbox *outbox);

/* Returns true if an empty outbox could hold the message. */
bool outbox_may_hold(const struct outbox *outbox, const char *topic, size_t size);

/* Returns true if outbox_put() would take the message now. */
bool outbox_has_room(
	const struct outbox *outbox, enum outbox_kind kind, const char *topic, size_t size);

/* Returns the payload size of the largest response that a reserve can hold. */
size_t outbox_largest_response(const struct outbox *outbox, const char *topic);
/* Returns the bytes that a message counts against max_bytes. */
size_t outbox_cost(const char *topic, size_t size);
/* Reserves room for @n responses with payloads of @size bytes in total. Drops messages that may be
 * dropped for them. Returns false if there is no room now. *ret_bytes is above 0; pass it to
 * outbox_release() before the responses are put, in total or in parts. */
bool must_check outbox_reserve(
	struct outbox *outbox, const char *topic, size_t n, size_t size, size_t *ret_bytes);
void outbox_release(struct outbox *outbox, size_t n, size_t bytes);
/* Returns true if outbox_reserve() would succeed without any other reserve. False: queued messages
 * take too much room. */
bool outbox_could_reserve(const struct outbox *outbox, const char *topic, size_t n, size_t size);

/* Returns true if a message of @topic is queued or in flight. */
bool outbox_has(const struct outbox *outbox, const char *topic);

/* Takes @message. Returns false if it was dropped for lack of room. The request of a dropped
 * response stays in the journal and is run again (journal.h). */
bool outbox_put(struct outbox *outbox, struct outbox_message *message);

/* Returns the first message that is not in flight; NULL: none. Drops expired messages. */
struct outbox_message *outbox_next(struct outbox *outbox, uint64_t now_ns);

/* Marks @message of outbox_next() as handed to the library as @mid. Frees it if its QoS is 0. */
void outbox_sent(struct outbox *outbox, struct outbox_message *message, int mid);
void outbox_drop(struct outbox *outbox, struct outbox_message *message);
struct outbox_message *outbox_take(struct outbox *outbox, struct outbox_message *message);

/* Removes and returns the message in flight with @mid; NULL: none. */
struct outbox_message *outbox_take_mid(struct outbox *outbox, int mid);
/* Removes and returns the first result, in flight or not; NULL: none. */
struct outbox_message *outbox_take_result(struct outbox *outbox);

/* Call when the connection has ended: marks all messages as not in flight. */
void outbox_rewind(struct outbox *outbox);

#endif
