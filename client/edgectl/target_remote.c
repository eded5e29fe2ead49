/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "client/edgectl/remote.h"
#include "client/edgectl/target.h"
#include "client/pipeline/pipeline.h"

struct remote {
	struct target target;
	struct target_options options;
	struct edge_client *client;
	struct edge_client_model *model;
	struct edge_client_answer *answer; /* of the last run */
	uint32_t session; /* 0: none */
	struct edge_client_tensor *tensors; /* of the request, target.n_inputs */
};

static const struct target_ops ops;

static struct remote *remote_of(const struct target *target)
{
	return (struct remote *)target;
}

static int get_signature(const struct target *target, uint32_t index,
	struct target_signature *ret_signature, struct error *err)
{
	const struct remote *remote = remote_of(target);
	if (index >= remote->model->n_signatures) {
		return error_set(err, -ENOENT, "signature %u", index);
	}
	const struct edge_client_signature *from = &remote->model->signatures[index];
	int r = target_signature_init(ret_signature, from->n_inputs, from->n_outputs, err);
	if (r < 0) {
		return r;
	}
	for (uint32_t i = 0; i < from->n_inputs; i++) {
		pipeline_model_spec(&from->inputs[i], "", &ret_signature->inputs[i]);
	}
	for (uint32_t i = 0; i < from->n_outputs; i++) {
		pipeline_model_spec(
			&from->outputs[i], remote->model->labels, &ret_signature->outputs[i]);
	}
	error_escape(ret_signature->key, sizeof(ret_signature->key), from->key, strlen(from->key));
	return 0;
}

static int set_up_signature(struct remote *remote, struct error *err)
{
	char shown[SPEC_NAME_SIZE];
	struct target *t = &remote->target;
	const struct edge_client_model *model = remote->model;
	const char *key = remote->options.signature;
	struct target_signature signature = {0};
	uint32_t index = 0;
	while (key && index < model->n_signatures &&
		strcmp(model->signatures[index].key, key) != 0) {
		index++;
	}
	if (index == model->n_signatures) {
		error_escape(shown, sizeof(shown), key, strlen(key));
		return error_set(err, -ENOENT, "no signature %s", shown);
	}
	int r = get_signature(t, index, &signature, err);
	if (r < 0) {
		return r;
	}
	target_set_signature(t, &signature);
	remote->tensors = calloc((size_t)t->n_inputs + 1, sizeof(remote->tensors[0]));
	if (!remote->tensors) {
		return error_no_memory(err);
	}
	error_escape(t->name, sizeof(t->name), remote->model->name, strlen(remote->model->name));
	error_escape(t->version, sizeof(t->version), remote->model->version,
		strlen(remote->model->version));
	return 0;
}

/* With --keep-state all runs use one session. */
static int open_session(struct remote *remote, struct error *err)
{
	struct edge_client_error client_error = {0};
	uint32_t timeout_ms = remote->options.timeout_ms;
	timeout_ms = remote_timeout_ms(timeout_ms);
	if (!remote->options.keep_state) {
		return 0;
	}
	return edge_client_session_open(remote->client, remote->model->name, NULL, timeout_ms,
		       &remote->session, &client_error) < 0
		? remote_error(&client_error, err)
		: 0;
}

int target_open_model(const char *model, const struct target_options *options,
	struct target **ret_target, struct error *err)
{
	struct edge_client_error client_error = {0};
	uint32_t timeout_ms = remote_timeout_ms(options->timeout_ms);
	struct remote *remote = calloc(1, sizeof(*remote));
	if (!remote) {
		return error_no_memory(err);
	}
	remote->target.ops = &ops;
	remote->options = *options;
	owned(target_free) struct target *target = &remote->target;
	int r = remote_open(options->socket, options->timeout_ms, &remote->client, err);
	if (r < 0) {
		return r;
	}
	if (edge_client_describe(
		    remote->client, model, NULL, timeout_ms, &remote->model, &client_error) < 0) {
		return remote_error(&client_error, err);
	}
	r = set_up_signature(remote, err);
	r = r < 0 ? r : open_session(remote, err);
	if (r < 0) {
		return r;
	}
	*ret_target = take(target);
	return 0;
}

static int open_again(const struct target *target, struct target **ret_target, struct error *err)
{
	const struct remote *remote = remote_of(target);
	return target_open_model(remote->model->name, &remote->options, ret_target, err);
}

static void fill_tensor(
	const struct tensor_bytes *from, uint32_t index, struct edge_client_tensor *to)
{
	*to = (struct edge_client_tensor){
		.index = index,
		.type = from->type,
		.shape = {.rank = from->shape.rank},
		.data = from->data,
		.bytes = (size_t)from->bytes,
	};
	memcpy(to->shape.dim, from->shape.dim, sizeof(to->shape.dim));
}

/* Checks that the reply has the model's outputs, in its order, with its types. */
static int check_answer(const struct remote *remote, struct error *err)
{
	const struct edge_client_answer *answer = remote->answer;
	if (answer->n_outputs != remote->target.n_outputs) {
		return error_set(err, -EPROTO, "%u outputs instead of %u", answer->n_outputs,
			remote->target.n_outputs);
	}
	for (uint32_t i = 0; i < answer->n_outputs; i++) {
		if (answer->outputs[i].type != remote->target.outputs[i].type) {
			return error_set(err, -EPROTO, "output %u has another type", i);
		}
	}
	return 0;
}

static int run(struct target *target, const struct tensor_bytes *inputs, struct error *err)
{
	struct remote *remote = remote_of(target);
	struct edge_client_error client_error = {0};
	struct edge_client_request request = {
		.model = remote->model->name,
		.version = remote->options.one_version ? remote->model->version : NULL,
		.signature = remote->options.signature,
		.n_inputs = target->n_inputs,
		.inputs = remote->tensors,
		.priority = remote->options.priority,
		.latest_key = remote->session ? 0 : remote->options.latest_key,
	};
	for (uint32_t i = 0; i < target->n_inputs; i++) {
		fill_tensor(&inputs[i], i, &remote->tensors[i]);
	}
	edge_client_answer_free(remote->answer);
	remote->answer = NULL;
	int r = remote->session
		? edge_client_session_infer(remote->client, remote->session, &request,
			  remote->options.timeout_ms, &remote->answer, &client_error)
		: edge_client_infer(remote->client, &request, remote->options.timeout_ms,
			  &remote->answer, &client_error);
	if (r < 0) {
		return remote_error(&client_error, err);
	}
	r = check_answer(remote, err);
	for (uint32_t i = 0; i < target->n_outputs && r == 0; i++) {
		pipeline_model_shape(&remote->answer->outputs[i].shape, &target->outputs[i].shape);
		target->outputs[i].bytes = remote->answer->outputs[i].bytes;
	}
	return r;
}

static struct tensor_bytes get_output(const struct target *target, uint32_t index)
{
	const struct edge_client_tensor *from = &remote_of(target)->answer->outputs[index];
	struct tensor_bytes bytes = {.type = from->type, .bytes = from->bytes};
	pipeline_model_shape(&from->shape, &bytes.shape);
	bytes.data = (void *)(uintptr_t)from->data; /* callers only read the view */
	return bytes;
}

static void free_remote(struct target *target)
{
	struct remote *remote = remote_of(target);
	edge_client_answer_free(remote->answer);
	edge_client_model_free(remote->model);
	edge_client_close(remote->client);
	target_deinit(target);
	free(remote->tensors);
	free(remote);
}

static const struct target_ops ops = {
	.run = run,
	.output = get_output,
	.signature = get_signature,
	.open_again = open_again,
	.free = free_remote,
};
