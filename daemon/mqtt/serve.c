/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"

#define NS_PER_MS UINT64_C(1000000)
#define US_PER_NS 1000
#define EXPIRY_MS 50
#define MEAN_WEIGHT 0.1
/* What a request takes: its tensors, and once more on their way from the decoder, or twice, in a buffer that grew, to
 * edged; its answer, and what is made of that in such a buffer. */
#define WORK_INPUTS 3
#define WORK_OUTPUTS 4

/* ---- the line */

/* Nothing is read from a broker while the line is nearly full, for a while. What waits for one that takes no answers counts for
 * that one alone, and while its word on what it has got is what makes room, it is heard. */
static void hold_back(struct bridge *b)
{
	const uint64_t now = clock_now_ns(), max_pause_ms = b->settings.max_pause_ms;
	const struct room_live live = room_look(b);
	uint64_t next = UINT64_MAX;
	for (size_t i = 0; i < b->n_links; i++) {
		struct link *link = b->links[i];
		const uint64_t most = link->settings->keepalive_ms / 2;
		const uint64_t pause_ms = most < max_pause_ms ? most : max_pause_ms;
		const size_t n = link->stuck ? b->asks.n : live.n;
		const bool is_over = link->paused && now >= link->paused_until_ns;
		if (is_over) {
			link->rests_until_ns = now + max_pause_ms * NS_PER_MS;
		}
		const bool is_heard = link->stuck && link->outbox.in_flight > 0;
		if (is_over || is_heard || n <= b->asks.max / 2) {
			link_pause(link, false);
		} else if (!link->paused && pause_ms && n >= b->asks.max - b->asks.max / 4 &&
			now >= link->rests_until_ns) {
			link->paused_until_ns = now + pause_ms * NS_PER_MS;
			link_pause(link, true);
		}
		if (link->paused && link->paused_until_ns < next) {
			next = link->paused_until_ns;
		}
	}
	b->paused = next != UINT64_MAX;
	if (b->paused) {
		uv_timer_start(&b->pause, serve_on_pause_end, (next - now) / NS_PER_MS + 1, 0);
	} else {
		uv_timer_stop(&b->pause);
	}
}

void serve_on_pause_end(uv_timer_t *timer)
{
	hold_back(timer->data);
}

void serve_leave(struct bridge *b, struct ask *ask)
{
	asks_remove(&b->asks, ask);
	if (b->paused) {
		hold_back(b);
	}
}

void serve_lack_memory(struct bridge *b, struct ask *ask)
{
	if (ask->kept) {
		dedup_forget(&b->dedup, ask->key);
		b->counts.requests--; /* it comes again */
		kept_put_off(take(ask->kept));
		serve_look_again(b);
		serve_finish(b, ask);
		return;
	}
	b->counts.shed++;
	respond_refuse_and_end(b, ask, EDGE_CLIENT_OVERLOADED, "no memory for it");
}

void serve_finish(struct bridge *b, struct ask *ask)
{
	serve_leave(b, ask);
	room_give_back(ask);
	ask_free(ask);
}

/* ---- edged */

struct running {
	struct bridge *bridge;
	struct ask *ask;
	uint64_t since_ns;
};

static void on_answer(void *data, const struct edge_client_reply *reply)
{
	owned_mem struct running *running = data;
	struct bridge *b = running->bridge;
	struct ask *ask = running->ask;
	struct model_entry *model = models_find(&b->models, ask->model);
	double took = (double)(clock_now_ns() - running->since_ns);
	room_give_back(ask);
	if (reply->error.code == -ENOTCONN && !ask->asked_again && !b->service.stopping) {
		ask->asked_again =
			true; /* edged was restarted: it has run nothing of this for us */
		asks_set_running(&b->asks, ask, false);
		return;
	}
	if (reply->error.code == -ENOBUFS) {
		serve_lack_memory(b, ask);
	} else if (reply->error.code || !reply->answer || !model) {
		bool gone = !reply->error.code && !model;
		respond_refuse_and_end(b, ask,
			reply->error.code ? reply->error.status
				: gone    ? EDGE_CLIENT_NOT_FOUND
					  : EDGE_CLIENT_INTERNAL,
			gone ? "the model has gone" : reply->error.text);
	} else {
		b->service_ns = b->service_ns == 0
			? took
			: (1 - MEAN_WEIGHT) * b->service_ns + MEAN_WEIGHT * took;
		model->requests++;
		kept_clear_tries(ask->kept);
		respond_succeed(b, ask, model, reply->answer);
	}
	serve_dispatch(b);
}

