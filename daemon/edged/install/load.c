/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "daemon/blobs.h"
#include "daemon/checkpoints.h"
#include "daemon/worker.h"

int load_bytes(int fd, off_t size, char **ret_bytes)
{
	return import_bytes(fd, 0, size, ret_bytes);
}

struct edge_options load_options(const struct load_context *context)
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

/* Where there can be no folder the engine refuses to save, and the model serves all the same. */
static void checkpoints_give(const struct config *config, const char *name, struct served *served)
{
	int folder = -1;
	if (edge_model_info(served->model)->uses_checkpoints &&
		checkpoints_open(config->state, name, &folder, NULL) == 0) {
		served_set_checkpoints(served, folder, config->max_checkpoint_bytes);
	}
}

static void name_it(struct served *served, const char *name, const struct manifest_version *version)
{
	snprintf(served->name, sizeof(served->name), "%s", name);
	served->number = version->version;
	snprintf(served->version, sizeof(served->version), "%" PRIu64, version->version);
	served->digest = version->model;
	served->signature = version->signature;
}

int load_model(const struct load_context *context, const char *name,
	const struct manifest_version *version, int blob, char *labels, uint32_t labels_length,
	struct served **ret_served, struct error *err)
{
	char key[PACK_FILES_KEY_SIZE];
	const struct pack_files *files = &context->depot->packs;
	const struct edge_packs packs = {
		.folder = files->folder, .key = pack_files_key(files, &version->model, key)};
	struct edge_options options = load_options(context);
	struct edge_model *model = NULL;
	options.packs = packs.folder < 0 ? NULL : &packs;
	struct mark *mark = marks_take(&context->depot->marks, &version->model);
	const uint64_t began_ns = clock_now_ns();
	mark_begin(mark);
	int code = edge_model_open_fd(blob, &options, &model, err);
	if (code == 0) {
		code = edge_model_keep(model, err);
	}
	if (code < 0) {
		edge_model_unref(model);
		free(labels);
	} else {
		code = served_new(model, labels, labels_length, ret_served, err);
	}
	mark_end(mark);
	marks_give_back(&context->depot->marks, mark);
	if (code == 0) {
		name_it(*ret_served, name, version);
		(*ret_served)->load_ns = clock_now_ns() - began_ns;
		(*ret_served)->stored = context->depot->blobs >= 0;
		served_count(*ret_served, context->budget);
		checkpoints_give(context->config, name, *ret_served);
	}
	return code;
}

static int labels_open(const struct depot *depot, const struct digest *digest, char **ret_labels,
	uint32_t *ret_length)
{
	struct import_identity identity;
	owned_fd int fd = -1;
	if (digest_none(digest)) {
		return 0;
	}
	int code = blobs_open(depot->stored, digest, &fd);
	if (code == 0) {
		code = import_identify(fd, &identity);
	}
	if (code == 0) {
		code = load_bytes(fd, identity.size, ret_labels);
	}
	if (code == 0) {
		*ret_length = (uint32_t)identity.size;
	}
	return code;
}

int load_version(const struct load_context *context, const char *name,
	const struct manifest_version *version, struct served **ret_served, struct error *err)
{
	owned_fd int blob = -1;
	owned_mem char *labels = NULL;
	uint32_t length = 0;
	int code = blobs_open(context->depot->stored, &version->model, &blob);
	if (code == 0) {
		code = labels_open(context->depot, &version->labels, &labels, &length);
	}
	if (code < 0) {
		return error_set(err, code, "the store's copy of version %" PRIu64 ": %s",
			version->version,
			code == -EBADMSG ? "it is not what was stored" : strerror(-code));
	}
	code = load_model(context, name, version, blob, take(labels), length, ret_served, err);
	if (code == 0) {
		(*ret_served)->stored = true; /* though it may be one that nobody can write to */
	}
	return code;
}
