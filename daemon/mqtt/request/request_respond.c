/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/broker/brokers.h"
#include "daemon/mqtt/request/request_serve.h"
#include "daemon/mqtt/request/result_message.h"
#include "daemon/mqtt/text/json_writer.h"

#define ERROR_SIZE 512 /* limit of the message of respond_too_large() */
#define LOST_EVERY_NS (60 * NSEC_PER_SEC)

/* Publishes a response. -ENOMEM. -ENOBUFS: the outbox had no room; a request of the journal is run
 * again then. */
static int publish_response(struct mqtt_requests *requests, struct mqtt_request *request,
	const void *data, size_t size, const char *content_type, const char *status,
	const char *tensors)
{
	uint64_t now = clock_now_ns();
	struct outbox_message *m =
		outbox_message_new(OUTBOX_RESPONSE, request->response_topic, data, size);
	if (!m) {
		return -ENOMEM;
	}
	m->qos = request->qos;
	m->content_type = content_type;
	m->expires_ns = request->deadline.ns;
	m->correlation_bytes = request->correlation.bytes;
	memcpy(m->correlation, request->correlation.data, request->correlation.bytes);
	memcpy(m->id, request->id, sizeof(m->id));
	memcpy(m->traceparent, request->traceparent, sizeof(m->traceparent));
	snprintf(m->status, sizeof(m->status), "%s", status);
	snprintf(m->tensors, sizeof(m->tensors), "%s", tensors);
	m->journal = take(request->journal);
	bool journal = m->journal;
	if (broker_connection_publish(request->conn, m)) {
		return 0;
	}
	dedup_forget(requests->dedup, request->key);
	if (journal) {
		request_serve_retry_soon(requests);
	} else if (!requests->lost_logged_ns || now - requests->lost_logged_ns > LOST_EVERY_NS) {
		requests->lost_logged_ns = now;
		log_warning(requests->log,
			"broker %s: an answer found no room (outbox-messages, outbox-bytes)",
			request->conn->settings->name);
	}
	return -ENOBUFS;
}

static void count(struct mqtt_requests *requests, unsigned int status)
{
	requests->counts->responses++;
	requests->counts->by_code[status < EDGE_CLIENT_N_CODES ? status : EDGE_CLIENT_INTERNAL]++;
}

void request_respond_report(struct mqtt_requests *requests, const struct mqtt_request *request,
	unsigned int status, const char *text)
{
	char topic[TOPIC_SIZE];
	struct bytes_writer w = {0};
	if (request->of_pipeline) {
		settings_own_topic(requests->settings, topic, "pipeline/%s/error/%s",
			request->target, request->source);
	} else {
		settings_own_topic(requests->settings, topic, "%s/error", request->target);
	}
	result_message_write_error(&w, requests->settings, request, status, text);
	if (!w.failed) {
		brokers_publish(requests->brokers, request->conn, OUTBOX_RESULT, false, topic,
			w.data, w.size);
	}
	bytes_writer_deinit(&w);
}

void request_respond_refuse(struct mqtt_requests *requests, struct mqtt_request *request,
	unsigned int status, const char *text)
{
	struct bytes_writer w = {0};
	outbox_reserve_give_back(request);
	count(requests, status);
	dedup_forget(requests->dedup, request->key);
	log_debug(
		requests->log, "%s: %s: %s", request->target, edge_client_code_name(status), text);
	if (!request->conn) {
		return; /* the broker was removed from the configuration */
	}
	if (!request->response_topic) {
		request_respond_report(requests, request, status, text);
		return;
	}
	result_message_write_error(&w, requests->settings, request, status, text);
	if (!w.failed) {
		publish_response(requests, request, w.data, w.size, "application/json",
			edge_client_code_name(status), "");
	}
	bytes_writer_deinit(&w);
}

/* Returns false if there is no room. An error is published instead then. */
static bool last_has_room(struct mqtt_requests *requests, struct mqtt_request *request, size_t size)
{
	const struct outbox *outbox = request->conn ? &request->conn->outbox : NULL;
	outbox_reserve_give_back(request);
	if (!outbox || outbox_has_room(outbox, OUTBOX_RESPONSE, request->response_topic, size)) {
		return true;
	}
	bool never = size > outbox_largest_response(outbox, request->response_topic);
	request_respond_refuse(requests, request,
		never ? EDGE_CLIENT_TOO_LARGE : EDGE_CLIENT_OVERLOADED,
		never ? "the answer is larger than outbox-bytes takes" : "no room for the answer");
	return false;
}