static void fill_tensor(
	const struct tensor_bytes *from, uint32_t index, struct edge_client_tensor *to)
{
	*to = (struct edge_client_tensor){.index = index,
		.type = from->type,
		.shape = {.rank = from->shape.rank},
		.data = from->data,
		.bytes = (size_t)from->bytes};
	memcpy(to->shape.dim, from->shape.dim, sizeof(to->shape.dim));
}

/* False when edged takes nothing now. */
static bool start(struct bridge *b, struct ask *ask)
{
	static const unsigned int classes[ASK_N_PRIORITIES] = {[ASK_HIGH] = EDGE_CLIENT_REALTIME,
		[ASK_NORMAL] = EDGE_CLIENT_NORMAL,
		[ASK_LOW] = EDGE_CLIENT_BATCH};
	struct edge_client_tensor tensors[DECODE_MAX_INPUTS];
	struct edge_client_error err = {0};
	uint64_t now = clock_now_ns(), id = 0;
	struct edge_client_request request = {.model = ask->model,
		.n_inputs = ask->tensors.n,
		.inputs = tensors,
		.priority = classes[ask->priority]};
	struct running *running = calloc(1, sizeof(*running));
	for (uint32_t i = 0; i < ask->tensors.n; i++) {
		fill_tensor(&ask->tensors.tensors[i], i, &tensors[i]);
	}
	if (ask->deadline_ns) {
		uint64_t left_us = (ask->deadline_ns - now) / US_PER_NS;
		request.deadline_us = left_us > UINT32_MAX ? 0 : (uint32_t)(left_us + 1);
	}
	if (!running) {
		room_give_back(ask);
		return false;
	}
	*running = (struct running){b, ask, now};
	int r = service_infer(&b->service, &request, on_answer, running, &id, &err);
	if (r == 0) {
		kept_count_try(ask->kept);
		ask->edge_id = id;
		asks_set_running(&b->asks, ask, true);
		return true;
	}
	free(running);
	room_give_back(ask);
	if (r == -EAGAIN || r == -ENOTCONN) {
		return false;
	}
	if (r == -ENOMEM) {
		serve_lack_memory(b, ask);
		return true;
	}
	respond_refuse_and_end(b, ask, err.status ? err.status : EDGE_CLIENT_INVALID, err.text);
	return true;
}

void serve_ask_again(struct bridge *b, struct ask *ask, size_t answer_bytes)
{
	ask->answer_bytes = answer_bytes;
	asks_set_running(&b->asks, ask, false);
	serve_look_again(b);
}

/* ---- decoding */

bool serve_take_envelope(struct bridge *b, struct ask *ask, const struct decode_envelope *e)
{
	const struct settings *s = &b->settings;
	memcpy(ask->id, e->id, sizeof(ask->id));
	if (e->there && ask->answer == ASK_JSON) {
		ask->answer = e->oip ? ASK_OIP : ASK_JSON;
		if (strcmp(e->accept, "application/octet-stream") == 0) {
			ask->answer = ASK_BASE64;
		}
	}
	if (!ask->traceparent[0] && topics_is_traceparent(e->traceparent)) {
		memcpy(ask->traceparent, e->traceparent, sizeof(ask->traceparent));
	}
	if (e->deadline_ms) {
		uint64_t deadline = ask->arrived_ns + e->deadline_ms * NS_PER_MS;
		bool sooner = !ask->deadline_ns || deadline < ask->deadline_ns;
		ask->deadline_ns = sooner ? deadline : ask->deadline_ns;
		ask->names_deadline = true;
	}
	if (e->priority[0] && ask_priority_of(e->priority) != ask->priority) {
		asks_remove(&b->asks, ask);
		ask->priority = ask_priority_of(e->priority);
		asks_add(&b->asks, ask);
	}
	if (!e->reply_to[0] || ask->response_topic) {
		return true;
	}
	if (!topics_may_answer(
		    e->reply_to, s->response_prefix, s->prefix, s->gateway, s->discovery_prefix)) {
		return false;
	}
	ask->response_topic = strdup(e->reply_to);
	return true;
}

