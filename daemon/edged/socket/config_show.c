/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_show.h"

#include <stdio.h>
#include <string.h>

#include "base/wire.h"
#include "daemon/edged.h"

#define ORIGIN_SIZE 320
#define VALUE_SIZE (CONFIG_PATH_SIZE + 16)

/* What the files say now. */
struct files {
	struct config config;
	bool readable;
	char (*origins)[ORIGIN_SIZE]; /* of each key: FILE:LINE, or empty */
};

static void on_seen(
	void *context, const struct config_key *key, const char *path, unsigned int line)
{
	struct files *files = context;
	size_t n = 0;
	const size_t index = (size_t)(key - config_keys(&n));
	char shown[ORIGIN_SIZE - 16];
	snprintf(files->origins[index], ORIGIN_SIZE, "%s:%u",
		error_escape(shown, sizeof(shown), path, strlen(path)), line);
}

static void files_read(const struct edged *edged, struct files *files)
{
	struct log nobody = {.fd = -1, .journal = -1};
	struct error err = {0};
	atomic_init(&nobody.level, -1);
	files->readable = config_trace(&files->config, edged->options.config_path, &nobody, on_seen,
				  files, &err) == 0;
}

/* What said it before any file, or NULL. */
static const char *override_of(const struct edged *edged, const char *key)
{
	const struct edged_options *options = &edged->options;
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

/* process_reserve_files() has made it less. */
static bool is_cut(const struct edged *edged, const struct files *files, const char *key)
{
	const struct config *now = &edged->config, *said = &files->config;
	return (strcmp(key, "max-clients") == 0 && now->max_clients < said->max_clients) ||
		(strcmp(key, "max-shared-clients") == 0 &&
			now->max_shared_clients < said->max_shared_clients);
}

static void item_encode(const struct edged *edged, const struct files *files, size_t index,
	const struct config_key *key, struct bytes_writer *w)
{
	char value[VALUE_SIZE], said[VALUE_SIZE], pending[VALUE_SIZE + 32] = "";
	const char *origin = override_of(edged, key->key);
	const bool same = config_same(&edged->config, &files->config, key);
	config_value_print(&edged->config, key, value, sizeof(value));
	if (!origin && !files->readable) {
		origin = "not known: the files cannot be used as they are now";
	} else if (!origin && is_cut(edged, files, key->key)) {
		origin = "the limit of open files";
	} else if (!origin) {
		origin = files->origins[index][0] ? files->origins[index] : "default";
		config_value_print(&files->config, key, said, sizeof(said));
		if (!same) {
			snprintf(pending, sizeof(pending), "%s, after a %s", said,
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

int config_show(const struct edged *edged, struct bytes_writer *w, struct error *err)
{
	size_t n = 0;
	const struct config_key *keys = config_keys(&n);
	owned_mem struct files *files = calloc(1, sizeof(*files));
	owned_mem void *origins = calloc(n, ORIGIN_SIZE);
	if (!files || !origins) {
		return error_no_memory(err);
	}
	files->origins = origins;
	files_read(edged, files);
	wire_list_encode(w, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		item_encode(edged, files, i, &keys[i], w);
	}
	return w->failed ? error_no_memory(err) : 0;
}
