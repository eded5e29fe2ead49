/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"
#include "daemon/mqtt/flat.h"
#include "daemon/mqtt/result.h"

#define ERROR_SIZE 512 /* above what answer_too_large() says */
#define LOST_EVERY_NS (UINT64_C(60) * 1000000000)

static struct result_options options_of(const struct bridge *b, uint64_t sequence)
{
	return (struct result_options){.gateway = b->settings.gateway,
		.top_k = (uint32_t)b->settings.top_k,
		.now_ns = clock_now_ns(),
		.sequence = sequence};
}

static struct outbox_message *response_new(
	struct ask *ask, const struct bytes_writer *w, const char *content_type)
{
	struct outbox_message *m =
		outbox_message_new(OUTBOX_RESPONSE, ask->response_topic, w->data, w->size);
	if (m) {
		m->qos = ask->qos;
		m->content_type = content_type;
		m->expires_ns = ask->deadline_ns;
		m->correlation_bytes = ask->correlation_bytes;
		memcpy(m->correlation, ask->correlation, ask->correlation_bytes);
		memcpy(m->id, ask->id, sizeof(m->id));
		memcpy(m->traceparent, ask->traceparent, sizeof(m->traceparent));
		m->kept = take(ask->kept);
	}
	return m;
}

/* What had no room is asked again where it is kept. False: it had none. */
static bool must_check publish(struct bridge *b, struct ask *ask, struct outbox_message *m)
{
	uint64_t now = clock_now_ns();
	bool kept = m->kept;
	if (link_publish(ask->link, m)) {
		return true;
	}
	dedup_forget(&b->dedup, ask->key);
	if (kept) {
		serve_look_again(b);
	} else if (!b->lost_said_ns || now - b->lost_said_ns > LOST_EVERY_NS) {
		b->lost_said_ns = now;
		log_warning(&b->log,
			"broker %s: an answer found no room (outbox-messages, outbox-bytes)",
			ask->link->settings->name);
	}
	return false;
}

static void count(struct bridge *b, unsigned int status)
{
	b->counts.answers++;
	b->counts.by_code[status < BRIDGE_N_CODES ? status : EDGE_CLIENT_INTERNAL]++;
}

/* Where an error goes that nobody has asked to have elsewhere. */
static void publish_error(struct bridge *b, const struct ask *ask, const struct bytes_writer *w)
{
	char topic[TOPICS_MAX];
	if (ask->of_pipeline) {
		pipes_topic(&b->pipes, ask->model, "error", ask->source, topic);
	} else {
		snprintf(topic, sizeof(topic), "%s/%s/%s/error", b->settings.prefix,
			b->settings.gateway, ask->model);
	}
	announce_publish(b, ask->link, OUTBOX_RESULT, false, topic, w->data, w->size);
}

/* Answers with an error. The ask stays with the caller. */
void respond_refuse(struct bridge *b, struct ask *ask, unsigned int status, const char *text)
{
	struct bytes_writer w = {0};
	const struct result_options options = options_of(b, 0);
	room_give_back(ask);
	count(b, status);
	dedup_forget(&b->dedup, ask->key);
	log_debug(&b->log, "%s: %s: %s", ask->model, edge_client_code_name(status), text);
	if (!ask->link) {
		return; /* the broker was taken out of the configuration */
	}
	result_write_error(&w, ask, status, text, &options);
	struct outbox_message *m = NULL;
	if (!w.failed && ask->response_topic) {
		m = response_new(ask, &w, "application/json");
	} else if (!w.failed) {
		publish_error(b, ask, &w);
	}
	if (m) {
		snprintf(m->status, sizeof(m->status), "%s", edge_client_code_name(status));
		bool put = publish(b, ask, m);
		(void)put; /* else it was said */
	}
	bytes_writer_deinit(&w);
}