void serve_refuse_reply_to(struct bridge *b, struct ask *ask)
{
	respond_refuse_and_end(
		b, ask, EDGE_CLIENT_DENIED, "reply_to is not for answers (response-prefix)");
}

bool serve_saw(struct bridge *b, const struct ask *ask)
{
	uint64_t until = ask->arrived_ns + b->settings.duplicate_window_ms * NS_PER_MS;
	if (ask->names_deadline && ask->deadline_ns < until) {
		until = ask->deadline_ns;
	}
	return dedup_see(&b->dedup, ask->key, clock_now_ns(), until);
}

bool serve_drop_repeated(struct bridge *b, struct ask *ask)
{
	if (!ask->key || !ask->id[0] || ask->correlation_bytes || !serve_saw(b, ask)) {
		return false;
	}
	b->counts.duplicates++;
	serve_finish(b, ask);
	return true;
}

static void on_decoded(void *data, struct decode_result *result,
	const struct decode_envelope *envelope, const struct error *err)
{
	struct running *running = data;
	struct bridge *b = running->bridge;
	struct ask *ask = running->ask;
	free(running);
	if (!result && err->code == DECODER_KILLED && !ask->asked_again) {
		ask->asked_again = true; /* that says nothing of it */
		ask->state = ASK_NEW;
		serve_dispatch(b);
		return;
	}
	ask->state = ASK_READY;
	bool may = serve_take_envelope(b, ask, envelope);
	const bool opened = ask->opened;
	ask->opened = true;
	if (result) {
		ask->tensors = *result; /* owned from here on */
	}
	if (!result && err->code == DECODER_NO_MEMORY) {
		serve_lack_memory(b, ask);
	} else if (!may) {
		b->counts.refused++;
		serve_refuse_reply_to(b, ask);
	} else if (!result) {
		/* A picture that is none says nothing of the model. */
		bool bad = err->code == -EBADMSG;
		respond_refuse_and_end(
			b, ask, bad ? EDGE_CLIENT_INVALID : error_status_of(err->code), err->text);
	} else {
		bool repeated = !opened && serve_drop_repeated(b, ask);
		(void)repeated; /* else it is ready */
	}
	serve_dispatch(b);
}

static void decode(struct bridge *b, struct ask *ask, const struct model_entry *model)
{
	struct error err = {0};
	const struct decode_job job = {.format = ask->format,
		.specs = model->inputs,
		.n_specs = model->n_inputs,
		.fields = ask->fields,
		.payload = ask->payload,
		.size = ask->size};
	struct running *running = calloc(1, sizeof(*running));
	if (!running) {
		serve_lack_memory(b, ask);
		return;
	}
	*running = (struct running){b, ask, 0};
	ask->state = ASK_DECODING;
	kept_count_try(ask->kept);
	int r = decoder_start(&b->decoder, &job, on_decoded, running, &err);
	if (r < 0) {
		free(running);
		ask->state = ASK_NEW;
	}
	if (r == -ENOMEM) {
		serve_lack_memory(b, ask);
	} else if (r < 0) {
		respond_refuse_and_end(b, ask, EDGE_CLIENT_INTERNAL, err.text);
	}
}

/* A tensor's own bytes need no decoding. */
static bool take_raw(struct ask *ask, const struct model_entry *model)
{
	const struct spec *spec = &model->inputs[0];
	struct error err = {0};
	bool json = ask->size && (ask->payload[0] == '{' || ask->payload[0] == '[');
	bool raw = ask->format == DECODE_RAW || (ask->format == DECODE_AUTO && !json);
	if (!raw || model->n_inputs != 1 || ask->size != spec->bytes ||
		spec->type == DTYPE_STRING || ask->fields[0]) {
		return false;
	}
	if (tensor_copy(spec->type, &spec->shape, ask->payload, ask->size, &ask->tensors.tensors[0],
		    &err) < 0) {
		return false;
	}
	ask->tensors.n = 1;
	return true;
}

/* ---- the line */

