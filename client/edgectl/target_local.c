/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "client/edgectl/target.h"
#include "client/media/byte_source.h"
#include "engine/edge.h"

struct local {
	struct target target;
	struct team *team; /* NULL: a single thread */
	uint32_t signature;
	int state; /* descriptor of the folder of checkpoints, or -1 */
	struct target_options options;
};

static const struct target_ops ops;

static struct local *local_of(const struct target *target)
{
	return (struct local *)target;
}

static void fill_spec(const struct edge_tensor_info *info, struct tensor_spec *spec)
{
	error_escape(spec->name, sizeof(spec->name), info->name.data, info->name.length);
	spec->type = info->type;
	spec->shape = info->shape;
	spec->declared = info->run_time_shape ? info->shape : info->declared;
	spec->scale = (double)info->scale;
	spec->zero_point = info->zero_point;
	spec->bytes = info->bytes;
	spec->labels = info->labels.data;
	spec->labels_bytes = info->labels.length;
	spec->score_threshold = info->score_threshold;
	bool fits = info->n_mean <= SPEC_MAX_CHANNELS && info->n_std <= SPEC_MAX_CHANNELS;
	spec->n_mean = fits ? info->n_mean : 0;
	spec->n_std = fits ? info->n_std : 0;
	memcpy(spec->mean, info->mean ? info->mean : spec->mean, spec->n_mean * sizeof(float));
	memcpy(spec->std, info->std ? info->std : spec->std, spec->n_std * sizeof(float));
}

static int fill_specs(const struct edge_model *model, uint32_t index,
	const struct target_signature *signature, struct error *err)
{
	struct edge_tensor_info info;
	for (uint32_t i = 0; i < signature->n_inputs; i++) {
		int r = edge_model_input(model, index, i, &info);
		if (r < 0) {
			return error_set(err, r, "input %u", i);
		}
		fill_spec(&info, &signature->inputs[i]);
	}
	for (uint32_t i = 0; i < signature->n_outputs; i++) {
		int r = edge_model_output(model, index, i, &info);
		if (r < 0) {
			return error_set(err, r, "output %u", i);
		}
		fill_spec(&info, &signature->outputs[i]);
	}
	return 0;
}

static int get_signature(const struct target *target, uint32_t index,
	struct target_signature *ret_signature, struct error *err)
{
	const struct edge_model *model = target->model;
	struct edge_signature_info info;
	owned_signature struct target_signature signature = {0};
	int r = edge_model_signature(model, index, &info);
	if (r < 0) {
		return error_set(err, r, "signature %u", index);
	}
	r = target_signature_init(&signature, info.n_inputs, info.n_outputs, err);
	r = r < 0 ? r : fill_specs(model, index, &signature, err);
	if (r < 0) {
		return r;
	}
	error_escape(signature.key, sizeof(signature.key), info.key.data, info.key.length);
	*ret_signature = signature;
	signature = (struct target_signature){0};
	return 0;
}

#define MAX_CHECKPOINT_BYTES ((uint64_t)1 << 30)
#define MAX_LABELS_BYTES (1u << 20)

static int open_state(struct local *local, const char *state, struct error *err)
{
	if (!state) {
		return 0;
	}
	if (mkdir(state, 0700) < 0 && errno != EEXIST) {
		return error_set(err, -errno, "%s: %s", state, strerror(errno));
	}
	local->state = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return local->state < 0 ? error_set(err, -errno, "%s: %s", state, strerror(errno)) : 0;
}

static int start(struct local *local, const struct target_options *options, struct error *err)
{
	struct target_signature signature = {0};
	local->options = *options;
	int r = open_state(local, options->state, err);
	r = r < 0 ? r : get_signature(&local->target, local->signature, &signature, err);
	if (r < 0) {
		return r;
	}
	target_set_signature(&local->target, &signature);
	r = edge_session_new(local->target.model, local->signature, &local->target.session, err);
	if (r == 0 && options->threads > 1) {
		r = backends_team_new(options->threads, false, &local->team, err);
	}
	if (r == 0) {
		edge_session_set_checkpoints(
			local->target.session, local->state, MAX_CHECKPOINT_BYTES);
	}
	return r;
}

static int find_signature(struct local *local, const char *key, struct error *err)
{
	char shown[SPEC_NAME_SIZE];
	int index = key ? edge_model_find_signature(local->target.model, key) : 0;
	if (index < 0) {
		error_escape(shown, sizeof(shown), key, strlen(key));
		return error_set(err, -ENOENT, "no signature %s", shown);
	}
	local->signature = (uint32_t)index;
	return 0;
}

