/* SPDX-License-Identifier: Apache-2.0 */
/* What the child wants to know of models: edged is asked, its answers go back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US 1000

enum state {
	WAITS, /* for edged, or for its session */
	RUNS,
	ANSWERED,
	GIVEN, /* the child is at the answer */
};

struct pipes_asked {
	struct pipes_asked *next;
	struct pipes *pipes;
	uint64_t epoch; /* of the child that asked */
	enum state state;
	bool again; /* edged was lost once */
	bool is_fresh; /* of the input that the child is at */
	struct pipes_question q;
	struct bytes_writer order; /* of the answer */
};

static void asked_free(struct pipes_asked *asked)
{
	pipes_question_deinit(&asked->q);
	bytes_writer_deinit(&asked->order);
	free(asked);
}

static void unlink_it(struct pipes *pipes, struct pipes_asked *asked)
{
	struct pipes_asked **at = &pipes->asked;
	while (*at && *at != asked) {
		at = &(*at)->next;
	}
	if (*at) {
		*at = asked->next;
		pipes->n_asked--;
	}
}

/* ---- answers */

static void answer(struct pipes_asked *asked, const struct error *failed,
	const struct tensor_bytes *tensors, uint32_t n)
{
	asked->state = ANSWERED;
	pipes_question_deinit(&asked->q); /* what was asked is not needed any more */
	pipes_answer_write(&asked->order, asked->q.pipeline, asked->q.id, failed, tensors, n);
	if (asked->order.failed && !failed->code) {
		struct error none = {0};
		error_no_memory(&none);
		bytes_writer_deinit(&asked->order);
		asked->order = (struct bytes_writer){0};
		pipes_answer_write(&asked->order, asked->q.pipeline, asked->q.id, &none, NULL, 0);
	}
}

static void fail(struct pipes_asked *asked, int code, const char *text)
{
	struct error failed = {0};
	error_set(&failed, code, "%s", text);
	answer(asked, &failed, NULL, 0);
}

/* Refused for overload, or too late, is what a stage may be skipped for. */
static int code_of(const struct edge_client_error *error)
{
	bool late = error->status == EDGE_CLIENT_DEADLINE ||
		error->status == EDGE_CLIENT_CANCELLED || error->status == EDGE_CLIENT_SUPERSEDED;
	return error->status == EDGE_CLIENT_OVERLOADED ? -EBUSY
		: late                                 ? -ETIMEDOUT
		: error->code                          ? error->code
						       : -EIO;
}

static void succeed(struct pipes_asked *asked, const struct edge_client_answer *from)
{
	struct tensor_bytes tensors[PIPES_MAX_TENSORS] = {0};
	if (from->n_outputs > PIPES_MAX_TENSORS) {
		fail(asked, -EOPNOTSUPP, "too many outputs");
		return;
	}
	for (uint32_t i = 0; i < from->n_outputs; i++) {
		const struct edge_client_tensor *t = &from->outputs[i];
		tensors[i] = (struct tensor_bytes){.type = t->type,
			.shape = {.rank = (uint8_t)t->shape.rank},
			.data = (void *)(uintptr_t)t->data,
			.bytes = t->bytes};
		memcpy(tensors[i].shape.dim, t->shape.dim, sizeof(tensors[i].shape.dim));
	}
	const struct error none = {0};
	answer(asked, &none, tensors, from->n_outputs);
}

static struct pipes_session *session_find(const struct pipes *pipes, const struct pipes_question *q)
{
	for (size_t i = 0; i < PIPES_MAX_SESSIONS; i++) {
		const struct pipes_session *s = &pipes->sessions[i];
		if (s->number == q->session && s->pipeline == q->pipeline) {
			return (struct pipes_session *)s;
		}
	}
	return NULL;
}

static void on_answer(void *data, const struct edge_client_reply *reply)
{
	struct pipes_asked *asked = data;
	struct pipes *pipes = asked->pipes;
	if (asked->epoch != pipes->epoch) {
		asked_free(asked); /* who asked is gone */
		return;
	}
	bool lost = reply->error.code == -ENOTCONN && !pipes->bridge->service.stopping;
	struct pipes_session *session = session_find(pipes, &asked->q);
	if (reply->error.status == EDGE_CLIENT_NOT_FOUND && asked->q.session && session) {
		*session = (struct pipes_session){0}; /* it was a session of an older model */
		lost = true;
	}
	if (lost && !asked->again) {
		asked->again = true;
		asked->state = WAITS;
	} else if (reply->error.code || !reply->answer) {
		fail(asked, code_of(&reply->error), reply->error.text);
	} else {
		succeed(asked, reply->answer);
	}
	serve_dispatch(pipes->bridge);
}

