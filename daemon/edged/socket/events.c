/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/socket/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/edged/socket/conn.h"
#include "daemon/edged/socket/message.h"

struct events_model {
	char name[LOADED_MODEL_NAME_SIZE];
	bool seen; /* the model still exists; used during one call */
	uint64_t hash; /* of the state that was sent last */
};

void events_deinit(struct events *events)
{
	free(events->models);
	*events = (struct events){0};
}

/* ---- changes */

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

/* NULL without memory: the model is then sent again next time. */
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

/* Notes the state of @model. True when it changed. */
static bool note(struct events *events, const struct models_entry *model)
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

/* Appends the models that changed or were removed. Returns how many. */
static uint32_t encode_changed(struct server *server, struct bytes_writer *w)
{
	struct events *events = &server->events;
	uint32_t n = 0;
	for (size_t i = 0; i < events->n; i++) {
		events->models[i].seen = false;
	}
	for (size_t i = 0; i < server->serve->models->n; i++) {
		if (note(events, &server->serve->models->entries[i])) {
			const struct wire_list_item item =
				message_item(&server->serve->models->entries[i]);
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

/* ---- sending */

static void send_items(struct conn *conn, uint32_t n, const struct bytes_writer *items)
{
	struct reply reply = {.type = WIRE_EVENT, .id = conn->subscription.id};
	wire_event_encode(&reply.body, WIRE_EVENT_MODELS, n);
	bytes_write(&reply.body, items->data, items->size);
	conn_send_event(conn, &reply);
}

static bool has_subscriber(const struct server *server)
{
	const struct conn *conn = server->first;
	while (conn && !conn->subscription.active) {
		conn = conn->next;
	}
	return conn;
}

void events_send_changes(struct server *server)
{
	struct bytes_writer items = {0};
	if (!has_subscriber(server)) {
		events_deinit(&server->events);
		return;
	}
	const uint32_t n = encode_changed(server, &items);
	for (struct conn *conn = server->first, *next; n > 0 && !items.failed && conn;
		conn = next) {
		next = conn->next;
		if (conn->subscription.active) {
			send_items(conn, n, &items);
		}
	}
	bytes_writer_deinit(&items);
}

/* Sends changes to the other connections first, because note() marks all models as sent. */
void events_begin(struct conn *conn)
{
	struct server *server = conn->server;
	const struct models *models = server->serve->models;
	struct bytes_writer items = {0};
	events_send_changes(server);
	for (size_t i = 0; i < models->n; i++) {
		const struct wire_list_item item = message_item(&models->entries[i]);
		(void)note(&server->events, &models->entries[i]);
		wire_list_item_encode(&items, &item);
	}
	conn->subscription.active = true;
	send_items(conn, (uint32_t)models->n, &items);
	bytes_writer_deinit(&items);
}

int events_subscribe(struct conn *conn, uint64_t id, uint32_t kinds, struct error *err)
{
	if (conn->subscription.active) {
		return error_set(err, -EINVAL, "this connection has subscribed already");
	}
	if (kinds != WIRE_EVENT_MODELS) {
		return error_set(err, -EOPNOTSUPP, "SUBSCRIBE: only states of models are told");
	}
	conn->subscription.id = id;
	return 0;
}
