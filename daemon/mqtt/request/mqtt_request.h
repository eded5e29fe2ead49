/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mqtt_request - one request over MQTT, and the request queue
 *
 * The queue is limited by the number and the payload bytes of its requests. Decoded requests have a
 * memory limit of their own; further requests stay undecoded. The queue is sorted by priority, then
 * by age. All times are CLOCK_MONOTONIC, so that clock changes do not affect deadlines.
 */
#ifndef DAEMON_MQTT_REQUEST_MQTT_REQUEST_H
#define DAEMON_MQTT_REQUEST_MQTT_REQUEST_H

#include <uv.h>

#include "client/lib/edge_client.h"
#include "daemon/mqtt/broker/journal.h"
#include "daemon/mqtt/broker/outbox.h"
#include "daemon/mqtt/worker/decode.h"

enum mqtt_request_state {
	MQTT_REQUEST_NEW, /* not decoded */
	MQTT_REQUEST_DECODING, /* in the worker process */
	MQTT_REQUEST_READY, /* decoded */
	MQTT_REQUEST_RUNNING, /* sent to edged; a pipeline's input: its results are outstanding */
};

enum mqtt_request_response {
	MQTT_REQUEST_JSON, /* flat JSON */
	MQTT_REQUEST_RAW, /* bytes of all outputs in a row */
	MQTT_REQUEST_OIP, /* JSON of the Open Inference Protocol */
	MQTT_REQUEST_BASE64, /* raw bytes as base64 in JSON */
};
#define MQTT_REQUEST_N_RESPONSES (MQTT_REQUEST_BASE64 + 1)

enum mqtt_request_priority {
	MQTT_REQUEST_HIGH,
	MQTT_REQUEST_NORMAL,
	MQTT_REQUEST_LOW,
	MQTT_REQUEST_N_PRIORITIES
};

struct broker_connection;
struct brokers;
struct dedup;
struct known_models;
struct log;
struct settings;

/* Room in the broker connection's outbox that is set aside for the responses (outbox_reserve.c). */
struct mqtt_request_reserve {
	size_t bytes, n; /* bytes and number of responses; 0: none is set aside */
	bool is_short; /* the outbox had no room for it */
	bool stuck; /* see outbox_reserve_update_stuck() */
	/* size of a response that found no room in the outbox; 0: not known */
	size_t response_bytes;
};

/* Responses to a pipeline's input; a request to a model has one response. */
struct mqtt_request_responses {
	uint64_t tag; /* number of the input in the child's results; 0: no response */
	uint8_t *newest; /* owned; newest result, not yet published; NULL: none */
	size_t newest_bytes;
	unsigned int newest_status;
	size_t n, bytes; /* published responses */
	bool incomplete; /* a response found no room in the outbox */
};

struct mqtt_request {
	struct mqtt_request *next;
	enum mqtt_request_state state;
	enum mqtt_request_priority priority;
	enum mqtt_request_response response_format;
	struct broker_connection *conn; /* where the request came from; NULL: removed */
	uint32_t connection_id; /* number of @conn, also after its removal */
	bool of_pipeline; /* @target is the name of a pipeline, not of a model */
	char target[64];
	char source[64]; /* "infer", "pool", the route's name, or a pipeline's source */
	char fields[256]; /* fields= of the route, or "" */
	enum decode_format format;
	unsigned int qos;
	char *response_topic; /* owned; NULL: no response */
	struct {
		uint8_t data[OUTBOX_MAX_CORRELATION];
		size_t bytes;
	} correlation;
	char traceparent[64];
	char id[DECODE_ID_SIZE]; /* "id" of the JSON envelope, or "" */
	struct {
		uint64_t ns; /* 0: none */
		bool named; /* by the message, not by the settings */
		bool expires_response; /* the message has an expiry: its response has one, too */
	} deadline;
	uint64_t arrived_ns;
	uint64_t sent_ns; /* when it was last sent to edged */
	void *owner; /* what handles edged's answer */
	uint8_t *payload; /* owned, zero-terminated; of a pipeline's input NULL once running */
	size_t size;
	struct decode_result tensors;
	struct {
		uint64_t bytes; /* memory for the request from decoding to the response */
		/* memory for the response; in use by one request at a time */
		uint64_t response_bytes;
	} memory;
	uint64_t key; /* see dedup.h; 0: not checked for duplicates */
	struct journal_entry *journal; /* owned; journal entry; NULL: none */
	bool retried; /* run again once after edged or a child process was lost */
	struct mqtt_request_reserve reserve;
	struct mqtt_request_responses responses;
	bool envelope_parsed; /* the JSON envelope was read */
};

