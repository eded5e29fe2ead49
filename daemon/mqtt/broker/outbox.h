/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox - what waits to be published to one broker
 *
 * A bounded line, in order. A message stays here until the broker has said that it has it (QoS 1) or
 * until it was handed over (QoS 0), whatever happens to connections. What happens when the line is
 * full says its kind:
 *
 *   OUTBOX_SNAPSHOT  only the last of its topic counts, and the oldest is dropped before anything else
 *   OUTBOX_LAST      only the last message of its topic counts: a newer one takes its place
 *   OUTBOX_RESULT    the oldest is dropped once no snapshot is left to drop
 *   OUTBOX_RESPONSE  of QoS 0 the oldest is dropped once no result is left to drop; of QoS 1 none is
 *
 * An answer of QoS 1 gives way to nothing. So that there is room for it when it comes, it is reserved before the question is
 * asked; what has no answer yet waits in its line. A part is left over for answers that come without a question, as errors.
 */
#ifndef DAEMON_MQTT_OUTBOX_H
#define DAEMON_MQTT_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "daemon/mqtt/kept.h"

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
	char *topic; /* these are one allocation with the message */
	uint8_t *payload;
	size_t size;
	unsigned int qos;
	bool retain;
	const char *content_type; /* a constant, or NULL */
	char status[16], traceparent[64], tensors[256]; /* "": none */
	char id[65]; /* of a response to JSON, or "" */
	uint8_t correlation[OUTBOX_MAX_CORRELATION];
	size_t correlation_bytes;
	uint64_t expires_ns; /* of CLOCK_MONOTONIC; 0: never */
	bool of_spool; /* its record is on disk as well */
	uint64_t record; /* number of that record */
	unsigned int ends; /* connections in a row that ended while it alone was on its way */
	struct kept_note *kept; /* owned; of the request that this answers, or NULL */
	int mid; /* of the library; 0: not handed over */
};

struct outbox {
	struct outbox_message *first, **last;
	size_t n, bytes, max_messages, max_bytes;
	size_t reserved_messages,
		reserved_bytes; /* for answers to come, which nothing else may take */
	size_t in_flight; /* handed over, QoS 1 */
	uint64_t dropped, expired; /* counted since the start */
};

/* Zeroed but for topic, payload and kind. NULL without memory. */
struct outbox_message *outbox_message_new(
	enum outbox_kind kind, const char *topic, const void *payload, size_t size);
void outbox_message_free(struct outbox_message *message); /* NULL is fine */
DEFINE_OWNED(struct outbox_message *, outbox_message_free)

void outbox_init(struct outbox *outbox, size_t max_messages, size_t max_bytes);
void outbox_deinit(struct outbox *outbox);

/* Could it ever hold so many bytes under that topic? */
bool outbox_may_hold(const struct outbox *outbox, const char *topic, size_t size);

/* Would a message be taken now? */
bool outbox_has_room(
	const struct outbox *outbox, enum outbox_kind kind, const char *topic, size_t size);

/* Bytes of the largest answer to a question that there can be room for. */
size_t outbox_largest_answer(const struct outbox *outbox, const char *topic);
/* What a message takes of max_bytes. */
size_t outbox_cost(const char *topic, size_t size);
/* Room for @n answers of @size bytes together is set aside. False: there is none now, however much gives way to them.
 * *ret_bytes, above 0, is for outbox_release(), before an answer is put: for each at least its cost, or for all at once. */
bool must_check outbox_reserve(
	struct outbox *outbox, const char *topic, size_t n, size_t size, size_t *ret_bytes);
void outbox_release(struct outbox *outbox, size_t n, size_t bytes);
/* Could it be, if nothing were set aside? False: what lies there, and waits for the broker, leaves too little. */
bool outbox_could_reserve(const struct outbox *outbox, const char *topic, size_t n, size_t size);

/* Is there a message of that topic, on its way or not? */
bool outbox_has(const struct outbox *outbox, const char *topic);

/* @message is taken. False when it was dropped itself: it alone is above the bound, or all that waits
 * is on its way or more important. The request of an answer is not crossed out then, but put off (kept.h). */
bool outbox_put(struct outbox *outbox, struct outbox_message *message);

/* The first that was not handed over and has ended no connection; results that follow one that has wait behind it, so
 * that they keep their order. Where there is none, the first of all. Those that expired are dropped on the way. NULL: none. */
struct outbox_message *outbox_next(struct outbox *outbox, uint64_t now_ns);

/* @message, of outbox_next(), was handed over under @mid: QoS 0 leaves, QoS 1 waits. */
void outbox_sent(struct outbox *outbox, struct outbox_message *message, int mid);
void outbox_drop(struct outbox *outbox, struct outbox_message *message);
struct outbox_message *outbox_take(struct outbox *outbox, struct outbox_message *message);

/* Takes the message out that was handed over under @mid; NULL: none. */
struct outbox_message *outbox_take_mid(struct outbox *outbox, int mid);
/* Takes the first result out, on its way or not; NULL: none. */
struct outbox_message *outbox_take_result(struct outbox *outbox);

/* What is on its way, if that is one message; else NULL. */
struct outbox_message *outbox_alone(const struct outbox *outbox);

/* Those that are not on their way have ended no connection. */
void outbox_clear_others(struct outbox *outbox);

/* The connection is gone: what was on its way waits again. */
void outbox_rewind(struct outbox *outbox);

#endif
