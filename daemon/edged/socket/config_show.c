/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/socket/config_show.h"

#include <stdio.h>
#include <string.h>

#include "base/wire/wire.h"

#define ORIGIN_SIZE 320
#define VALUE_SIZE (CONFIG_PATH_SIZE + 16)

/* The current content of the configuration files. */
struct config_on_disk {
	struct config config;
	bool readable;
	char (*origins)[ORIGIN_SIZE]; /* FILE:LINE of each key; empty: no file sets it */
};

static void on_key_location(
	void *context, const struct config_key *key, const char *path, unsigned int line)
{
	struct config_on_disk *on_disk = context;
	size_t n = 0;
	const size_t index = (size_t)(key - config_keys(&n));
	char escaped[ORIGIN_SIZE - 16];
	snprintf(on_disk->origins[index], ORIGIN_SIZE, "%s:%u",
		error_escape(escaped, sizeof(escaped), path, strlen(path)), line);
}

static void config_on_disk_read(const struct server *server, struct config_on_disk *on_disk)
{
	struct log discard = {.journal = -1};
	struct error err = {0};
	atomic_init(&discard.level, -1);
	on_disk->readable = config_trace(&on_disk->config, server->options->config_path, &discard,
				    on_key_location, on_disk, &err) == 0;
}

/* The option or environment variable that overrides the files; NULL: none. */
static const char *override_of(const struct server *server, const char *key)
{
	const struct config_options *options = server->options;
	const char *socket = getenv("EDGED_SOCKET");
	if (strcmp(key, "socket") == 0) {
		return options->socket             ? "--socket"
			: socket && socket[0] != 0 ? "$EDGED_SOCKET"
						   : NULL;
	}
	return strcmp(key, "models") == 0 && options->models  ? "--models"
		: strcmp(key, "state") == 0 && options->state ? "--state"
							      : NULL;
}

/* True when process_reserve_files() lowered the value. */
static bool was_lowered(
	const struct server *server, const struct config_on_disk *on_disk, const char *key)
{
	const struct config *now = server->config, *in_files = &on_disk->config;
	return (strcmp(key, "max-clients") == 0 && now->max_clients < in_files->max_clients) ||
		(strcmp(key, "max-shared-clients") == 0 &&
			now->max_shared_clients < in_files->max_shared_clients);
}

static void item_encode(const struct server *server, const struct config_on_disk *on_disk,
	size_t index, const struct config_key *key, struct bytes_writer *w)
{
	char value[VALUE_SIZE], in_files[VALUE_SIZE], pending[VALUE_SIZE + 32] = "";
	const char *origin = override_of(server, key->key);
	const bool same = config_value_same(server->config, &on_disk->config, key);
	config_value_print(server->config, key, value, sizeof(value));
	if (!origin && !on_disk->readable) {
		origin = "not known: the files cannot be used as they are now";
	} else if (!origin && was_lowered(server, on_disk, key->key)) {
		origin = "the limit of open files";
	} else if (!origin) {
		origin = on_disk->origins[index][0] ? on_disk->origins[index] : "default";
		config_value_print(&on_disk->config, key, in_files, sizeof(in_files));
		if (!same) {
			snprintf(pending, sizeof(pending), "%s, after a %s", in_files,
				key->reloadable ? "reload" : "restart");
		}
	}
	const struct wire_config_item item = {.section = wire_text_of(key->section),
		.key = wire_text_of(key->key),
		.value = wire_text_of(value),
		.origin = wire_text_of(origin),
		.pending = wire_text_of(pending)};
	wire_config_item_encode(w, &item);
}

int config_show(const struct server *server, struct bytes_writer *w, struct error *err)
{
	size_t n = 0;
	const struct config_key *keys = config_keys(&n);
	owned_mem struct config_on_disk *on_disk = calloc(1, sizeof(*on_disk));
	owned_mem void *origins = calloc(n, ORIGIN_SIZE);
	if (!on_disk || !origins) {
		return error_no_memory(err);
	}
	on_disk->origins = origins;
	config_on_disk_read(server, on_disk);
	wire_list_encode(w, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		item_encode(server, on_disk, i, &keys[i], w);
	}
	return w->failed ? error_no_memory(err) : 0;
}