struct mqtt_requests_counts {
	uint64_t requests, responses, results, expired, shed, duplicates, retained, refused,
		commands, resumed;
	uint64_t by_code[EDGE_CLIENT_N_CODES]; /* responses by status code */
};

/* The request queue, and what its requests need of other parts. */
struct mqtt_requests {
	/* Borrowed; set before the first request. */
	const struct log *log;
	const struct settings *settings;
	struct brokers *brokers;
	struct known_models *models;
	struct dedup *dedup;
	struct mqtt_requests_counts *counts;
	/* Returns the number and the bytes of the responses to expect for a pipeline's input. */
	void (*expect)(
		void *data, const struct mqtt_request *input, size_t *ret_n, size_t *ret_bytes);
	void *data;

	struct mqtt_request *first;
	size_t n, bytes, max,
		max_bytes; /* n, bytes: of requests that are not MQTT_REQUEST_RUNNING */
	size_t running, running_inputs; /* requests to models, inputs of pipelines */
	uint64_t max_decoded_bytes; /* limit of the sum of memory.bytes over all decoded requests */
	bool paused; /* reading from at least one broker is paused */
	uint64_t lost_logged_ns; /* CLOCK_MONOTONIC of the last log line about a lost response */
	uint64_t sequence; /* number of the last published result */
	double mean_time_ns; /* moving average of a request's time in edged, in ns */
	/* @expiry runs while requests wait. on_expiry() takes requests from the journal, and starts
	 * those that can start. */
	uv_timer_t expiry, pause;
	uv_timer_cb on_expiry;
};

/* Copies @payload. -ENOMEM. */
int must_check mqtt_request_set_payload(
	struct mqtt_request *request, const void *payload, size_t size);
void mqtt_request_free(struct mqtt_request *request); /* NULL is fine */
DEFINE_OWNED(struct mqtt_request *, mqtt_request_free)

/* Parses "high" or "realtime", "normal", "low" or "batch", or 0 to 9 as in syslog: 0 to 3 is high,
 * 4 to 6 normal, 7 to 9 low. Other text is MQTT_REQUEST_NORMAL. */
enum mqtt_request_priority mqtt_request_priority_of(const char *text);

/* Returns true if @request is neither being decoded nor running. */
static inline bool mqtt_request_is_waiting(const struct mqtt_request *request)
{
	return request->state == MQTT_REQUEST_NEW || request->state == MQTT_REQUEST_READY;
}

/*
 * Converts @deadline_ns to the time left in us, rounded up. *ret_us is 0, none, if @deadline_ns is
 * 0 or too far away for uint32_t. -ETIMEDOUT if the deadline has passed.
 */
int must_check mqtt_request_deadline_us(uint64_t deadline_ns, uint64_t now_ns, uint32_t *ret_us);

/* Takes the limits of the queue from the settings. */
void mqtt_requests_set_limits(struct mqtt_requests *requests);
void mqtt_requests_add(struct mqtt_requests *requests, struct mqtt_request *request);
/* Removes @request from the queue without freeing it. */
void mqtt_requests_remove(struct mqtt_requests *requests, struct mqtt_request *request);
/* Moves @request to MQTT_REQUEST_RUNNING, or back to MQTT_REQUEST_READY. */
void mqtt_requests_set_running(
	struct mqtt_requests *requests, struct mqtt_request *request, bool running);
/* Returns true if the memory limit allows @request to be decoded now. One request is always allowed. */
bool mqtt_requests_may_decode(
	const struct mqtt_requests *requests, const struct mqtt_request *request);
/* Picks the request whose decoded tensors are dropped so that @request can be decoded: the last one in
 * MQTT_REQUEST_READY that is queued behind @request or waits for outbox room. NULL: none. */
struct mqtt_request *mqtt_requests_decoded_victim(
	const struct mqtt_requests *requests, const struct mqtt_request *request);
/* Frees the decoded tensors and sets MQTT_REQUEST_NEW. */
void mqtt_request_forget_decoded(struct mqtt_request *request);

#endif