/* There is nothing to say yet: it is being loaded, its description is on the way, or edged has just begun. */
static bool is_coming(const struct bridge *b, const struct model_entry *model)
{
	if (!model || !model->listed) {
		return service_is_young(&b->service);
	}
	bool described = !model->generation || model->described == model->generation;
	return !models_is_ready(model) && (!described || strcmp(model->state, "loading") == 0);
}

/* The same of what it asks. */
static bool is_pipeline_coming(const struct bridge *b, const char *name)
{
	const struct pipe *pipe = pipes_find(&b->pipes, name);
	const char *model = NULL;
	bool judged = !pipe || pipe->refused[0] || service_is_away(&b->service) ||
		pipes_knows_models(&b->pipes, pipe);
	bool coming = !judged && !b->listed;
	for (size_t i = 0; !judged && !coming && (model = pipeline_model_name(pipe->about, i));
		i++) {
		coming = is_coming(b, models_find(&b->models, model));
	}
	return coming;
}

/* That can be taken up, once there is room for its answers. */
static bool is_input(const struct bridge *b, const struct ask *ask)
{
	return ask->state == ASK_NEW && ask->of_pipeline && !is_pipeline_coming(b, ask->model);
}

struct ask *serve_next_input(const struct bridge *b)
{
	struct ask *ask = b->asks.first;
	while (ask && (!is_input(b, ask) || !room_take(b, ask))) {
		ask = ask->next;
	}
	return ask;
}

/* An input that waits for room has it before requests behind it. */
static struct ask *next_ready(const struct bridge *b)
{
	struct ask *ask = b->asks.first;
	for (; ask; ask = ask->next) {
		bool ready = ask->state == ASK_READY && !ask->of_pipeline;
		bool waits = ask->wants_room && is_input(b, ask);
		if ((ready || waits) && room_take(b, ask) && ready) {
			return ask;
		}
	}
	return NULL;
}

/* NULL: it serves. */
static const char *reason_to_refuse(const struct model_entry *model, unsigned int *ret_status)
{
	*ret_status = EDGE_CLIENT_NOT_FOUND;
	if (!model || !model->listed) {
		return "there is no such model";
	}
	if (model->off) {
		*ret_status = EDGE_CLIENT_DENIED;
		return "the model was switched off";
	}
	return models_is_ready(model) ? NULL : "the model does not serve";
}

/* What is decoded has memory that others could use meanwhile: one that has waited for room is decoded only with room, and
 * those of its broker behind it not before. */
static bool may_decode(const struct bridge *b, struct ask *ask)
{
	const bool answered = ask->link && ask->response_topic;
	return !answered || ask->reserved ||
		(ask->wants_room ? room_take(b, ask) : !ask->link->full);
}

/* The first that can be dealt with; NULL: none. @ret_model: its model, or NULL. */
static struct ask *next_new(const struct bridge *b, const struct model_entry **ret_model)
{
	unsigned int status = 0;
	for (struct ask *ask = b->listed ? b->asks.first : NULL; ask; ask = ask->next) {
		if (ask->state == ASK_NEW && !ask->of_pipeline && room_is_there(ask)) {
			*ret_model = models_find(&b->models, ask->model);
			if (!is_coming(b, *ret_model) &&
				(reason_to_refuse(*ret_model, &status) || may_decode(b, ask))) {
				return ask;
			}
		}
	}
	return NULL;
}

/* The next one has the memory of those behind it. */
static bool take_memory(struct bridge *b, struct ask *ask, const struct model_entry *model)
{
	uint64_t in = 0, out = 0;
	for (uint32_t i = 0; i < model->n_inputs; i++) {
		in += model->inputs[i].bytes;
	}
	for (uint32_t i = 0; i < model->n_outputs; i++) {
		out += model->outputs[i].bytes;
	}
	ask->work_bytes = ask->size + WORK_INPUTS * in;
	ask->work_answer_bytes = WORK_OUTPUTS * out;
	struct ask *later = NULL;
	while (!asks_may_work(&b->asks, ask) && (later = asks_decoded_behind(&b->asks, ask))) {
		ask_forget_decoded(later);
	}
	return asks_may_work(&b->asks, ask);
}