/* False where there is none, which is the answer then. */
static bool last_has_room(struct bridge *b, struct ask *ask, size_t size)
{
	const struct outbox *outbox = ask->link ? &ask->link->outbox : NULL;
	room_give_back(ask);
	if (!outbox || outbox_has_room(outbox, OUTBOX_RESPONSE, ask->response_topic, size)) {
		return true;
	}
	bool never = size > outbox_largest_answer(outbox, ask->response_topic);
	respond_refuse(b, ask, never ? EDGE_CLIENT_TOO_LARGE : EDGE_CLIENT_OVERLOADED,
		never ? "the answer is larger than outbox-bytes takes" : "no room for the answer");
	return false;
}

void respond_with(struct bridge *b, struct ask *ask, const void *data, size_t size,
	unsigned int status, bool more)
{
	struct bytes_writer w = {0};
	if (more) {
		room_use(ask, size);
	} else if (!last_has_room(b, ask, size)) {
		return;
	}
	status = ask->lacks && status == EDGE_CLIENT_OK ? EDGE_CLIENT_OVERLOADED : status;
	if (!more) {
		count(b, status);
	}
	if (!ask->link) {
		return;
	}
	bytes_write(&w, data, size);
	struct outbox_message *m = w.failed ? NULL : response_new(ask, &w, "application/json");
	bytes_writer_deinit(&w);
	if (m) {
		snprintf(m->status, sizeof(m->status), "%s",
			more ? "MORE" : edge_client_code_name(status));
	}
	ask->lacks |= !m || !publish(b, ask, m);
}

void respond_refuse_and_end(
	struct bridge *b, struct ask *ask, unsigned int status, const char *text)
{
	respond_refuse(b, ask, status, text);
	serve_finish(b, ask);
}

/* 0 where it can go; -EFBIG where it never could, -EAGAIN where it cannot now. */
static int look_for_room(struct ask *ask, struct model_entry *model, size_t size, struct error *err)
{
	const struct outbox *outbox = &ask->link->outbox;
	size_t most = outbox_largest_answer(outbox, ask->response_topic);
	size_t *largest = &model->answer_bytes[ask->answer];
	*largest = size > *largest ? size : *largest;
	if (size > most) {
		return error_set(err, -EFBIG,
			"the answer has %zu bytes; outbox-bytes = %zu takes up to %zu", size,
			outbox->max_bytes, most);
	}
	return outbox_has_room(outbox, OUTBOX_RESPONSE, ask->response_topic, size)
		? 0
		: error_set(err, -EAGAIN, "no room for the answer");
}

static int respond(struct bridge *b, struct ask *ask, struct model_entry *model,
	const struct edge_client_answer *answer, struct error *err)
{
	struct bytes_writer w = {0};
	const struct result_options options = options_of(b, 0);
	int r = result_write(&w, ask->answer, ask, model, answer, &options, err);
	r = r < 0 ? r : look_for_room(ask, model, w.size, err);
	if (r == -EAGAIN) {
		serve_ask_again(b, ask, w.size);
	}
	struct outbox_message *m = r < 0
		? NULL
		: response_new(ask, &w,
			  ask->answer == ASK_RAW ? "application/octet-stream" : "application/json");
	bytes_writer_deinit(&w);
	if (!m) {
		return r < 0 ? r : error_no_memory(err);
	}
	snprintf(m->status, sizeof(m->status), "OK");
	if (ask->answer == ASK_RAW) {
		result_tensors(model, answer, m->tensors, sizeof(m->tensors));
		m->tensors[topics_is_text(m->tensors) ? strlen(m->tensors) : 0] =
			0; /* a model's words */
	}
	bool put = publish(b, ask, m);
	(void)put; /* else it was said */
	return 0;
}