void request_respond_with(struct mqtt_requests *requests, struct mqtt_request *request,
	const void *data, size_t size, unsigned int status, bool more)
{
	if (more) {
		outbox_reserve_use(request, size);
	} else if (!last_has_room(requests, request, size)) {
		return;
	}
	status = request->responses.incomplete && status == EDGE_CLIENT_OK ? EDGE_CLIENT_OVERLOADED
									   : status;
	if (!more) {
		count(requests, status);
	}
	if (!request->conn) {
		return;
	}
	request->responses.incomplete |=
		publish_response(requests, request, data, size, "application/json",
			more ? "MORE" : edge_client_code_name(status), "") < 0;
}

void request_respond_refuse_and_end(struct mqtt_requests *requests, struct mqtt_request *request,
	unsigned int status, const char *text)
{
	request_respond_refuse(requests, request, status, text);
	request_serve_finish(requests, request);
}

/* Returns 0 if the response fits, -EFBIG if it never will, -EAGAIN if not now. */
static int find_room(
	struct mqtt_request *request, struct model_entry *model, size_t size, struct error *err)
{
	const struct outbox *outbox = &request->conn->outbox;
	size_t max = outbox_largest_response(outbox, request->response_topic);
	size_t *largest = &model->response_bytes[request->response_format];
	*largest = size > *largest ? size : *largest;
	if (size > max) {
		return error_set(err, -EFBIG,
			"the answer has %zu bytes; outbox-bytes = %zu takes up to %zu", size,
			outbox->max_bytes, max);
	}
	return outbox_has_room(outbox, OUTBOX_RESPONSE, request->response_topic, size)
		? 0
		: error_set(err, -EAGAIN, "no room for the answer");
}

static int respond(struct mqtt_requests *requests, struct mqtt_request *request,
	struct model_entry *model, const struct edge_client_answer *answer, struct error *err)
{
	struct bytes_writer w = {0};
	char tensors[sizeof(((struct outbox_message *)NULL)->tensors)] = "";
	int r = result_message_write(
		&w, request->response_format, requests->settings, 0, request, model, answer, err);
	r = r < 0 ? r : find_room(request, model, w.size, err);
	if (r == -EAGAIN) {
		request_serve_requeue(requests, request, w.size);
	}
	if (r == 0 && request->response_format == MQTT_REQUEST_RAW) {
		result_message_tensors(model, answer, tensors, sizeof(tensors));
		/* names come from the model file */
		tensors[topics_is_text(tensors) ? strlen(tensors) : 0] = 0;
	}
	if (r == 0) {
		r = publish_response(requests, request, w.data, w.size,
			request->response_format == MQTT_REQUEST_RAW ? "application/octet-stream"
								     : "application/json",
			"OK", tensors);
		r = r == -ENOMEM ? error_no_memory(err) : 0; /* a lack of room was logged */
	}
	bytes_writer_deinit(&w);
	return r;
}

static int feed(struct mqtt_requests *requests, struct mqtt_request *request,
	const struct model_entry *model, const struct edge_client_answer *answer, struct error *err)
{
	char topic[TOPIC_SIZE];
	struct bytes_writer w = {0};
	const struct settings *s = requests->settings;
	if (!topics_fill(topic, sizeof(topic), s->result_topic, s->prefix, s->gateway,
		    request->target, request->source)) {
		return error_set(err, -EINVAL, "result-topic");
	}
	int r = result_message_write(
		&w, MQTT_REQUEST_JSON, s, ++requests->sequence, request, model, answer, err);
	struct outbox_message *m =
		r < 0 ? NULL : outbox_message_new(OUTBOX_RESULT, topic, w.data, w.size);
	bytes_writer_deinit(&w);
	if (!m) {
		return r < 0 ? r : error_no_memory(err);
	}
	m->qos = (unsigned int)s->result_qos;
	m->expires_ns = request->deadline.expires_response ? request->deadline.ns : 0;
	m->journal = take(request->journal); /* NULL if the response has it */
	m->content_type = "application/json";
	memcpy(m->traceparent, request->traceparent, sizeof(m->traceparent));
	broker_connection_publish(request->conn, m);
	requests->counts->results++;
	return 0;
}

