/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/load.h"

#include <errno.h>
#include <string.h>

#include "backends/backends.h"
#include "daemon/checkpoints.h"
#include "daemon/worker.h"

#define MAX_LABELS ((off_t)1 << 20)

static int labels_read(int fd, off_t size, char **ret_labels, uint32_t *ret_length)
{
	if (size > MAX_LABELS) {
		return -EFBIG;
	}
	owned_mem char *labels = malloc((size_t)size + 1);
	if (!labels) {
		return -ENOMEM;
	}
	ssize_t n = pread(fd, labels, (size_t)size, 0);
	if (n < 0) {
		return -errno;
	}
	*ret_length = (uint32_t)n;
	*ret_labels = take(labels);
	return 0;
}

/* The labels, if there are any. */
static int labels_load(const struct load_place *place, struct import_identity *ret_identity,
	char **ret_labels, uint32_t *ret_length, struct error *err)
{
	owned_fd int fd = -1;
	int code = import_open_file(place->folder, place->labels, &fd, ret_identity);
	if (code == -ENOENT) {
		return 0;
	}
	if (code == 0) {
		code = labels_read(fd, ret_identity->size, ret_labels, ret_length);
	}
	return code == 0 ? 0 : error_set(err, code, "the labels: %s", strerror(-code));
}

static struct edge_options options_of(const struct config *config, uint64_t cpu_features)
{
	return (struct edge_options){
		.backends = backends_builtin(),
		.cpu_features = cpu_features,
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

int load_model(const struct load_context *context, const struct load_place *place,
	struct load_identity *ret_identity, struct served **ret_served, struct error *err)
{
	owned_fd int fd = -1, copy = -1;
	owned_mem char *labels = NULL;
	uint32_t labels_length = 0;
	struct edge_model *model = NULL;
	const struct config *config = context->config;
	const struct edge_packs packs = {.folder = context->state_folder};
	struct edge_options options = options_of(config, context->cpu_features);
	options.packs = packs.folder < 0 ? NULL : &packs;
	*ret_identity = (struct load_identity){0};
	int code = import_open_file(place->folder, place->model, &fd, &ret_identity->file);
	if (code < 0) {
		return error_set(
			err, code, "%s", code == -EINVAL ? "not a regular file" : strerror(-code));
	}
	code = labels_load(place, &ret_identity->labels, &labels, &labels_length, err);
	if (code == 0) {
		code = import_copy(fd, &ret_identity->file, context->state_folder,
			config->max_file_bytes, &copy, err);
	}
	if (code == 0) {
		code = edge_model_open_fd(copy, &options, &model, err);
	}
	if (code == 0) {
		code = served_new(model, take(labels), labels_length, ret_served, err);
	}
	if (code == 0) {
		checkpoints_give(config, place->name, *ret_served);
	}
	return code;
}

void load_identify(const struct load_place *place, struct load_identity *ret_identity)
{
	owned_fd int fd = -1, labels = -1;
	*ret_identity = (struct load_identity){0};
	if (import_open_file(place->folder, place->model, &fd, &ret_identity->file) < 0 ||
		import_open_file(place->folder, place->labels, &labels, &ret_identity->labels) <
			0) {
		return;
	}
}

/* Verdicts about the file stay; what the system did not have may be there next time. */
static bool is_verdict(int code)
{
	static const int verdicts[] = {
		0, -EBADMSG, -EOPNOTSUPP, -EFBIG, -EINVAL, -ERANGE, -ELOOP, -ENOENT};
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (code == verdicts[i]) {
			return true;
		}
	}
	return false;
}

bool load_settled(int code, const struct load_identity *identity)
{
	return is_verdict(code) && import_settled(&identity->file) &&
		import_settled(&identity->labels);
}
