/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bridge - the parts of edged-mqtt and the order in which they start
 *
 * Everything runs in the loop's thread. Broker connects, fsync, state file writes and pin commands
 * run in libuv's worker threads, on data that the loop does not touch meanwhile.
 *
 *   brokers.h           all brokers          receive.c           whom a message is for
 *   edged_client.h      the edged client     request_parse.c     from a message to a request
 *   worker.h            the worker process   request_serve.c     the request queue
 *   pipelines.h         pipelines            request_respond.c   responses and results
 *   announce.h          retained topics      outbox_reserve.c    outbox reserve
 *   reload.c            the configuration    command.c           settings set over MQTT
 *   bridge_brokers.c    events of brokers    stats.c             statistics
 *   state_file.h        settings on disk
 */
#ifndef DAEMON_MQTT_BRIDGE_H
#define DAEMON_MQTT_BRIDGE_H

#include <uv.h>

#include "base/log.h"
#include "daemon/mqtt/announce/announce.h"
#include "daemon/mqtt/broker/brokers.h"
#include "daemon/mqtt/broker/log_ratelimit.h"
#include "daemon/mqtt/config/settings.h"
#include "daemon/mqtt/pipelines/pipelines.h"
#include "daemon/mqtt/request/dedup.h"
#include "daemon/mqtt/request/edged_client.h"
#include "daemon/mqtt/request/mqtt_request.h"
#include "daemon/mqtt/state_file.h"
#include "daemon/mqtt/text/topics.h"

#define BRIDGE_N_CODES EDGE_CLIENT_N_CODES
#define BRIDGE_SIGNALS 3

struct bridge_counts {
	uint64_t requests, answers, results, expired, shed, duplicates, retained, refused, commands,
		resumed;
	uint64_t by_code[BRIDGE_N_CODES]; /* responses by status code */
};

/* Settings that come over MQTT (command.c). */
struct bridge_commands {
	struct state_file models_file, pipelines_file; /* in the state folder */
	struct log_ratelimit accepted, refused; /* of the log lines about a command */
};

struct bridge {
	struct log log;
	struct settings settings;
	const char *path, *socket; /* from the command line; NULL: not given */
	char state[CONFIG_PATH_SIZE]; /* path of the state folder; "": none */
	char status_topic[TOPICS_MAX];
	uv_loop_t loop;
	struct known_models models;
	struct mqtt_requests requests;
	struct dedup dedup;
	struct journal journal;
	struct service service;
	struct pipelines pipelines;
	struct brokers brokers;
	struct announce announce;
	uv_signal_t signals[BRIDGE_SIGNALS];
	uv_timer_t expiry, stats, capability, pause, watchdog;
	bool listed; /* edged has sent its list of models */
	bool paused; /* reading from at least one broker is paused */
	uint64_t started_ns;
	uint64_t lost_said_ns; /* CLOCK_MONOTONIC of the last log line about a lost response */
	uint64_t sequence; /* number of the last published result */
	double service_ns; /* moving average of a request's time in edged, in ns */
	struct bridge_counts counts;
	struct bridge_commands commands;
};

/* Zeroes *bridge and reads the configuration and the pipelines. *ret_bad is the number of pipelines
 * that were rejected; each was logged. @path and @socket must outlive *bridge. */
int must_check bridge_configure(struct bridge *bridge, const char *path, const char *socket,
	size_t *ret_bad, struct error *err);

/* Runs until a signal ends the program. Returns the exit status. */
int bridge_run(struct bridge *bridge);

/* Closes all handles and connections. The handles close in the loop's next turns. */
void bridge_stop(struct bridge *bridge);

/* Sends READY=1 and a STATUS= line to the service manager. */
void bridge_publish_status(struct bridge *bridge);

/* ---- bridge_brokers.c */

extern const struct brokers_events bridge_brokers_events;
/* Starts and ends connections as the configuration says; see brokers_follow(). */
int must_check bridge_follow_brokers(struct bridge *bridge, struct error *err);

/* ---- stats.c */

/* Publishes the stats topic. */
void stats_on_timer(uv_timer_t *timer);

/* ---- reload.c */

/* Reads the configuration files. Options of the command line override them. */
int must_check reload_read(struct bridge *bridge, struct settings *ret_settings, struct error *err);
/* Subscribes to every topic of the configuration, one subscription for each filter. */
int must_check reload_subscribe(
	struct bridge *bridge, struct broker_connection *conn, struct error *err);
/* Unsubscribes from routes that are not in the configuration any more, also those of an earlier run,
 * and remembers those that are. Call after the connections were started. */
void reload_follow_up(struct bridge *bridge);
/* Reads the configuration and the pipelines again. If the configuration has an error, nothing
 * changes. Connections to unchanged brokers stay open in any case. */
void reload_begin(struct bridge *bridge);

/* ---- receive.c */

void receive_message(
	struct bridge *bridge, struct broker_connection *conn, const struct mosq_message *message);
/* Takes requests from the journal while there is room in the request queue. */
void receive_journalled(struct bridge *bridge);

/* ---- request_serve.c */

