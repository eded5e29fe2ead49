/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/pipes.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"

#define REST_BYTES (8u << 20) /* of a frame, beside its tensors: a picture */
#define AGAIN_MS 1000 /* until another child is started */
#define NS_PER_US 1000

static void child_begin(struct pipes *pipes);
static void give_up(struct pipes *pipes, const char *why);
static void on_time(uv_timer_t *timer);

/* ---- orders */

static bool next_open(struct pipes *pipes, struct bytes_writer *order)
{
	if (pipes->opened < pipes->n) {
		const struct pipe *pipe = pipes->items[pipes->opened];
		pipes_open_write(order, pipe->path, pipe->text, pipe->size);
	} else {
		pipes_begin_write(order, (uint32_t)pipes->bridge->settings.in_flight);
	}
	return true;
}

static bool next_model(struct pipes *pipes, struct bytes_writer *order)
{
	for (size_t i = 0; i < pipes->n_known; i++) {
		struct pipes_known *known = &pipes->known[i];
		if (known->rests) {
			known->rests = false;
			known->is_news = true;
			pipes_model_write(order, known->name, known->signature, NULL);
			return true;
		}
		if (known->examples_are_news) {
			known->examples_are_news = false;
			bytes_write(order, known->examples.data, known->examples.size);
			return true;
		}
		if (known->is_news) {
			known->is_news = false;
			bytes_write(order, known->order.data, known->order.size);
			return true;
		}
	}
	return false;
}

static bool next_setting(struct pipes *pipes, struct bytes_writer *order)
{
	for (size_t i = 0; i < pipes->n; i++) {
		struct pipe *pipe = pipes->items[i];
		if (pipe->threshold_is_news && !pipe->refused[0]) {
			pipe->threshold_is_news = false;
			pipes_set_write(order, (uint32_t)i, pipeline_threshold(pipe->about));
			return true;
		}
	}
	return false;
}

static uint32_t index_of(const struct pipes *pipes, const char *name)
{
	uint32_t i = 0;
	while (i < pipes->n && strcmp(pipes->items[i]->name, name) != 0) {
		i++;
	}
	return i;
}

/* Only while edged takes what comes of it. */
static bool next_input(struct pipes *pipes, struct bytes_writer *order)
{
	struct bridge *b = pipes->bridge;
	bool room = pipes->n_asked < b->settings.in_flight && pipes->n_held + 1 < PIPES_MAX_TAGS;
	struct ask *ask = room ? serve_next_input(b) : NULL;
	if (!ask) {
		return false;
	}
	struct pipes_input input = {.pipeline = index_of(pipes, ask->model),
		.origin = ask->origin,
		.time_us = ask->arrived_ns / NS_PER_US,
		.deadline_ns = ask->deadline_ns,
		.opened = ask->opened,
		.data = ask->payload,
		.size = ask->size};
	memcpy(input.source, ask->source, sizeof(input.source));
	if (input.pipeline < pipes->n) { /* else its file has gone since */
		input.tag = pipes_tag(pipes, pipes->items[input.pipeline], ask);
	}
	snprintf(input.content_type, sizeof(input.content_type), "%s",
		decode_content_type(ask->format));
	snprintf(input.fields, sizeof(input.fields), "%s", ask->fields);
	pipes_input_write(order, &input);
	ask->state = ASK_DECODING;
	pipes->input = ask;
	return true;
}

bool pipes_feed(struct pipes *pipes)
{
	struct bytes_writer order = {0};
	struct error err = {0};
	if (!pipes->child || pipes->order) {
		return false;
	}
	bool there = pipes->works ? next_model(pipes, &order) || next_setting(pipes, &order) ||
			pipes_next_answer(pipes, &order) || next_input(pipes, &order)
				  : next_open(pipes, &order);
	if (!there) {
		return false;
	}
	if (order.failed) {
		bytes_writer_deinit(&order);
		give_up(pipes, "no memory");
		return true;
	}
	pipes->order = order.data[CHILD_HEAD_BYTES];
	pipes->order_told = false;
	uv_timer_stop(&pipes->timer);
	uv_timer_start(&pipes->timer, on_time, pipes->bridge->settings.decode_timeout_ms, 0);
	if (child_send(pipes->child, &order, &err) < 0) {
		give_up(pipes, err.text);
	}
	return true;
}

