/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_serve - the request queue, and the responses
 *
 *   request_serve.c     joining and leaving the queue
 *   outbox_reserve.c    outbox room for responses
 *   request_respond.c   responses and results
 */
#ifndef DAEMON_MQTT_REQUEST_REQUEST_SERVE_H
#define DAEMON_MQTT_REQUEST_REQUEST_SERVE_H

#include "daemon/mqtt/broker/broker_connection.h"
#include "daemon/mqtt/request/dedup.h"
#include "daemon/mqtt/request/known_models.h"
#include "daemon/mqtt/request/mqtt_request.h"

/* ---- request_serve.c */

/* Starts the timers. @on_expiry: see struct mqtt_requests; its timer's data is @data. */
void request_serve_start(
	struct mqtt_requests *requests, uv_loop_t *loop, uv_timer_cb on_expiry, void *data);
void request_serve_stop(struct mqtt_requests *requests);
/* Refuses queued requests until @request fits into the queue. Returns false if it may not take their
 * place. */
bool must_check request_serve_make_room(
	struct mqtt_requests *requests, const struct mqtt_request *request);
/* Adds @request, for which there is room. */
void request_serve_add(struct mqtt_requests *requests, struct mqtt_request *request);
/* Removes a request whose deadline has passed, without a response; or all of them. */
void request_serve_drop_expired(struct mqtt_requests *requests, struct mqtt_request *request);
void request_serve_drop_all_expired(struct mqtt_requests *requests);
/* Queues @request again: the outbox has no room for its response of @response_bytes. */
void request_serve_requeue(
	struct mqtt_requests *requests, struct mqtt_request *request, size_t response_bytes);
/* Removes @request from the request queue and frees it. */
void request_serve_finish(struct mqtt_requests *requests, struct mqtt_request *request);
/* Applies the members of the JSON envelope to @request, which is queued. The message's response topic
 * and traceparent take precedence over JSON; the priority of JSON over the message's; the earlier
 * deadline counts. Returns false if reply_to is not below response-prefix. */
bool must_check request_serve_take_envelope(struct mqtt_requests *requests,
	struct mqtt_request *request, const struct decode_envelope *envelope);
/* Records the key. Returns true if it was seen within duplicate-window or before the request's own
 * deadline. Only requests with correlation data or an "id" in JSON are checked. */
bool must_check request_serve_is_duplicate(
	struct mqtt_requests *requests, const struct mqtt_request *request);
/* Like request_serve_is_duplicate(), for a queued request that has only an "id" in JSON. Frees @request if true. */
bool must_check request_serve_drop_repeated(
	struct mqtt_requests *requests, struct mqtt_request *request);
/* The pipeline has taken the input @request, which stays in the queue without payload until its results
 * are complete. */
void request_serve_await_results(struct mqtt_requests *requests, struct mqtt_request *request);
/* Handles a lack of memory for @request: a request in the journal is taken again later, any other one
 * is answered with OVERLOADED. Frees @request. */
void request_serve_lack_memory(struct mqtt_requests *requests, struct mqtt_request *request);
/* Starts the timer of requests->on_expiry(), unless it runs. */
void request_serve_retry_soon(struct mqtt_requests *requests);
/* Returns the time in ms that a new request would wait. */
double request_serve_wait_ms(struct mqtt_requests *requests);

/* ---- outbox_reserve.c */

/* Reserves outbox room for all responses to @request, once. Returns false and sets conn->full if there
 * is none now. */
bool must_check outbox_reserve_take(
	const struct mqtt_requests *requests, struct mqtt_request *request);
/* Releases the reserve of one response that is about to be published, except the last one's. */
void outbox_reserve_use(struct mqtt_request *request, size_t size);
/* Releases the whole outbox reserve of @request. */
void outbox_reserve_give_back(struct mqtt_request *request);
/* Returns true if the outbox has room for an error response. Sets conn->full_for_errors if not. */
bool must_check outbox_reserve_has_room_for_error(const struct mqtt_request *request);

/* Queued requests that do not wait for a stuck broker. */
struct outbox_reserve_live {
	size_t n, bytes;
};

/* Sets "stuck" of connections whose outbox has no room for a small response, and of requests that
 * wait for such room. Returns the other requests. A request behind a stuck one of its broker is
 * stuck too. */
struct outbox_reserve_live outbox_reserve_update_stuck(struct mqtt_requests *requests);
/* Returns true if @request would be stuck after outbox_reserve_update_stuck(). Requests without a response never are. */
bool outbox_reserve_is_stuck(
	const struct mqtt_requests *requests, const struct mqtt_request *request);

/* ---- request_respond.c */

/* Publishes an error on the error topic of the model or pipeline, at the broker of @request. Of
 * @request only the connection, the target, the source and the id are read. */
void request_respond_report(struct mqtt_requests *requests, const struct mqtt_request *request,
	unsigned int status, const char *text);
/* Publishes an error response, or an error as request_respond_report() does. The caller keeps
 * @request. */
void request_respond_refuse(struct mqtt_requests *requests, struct mqtt_request *request,
	unsigned int status, const char *text);
void request_respond_refuse_and_end(struct mqtt_requests *requests, struct mqtt_request *request,
	unsigned int status, const char *text);
/* Publishes @data as a response to a pipeline input; @more: other responses follow. If an earlier
 * response found no room, the last one has the status OVERLOADED. If the last one finds no room, an
 * error is published instead. The caller keeps @request. */
void request_respond_with(struct mqtt_requests *requests, struct mqtt_request *request,
	const void *data, size_t size, unsigned int status, bool more);
/* Publishes the response, the result or both, as feed= says. Frees @request, or queues it again if the
 * outbox is full. */
void request_respond_succeed(struct mqtt_requests *requests, struct mqtt_request *request,
	struct model_entry *model, const struct edge_client_answer *answer);

/* Reports that @message will not be sent to the broker of @conn. If it is too large, a response is
 * replaced by an error, and a snapshot is reported on the pipeline's error topic. */
void request_respond_given_up(struct mqtt_requests *requests, struct broker_connection *conn,
	struct outbox_message *message, bool too_large);

#endif
