/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/socket/config_show.h"

#include <stdio.h>
#include <string.h>

#include "base/wire/wire.h"

#define ORIGIN_SIZE 320
#define VALUE_SIZE (CONFIG_PATH_SIZE + 16)

/* The current content of the configuration files. */
struct files {
	struct config config;
	bool readable;
	char (*origins)[ORIGIN_SIZE]; /* FILE:LINE of each key; empty: no file sets it */
};

static void on_seen(
	void *context, const struct config_key *key, const char *path, unsigned int line)
{
	struct files *files = context;
	size_t n = 0;
	const size_t index = (size_t)(key - config_keys(&n));
	char escaped[ORIGIN_SIZE - 16];
	snprintf(files->origins[index], ORIGIN_SIZE, "%s:%u",
		error_escape(escaped, sizeof(escaped), path, strlen(path)), line);
}

static void files_read(const struct server *server, struct files *files)
{
	struct log nobody = {.journal = -1};
	struct error err = {0};
	atomic_init(&nobody.level, -1);
	files->readable = config_trace(&files->config, server->options->config_path, &nobody,
				  on_seen, files, &err) == 0;
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
static bool is_cut(const struct server *server, const struct files *files, const char *key)
{
	const struct config *now = server->config, *in_files = &files->config;
	return (strcmp(key, "max-clients") == 0 && now->max_clients < in_files->max_clients) ||
		(strcmp(key, "max-shared-clients") == 0 &&
			now->max_shared_clients < in_files->max_shared_clients);
}

static void item_encode(const struct server *server, const struct files *files, size_t index,
	const struct config_key *key, struct bytes_writer *w)
{
	char value[VALUE_SIZE], in_files[VALUE_SIZE], pending[VALUE_SIZE + 32] = "";
	const char *origin = override_of(server, key->key);
	const bool same = config_value_same(server->config, &files->config, key);
	config_value_print(server->config, key, value, sizeof(value));
	if (!origin && !files->readable) {
		origin = "not known: the files cannot be used as they are now";
	} else if (!origin && is_cut(server, files, key->key)) {
		origin = "the limit of open files";
	} else if (!origin) {
		origin = files->origins[index][0] ? files->origins[index] : "default";
		config_value_print(&files->config, key, in_files, sizeof(in_files));
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
	owned_mem struct files *files = calloc(1, sizeof(*files));
	owned_mem void *origins = calloc(n, ORIGIN_SIZE);
	if (!files || !origins) {
		return error_no_memory(err);
	}
	files->origins = origins;
	files_read(server, files);
	wire_list_encode(w, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		item_encode(server, files, i, &keys[i], w);
	}
	return w->failed ? error_no_memory(err) : 0;
}