/* The first that waits for the decoder, or that needs none. True when it was dealt with. */
static bool prepare_one(struct bridge *b)
{
	const struct model_entry *model = NULL;
	unsigned int status = 0;
	struct ask *ask = next_new(b, &model);
	if (!ask) {
		return false;
	}
	const char *why = reason_to_refuse(model, &status);
	if (why) {
		respond_refuse_and_end(b, ask, status, why);
		return true;
	}
	if (!take_memory(b, ask, model)) {
		return false;
	}
	if (take_raw(ask, model)) {
		ask->state = ASK_READY;
		return true;
	}
	if (!decoder_is_idle(&b->decoder)) {
		return false;
	}
	decode(b, ask, model);
	return true;
}

static void drop_expired(struct bridge *b)
{
	uint64_t now = clock_now_ns();
	for (struct ask *ask; (ask = asks_expired(&b->asks, now));) {
		b->counts.expired++;
		dedup_forget(&b->dedup, ask->key);
		serve_finish(b, ask);
	}
}

void serve_dispatch(struct bridge *b)
{
	drop_expired(b);
	pipes_ask_again(&b->pipes);
	for (size_t i = 0; i < b->n_links; i++) {
		b->links[i]->full = b->links[i]->packed = false;
	}
	for (;;) {
		bool room = b->asks.running < b->settings.in_flight && service_is_up(&b->service);
		struct ask *ready = room ? next_ready(b) : NULL;
		if (ready && start(b, ready)) {
			continue;
		}
		if (b->asks.n >= 1 && prepare_one(b)) {
			continue;
		}
		if (pipes_feed(&b->pipes)) {
			continue;
		}
		return;
	}
}

void serve_on_expiry(uv_timer_t *timer)
{
	struct bridge *b = timer->data;
	receive_kept(b);
	serve_dispatch(b);
	if (b->asks.n > 0 || b->pipes.n_asked > 0 || b->kept.n_waiting > 0) {
		uv_timer_start(timer, serve_on_expiry, EXPIRY_MS, 0);
	}
}

void serve_look_again(struct bridge *b)
{
	if (!uv_is_active((uv_handle_t *)&b->expiry)) {
		uv_timer_start(&b->expiry, serve_on_expiry, EXPIRY_MS, 0);
	}
}

double serve_wait_ms(const struct bridge *b)
{
	double slots = (double)b->settings.in_flight;
	double ahead = (double)(room_look(b).n + b->asks.running);
	return ahead * b->service_ns / slots / (double)NS_PER_MS;
}

/* ---- places in the line */

/* Who goes for @newer. What is stuck gives way to what is not, however urgent it is: the newest of the lowest priority. It makes
 * none but its own kind give way, of its own broker. NULL: nobody. */
static struct ask *victim_of(const struct bridge *b, const struct ask *newer)
{
	struct ask *last = NULL, *own = NULL;
	(void)room_look(b);
	const bool stuck = room_is_stuck(b, newer);
	for (struct ask *ask = b->asks.first; ask; ask = ask->next) {
		bool mine = ask->stuck && ask->link == newer->link;
		last = ask->stuck ? ask : last;
		own = mine && (!own || ask->priority > own->priority) ? ask : own;
	}
	if (last && !stuck) {
		return last;
	}
	struct ask *victim = stuck ? own : asks_victim(&b->asks);
	return victim && victim->priority >= newer->priority ? victim : NULL;
}

/* Lets old ones go, or refuses the new one. */
static bool make_room(struct bridge *b, const struct ask *ask)
{
	while (!asks_fit(&b->asks, ask->size)) {
		struct ask *victim = victim_of(b, ask);
		b->counts.shed++;
		if (!victim) {
			return false;
		}
		respond_refuse_and_end(
			b, victim, EDGE_CLIENT_OVERLOADED, "newer requests took its place");
	}
	return true;
}

void serve_accept(struct bridge *b, struct ask *ask)
{
	if (!make_room(b, ask)) {
		respond_refuse(b, ask, EDGE_CLIENT_OVERLOADED, "too many requests wait");
		ask_free(ask);
		return;
	}
	if (ask->of_pipeline) {
		pipes_accept(&b->pipes, ask);
	}
	asks_add(&b->asks, ask);
	if (b->paused || b->asks.n >= b->asks.max - b->asks.max / 4) {
		hold_back(b);
	}
	serve_look_again(b);
	serve_dispatch(b);
}