static int feed(struct bridge *b, struct ask *ask, const struct model_entry *model,
	const struct edge_client_answer *answer, struct error *err)
{
	char topic[TOPICS_MAX];
	struct bytes_writer w = {0};
	const struct settings *s = &b->settings;
	const struct result_options options = options_of(b, ++b->sequence);
	if (!topics_fill(topic, sizeof(topic), s->result_topic, s->prefix, s->gateway, ask->model,
		    ask->source)) {
		return error_set(err, -EINVAL, "result-topic");
	}
	int r = result_write(&w, ASK_JSON, ask, model, answer, &options, err);
	struct outbox_message *m =
		r < 0 ? NULL : outbox_message_new(OUTBOX_RESULT, topic, w.data, w.size);
	bytes_writer_deinit(&w);
	if (!m) {
		return r < 0 ? r : error_no_memory(err);
	}
	m->qos = (unsigned int)s->result_qos;
	m->expires_ns = ask->expires ? ask->deadline_ns : 0;
	m->kept = take(ask->kept); /* NULL where it was answered elsewhere too */
	m->content_type = "application/json";
	memcpy(m->traceparent, ask->traceparent, sizeof(m->traceparent));
	link_publish(ask->link, m);
	b->counts.results++;
	return 0;
}

void respond_succeed(struct bridge *b, struct ask *ask, struct model_entry *model,
	const struct edge_client_answer *answer)
{
	struct error err = {0};
	bool all = strcmp(b->settings.feed, "all") == 0;
	bool none = strcmp(b->settings.feed, "none") == 0;
	int r = ask->link && ask->response_topic ? respond(b, ask, model, answer, &err) : 0;
	if (r == 0 && ask->link && !none && (all || !ask->response_topic)) {
		r = feed(b, ask, model, answer, &err);
	}
	if (r == -EAGAIN) {
		return; /* it waits in the line */
	}
	if (r == -ENOMEM) {
		serve_lack_memory(b, ask);
		return;
	}
	if (r < 0) {
		respond_refuse_and_end(b, ask,
			r == -EFBIG ? EDGE_CLIENT_TOO_LARGE : EDGE_CLIENT_INTERNAL, err.text);
		return;
	}
	count(b, EDGE_CLIENT_OK);
	serve_finish(b, ask);
}

/* ---- what did not get there */

static void write_too_large(
	struct bytes_writer *w, const struct bridge *b, const struct outbox_message *about)
{
	char text[96];
	snprintf(text, sizeof(text), "%zu bytes are more than the broker takes", about->size);
	flat_begin(w, NULL, '{');
	flat_text(w, "gw", b->settings.gateway);
	if (about->id[0]) {
		flat_text(w, "id", about->id);
	}
	flat_time(w);
	flat_text(w, "error", edge_client_code_name(EDGE_CLIENT_TOO_LARGE));
	flat_integer(w, "code", EDGE_CLIENT_TOO_LARGE);
	flat_text(w, "message", text);
	flat_end(w, '}');
}

/* The same answer, with this in it. */
static void answer_too_large(struct bridge *b, struct link *link, struct outbox_message *about)
{
	struct bytes_writer w = {0};
	write_too_large(&w, b, about);
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
	m->kept = take(about->kept);
	snprintf(m->status, sizeof(m->status), "%s", edge_client_code_name(EDGE_CLIENT_TOO_LARGE));
	link_publish(link, m);
}

/* PREFIX/GW/pipeline/NAME/snapshot/SOURCE, of our own: its error topic. */
static void tell_too_large(struct bridge *b, struct link *link, const struct outbox_message *about)
{
	char topic[TOPICS_MAX];
	struct bytes_writer w = {0};
	const char *at = strstr(about->topic, "/snapshot/");
	if (!at) {
		return;
	}
	snprintf(topic, sizeof(topic), "%.*s/error/%s", (int)(at - about->topic), about->topic,
		at + strlen("/snapshot/"));
	write_too_large(&w, b, about);
	if (!w.failed) {
		announce_publish(b, link, OUTBOX_RESULT, false, topic, w.data, w.size);
	}
	bytes_writer_deinit(&w);
}

void respond_given_up(
	struct bridge *b, struct link *link, struct outbox_message *message, bool too_large)
{
	bool small = message->size < ERROR_SIZE; /* nothing smaller could be said */
	if (too_large && !small && message->kind == OUTBOX_RESPONSE) {
		answer_too_large(b, link, message);
	} else if (too_large && message->kind == OUTBOX_SNAPSHOT) {
		tell_too_large(b, link, message);
	}
}