/* ---- words */

/* The input is dealt with: it has become questions, or it was no good. */
static void input_end(struct pipes *pipes, const struct error *failed)
{
	struct bridge *b = pipes->bridge;
	struct ask *ask = take(pipes->input);
	if (pipes_opened_end(pipes, ask, failed->code)) {
		return;
	}
	if (!failed->code) {
		pipes->counts.inputs++;
		serve_leave(b, ask);
		if (ask->tag) {
			pipes_hold(pipes, ask);
		} else {
			room_give_back(ask);
			ask_free(ask);
		}
		return;
	}
	pipes->counts.refused++;
	bool bad = failed->code == -EBADMSG || failed->code == -EINVAL;
	bool full = failed->code == -ENOSPC;
	respond_refuse_and_end(b, ask,
		full          ? EDGE_CLIENT_OVERLOADED
			: bad ? EDGE_CLIENT_INVALID
			      : error_status_of(failed->code),
		failed->text);
}

/* Where memory was short for a moment all begin anew; the second time in a row it is the file's doing. */
static void open_end(struct pipes *pipes, const struct error *failed)
{
	struct pipe *pipe = pipes->items[pipes->opened++];
	bool was_short = pipe->memory_was_short;
	pipe->memory_was_short = failed->code == -ENOMEM;
	if (pipe->memory_was_short && !was_short) {
		give_up(pipes, failed->text);
		return;
	}
	snprintf(pipe->refused, sizeof(pipe->refused), "%s", failed->code ? failed->text : "");
	if (failed->code) {
		log_error(&pipes->bridge->log, "%s", failed->text);
	}
}

static void begin_end(struct pipes *pipes, const struct error *failed)
{
	if (failed->code) {
		give_up(pipes, failed->text);
		return;
	}
	pipes->works = pipes->has_worked = true;
	pipes_look_at_needs(pipes);
	pipes_announce(pipes, NULL);
	announce_pool(pipes->bridge);
	leftover_look(pipes->bridge);
	home_follow(pipes->bridge);
}

static void order_end(struct pipes *pipes, const struct pipes_done *done)
{
	const struct error *failed = &done->failed;
	uint8_t order = pipes->order;
	bool lacks = order == PIPES_MODEL || order == PIPES_EXAMPLES || order == PIPES_SET ||
		order == PIPES_ANSWER;
	if (lacks && failed->code == -ENOMEM) {
		pipes->works = false; /* only a new one is told of that model or setting again */
		give_up(pipes, failed->text);
		serve_dispatch(pipes->bridge);
		return;
	}
	pipes->order = 0;
	uv_timer_stop(&pipes->timer);
	pipes_order_ended(pipes);
	if (order == PIPES_INPUT) {
		input_end(pipes, failed);
	} else if (order == PIPES_OPEN) {
		open_end(pipes, failed);
	} else if (order == PIPES_BEGIN) {
		begin_end(pipes, failed);
	} else if (failed->code) {
		log_warning(&pipes->bridge->log, "pipelines: %s", failed->text);
	}
	pipes_answer_held(pipes, done);
	serve_dispatch(pipes->bridge);
}

/* Without memory for its tensors it is answered so: that is not the child's doing. */
static bool take_question(struct pipes *pipes, struct bytes_reader *r)
{
	struct pipes_question question;
	int code = pipes_question_read(r, pipes->bridge->decoder.max_tensor_bytes, &question, NULL);
	return (code == 0 || code == -ENOMEM) && pipes_ask(pipes, &question, code);
}

static bool take_result(struct pipes *pipes, struct bytes_reader *r)
{
	struct pipes_result result;
	pipes->order_told = true;
	return pipes_result_read(r, &result, NULL) == 0 && pipes_publish(pipes, &result);
}

static bool take_envelope(struct pipes *pipes, struct bytes_reader *r)
{
	struct decode_envelope envelope;
	return pipes_envelope_read(r, &envelope, NULL) == 0 && pipes_open(pipes, &envelope);
}

static bool take_done(struct pipes *pipes, struct bytes_reader *r)
{
	struct pipes_done done;
	if (pipes_done_read(r, &done, NULL) < 0) {
		return false;
	}
	order_end(pipes, &done);
	return true;
}