bool pipes_next_answer(struct pipes *pipes, struct bytes_writer *ret_order)
{
	for (struct pipes_asked *asked = pipes->asked; asked; asked = asked->next) {
		if (asked->state == ANSWERED) {
			*ret_order = asked->order;
			asked->order = (struct bytes_writer){0};
			asked->state = GIVEN;
			return true;
		}
	}
	return false;
}

void pipes_order_ended(struct pipes *pipes)
{
	for (struct pipes_asked *asked = pipes->asked, *next; asked; asked = next) {
		next = asked->next;
		asked->is_fresh = false;
		if (asked->state == GIVEN) {
			unlink_it(pipes, asked);
			asked_free(asked);
		}
	}
}

/* ---- sessions */

struct opening {
	struct pipes *pipes;
	uint64_t epoch;
	struct pipes_question q; /* without tensors: whose session */
};

static void on_session(void *data, const struct edge_client_reply *reply)
{
	owned_mem struct opening *opening = data;
	struct pipes *pipes = opening->pipes;
	struct pipes_session *session =
		opening->epoch == pipes->epoch ? session_find(pipes, &opening->q) : NULL;
	if (!session) {
		if (!reply->error.code) {
			service_session_close(&pipes->bridge->service, reply->session);
		}
		return;
	}
	session->edge = reply->error.code ? 0 : reply->session;
	for (struct pipes_asked *asked = pipes->asked; asked && !session->edge;
		asked = asked->next) {
		if (asked->state == WAITS && asked->q.session == opening->q.session &&
			asked->q.pipeline == opening->q.pipeline) {
			fail(asked, code_of(&reply->error), reply->error.text);
		}
	}
	if (!session->edge) {
		*session = (struct pipes_session){0};
	}
	serve_dispatch(pipes->bridge);
}

/* One for another that was not used for longest and is not on its way; NULL: there is none. */
static struct pipes_session *session_place(struct pipes *pipes)
{
	struct pipes_session *place = NULL;
	for (size_t i = 0; i < PIPES_MAX_SESSIONS; i++) {
		struct pipes_session *s = &pipes->sessions[i];
		bool may = !s->number || s->edge;
		place = may && (!place || s->last_used < place->last_used) ? s : place;
	}
	if (place && place->number) {
		service_session_close(&pipes->bridge->service, place->edge);
	}
	return place;
}

/* The question's session; NULL while it is being opened. */
static struct pipes_session *session_get(struct pipes *pipes, struct pipes_asked *asked)
{
	struct pipes_session *session = session_find(pipes, &asked->q);
	struct edge_client_error err = {0};
	if (session) {
		session->last_used = ++pipes->uses;
		return session->edge ? session : NULL;
	}
	struct pipes_session *place = session_place(pipes);
	struct opening *opening = place ? calloc(1, sizeof(*opening)) : NULL;
	if (!opening) {
		return NULL;
	}
	*opening = (struct opening){pipes, pipes->epoch, asked->q};
	*place = (struct pipes_session){.pipeline = asked->q.pipeline,
		.number = asked->q.session,
		.last_used = ++pipes->uses};
	if (service_session_open(
		    &pipes->bridge->service, asked->q.model, on_session, opening, &err) < 0) {
		free(opening);
		*place = (struct pipes_session){0};
		fail(asked, code_of(&err), err.text);
	}
	return NULL;
}

void pipes_forget_sessions(struct pipes *pipes)
{
	memset(pipes->sessions, 0, sizeof(pipes->sessions));
}

/* ---- questions */

/* Is that model one of the pipeline's? A child that was taken over asks no others. */
static bool may_ask(const struct pipes *pipes, const struct pipes_question *q)
{
	const char *model = NULL;
	if (q->pipeline >= pipes->n || q->priority > EDGE_CLIENT_REALTIME) {
		return false;
	}
	const struct pipeline *about = pipes->items[q->pipeline]->about;
	for (size_t i = 0; (model = pipeline_model_name(about, i)); i++) {
		const char *signature = pipeline_signature_name(about, i);
		if (strcmp(model, q->model) == 0 &&
			strcmp(signature ? signature : "", q->signature) == 0) {
			return true;
		}
	}
	return false;
}

