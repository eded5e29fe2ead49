/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/pipeline_targets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/edgectl/remote.h"

void pipeline_targets_deinit(struct pipeline_targets *targets)
{
	for (size_t i = 0; i < targets->n; i++) {
		free(targets->items[i].key);
		target_free(targets->items[i].target);
	}
	targets->n = 0;
}

static int target_open(const struct pipeline_targets *targets, const char *model,
	const char *signature, bool keep_state, struct target **ret_target, struct error *err)
{
	struct target_options options = targets->options;
	options.signature = signature;
	options.keep_state = keep_state;
	return target_names_file(model) ? target_open_file(model, &options, ret_target, err)
					: target_open_model(model, &options, ret_target, err);
}

/* Returns a free slot; closes the least recently used target if there is none. */
static size_t slot_take(struct pipeline_targets *targets)
{
	if (targets->n < PIPELINE_TARGETS_MAX) {
		return targets->n++;
	}
	size_t oldest = 0;
	for (size_t i = 1; i < targets->n; i++) {
		bool older = targets->items[i].last_used < targets->items[oldest].last_used;
		oldest = older ? i : oldest;
	}
	free(targets->items[oldest].key);
	target_free(targets->items[oldest].target);
	return oldest;
}

static int target_find(struct pipeline_targets *targets, const char *model, const char *signature,
	uint64_t session, struct target **ret_target, struct error *err)
{
	owned_mem char *key = NULL;
	if (asprintf(&key, "%s\n%s\n%llu", model, signature ? signature : "",
		    (unsigned long long)session) < 0) {
		key = NULL;
		return error_no_memory(err);
	}
	for (size_t i = 0; i < targets->n; i++) {
		if (strcmp(targets->items[i].key, key) == 0) {
			targets->items[i].last_used = ++targets->uses;
			*ret_target = targets->items[i].target;
			return 0;
		}
	}
	int r = target_open(targets, model, signature, session != 0, ret_target, err);
	if (r == 0) {
		size_t slot = slot_take(targets);
		targets->items[slot].key = take(key);
		targets->items[slot].target = *ret_target;
		targets->items[slot].last_used = ++targets->uses;
	}
	return r;
}

static struct tensor_spec *specs_copy(const struct tensor_spec *from, uint32_t n)
{
	struct tensor_spec *specs = calloc((size_t)n + 1, sizeof(specs[0]));
	if (specs && n > 0) {
		memcpy(specs, from, n * sizeof(specs[0]));
	}
	return specs;
}

static int describe(void *context, const char *name, const char *signature,
	struct pipeline_model *ret_model, struct error *err)
{
	struct target *target = NULL;
	int r = target_find(context, name, signature, 0, &target, err);
	if (r < 0) {
		return r;
	}
	struct pipeline_model model = {.n_inputs = target->n_inputs,
		.n_outputs = target->n_outputs,
		.inputs = specs_copy(target->inputs, target->n_inputs),
		.outputs = specs_copy(target->outputs, target->n_outputs)};
	if (!model.inputs || !model.outputs || pipeline_model_own_labels(&model) < 0) {
		pipeline_model_free(&model);
		return error_no_memory(err);
	}
	memcpy(model.version, target->version, sizeof(model.version));
	*ret_model = model;
	return 0;
}

static int infer(void *context, const struct pipeline_question *q, struct tensor_bytes *outputs,
	uint32_t n_outputs, struct error *err)
{
	struct target *target = NULL;
	uint64_t ns = 0;
	int r = target_find(context, q->model, q->signature, q->session, &target, err);
	if (r == 0 && (target->n_inputs != q->n_inputs || target->n_outputs != n_outputs)) {
		r = error_set(err, -EINVAL, "the model has %u inputs and %u outputs now",
			target->n_inputs, target->n_outputs);
	}
	r = r < 0 ? r : target_run(target, q->inputs, &ns, err);
	for (uint32_t i = 0; i < n_outputs && r == 0; i++) {
		struct tensor_bytes view = target_output(target, i);
		r = tensor_copy(view.type, &view.shape, view.data, view.bytes, &outputs[i], err);
	}
	return r;
}

/* A model file has no few-shot examples. */
static int examples(void *context, const char *model, char **ret_text, struct error *err)
{
	const struct pipeline_targets *targets = context;
	const struct target_options *o = &targets->options;
	int r = target_names_file(model)
		? -EOPNOTSUPP
		: remote_store(o->socket, remote_timeout_ms(o->timeout_ms),
			  EDGE_CLIENT_STORE_EXAMPLES, model, NULL, -1, ret_text, err);
	if (r == -EOPNOTSUPP) {
		*ret_text = strdup("");
		return *ret_text ? 0 : error_no_memory(err);
	}
	return r;
}

struct pipeline_models pipeline_targets_models(struct pipeline_targets *targets)
{
	return (struct pipeline_models){
		.describe = describe, .run = infer, .context = targets, .examples = examples};
}
