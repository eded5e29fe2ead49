/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/edged.h"
#include "daemon/message.h"

void events_deinit(struct events *events)
{
	free(events->models);
	*events = (struct events){0};
}

/* ---- what has changed */

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t n)
{
	const uint8_t *bytes = data;
	for (size_t i = 0; i < n; i++) {
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	}
	return hash;
}

static uint64_t hash_of(const struct wire_list_item *item)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	hash = hash_bytes(hash, item->version.data, item->version.length);
	hash = hash_bytes(hash, item->state.data, item->state.length);
	hash = hash_bytes(hash, item->reason.data, item->reason.length);
	return hash_bytes(hash, &item->generation, sizeof(item->generation));
}

static struct events_model *find(struct events *events, const char *name)
{
	for (size_t i = 0; i < events->n; i++) {
		if (strcmp(events->models[i].name, name) == 0) {
			return &events->models[i];
		}
	}
	return NULL;
}

/* NULL when there is no memory: then it is told again next time. */
static struct events_model *add(struct events *events, const char *name)
{
	if (events->n == events->capacity) {
		const size_t capacity = events->capacity ? 2 * events->capacity : 16;
		struct events_model *models =
			reallocarray(events->models, capacity, sizeof(*models));
		if (!models) {
			return NULL;
		}
		events->models = models;
		events->capacity = capacity;
	}
	struct events_model *model = &events->models[events->n++];
	*model = (struct events_model){0};
	memcpy(model->name, name, strlen(name) + 1);
	return model;
}

/* True when it is not as it was. */
static bool note(struct events *events, const struct store_model *model)
{
	const struct wire_list_item item = message_item(model);
	const uint64_t hash = hash_of(&item);
	struct events_model *known = find(events, model->name);
	const bool same = known && known->hash == hash;
	known = known ? known : add(events, model->name);
	if (known) {
		known->hash = hash;
		known->seen = true;
	}
	return !same;
}

/* Appends the models that have changed, and those that are there no more. How many. */
static uint32_t encode_changed(struct edged *edged, struct bytes_writer *w)
{
	struct events *events = &edged->events;
	uint32_t n = 0;
	for (size_t i = 0; i < events->n; i++) {
		events->models[i].seen = false;
	}
	for (size_t i = 0; i < edged->store.n; i++) {
		if (note(events, &edged->store.models[i])) {
			const struct wire_list_item item = message_item(&edged->store.models[i]);
			wire_list_item_encode(w, &item);
			n++;
		}
	}
	for (size_t i = events->n; i-- > 0;) {
		if (!events->models[i].seen) {
			const struct wire_list_item item = {
				.name = wire_text_of(events->models[i].name),
				.version = wire_text_of(""),
				.state = wire_text_of("gone"),
				.reason = wire_text_of("")};
			wire_list_item_encode(w, &item);
			events->models[i] = events->models[--events->n];
			n++;
		}
	}
	return n;
}

/* ---- telling */

static void send_items(struct conn *conn, uint32_t n, const struct bytes_writer *items)
{
	struct reply reply = {.type = WIRE_EVENT, .id = conn->subscription};
	wire_event_encode(&reply.body, WIRE_EVENT_MODELS, n);
	bytes_write(&reply.body, items->data, items->size);
	conn_tell(conn, &reply);
}

void events_models(struct edged *edged)
{
	struct bytes_writer items = {0};
	if (edged->events.n_subscribers == 0) {
		return;
	}
	const uint32_t n = encode_changed(edged, &items);
	for (struct conn *conn = edged->socket.first, *next; n > 0 && !items.failed && conn;
		conn = next) {
		next = conn->next;
		if (conn->subscribed) {
			send_items(conn, n, &items);
		}
	}
	bytes_writer_deinit(&items);
}

/* All of them to one; the others are told first what is new to them. */
void events_begin(struct edged *edged, struct conn *conn)
{
	struct bytes_writer items = {0};
	events_models(edged);
	for (size_t i = 0; i < edged->store.n; i++) {
		const struct wire_list_item item = message_item(&edged->store.models[i]);
		(void)note(&edged->events, &edged->store.models[i]);
		wire_list_item_encode(&items, &item);
	}
	conn->subscribed = true;
	edged->events.n_subscribers++;
	send_items(conn, (uint32_t)edged->store.n, &items);
	bytes_writer_deinit(&items);
}

int events_subscribe(struct conn *conn, uint64_t id, uint32_t kinds, struct error *err)
{
	if (conn->subscribed) {
		return error_set(err, -EINVAL, "this connection has subscribed already");
	}
	if (kinds != WIRE_EVENT_MODELS) {
		return error_set(err, -EOPNOTSUPP, "SUBSCRIBE: only states of models are told");
	}
	conn->subscription = id;
	return 0;
}

void events_forget(struct edged *edged, struct conn *conn)
{
	if (conn->subscribed) {
		conn->subscribed = false;
		edged->events.n_subscribers--;
	}
	if (edged->events.n_subscribers == 0) {
		events_deinit(&edged->events);
	}
}