bool pipes_ask(struct pipes *pipes, struct pipes_question *question, int failed)
{
	struct pipes_asked *asked = calloc(1, sizeof(*asked));
	/* One whose answer it is at makes room already. */
	size_t open = pipes->n_asked - (pipes->order == PIPES_ANSWER);
	if (!asked || !may_ask(pipes, question) || open >= pipes->bridge->settings.in_flight) {
		free(asked);
		pipes_question_deinit(question);
		return false;
	}
	asked->pipes = pipes;
	asked->epoch = pipes->epoch;
	asked->q = *question;
	asked->is_fresh = pipes->order == PIPES_INPUT;
	uint64_t patience_ms = pipes->bridge->settings.deadline_ms;
	if (!asked->q.deadline_ns && patience_ms) {
		asked->q.deadline_ns = clock_now_ns() + patience_ms * NS_PER_MS;
	}
	struct pipes_asked **at = &pipes->asked;
	while (*at) {
		at = &(*at)->next;
	}
	*at = asked;
	pipes->n_asked++;
	pipes->counts.questions++;
	if (failed) {
		fail(asked, failed, "no memory");
	}
	return true;
}

static void fill(const struct tensor_bytes *from, uint32_t index, struct edge_client_tensor *to)
{
	*to = (struct edge_client_tensor){.index = index,
		.type = from->type,
		.shape = {.rank = from->shape.rank},
		.data = from->data,
		.bytes = (size_t)from->bytes};
	memcpy(to->shape.dim, from->shape.dim, sizeof(to->shape.dim));
}

/* -EAGAIN and -ENOTCONN: later. */
static int start(struct pipes *pipes, struct pipes_asked *asked, struct edge_client_error *err)
{
	struct edge_client_tensor tensors[PIPES_MAX_TENSORS];
	struct service *service = &pipes->bridge->service;
	const struct pipes_question *q = &asked->q;
	struct edge_client_request request = {.model = q->model,
		.signature = q->signature[0] ? q->signature : NULL,
		.n_inputs = q->n,
		.inputs = tensors,
		.priority = q->priority};
	uint64_t id = 0, now = clock_now_ns();
	for (uint32_t i = 0; i < q->n; i++) {
		fill(&q->tensors[i], i, &tensors[i]);
	}
	if (q->deadline_ns) {
		uint64_t left_us = (q->deadline_ns - now) / NS_PER_US;
		request.deadline_us = left_us > UINT32_MAX ? 0 : (uint32_t)left_us + 1;
	}
	if (!q->session) {
		return service_infer(service, &request, on_answer, asked, &id, err);
	}
	const struct pipes_session *session = session_get(pipes, asked);
	return session
		? service_session_infer(service, session->edge, &request, on_answer, asked, err)
		: -EAGAIN;
}

void pipes_ask_again(struct pipes *pipes)
{
	uint64_t now = clock_now_ns();
	for (struct pipes_asked *asked = pipes->asked; asked; asked = asked->next) {
		struct edge_client_error err = {0};
		if (asked->state != WAITS) {
			continue;
		}
		if (asked->q.deadline_ns && asked->q.deadline_ns <= now) {
			fail(asked, -ETIMEDOUT, "too late");
			continue;
		}
		if (!service_is_up(&pipes->bridge->service)) {
			continue;
		}
		int r = start(pipes, asked, &err);
		if (r == 0) {
			asked->state = RUNS;
		} else if (asked->state == WAITS && r != -EAGAIN && r != -ENOTCONN) {
			fail(asked, r, err.text);
		}
	}
}

/* Where a person looks for what came of an input. */
static void tell_lost(struct pipes *pipes, const struct pipes_asked *asked)
{
	struct pipes_result result = {
		.pipeline = asked->q.pipeline, .kind = PIPELINE_FAILED, .origin = asked->q.origin};
	static const char flat[] = "{\"error\":\"the process of the pipelines ended\"}";
	memcpy(result.source, asked->q.source, sizeof(result.source));
	result.flat = flat;
	result.flat_bytes = sizeof(flat) - 1;
	bool told = pipes_publish(pipes, &result);
	(void)told;
}

void pipes_forget_asked(struct pipes *pipes)
{
	while (pipes->asked) {
		struct pipes_asked *asked = pipes->asked;
		unlink_it(pipes, asked);
		/* The input that it was at is given to the next child; what was told is told. */
		bool told = asked->is_fresh || (asked->state == GIVEN && pipes->order_told);
		if (!pipes->stopped && !told) {
			tell_lost(pipes, asked);
		}
		if (asked->state != RUNS) {
			asked_free(asked); /* others when edged has answered */
		}
	}
	for (size_t i = 0; i < PIPES_MAX_SESSIONS; i++) {
		if (pipes->sessions[i].edge) {
			service_session_close(&pipes->bridge->service, pipes->sessions[i].edge);
		}
	}
	pipes_forget_sessions(pipes);
}
