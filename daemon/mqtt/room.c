/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room in a broker's outbox for the answers of what it has asked, set aside before the process of the pipelines or edged
 * is: an answer of QoS 1 gives way to nothing, and what is asked has nowhere else to be told.
 */
#include "daemon/mqtt/bridge.h"

#define SMALL_ANSWER 1024 /* an error, or a flat result before there was one */

static uint64_t guess(const struct model_entry *model, enum ask_answer form)
{
	uint64_t raw = 0;
	for (uint32_t i = 0; i < model->n_outputs; i++) {
		raw += model->outputs[i].bytes;
	}
	switch (form) {
	case ASK_RAW:
		return raw;
	case ASK_BASE64:
		return SMALL_ANSWER + raw / 3 * 4;
	case ASK_OIP:
		return SMALL_ANSWER + raw * 3; /* digits */
	case ASK_JSON:
		break;
	}
	return SMALL_ANSWER;
}

/* What would be too large is answered with an error. */
static size_t bytes_of_model(const struct bridge *b, const struct ask *ask)
{
	const struct model_entry *model = models_find(&b->models, ask->model);
	uint64_t known = model ? model->answer_bytes[ask->answer] : 0;
	uint64_t bytes = known || !model ? known : guess(model, ask->answer);
	bytes = ask->answer_bytes ? ask->answer_bytes : bytes;
	bytes = bytes < SMALL_ANSWER ? SMALL_ANSWER : bytes;
	bool large = bytes > outbox_largest_answer(&ask->link->outbox, ask->response_topic);
	return large ? SMALL_ANSWER : (size_t)bytes;
}

/* As many and as large as an input has had. Half of what there is at most, or others would have to be still for it. */
static size_t bytes_of_pipeline(const struct bridge *b, const struct ask *ask, size_t *ret_n)
{
	const struct outbox *outbox = &ask->link->outbox;
	const size_t head = outbox_cost(ask->response_topic, 0);
	const size_t half = (outbox_largest_answer(outbox, ask->response_topic) + head) / 2;
	const struct pipe *pipe = pipes_find(&b->pipes, ask->model);
	size_t n = 1, bytes = 0;
	if (pipe && pipes_answers(pipe)) {
		while (pipeline_model_name(pipe->about, n)) {
			n++; /* one of each stage */
		}
		n = n > pipe->answers ? n : pipe->answers;
		bytes = pipe->answers_bytes;
	}
	size_t most = half / (head + SMALL_ANSWER);
	most = most < outbox->max_messages / 2 ? most : outbox->max_messages / 2;
	n = n < most ? n : most;
	n = n > 0 ? n : 1;
	bytes = bytes > n * SMALL_ANSWER ? bytes : n * SMALL_ANSWER;
	*ret_n = n;
	const size_t left = half > n * head ? half - n * head : SMALL_ANSWER;
	return bytes < left ? bytes : left;
}

/* One after the other: small answers do not keep a large one waiting. */
bool room_take(const struct bridge *b, struct ask *ask)
{
	struct link *link = ask->link;
	size_t n = 1;
	if (!link || !ask->response_topic || ask->reserved) {
		return true;
	}
	size_t size = ask->of_pipeline ? bytes_of_pipeline(b, ask, &n) : bytes_of_model(b, ask);
	link->full = link->full ||
		!outbox_reserve(&link->outbox, ask->response_topic, n, size, &ask->reserved);
	ask->reserved_messages = ask->reserved ? n : 0;
	ask->wants_room = link->full;
	return !link->full;
}

void room_use(struct ask *ask, size_t size)
{
	if (!ask->link || ask->reserved_messages < 2) {
		return;
	}
	size_t rest = outbox_cost(ask->response_topic, SMALL_ANSWER);
	size_t bytes = outbox_cost(ask->response_topic, size);
	size_t most = ask->reserved > rest ? ask->reserved - rest : 0;
	bytes = bytes < most ? bytes : most;
	outbox_release(&ask->link->outbox, 1, bytes);
	ask->reserved_messages--;
	ask->reserved -= bytes;
}

/* The link may have gone meanwhile, and its outbox with it. */
void room_give_back(struct ask *ask)
{
	if (ask->reserved && ask->link) {
		outbox_release(&ask->link->outbox, ask->reserved_messages, ask->reserved);
	}
	ask->reserved = ask->reserved_messages = 0;
}

bool room_is_there(const struct ask *ask)
{
	struct link *link = ask->link;
	size_t bytes = 0;
	if (!link || !ask->response_topic || ask->reserved) {
		return true;
	}
	link->packed = link->packed ||
		!outbox_reserve(&link->outbox, ask->response_topic, 1, SMALL_ANSWER, &bytes);
	if (bytes) {
		outbox_release(&link->outbox, 1, bytes);
	}
	return !link->packed;
}

/* Not because of what edged is still at: that has its answers soon. */
static bool lacks_room(const struct bridge *b, const struct ask *ask)
{
	size_t n = 1;
	size_t size = ask->of_pipeline ? bytes_of_pipeline(b, ask, &n) : bytes_of_model(b, ask);
	return !outbox_could_reserve(&ask->link->outbox, ask->response_topic, n, size);
}

bool room_is_stuck(const struct bridge *b, const struct ask *ask)
{
	bool waits = ask->state == ASK_NEW || ask->state == ASK_READY;
	return waits && ask->link && ask->response_topic && !ask->reserved &&
		(ask->link->stuck || lacks_room(b, ask));
}

struct room_live room_look(const struct bridge *b)
{
	struct room_live live = {0};
	for (size_t i = 0; i < b->n_links; i++) {
		struct link *link = b->links[i];
		link->stuck = !outbox_could_reserve(&link->outbox, "", 1, SMALL_ANSWER);
	}
	for (struct ask *ask = b->asks.first; ask; ask = ask->next) {
		ask->stuck = room_is_stuck(b, ask);
		if (ask->stuck) {
			ask->link->stuck = true;
		} else if (ask->state != ASK_RUNNING) {
			live.n++;
			live.bytes += ask->size;
		}
	}
	return live;
}
