/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/broker/outbox.h"

#include <assert.h>
#include <string.h>

/* 1 / SPARE of max_bytes, at most SPARE_BYTES, cannot be reserved. */
#define SPARE 8
#define SPARE_BYTES (256u << 10)

struct outbox_message *outbox_message_new(
	enum outbox_kind kind, const char *topic, const void *payload, size_t size)
{
	size_t of_topic = strlen(topic) + 1;
	struct outbox_message *m = calloc(1, sizeof(*m) + of_topic + size);
	if (m) {
		m->kind = kind;
		m->topic = (char *)(m + 1);
		m->payload = (uint8_t *)m->topic + of_topic;
		m->size = size;
		memcpy(m->topic, topic, of_topic);
		if (size) {
			memcpy(m->payload, payload, size);
		}
	}
	return m;
}

void outbox_message_free(struct outbox_message *message)
{
	if (message) {
		journal_delete(message->journal);
		free(message);
	}
}

void outbox_init(struct outbox *outbox, size_t max_messages, size_t max_bytes)
{
	*outbox = (struct outbox){.max_messages = max_messages, .max_bytes = max_bytes};
	outbox->last = &outbox->first;
}

/* Removes the message that *at points to. */
static struct outbox_message *unlink_at(struct outbox *outbox, struct outbox_message **at)
{
	struct outbox_message *m = *at;
	*at = m->next;
	if (!*at) {
		outbox->last = at;
	}
	m->next = NULL;
	outbox->n--;
	outbox->bytes -= outbox_cost(m->topic, m->size);
	outbox->in_flight -= m->mid != 0;
	return m;
}

void outbox_deinit(struct outbox *outbox)
{
	while (outbox->first) {
		outbox_message_free(unlink_at(outbox, &outbox->first));
	}
}

static bool fits(const struct outbox *outbox, size_t n, size_t bytes)
{
	return outbox->n + outbox->reserved_messages + n <= outbox->max_messages &&
		outbox->bytes + outbox->reserved_bytes + bytes <= outbox->max_bytes;
}

static bool is_kept_response(const struct outbox_message *m)
{
	return m->kind == OUTBOX_RESPONSE && m->qos > 0;
}

/* Returns true for a message that may be dropped: not in flight, not in the spool, not a QoS 1
 * response. */
static bool may_go(const struct outbox_message *m)
{
	return m->mid == 0 && !m->of_spool && !is_kept_response(m);
}

/* Returns true if a message of kind @old is dropped for one of kind @new. See the header. */
static bool gives_way(enum outbox_kind old, enum outbox_kind new)
{
	switch (old) {
	case OUTBOX_SNAPSHOT:
		return true;
	case OUTBOX_RESULT:
		return new != OUTBOX_SNAPSHOT;
	case OUTBOX_RESPONSE:
		return new == OUTBOX_RESPONSE || new == OUTBOX_LAST;
	case OUTBOX_LAST:
		break;
	}
	return false;
}

/* Counts reserves and messages that stay if a message of @kind is put. */
static void count_rest(
	const struct outbox *outbox, enum outbox_kind kind, size_t *ret_n, size_t *ret_bytes)
{
	*ret_n = outbox->reserved_messages;
	*ret_bytes = outbox->reserved_bytes;
	for (const struct outbox_message *m = outbox->first; m; m = m->next) {
		bool stays = !may_go(m) || !gives_way(m->kind, kind);
		*ret_n += stays;
		*ret_bytes += stays ? outbox_cost(m->topic, m->size) : 0;
	}
}

size_t outbox_cost(const char *topic, size_t size)
{
	return sizeof(struct outbox_message) + strlen(topic) + 1 + size;
}

bool outbox_has_room(
	const struct outbox *outbox, enum outbox_kind kind, const char *topic, size_t size)
{
	const size_t bytes = outbox_cost(topic, size);
	size_t n = 0, rest = 0;
	if (fits(outbox, 1, bytes)) {
		return true;
	}
	count_rest(outbox, kind, &n, &rest);
	return n < outbox->max_messages && rest + bytes <= outbox->max_bytes;
}

/* Returns the bytes that reserves and messages may take together. */
static size_t max_response_share(const struct outbox *outbox)
{
	const size_t spare = outbox->max_bytes / SPARE;
	return outbox->max_bytes - (spare < SPARE_BYTES ? spare : SPARE_BYTES);
}

size_t outbox_largest_response(const struct outbox *outbox, const char *topic)
{
	const size_t rest = outbox_cost(topic, 0), max = max_response_share(outbox);
	return max > rest ? max - rest : 0;
}

/* Drops the oldest message of @kind that may be dropped. */
static bool drop_oldest(struct outbox *outbox, enum outbox_kind kind)
{
	for (struct outbox_message **at = &outbox->first; *at; at = &(*at)->next) {
		if ((*at)->kind == kind && may_go(*at)) {
			outbox_message_free(unlink_at(outbox, at));
			outbox->dropped++;
			return true;
		}
	}
	return false;
}

/* Drops messages until there is room. outbox_has_room() has returned true before. */
static void make_room(struct outbox *outbox, enum outbox_kind kind, size_t n, size_t bytes)
{
	static const enum outbox_kind order[] = {OUTBOX_SNAPSHOT, OUTBOX_RESULT, OUTBOX_RESPONSE};
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		while (gives_way(order[i], kind) && !fits(outbox, n, bytes) &&
			drop_oldest(outbox, order[i])) {}
	}
}

/* Returns true if @n responses of @wanted bytes fit beside @there messages of @bytes bytes. */
static bool responses_fit(
	const struct outbox *outbox, size_t n, size_t wanted, size_t there, size_t bytes)
{
	return there + n <= outbox->max_messages - outbox->max_messages / SPARE &&
		bytes + wanted <= max_response_share(outbox);
}

