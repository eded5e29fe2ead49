/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/install/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "daemon/edged/config/workers.h"
#include "daemon/edged/model/checkpoints.h"
#include "daemon/edged/store/blobs.h"

static struct edge_options options_of(const struct load_context *context)
{
	const struct config *config = context->config;
	return (struct edge_options){
		.backends = backends_builtin(),
		.cpu_features = context->cpu_features,
		.threads = workers_count(config->threads_per_run),
		.limits =
			{
				.file_bytes = config->max_file_bytes,
				.arena_bytes = config->max_arena_bytes,
				.macs = config->max_macs,
				.prepared_bytes = config->max_prepared_bytes,
				.nodes = (uint32_t)config->max_nodes,
				.plans = (uint32_t)config->max_plans,
				.loops = config->max_loops,
			},
	};
}

struct check load_check(const struct load_context *context)
{
	const struct edge_options options = options_of(context);
	return (struct check){.program = context->check,
		.limits = options.limits,
		.cpu_features = options.cpu_features,
		.milliseconds = context->config->self_test_ms,
		.cancelled = context->cancelled,
		.memory = context->check_memory};
}

/* Without a folder the engine refuses to save, but the model serves. */
static void checkpoints_give(
	const struct config *config, const char *name, struct loaded_model *loaded)
{
	int folder = -1;
	if (edge_model_info(loaded->model)->uses_checkpoints &&
		checkpoints_open(config->state, name, &folder, NULL) == 0) {
		loaded_model_set_checkpoints(loaded, folder, config->max_checkpoint_bytes);
	}
}

static void name_it(
	struct loaded_model *loaded, const char *name, const struct manifest_version *version)
{
	snprintf(loaded->name, sizeof(loaded->name), "%s", name);
	loaded->number = version->version;
	snprintf(loaded->version, sizeof(loaded->version), "%" PRIu64, version->version);
	loaded->digest = version->model;
	loaded->signature = version->signature;
}

int load_model(const struct load_context *context, const char *name,
	const struct manifest_version *version, int blob, char *labels, uint32_t labels_length,
	struct loaded_model **ret_loaded, struct error *err)
{
	char key[PACK_FILES_NAME_SIZE];
	const struct pack_files *files = &context->store->packs;
	const struct edge_packs packs = {
		.folder = files->folder, .key = pack_files_name(files, &version->model, key)};
	struct edge_options options = options_of(context);
	struct edge_model *model = NULL;
	options.packs = packs.folder < 0 ? NULL : &packs;
	struct crash_marker *marker = crash_markers_take(&context->store->markers, &version->model);
	const uint64_t began_ns = clock_now_ns();
	crash_marker_begin(marker);
	int code = edge_model_open_fd(blob, &options, &model, err);
	if (code == 0) {
		code = edge_model_keep(model, err);
	}
	if (code < 0) {
		edge_model_unref(model);
		free(labels);
	} else {
		code = loaded_model_new(model, labels, labels_length, ret_loaded, err);
	}
	crash_marker_end(marker);
	crash_markers_give_back(&context->store->markers, marker);
	if (code == 0) {
		name_it(*ret_loaded, name, version);
		(*ret_loaded)->load_ns = clock_now_ns() - began_ns;
		(*ret_loaded)->stored = context->store->blobs >= 0;
		loaded_model_count(*ret_loaded, context->budget);
		checkpoints_give(context->config, name, *ret_loaded);
	}
	return code;
}

static int labels_open(const struct store *store, const struct digest *digest, char **ret_labels,
	uint32_t *ret_length)
{
	struct import_identity identity;
	owned_fd int fd = -1;
	if (digest_is_zero(digest)) {
		return 0;
	}
	int code = blobs_open(store->blobs_ro, digest, &fd);
	if (code == 0) {
		code = import_identify(fd, &identity);
	}
	if (code == 0) {
		code = import_read(fd, 0, identity.size, ret_labels);
	}
	if (code == 0) {
		*ret_length = (uint32_t)identity.size;
	}
	return code;
}

int load_version(const struct load_context *context, const char *name,
	const struct manifest_version *version, struct loaded_model **ret_loaded, struct error *err)
{
	owned_fd int blob = -1;
	owned_mem char *labels = NULL;
	uint32_t length = 0;
	blobs_clear(context->store->blobs, &version->model);
	blobs_clear(context->store->blobs, &version->labels);
	int code = blobs_open(context->store->blobs_ro, &version->model, &blob);
	if (code == 0) {
		code = labels_open(context->store, &version->labels, &labels, &length);
	}
	if (code < 0) {
		return error_set(err, code, "the store's copy of version %" PRIu64 ": %s",
			version->version,
			code == -EBADMSG ? "it is not what was stored" : strerror(-code));
	}
	code = load_model(context, name, version, blob, take(labels), length, ret_loaded, err);
	if (code == 0) {
		(*ret_loaded)->stored = true; /* also true for a read-only store */
	}
	return code;
}