void request_respond_succeed(struct mqtt_requests *requests, struct mqtt_request *request,
	struct model_entry *model, const struct edge_client_answer *answer)
{
	struct error err = {0};
	bool all = strcmp(requests->settings->feed, "all") == 0;
	bool none = strcmp(requests->settings->feed, "none") == 0;
	int r = request->conn && request->response_topic
		? respond(requests, request, model, answer, &err)
		: 0;
	if (r == 0 && request->conn && !none && (all || !request->response_topic)) {
		r = feed(requests, request, model, answer, &err);
	}
	if (r == -EAGAIN) {
		return; /* queued again */
	}
	if (r == -ENOMEM) {
		request_serve_lack_memory(requests, request);
		return;
	}
	if (r < 0) {
		request_respond_refuse_and_end(requests, request,
			r == -EFBIG ? EDGE_CLIENT_TOO_LARGE : EDGE_CLIENT_INTERNAL, err.text);
		return;
	}
	count(requests, EDGE_CLIENT_OK);
	request_serve_finish(requests, request);
}

/* ---- messages that were not sent */

static void write_too_large(struct bytes_writer *w, const struct mqtt_requests *requests,
	const struct outbox_message *about)
{
	char text[96];
	snprintf(text, sizeof(text), "%zu bytes are more than the broker takes", about->size);
	json_writer_begin(w, NULL, '{');
	json_writer_text(w, "gw", requests->settings->gateway);
	if (about->id[0]) {
		json_writer_text(w, "id", about->id);
	}
	json_writer_time(w);
	json_writer_text(w, "error", edge_client_code_name(EDGE_CLIENT_TOO_LARGE));
	json_writer_integer(w, "code", EDGE_CLIENT_TOO_LARGE);
	json_writer_text(w, "message", text);
	json_writer_end(w, '}');
}

/* Publishes an error in place of the response @about. */
static void respond_too_large(struct mqtt_requests *requests, struct broker_connection *conn,
	struct outbox_message *about)
{
	struct bytes_writer w = {0};
	write_too_large(&w, requests, about);
	struct outbox_message *m =
		w.failed ? NULL : outbox_message_new(OUTBOX_RESPONSE, about->topic, w.data, w.size);
	bytes_writer_deinit(&w);
	if (!m) {
		return;
	}
	m->qos = about->qos;
	m->content_type = "application/json";
	m->expires_ns = about->expires_ns;
	m->correlation_bytes = about->correlation_bytes;
	memcpy(m->correlation, about->correlation, sizeof(m->correlation));
	memcpy(m->traceparent, about->traceparent, sizeof(m->traceparent));
	memcpy(m->id, about->id, sizeof(m->id));
	m->journal = take(about->journal);
	snprintf(m->status, sizeof(m->status), "%s", edge_client_code_name(EDGE_CLIENT_TOO_LARGE));
	broker_connection_publish(conn, m);
}

/* Reports a snapshot of PREFIX/GW/pipeline/NAME/snapshot/SOURCE on .../error/SOURCE. */
static void report_too_large(struct mqtt_requests *requests, struct broker_connection *conn,
	const struct outbox_message *about)
{
	char topic[TOPIC_SIZE];
	struct bytes_writer w = {0};
	const char *at = strstr(about->topic, "/snapshot/");
	if (!at) {
		return;
	}
	snprintf(topic, sizeof(topic), "%.*s/error/%s", (int)(at - about->topic), about->topic,
		at + strlen("/snapshot/"));
	write_too_large(&w, requests, about);
	if (!w.failed) {
		brokers_publish(
			requests->brokers, conn, OUTBOX_RESULT, false, topic, w.data, w.size);
	}
	bytes_writer_deinit(&w);
}

void request_respond_given_up(struct mqtt_requests *requests, struct broker_connection *conn,
	struct outbox_message *message, bool too_large)
{
	bool small = message->size < ERROR_SIZE; /* an error would not be smaller */
	if (too_large && !small && message->kind == OUTBOX_RESPONSE) {
		respond_too_large(requests, conn, message);
	} else if (too_large && message->kind == OUTBOX_SNAPSHOT) {
		report_too_large(requests, conn, message);
	}
}