static void on_frame(void *data, const uint8_t *body, size_t size)
{
	struct pipes *pipes = data;
	struct bytes_reader r = bytes_reader_of(body, size);
	uint8_t word = bytes_read_u8(&r);
	bool ok = pipes->order != 0 &&
		((word == PIPES_DONE && take_done(pipes, &r)) ||
			(word == PIPES_ENVELOPE && take_envelope(pipes, &r)) ||
			(word == PIPES_QUESTION && take_question(pipes, &r)) ||
			(word == PIPES_RESULT && take_result(pipes, &r)));
	if (!ok) {
		give_up(pipes, "the process of the pipelines makes no sense");
	}
}

/* ---- the child's life */

/* The input that it was at goes to the next child, once. */
static void input_again(struct pipes *pipes, const char *why, bool may_again)
{
	struct ask *ask = take(pipes->input);
	if (!ask) {
		return;
	}
	pipes_open_again(pipes, ask);
	room_give_back(ask);
	if (may_again && !ask->asked_again) {
		ask->asked_again = true;
		ask->state = ASK_NEW;
		return;
	}
	pipes->counts.refused++;
	respond_refuse_and_end(pipes->bridge, ask, EDGE_CLIENT_INVALID, why);
}

static void on_again(uv_timer_t *timer);

static void child_end(struct pipes *pipes, const char *why, bool may_again)
{
	if (pipes->child) {
		child_kill(take(pipes->child));
	}
	if (!pipes->stopped) {
		log_warning(&pipes->bridge->log, "pipelines: %s: they begin anew", why);
		pipes->counts.restarts++;
		/* At once where it had worked; else not again and again. */
		uv_timer_stop(&pipes->timer);
		uv_timer_start(&pipes->timer, on_again, pipes->works ? 0 : AGAIN_MS, 0);
	}
	pipes->order = 0;
	pipes->works = false;
	pipes->epoch++;
	pipes_forget_asked(pipes);
	pipes_say_reset(pipes);
	pipes_refuse_held(pipes, why);
	input_again(pipes, why, may_again);
}

static void give_up(struct pipes *pipes, const char *why)
{
	child_end(pipes, why, true);
}

static void on_end(void *data, bool killed, const char *why)
{
	struct pipes *pipes = data;
	(void)killed;
	pipes->child = NULL;
	child_end(pipes, why, true);
}

static void on_time(uv_timer_t *timer)
{
	child_end(timer->data, "an input took too long (decode-timeout)", false);
}

static void on_again(uv_timer_t *timer)
{
	child_begin(timer->data);
}

static void child_begin(struct pipes *pipes)
{
	static const struct child_events events = {.on_frame = on_frame, .on_end = on_end};
	struct bridge *b = pipes->bridge;
	struct error err = {0};
	char memory[32];
	snprintf(memory, sizeof(memory), "%" PRIu64, b->settings.decode_memory);
	char *arguments[] = {
		(char *)(uintptr_t) "edged-mqtt", (char *)(uintptr_t) "--pipelines", memory, NULL};
	if (pipes->stopped || pipes->n == 0) {
		return;
	}
	pipes->opened = 0;
	pipes->works = false;
	for (size_t i = 0; i < pipes->n_known; i++) {
		pipes->known[i].rests = false;
		pipes->known[i].is_news = pipes->known[i].order.size > 0;
		pipes->known[i].examples_are_news = pipes->known[i].examples.size > 0;
	}
	for (size_t i = 0; i < pipes->n; i++) {
		pipes->items[i]->threshold_is_news = !isnan(pipes->items[i]->threshold);
	}
	if (child_start(&b->loop, arguments, (size_t)b->decoder.max_tensor_bytes + REST_BYTES,
		    &events, pipes, &pipes->child, &err) < 0) {
		child_end(pipes, err.text, true);
		return;
	}
	serve_dispatch(b);
}

void pipes_start(struct pipes *pipes)
{
	uv_timer_init(&pipes->bridge->loop, &pipes->timer);
	pipes->timer.data = pipes;
	pipes_load_settings(pipes);
	child_begin(pipes);
}

