/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs with a response topic: each result goes there too. An answer is whole when the child has nothing more under
 * way of its input; until then the newest result is held back, because the last one says so.
 */
#include <string.h>

#include "daemon/mqtt/bridge.h"

bool pipes_answers(const struct pipe *pipe)
{
	uint32_t rate = 0, channels = 0;
	return pipeline_feed(pipe->about, &rate, &channels) == PIPELINE_SINGLE;
}

uint64_t pipes_tag(struct pipes *pipes, const struct pipe *pipe, struct ask *ask)
{
	if (ask->response_topic && pipes_answers(pipe) && !ask->tag) {
		ask->tag = ++pipes->last_tag;
	}
	return ask->tag;
}

bool pipes_open(struct pipes *pipes, const struct decode_envelope *envelope)
{
	struct ask *ask = pipes->input;
	if (pipes->order != PIPES_INPUT || !ask || ask->opened) {
		return false;
	}
	ask->opened = pipes->unsealed = true;
	pipes->denied = !serve_take_envelope(pipes->bridge, ask, envelope);
	return true;
}

bool pipes_opened_end(struct pipes *pipes, struct ask *ask, int failed)
{
	struct bridge *b = pipes->bridge;
	bool unsealed = pipes->unsealed;
	pipes->unsealed = false;
	if (unsealed && pipes->denied) {
		pipes->counts.refused++;
		b->counts.refused++;
		serve_refuse_reply_to(b, ask);
		return true;
	}
	if (!unsealed || failed) {
		return false;
	}
	if (!serve_drop_repeated(b, ask)) {
		ask->state = ASK_NEW;
	}
	return true;
}

void pipes_open_again(struct pipes *pipes, struct ask *ask)
{
	ask->opened = ask->opened && !pipes->unsealed;
	pipes->unsealed = false;
}

void pipes_hold(struct pipes *pipes, struct ask *ask)
{
	free(take(ask->payload));
	ask->next = pipes->held;
	pipes->held = ask;
	pipes->n_held++;
}

static struct ask *find(const struct pipes *pipes, uint64_t tag)
{
	if (pipes->input && pipes->input->tag == tag) {
		return pipes->input;
	}
	struct ask *ask = pipes->held;
	while (ask && ask->tag != tag) {
		ask = ask->next;
	}
	return ask;
}

static void say_reply(struct bridge *b, struct ask *ask, bool more)
{
	ask->n_replies++;
	ask->replies_bytes += ask->reply_bytes;
	respond_with(b, ask, ask->reply, ask->reply_bytes, ask->reply_status, more);
}

void pipes_note_answer(
	struct pipes *pipes, const struct pipe *pipe, const struct pipes_result *result)
{
	struct ask *ask = find(pipes, result->tag);
	struct bytes_writer w = {0};
	if (!ask) {
		return;
	}
	if (ask->reply) {
		say_reply(pipes->bridge, ask, true);
		free(take(ask->reply));
	}
	pipes_write_result(pipes, pipe, result, ask, &w);
	if (w.failed) {
		bytes_writer_deinit(&w);
		return;
	}
	ask->reply = w.data;
	ask->reply_bytes = w.size;
	ask->reply_status = result->kind == PIPELINE_RESULT ? EDGE_CLIENT_OK
		: result->kind == PIPELINE_SKIPPED          ? EDGE_CLIENT_OVERLOADED
							    : EDGE_CLIENT_INTERNAL;
}

static bool has_more(const struct pipes_done *done, uint64_t tag)
{
	for (uint32_t i = 0; i < done->n; i++) {
		if (done->tags[i] == tag) {
			return true;
		}
	}
	return false;
}

static void end(struct pipes *pipes, struct ask *ask)
{
	struct bridge *b = pipes->bridge;
	struct pipe *pipe = pipes_find(pipes, ask->model);
	if (ask->reply) {
		say_reply(b, ask, false);
	} else {
		respond_refuse(b, ask, EDGE_CLIENT_SUPERSEDED,
			"it was not looked at (every, latest-only)");
	}
	if (pipe) { /* so much is set aside for the next one */
		size_t n = ask->n_replies, bytes = ask->replies_bytes;
		pipe->answers = n > pipe->answers ? n : pipe->answers;
		pipe->answers_bytes = bytes > pipe->answers_bytes ? bytes : pipe->answers_bytes;
	}
	ask_free(ask);
}

void pipes_answer_held(struct pipes *pipes, const struct pipes_done *done)
{
	for (struct ask **at = &pipes->held; *at;) {
		struct ask *ask = *at;
		if (has_more(done, ask->tag)) {
			at = &ask->next;
			continue;
		}
		*at = ask->next;
		ask->next = NULL;
		pipes->n_held--;
		end(pipes, ask);
	}
}

void pipes_refuse_held(struct pipes *pipes, const char *why)
{
	struct ask *ask = take(pipes->held);
	pipes->n_held = 0;
	while (ask) {
		struct ask *next = take(ask->next);
		respond_refuse(pipes->bridge, ask, EDGE_CLIENT_INTERNAL, why);
		ask_free(ask);
		ask = next;
	}
}