bool outbox_could_reserve(const struct outbox *outbox, const char *topic, size_t n, size_t size)
{
	const size_t wanted = n * outbox_cost(topic, 0) + size;
	size_t there = 0, bytes = 0;
	if (responses_fit(outbox, n, wanted, outbox->n, outbox->bytes)) {
		return true;
	}
	count_rest(outbox, OUTBOX_RESPONSE, &there, &bytes);
	return responses_fit(outbox, n, wanted, there - outbox->reserved_messages,
		bytes - outbox->reserved_bytes);
}

bool outbox_reserve(
	struct outbox *outbox, const char *topic, size_t n, size_t size, size_t *ret_bytes)
{
	const size_t wanted = n * outbox_cost(topic, 0) + size;
	size_t there = outbox->n + outbox->reserved_messages;
	size_t bytes = outbox->bytes + outbox->reserved_bytes;
	if (!responses_fit(outbox, n, wanted, there, bytes)) {
		count_rest(outbox, OUTBOX_RESPONSE, &there, &bytes);
	}
	if (!responses_fit(outbox, n, wanted, there, bytes)) {
		return false;
	}
	/* Now, because a message that is handed over later can no longer be dropped. */
	make_room(outbox, OUTBOX_RESPONSE, n, wanted);
	outbox->reserved_messages += n;
	outbox->reserved_bytes += wanted;
	*ret_bytes = wanted;
	return true;
}

void outbox_release(struct outbox *outbox, size_t n, size_t bytes)
{
	assert(outbox->reserved_messages >= n && outbox->reserved_bytes >= bytes);
	outbox->reserved_messages -= n;
	outbox->reserved_bytes -= bytes;
}

static bool is_last(const struct outbox_message *m)
{
	return m->kind == OUTBOX_LAST || m->kind == OUTBOX_SNAPSHOT;
}

/* Drops the waiting message of the same topic. */
static void replace_same_topic(struct outbox *outbox, const struct outbox_message *newer)
{
	for (struct outbox_message **at = &outbox->first; *at; at = &(*at)->next) {
		if (is_last(*at) && (*at)->mid == 0 && strcmp((*at)->topic, newer->topic) == 0) {
			outbox_message_free(unlink_at(outbox, at));
			return;
		}
	}
}

bool outbox_may_hold(const struct outbox *outbox, const char *topic, size_t size)
{
	const size_t rest = outbox_cost(topic, 0);
	return rest <= outbox->max_bytes && size <= outbox->max_bytes - rest;
}

bool outbox_has(const struct outbox *outbox, const char *topic)
{
	const struct outbox_message *m = outbox->first;
	while (m && strcmp(m->topic, topic) != 0) {
		m = m->next;
	}
	return m;
}

bool outbox_put(struct outbox *outbox, struct outbox_message *message)
{
	owned(outbox_message_free) struct outbox_message *m = message;
	if (is_last(m)) {
		replace_same_topic(outbox, m);
	}
	if (!outbox_has_room(outbox, m->kind, m->topic, m->size)) {
		outbox->dropped++;
		if (m->journal && m->kind == OUTBOX_RESPONSE) {
			journal_put_off(take(m->journal));
		}
		return false;
	}
	const size_t bytes = outbox_cost(m->topic, m->size);
	make_room(outbox, m->kind, 1, bytes);
	outbox->n++;
	outbox->bytes += bytes;
	*outbox->last = m;
	outbox->last = &m->next;
	m = NULL;
	return true;
}

struct outbox_message *outbox_next(struct outbox *outbox, uint64_t now_ns)
{
	for (struct outbox_message **at = &outbox->first; *at;) {
		struct outbox_message *m = *at;
		if (m->mid == 0 && m->expires_ns && m->expires_ns <= now_ns) {
			outbox_message_free(unlink_at(outbox, at));
			outbox->expired++;
			continue;
		}
		if (m->mid == 0) {
			return m;
		}
		at = &m->next;
	}
	return NULL;
}

static struct outbox_message **find(struct outbox *outbox, const struct outbox_message *message)
{
	struct outbox_message **at = &outbox->first;
	while (*at != message) {
		assert(*at);
		at = &(*at)->next;
	}
	return at;
}

struct outbox_message *outbox_take(struct outbox *outbox, struct outbox_message *message)
{
	return unlink_at(outbox, find(outbox, message));
}

void outbox_drop(struct outbox *outbox, struct outbox_message *message)
{
	outbox_message_free(outbox_take(outbox, message));
}

void outbox_sent(struct outbox *outbox, struct outbox_message *message, int mid)
{
	if (message->qos == 0) {
		outbox_drop(outbox, message);
		return;
	}
	message->mid = mid;
	outbox->in_flight++;
}

struct outbox_message *outbox_take_mid(struct outbox *outbox, int mid)
{
	for (struct outbox_message **at = &outbox->first; mid && *at; at = &(*at)->next) {
		if ((*at)->mid == mid) {
			return unlink_at(outbox, at);
		}
	}
	return NULL;
}

struct outbox_message *outbox_take_result(struct outbox *outbox)
{
	for (struct outbox_message **at = &outbox->first; *at; at = &(*at)->next) {
		if ((*at)->kind == OUTBOX_RESULT) {
			return unlink_at(outbox, at);
		}
	}
	return NULL;
}

void outbox_rewind(struct outbox *outbox)
{
	for (struct outbox_message *m = outbox->first; m; m = m->next) {
		m->mid = 0;
	}
	outbox->in_flight = 0;
}