int pipes_reload(struct pipes *pipes, size_t *ret_bad, struct error *err)
{
	if (pipes->child) {
		child_kill(take(pipes->child));
	}
	uv_timer_stop(&pipes->timer);
	pipes->order = 0;
	pipes->works = false;
	pipes->epoch++;
	pipes_forget_asked(pipes);
	pipes_say_reset(pipes);
	pipes_refuse_held(pipes, "the configuration was read again");
	input_again(pipes, "the configuration was read again", true);
	int r = pipes_load(pipes, ret_bad, err);
	for (size_t i = 0; i < pipes->n_known; i++) {
		models_forget_description(&pipes->bridge->models, pipes->known[i].name);
	}
	child_begin(pipes);
	pipes_announce(pipes, NULL);
	return r;
}

void pipes_stop(struct pipes *pipes)
{
	pipes->stopped = true;
	child_end(pipes, "stopping", false);
	uv_close((uv_handle_t *)&pipes->timer, NULL);
}

void pipes_deinit(struct pipes *pipes)
{
	for (size_t i = 0; i < pipes->n; i++) {
		pipe_free(pipes->items[i]);
	}
	for (size_t i = 0; i < pipes->n_known; i++) {
		bytes_writer_deinit(&pipes->known[i].order);
		bytes_writer_deinit(&pipes->known[i].examples);
	}
	free(pipes->known);
}

/* ---- inputs */

struct pipe *pipes_find(const struct pipes *pipes, const char *name)
{
	uint32_t i = index_of(pipes, name);
	return i < pipes->n ? pipes->items[i] : NULL;
}

/* The broker's source, in place of the one not heard of for longest where there are too many. */
static struct pipes_source *source_of(struct pipes *pipes, struct pipe *pipe, struct link *link,
	uint32_t origin, const char *name)
{
	struct pipes_source *oldest = &pipe->sources[0];
	for (size_t i = 0; i < pipe->n_sources; i++) {
		if (pipe->sources[i].origin == origin && strcmp(pipe->sources[i].name, name) == 0) {
			return &pipe->sources[i];
		}
		if (pipe->sources[i].last_used < oldest->last_used) {
			oldest = &pipe->sources[i];
		}
	}
	struct pipes_source *source =
		pipe->n_sources < PIPELINE_MAX_SOURCES ? &pipe->sources[pipe->n_sources++] : oldest;
	pipes_forget_source(pipes, pipe, source);
	free(source->untold);
	*source = (struct pipes_source){.origin = origin, .link = link};
	snprintf(source->name, sizeof(source->name), "%s", name);
	return source;
}

void pipes_know_source(
	struct pipes *pipes, struct link *link, const char *pipeline, const char *source)
{
	struct pipe *pipe = pipes_find(pipes, pipeline);
	if (pipe && pipe->n_sources < PIPELINE_MAX_SOURCES) { /* it takes no other one's place */
		source_of(pipes, pipe, link, link->number, source)->known = true;
	}
}

void pipes_forget_link(struct pipes *pipes, const struct link *link)
{
	for (size_t i = 0; i < pipes->n; i++) {
		struct pipe *pipe = pipes->items[i];
		for (size_t k = 0; k < pipe->n_sources; k++) {
			struct pipes_source *source = &pipe->sources[k];
			source->link = source->link == link ? NULL : source->link;
		}
	}
}

bool pipes_is_poolable(const struct pipes *pipes, const struct pipe *pipe)
{
	bool ready = pipes->has_worked && !pipe->refused[0] && !pipe->off;
	const char *model = NULL;
	for (size_t i = 0; ready && (model = pipeline_model_name(pipe->about, i)); i++) {
		const struct model_entry *entry = models_find(&pipes->bridge->models, model);
		ready = entry && models_is_ready(entry);
	}
	return ready && !pipe->says.remembers && pipes_answers(pipe);
}

void pipes_accept(struct pipes *pipes, struct ask *ask)
{
	struct pipe *pipe = pipes_find(pipes, ask->model);
	struct pipes_source *source = source_of(pipes, pipe, ask->link, ask->origin, ask->source);
	source->last_used = ++pipes->uses;
	struct ask *older = pipe->says.latest_only
		? asks_find_input(&pipes->bridge->asks, ask->model, ask->origin, ask->source)
		: NULL;
	if (older) {
		pipes->counts.sampled++;
		if (older->response_topic) {
			respond_refuse(pipes->bridge, older, EDGE_CLIENT_SUPERSEDED,
				"a newer input took its place");
		}
		serve_finish(pipes->bridge, older);
	}
}
