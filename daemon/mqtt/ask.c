/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/ask.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

struct ask *ask_new(void)
{
	struct ask *ask = calloc(1, sizeof(*ask));
	if (ask) {
		ask->priority = ASK_NORMAL;
	}
	return ask;
}

int ask_set_payload(struct ask *ask, const void *payload, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	if (!copy) {
		return -ENOMEM;
	}
	if (size) {
		memcpy(copy, payload, size);
	}
	copy[size] = 0;
	ask->payload = copy;
	ask->size = size;
	return 0;
}

void ask_free(struct ask *ask)
{
	if (ask) {
		decode_result_free(&ask->tensors);
		free(ask->payload);
		free(ask->response_topic);
		free(ask->reply);
		kept_cross_out(ask->kept);
		free(ask);
	}
}

enum ask_priority ask_priority_of(const char *text)
{
	bool digit = text[0] >= '0' && text[0] <= '9' && text[1] == 0;
	bool high = strcmp(text, "high") == 0 || strcmp(text, "realtime") == 0;
	bool low = strcmp(text, "low") == 0 || strcmp(text, "batch") == 0;
	if (high || (digit && text[0] <= '3')) {
		return ASK_HIGH;
	}
	return low || (digit && text[0] >= '7') ? ASK_LOW : ASK_NORMAL;
}

void asks_add(struct asks *asks, struct ask *ask)
{
	struct ask **at = &asks->first;
	while (*at && (*at)->priority <= ask->priority) {
		at = &(*at)->next;
	}
	ask->next = *at;
	*at = ask;
	asks->n++;
	asks->bytes += ask->size;
}

void asks_set_running(struct asks *asks, struct ask *ask, bool running)
{
	bool is = ask->state == ASK_RUNNING;
	ask->state = running ? ASK_RUNNING : ASK_READY;
	if (is != running) {
		asks->running += running ? 1 : (size_t)-1;
		asks->n -= running ? 1 : (size_t)-1;
		asks->bytes -= running ? ask->size : (size_t)0 - ask->size;
	}
}

void asks_remove(struct asks *asks, struct ask *ask)
{
	struct ask **at = &asks->first;
	while (*at != ask) {
		assert(*at);
		at = &(*at)->next;
	}
	*at = ask->next;
	ask->next = NULL;
	if (ask->state == ASK_RUNNING) {
		asks->running--;
		return;
	}
	asks->n--;
	asks->bytes -= ask->size;
}

struct ask *asks_find(const struct asks *asks, enum ask_state state, bool of_pipeline)
{
	struct ask *ask = asks->first;
	while (ask && (ask->state != state || ask->of_pipeline != of_pipeline)) {
		ask = ask->next;
	}
	return ask;
}

struct ask *asks_find_input(
	const struct asks *asks, const char *pipeline, uint32_t origin, const char *source)
{
	struct ask *ask = asks->first;
	while (ask &&
		(ask->state != ASK_NEW || !ask->of_pipeline || strcmp(ask->model, pipeline) != 0 ||
			ask->origin != origin || strcmp(ask->source, source) != 0)) {
		ask = ask->next;
	}
	return ask;
}

/* What the process of the pipelines is at has none here. */
static bool is_decoded(const struct ask *ask)
{
	return ask->state != ASK_NEW && !ask->of_pipeline;
}

bool asks_may_work(const struct asks *asks, const struct ask *ask)
{
	uint64_t n = 0, bytes = ask->work_bytes, answer = ask->work_answer_bytes;
	for (const struct ask *one = asks->first; one; one = one->next) {
		if (one != ask && is_decoded(one)) {
			const uint64_t its = one->work_answer_bytes;
			n++;
			bytes += one->work_bytes;
			answer = its > answer ? its : answer;
		}
	}
	return n == 0 || bytes + answer <= asks->max_work_bytes;
}

struct ask *asks_decoded_behind(const struct asks *asks, const struct ask *ask)
{
	struct ask *last = NULL;
	bool behind = false;
	for (struct ask *one = asks->first; one; one = one->next) {
		behind |= one == ask;
		const bool stuck = one->link && one->wants_room;
		if (one->state == ASK_READY && !one->of_pipeline && (behind || stuck)) {
			last = one;
		}
	}
	return last;
}

void ask_forget_decoded(struct ask *ask)
{
	decode_result_free(&ask->tensors);
	ask->state = ASK_NEW;
}

struct ask *asks_victim(const struct asks *asks)
{
	struct ask *victim = NULL;
	for (struct ask *ask = asks->first; ask; ask = ask->next) {
		bool waits = ask->state == ASK_NEW || ask->state == ASK_READY;
		if (waits && (!victim || ask->priority > victim->priority)) {
			victim = ask;
		}
	}
	return victim;
}

struct ask *asks_expired(const struct asks *asks, uint64_t now_ns)
{
	for (struct ask *ask = asks->first; ask; ask = ask->next) {
		if ((ask->state == ASK_NEW || ask->state == ASK_READY) &&
			ask_is_expired(ask, now_ns)) {
			return ask;
		}
	}
	return NULL;
}
