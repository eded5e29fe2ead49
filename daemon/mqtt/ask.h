/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask - one request that came over MQTT, and the line in which requests wait
 *
 * The line is bounded by number and bytes, of what came. What becomes of that, from being decoded to the answer, has
 * memory of its own: requests whose turn is later wait as they came. Higher priorities come first, older ones before younger.
 * Time is CLOCK_MONOTONIC: no calendar decides what has expired.
 */
#ifndef DAEMON_MQTT_ASK_H
#define DAEMON_MQTT_ASK_H

#include "daemon/mqtt/decode.h"
#include "daemon/mqtt/kept.h"
#include "daemon/mqtt/outbox.h"

enum ask_state {
	ASK_NEW, /* to be decoded */
	ASK_DECODING, /* or with the process of the pipelines */
	ASK_READY, /* tensors are there */
	ASK_RUNNING, /* edged has it */
};

enum ask_answer {
	ASK_JSON, /* flat */
	ASK_RAW, /* bytes of the outputs, one behind the other */
	ASK_OIP, /* Open Inference Protocol */
	ASK_BASE64, /* raw, in JSON */
};
#define ASK_N_ANSWERS (ASK_BASE64 + 1)

enum ask_priority {
	ASK_HIGH,
	ASK_NORMAL,
	ASK_LOW,
	ASK_N_PRIORITIES
};

struct link;

struct ask {
	struct ask *next;
	enum ask_state state;
	enum ask_priority priority;
	enum ask_answer answer;
	struct link *link; /* where it came from; NULL: it is gone */
	uint32_t origin; /* of the link, also when that is gone */
	bool of_pipeline; /* an input of the pipeline that @model names */
	char model[64];
	char source[64]; /* "infer", "pool", or the route's name; of a pipeline the source */
	char fields[256]; /* of the route, or "" */
	enum decode_format format;
	unsigned int qos;
	char *response_topic; /* owned; NULL: none */
	uint8_t correlation[OUTBOX_MAX_CORRELATION];
	size_t correlation_bytes;
	char traceparent[64];
	char id[DECODE_ID_SIZE]; /* of JSON */
	uint64_t arrived_ns, deadline_ns; /* 0: none */
	bool names_deadline; /* it is the request's own, not that of the settings */
	bool expires; /* the message itself said so: what becomes of it is worth nothing afterwards */
	uint8_t *payload; /* owned, a zero byte follows; of an input: NULL once decoded */
	size_t size;
	struct decode_result tensors;
	uint64_t work_bytes; /* that it takes from being decoded to the answer */
	uint64_t work_answer_bytes; /* and while that comes, which one does after the other */
	uint64_t edge_id; /* of the connection to edged, while it runs */
	uint64_t key; /* of dedup.h; 0: it may come again */
	struct kept_note *kept; /* owned until there is an answer; NULL: it is not */
	bool asked_again; /* edged, or the process that decodes, was lost once */
	size_t reserved; /* bytes of the link's outbox, for the answers (room.c); 0: nothing */
	size_t reserved_messages; /* and how many */
	bool wants_room; /* there was none for it when its turn came */
	bool stuck; /* since room_look(): its broker takes no answers */
	size_t answer_bytes; /* of an answer for which there was no room; 0: not known */
	bool opened; /* its envelope was read */
	/* Of an input that is answered: */
	uint64_t tag; /* 0: it is not */
	uint8_t *reply; /* the newest result, owned; NULL: none yet */
	size_t reply_bytes;
	unsigned int reply_status;
	size_t n_replies, replies_bytes; /* that were put */
	bool lacks; /* one of them found no room */
};

struct asks {
	struct ask *first;
	size_t n, bytes, max, max_bytes; /* of all that are not ASK_RUNNING */
	size_t running;
	uint64_t max_work_bytes; /* of all requests that are decoded */
};

/* Without a payload. NULL without memory. */
struct ask *ask_new(void);
/* @payload is copied. -ENOMEM. */
int must_check ask_set_payload(struct ask *ask, const void *payload, size_t size);
void ask_free(struct ask *ask); /* NULL is fine */
DEFINE_OWNED(struct ask *, ask_free)

/* "high" or "realtime", "normal", "low" or "batch", or 0 to 9 as in syslog's manner (0 to 3 high, 4 to 6
 * normal); ASK_NORMAL for anything else. */
enum ask_priority ask_priority_of(const char *text);

static inline bool ask_is_expired(const struct ask *ask, uint64_t now_ns)
{
	return ask->deadline_ns && ask->deadline_ns <= now_ns;
}

static inline bool asks_fit(const struct asks *asks, size_t size)
{
	return asks->n < asks->max && asks->bytes + size <= asks->max_bytes;
}

void asks_add(struct asks *asks, struct ask *ask);
/* Takes it out of the line. */
void asks_remove(struct asks *asks, struct ask *ask);
/* It goes to edged, or comes back from there. */
void asks_set_running(struct asks *asks, struct ask *ask, bool running);
/* The first in that state, of pipelines or of models; NULL: none. */
struct ask *asks_find(const struct asks *asks, enum ask_state state, bool of_pipeline);
/* One that waits of this pipeline, and the origin's source; NULL: none. */
struct ask *asks_find_input(
	const struct asks *asks, const char *pipeline, uint32_t origin, const char *source);
/* May @ask be decoded, beside those that are? The first one may, whatever it takes. */
bool asks_may_work(const struct asks *asks, const struct ask *ask);
/* Who goes first that @ask may: of those that are decoded and that nobody works on the last one that stands behind it, or
 * that waits for room at its broker. NULL: none. */
struct ask *asks_decoded_behind(const struct asks *asks, const struct ask *ask);
/* It waits as it came. */
void ask_forget_decoded(struct ask *ask);
/* Who goes first when there is no room: of those that nobody works on, the oldest of the lowest
 * priority. NULL: none. */
struct ask *asks_victim(const struct asks *asks);
/* The first whose time is over and that nobody works on. */
struct ask *asks_expired(const struct asks *asks, uint64_t now_ns);

#endif