/* A labels.txt beside the model gives labels to outputs without their own. */
static void read_labels_beside(const char *path, struct target *target)
{
	char beside[4096];
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash + 1 - path) : 0;
	int n = snprintf(beside, sizeof(beside), "%.*slabels.txt", folder, path);
	owned_source struct source source = {0};
	if (n < 0 || (size_t)n >= sizeof(beside) ||
		source_open_file(beside, MAX_LABELS_BYTES, &source, NULL) < 0 || source.size == 0) {
		return;
	}
	target->labels = (char *)take(source.data);
	for (uint32_t i = 0; i < target->n_outputs; i++) {
		if (!target->outputs[i].labels) {
			target->outputs[i].labels = target->labels;
			target->outputs[i].labels_bytes = source.size;
		}
	}
}

static void set_name(const char *path, struct target *target)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t length = strlen(name);
	const char *suffix = ".tflite";
	if (length > strlen(suffix) && strcmp(name + length - strlen(suffix), suffix) == 0) {
		length -= strlen(suffix);
	}
	error_escape(target->name, sizeof(target->name), name, length);
}

int target_open_file(const char *path, const struct target_options *options,
	struct target **ret_target, struct error *err)
{
	struct edge_options edge = {.backends = backends_builtin(),
		.cpu_features = ~(uint64_t)0,
		.threads = options->threads};
	if (options->cpu) {
		int r = backends_cpu_mask(options->cpu, &edge.cpu_features, err);
		if (r < 0) {
			return r;
		}
	}
	edge.cpu_features = backends_cpu_choose(edge.cpu_features);
	struct local *local = calloc(1, sizeof(*local));
	if (!local) {
		return error_no_memory(err);
	}
	local->target.ops = &ops;
	local->state = -1;
	owned(target_free) struct target *target = &local->target;
	int r = edge_model_open_file(path, &edge, &local->target.model, err);
	r = r < 0 ? r : edge_model_keep(local->target.model, err);
	r = r < 0 ? r : find_signature(local, options->signature, err);
	r = r < 0 ? r : start(local, options, err);
	if (r < 0) {
		return r;
	}
	const struct edge_model_info *info = edge_model_info(local->target.model);
	set_name(path, target);
	error_escape(
		target->version, sizeof(target->version), info->version.data, info->version.length);
	read_labels_beside(path, target);
	*ret_target = take(target);
	return 0;
}

static int open_again(const struct target *target, struct target **ret_target, struct error *err)
{
	const struct local *old = local_of(target);
	struct local *local = calloc(1, sizeof(*local));
	if (!local) {
		return error_no_memory(err);
	}
	owned(target_free) struct target *other = &local->target;
	local->target.ops = &ops;
	local->target.model = edge_model_ref(target->model);
	local->signature = old->signature;
	local->state = -1;
	int r = start(local, &old->options, err);
	if (r < 0) {
		return r;
	}
	memcpy(other->name, target->name, sizeof(other->name));
	memcpy(other->version, target->version, sizeof(other->version));
	*ret_target = take(other);
	return 0;
}

static int bind(struct local *local, const struct tensor_bytes *inputs, struct error *err)
{
	for (uint32_t i = 0; i < local->target.n_inputs; i++) {
		int r = edge_session_resize(local->target.session, i, &inputs[i].shape, err);
		if (r == 0) {
			r = edge_session_bind_input(
				local->target.session, i, inputs[i].data, inputs[i].bytes, err);
		}
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int run(struct target *target, const struct tensor_bytes *inputs, struct error *err)
{
	struct local *local = local_of(target);
	struct edge_tensor_info info;
	struct run_control control = {.team = local->team};
	if (local->options.timeout_ms) {
		control.deadline_ns =
			clock_now_ns() + (uint64_t)local->options.timeout_ms * 1000000;
	}
	if (!local->options.keep_state && edge_model_info(local->target.model)->has_state) {
		edge_session_reset(local->target.session);
	}
	int r = bind(local, inputs, err);
	r = r < 0 ? r : edge_session_run(local->target.session, &control, err);
	if (r == -ETIMEDOUT) {
		return error_set(err, r, "no answer in time");
	}
	for (uint32_t i = 0; i < target->n_outputs && r == 0; i++) {
		r = edge_session_output_info(local->target.session, i, &info, err);
		if (r == 0) {
			target->outputs[i].shape = info.shape;
			target->outputs[i].bytes = info.bytes;
		}
	}
	return r;
}

static struct tensor_bytes get_output(const struct target *target, uint32_t index)
{
	const struct tensor_spec *spec = &target->outputs[index];
	struct tensor_bytes bytes = {.type = spec->type, .shape = spec->shape};
	/* callers only read the view */
	bytes.data = (void *)(uintptr_t)edge_session_output(target->session, index, &bytes.bytes);
	return bytes;
}

static void free_local(struct target *target)
{
	struct local *local = local_of(target);
	edge_session_free(local->target.session);
	backends_team_free(local->team);
	edge_model_unref(local->target.model);
	own_close_fd(&local->state);
	target_deinit(target);
	free(local);
}

static const struct target_ops ops = {
	.run = run,
	.output = get_output,
	.signature = get_signature,
	.open_again = open_again,
	.free = free_local,
};