/* Adds @request to the request queue or refuses it. Takes @request. */
void request_serve_accept(struct bridge *bridge, struct mqtt_request *request);
/* Returns the first pipeline input that is ready and has its outbox reserve; NULL: none. */
struct mqtt_request *request_serve_next_input(const struct bridge *bridge);
/* Queues @request again: the outbox has no room for its response of @answer_bytes. */
void request_serve_again(struct bridge *bridge, struct mqtt_request *request, size_t answer_bytes);
/* Drops expired requests, then starts every request that can start now. */
void request_serve_dispatch(struct bridge *bridge);
/* Removes @request from the request queue and frees it. */
void request_serve_finish(struct bridge *bridge, struct mqtt_request *request);
/* Applies the members of the JSON envelope to @request, which is queued. The message's response topic
 * and traceparent take precedence over JSON; the priority of JSON over the message's; the earlier
 * deadline counts. Returns false if reply_to is not below response-prefix; call
 * request_serve_refuse_reply_to() then, which frees @request. */
bool must_check request_serve_take_envelope(struct bridge *bridge, struct mqtt_request *request,
	const struct decode_envelope *envelope);
void request_serve_refuse_reply_to(struct bridge *bridge, struct mqtt_request *request);
/* Makes a request that the worker has not finished wait for its next process. */
void request_serve_decode_again(struct mqtt_request *request);
/* Records the key. Returns true if it was seen within duplicate-window or before the request's own
 * deadline. Only requests with correlation data or an "id" in JSON are checked. */
bool must_check request_serve_saw(struct bridge *bridge, const struct mqtt_request *request);
/* Like request_serve_saw(), for a queued request that has only an "id" in JSON. Frees @request if true. */
bool must_check request_serve_drop_repeated(struct bridge *bridge, struct mqtt_request *request);
/* Removes @request from the queue. The caller owns it and its outbox reserve. */
void request_serve_leave(struct bridge *bridge, struct mqtt_request *request);
void request_serve_on_expiry(uv_timer_t *timer);
/* Handles a lack of memory for @request: a request in the journal is taken again later, any other one
 * is answered with OVERLOADED. Frees @request. */
void request_serve_lack_memory(struct bridge *bridge, struct mqtt_request *request);
/* Starts the timer of request_serve_on_expiry(), unless it runs. */
void request_serve_look_again(struct bridge *bridge);
void request_serve_on_pause_end(uv_timer_t *timer);
/* Returns the time in ms that a new request would wait. */
double request_serve_wait_ms(const struct bridge *bridge);

/* ---- outbox_reserve.c */

/* Reserves outbox room for all responses to @request, once. Returns false and sets link->full if there
 * is none now. */
bool must_check outbox_reserve_take(const struct bridge *bridge, struct mqtt_request *request);
/* Releases the reserve of one response that is about to be published, except the last one's. */
void outbox_reserve_use(struct mqtt_request *request, size_t size);
/* Releases the whole outbox reserve of @request. */
void outbox_reserve_give_back(struct mqtt_request *request);
/* Returns true if the outbox has room for an error response. Sets link->packed if not. */
bool must_check outbox_reserve_is_there(const struct mqtt_request *request);

/* Queued requests that do not wait for a stuck broker. */
struct outbox_reserve_live {
	size_t n, bytes;
};

/* Sets "stuck" of connections whose outbox has no room for a small response, and of requests that
 * wait for such room. Returns the other requests. A request behind a stuck one of its broker is
 * stuck too. */
struct outbox_reserve_live outbox_reserve_look(const struct bridge *bridge);
/* Returns true if @request would be stuck after outbox_reserve_look(). Requests without a response never are. */
bool outbox_reserve_is_stuck(const struct bridge *bridge, const struct mqtt_request *request);

/* ---- request_respond.c */

/* Publishes an error response. The caller keeps @request. */
void request_respond_refuse(
	struct bridge *bridge, struct mqtt_request *request, unsigned int status, const char *text);
void request_respond_refuse_and_end(
	struct bridge *bridge, struct mqtt_request *request, unsigned int status, const char *text);
/* Publishes @data as a response to a pipeline input; @more: other responses follow. If an earlier
 * response found no room, the last one has the status OVERLOADED. If the last one finds no room, an
 * error is published instead. The caller keeps @request. */
void request_respond_with(struct bridge *bridge, struct mqtt_request *request, const void *data,
	size_t size, unsigned int status, bool more);
/* Publishes the response, the result or both, as feed= says. Frees @request, or queues it again if the
 * outbox is full. */
void request_respond_succeed(struct bridge *bridge, struct mqtt_request *request,
	struct model_entry *model, const struct edge_client_answer *answer);

/* Reports that @message will not be sent to the broker of @conn. If it is too large, a response is
 * replaced by an error, and a snapshot is reported on the pipeline's error topic. */
void request_respond_given_up(struct bridge *bridge, struct broker_connection *conn,
	struct outbox_message *message, bool too_large);

/* ---- command.c */

/* Handles PREFIX/GW/MODEL/set/KEY. A refused command is reported on the model's error topic at
 * @conn. */
void command_message(struct bridge *bridge, struct broker_connection *conn, const char *model,
	const char *key, const struct mosq_message *message);
/* Handles PREFIX/GW/pipeline/NAME/set/KEY in the same way. */
void command_pipeline_message(struct bridge *bridge, struct broker_connection *conn,
	const char *pipeline, const char *key, const struct mosq_message *message);
/* Parses ON, 1, true, yes or OFF, 0, false, no, in any case. -EINVAL for other text. */
int must_check command_parse_switch(const char *text, bool *ret_on);

#endif
