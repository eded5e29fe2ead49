/* SPDX-License-Identifier: Apache-2.0 */
/* org.edged1.Model: an object per model, with signals of its changes. */
#include <errno.h>
#include <string.h>

#include "daemon/edged/dbus/dbus_parts.h"

#define PREFIX DBUS_PATH "/model"

/* ---- objects */

/* The objects are the models in dbus->shown, so that replies agree with the signals sent. */
static int find(sd_bus *bus, const char *path, const char *interface, void *userdata,
	void **ret_found, sd_bus_error *ret_error)
{
	struct dbus *dbus = userdata;
	owned_mem char *name = NULL;
	(void)bus, (void)interface, (void)ret_error;
	int code = dbus->api.bus_path_decode(path, PREFIX, &name);
	if (code <= 0) {
		return code;
	}
	for (size_t i = 0; i < dbus->n_shown; i++) {
		if (strcmp(dbus->shown[i].name, name) == 0) {
			*ret_found = &dbus->shown[i];
			return 1;
		}
	}
	return 0;
}

static void names_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++) {
		free(names[i]);
	}
	free(names);
}

static int enumerate(
	sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *ret_error)
{
	struct dbus *dbus = userdata;
	char **nodes = calloc(dbus->n_shown + 1, sizeof(*nodes));
	(void)bus, (void)prefix, (void)ret_error;
	int code = nodes ? 0 : -ENOMEM;
	for (size_t i = 0; i < dbus->n_shown && code >= 0; i++) {
		code = dbus->api.bus_path_encode(PREFIX, dbus->shown[i].name, &nodes[i]);
	}
	if (code < 0) {
		names_free(nodes);
		return code;
	}
	*ret_nodes = nodes;
	return 1;
}

/* ---- properties; userdata is the struct dbus_shown that find() gave */

#define GETTER(function)                                                                           \
	static int function(sd_bus *bus, const char *path, const char *interface,                  \
		const char *property, sd_bus_message *reply, void *userdata,                       \
		sd_bus_error *ret_error)

GETTER(get_text)
{
	const struct dbus_shown *shown = userdata;
	char digest[DIGEST_TEXT_SIZE] = "";
	const char *text = shown->reason;
	(void)bus, (void)path, (void)interface, (void)ret_error;
	switch (property[0]) {
	case 'N':
		text = shown->name;
		break;
	case 'B':
		text = "cpu"; /* the only backend */
		break;
	case 'V':
		text = shown->version;
		break;
	case 'S':
		text = property[1] == 't' ? shown->state : digest;
		break;
	default:
		break;
	}
	if (text == digest && !digest_is_zero(&shown->digest)) {
		digest_to_hex(&shown->digest, digest);
	}
	return shown->api->bus_message_append(reply, "s", text);
}

GETTER(get_truth)
{
	const struct dbus_shown *shown = userdata;
	(void)bus, (void)path, (void)interface, (void)ret_error;
	return shown->api->bus_message_append(
		reply, "b", (int)(property[0] == 'P' ? shown->pinned : shown->trial));
}

GETTER(get_bytes)
{
	const struct dbus_shown *shown = userdata;
	(void)bus, (void)path, (void)interface, (void)property, (void)ret_error;
	return shown->api->bus_message_append(reply, "t", shown->arena_bytes);
}

static const sd_bus_vtable members[] = {
	SD_BUS_PROPERTY("Name", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Backend", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("State", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Version", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Sha256", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("LastError", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("OnTrial", "b", get_truth, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Pinned", "b", get_truth, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("ArenaBytes", "t", get_bytes, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_VTABLE_END,
};

int dbus_models_add(struct dbus *dbus)
{
	dbus_vtable(dbus, members, dbus->model);
	int code = dbus->api.bus_add_fallback_vtable(
		dbus->bus, NULL, PREFIX, DBUS_MODEL, dbus->model, find, dbus);
	return code < 0
		? code
		: dbus->api.bus_add_node_enumerator(dbus->bus, NULL, DBUS_PATH, enumerate, dbus);
}

/* ---- changes */

static struct dbus_shown show(const struct dbus *dbus, const struct models_entry *model)
{
	struct dbus_shown shown = {.api = &dbus->api,
		.digest = model->facts.digest,
		.trial = model->facts.trial,
		.pinned = model->facts.pinned};
	const char *state = models_model_state(model);
	memcpy(shown.name, model->name, sizeof(shown.name));
	memcpy(shown.version, model->version, sizeof(shown.version));
	memcpy(shown.reason, model->reason, sizeof(shown.reason));
	memcpy(shown.state, state, strnlen(state, sizeof(shown.state) - 1));
	if (model->loaded) {
		shown.arena_bytes = edge_model_info(model->loaded->model)->arena_bytes;
	}
	return shown;
}

static void emit_difference(
	struct dbus *dbus, const char *path, const struct dbus_shown *a, const struct dbus_shown *b)
{
	const struct {
		const char *name;
		bool same;
	} rows[] = {
		{"State", strcmp(a->state, b->state) == 0},
		{"Version", strcmp(a->version, b->version) == 0},
		{"Sha256", digest_equal(&a->digest, &b->digest)},
		{"LastError", strcmp(a->reason, b->reason) == 0},
		{"OnTrial", a->trial == b->trial},
		{"Pinned", a->pinned == b->pinned},
		{"ArenaBytes", a->arena_bytes == b->arena_bytes},
	};
	const char *changed[sizeof(rows) / sizeof(rows[0]) + 1] = {NULL};
	size_t n = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].same) {
			changed[n++] = rows[i].name;
		}
	}
	if (n > 0) {
		/* sd-bus only reads the names */
		dbus->api.bus_emit_properties_changed_strv(
			dbus->bus, path, DBUS_MODEL, (char **)changed);
	}
}

/* Emits the signal for one model of two lists sorted by name. @before NULL: it was added; @now
 * NULL: it was removed. */
static void emit_one(
	struct dbus *dbus, const struct dbus_shown *before, const struct dbus_shown *now)
{
	owned_mem char *path = NULL;
	if (dbus->api.bus_path_encode(PREFIX, now ? now->name : before->name, &path) < 0) {
		return;
	}
	if (before && now) {
		emit_difference(dbus, path, before, now);
	} else if (now) {
		dbus->api.bus_emit_interfaces_added(dbus->bus, path, DBUS_MODEL, NULL);
	} else {
		dbus->api.bus_emit_interfaces_removed(dbus->bus, path, DBUS_MODEL, NULL);
	}
}

void dbus_models_emit_changes(struct dbus *dbus)
{
	const struct models *models = dbus->serve->models;
	struct dbus_shown *now = calloc(models->n + 1, sizeof(*now));
	owned_mem struct dbus_shown *before = dbus->shown;
	const size_t n_before = dbus->n_shown;
	if (!now) {
		(void)take(before); /* the signals follow at the next change */
		return;
	}
	for (size_t i = 0; i < models->n; i++) {
		now[i] = show(dbus, &models->entries[i]);
	}
	dbus->shown = now;
	dbus->n_shown = models->n;
	for (size_t a = 0, b = 0; a < n_before || b < models->n;) {
		const int order = a == n_before ? 1
			: b == models->n        ? -1
						: strcmp(before[a].name, now[b].name);
		emit_one(dbus, order <= 0 ? &before[a] : NULL, order >= 0 ? &now[b] : NULL);
		a += order <= 0;
		b += order >= 0;
	}
}
