/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon says of a model, and what it answers, in a pipeline's words. */
#include <errno.h>
#include <string.h>

#include "client/edge_client.h"
#include "client/pipeline/pipeline.h"

void pipeline_model_free(struct pipeline_model *model)
{
	free(model->inputs);
	free(model->outputs);
	free(model->labels);
	*model = (struct pipeline_model){0};
}

static int carry_error(const struct edge_client_error *from, struct error *err)
{
	/* Refused for overload is what a stage may be skipped for. */
	int code = from->status == EDGE_OVERLOADED ? -EBUSY : from->code;
	return error_set(err, code, "%s", from->text);
}

static void shape_fill(const struct edge_client_shape *from, struct shape *to)
{
	to->rank = (uint8_t)(from->rank <= SHAPE_MAX_RANK ? from->rank : SHAPE_MAX_RANK);
	memcpy(to->dim, from->dim, sizeof(to->dim));
}

static void spec_fill(const struct edge_client_tensor_info *info, struct spec *spec)
{
	error_escape(spec->name, sizeof(spec->name), info->name, strlen(info->name));
	spec->type = info->type;
	shape_fill(&info->shape, &spec->shape);
	shape_fill(info->run_time_shape ? &info->shape : &info->declared, &spec->declared);
	spec->scale = (double)info->scale;
	spec->zero_point = info->zero_point;
	spec->bytes = info->bytes;
	spec->score_threshold = info->score_threshold;
	bool fits = info->n_mean <= SPEC_MAX_CHANNELS && info->n_std <= SPEC_MAX_CHANNELS;
	spec->n_mean = fits ? info->n_mean : 0;
	spec->n_std = fits ? info->n_std : 0;
	memcpy(spec->mean, info->mean, spec->n_mean * sizeof(float));
	memcpy(spec->std, info->std, spec->n_std * sizeof(float));
}

/* Labels of all outputs in one allocation, which the specs point into: the description goes away. */
static int labels_fill(const struct edge_client_model *from,
	const struct edge_client_signature *signature, struct pipeline_model *model)
{
	size_t room = 1;
	for (uint32_t i = 0; i < signature->n_outputs; i++) {
		const char *own = signature->outputs[i].labels;
		room += strlen(own[0] ? own : from->labels) + 1;
	}
	model->labels = malloc(room);
	if (!model->labels) {
		return -ENOMEM;
	}
	char *at = model->labels;
	for (uint32_t i = 0; i < signature->n_outputs; i++) {
		const char *own = signature->outputs[i].labels;
		const char *text = own[0] ? own : from->labels;
		size_t length = strlen(text);
		memcpy(at, text, length + 1);
		model->outputs[i].labels = length ? at : NULL;
		model->outputs[i].labels_bytes = length;
		at += length + 1;
	}
	return 0;
}

int pipeline_model_of(const struct edge_client_model *from, const char *key,
	struct pipeline_model *ret_model, struct error *err)
{
	const struct edge_client_signature *signature = NULL;
	for (uint32_t i = 0; i < from->n_signatures && !signature; i++) {
		if (!key || strcmp(from->signatures[i].key, key) == 0) {
			signature = &from->signatures[i];
		}
	}
	if (!signature) {
		return error_set(err, -ENOENT, "the model has no such signature");
	}
	struct pipeline_model model = {
		.n_inputs = signature->n_inputs, .n_outputs = signature->n_outputs};
	model.inputs = calloc((size_t)signature->n_inputs + 1, sizeof(model.inputs[0]));
	model.outputs = calloc((size_t)signature->n_outputs + 1, sizeof(model.outputs[0]));
	if (!model.inputs || !model.outputs || labels_fill(from, signature, &model) < 0) {
		pipeline_model_free(&model);
		return error_no_memory(err);
	}
	for (uint32_t i = 0; i < signature->n_inputs; i++) {
		spec_fill(&signature->inputs[i], &model.inputs[i]);
	}
	for (uint32_t i = 0; i < signature->n_outputs; i++) {
		spec_fill(&signature->outputs[i], &model.outputs[i]);
	}
	error_escape(model.version, sizeof(model.version), from->version, strlen(from->version));
	*ret_model = model;
	return 0;
}

static int describe(void *context, const char *name, const char *signature,
	struct pipeline_model *ret_model, struct error *err)
{
	const struct pipeline_daemon *daemon = context;
	struct edge_client_model *model = NULL;
	struct edge_client_error why = {0};
	if (edge_client_describe(daemon->client, name, NULL, daemon->timeout_ms, &model, &why) <
		0) {
		return carry_error(&why, err);
	}
	int r = pipeline_model_of(model, signature, ret_model, err);
	edge_client_model_free(model);
	return r;
}

static int examples(void *context, const char *name, char **ret_text, struct error *err)
{
	const struct pipeline_daemon *daemon = context;
	struct edge_client_error why = {0};
	int r = edge_client_store(daemon->client, EDGE_CLIENT_STORE_EXAMPLES, name, NULL,
		daemon->timeout_ms, ret_text, &why);
	if (r == -EOPNOTSUPP) { /* it keeps none */
		*ret_text = strdup("");
		return *ret_text ? 0 : error_no_memory(err);
	}
	return r < 0 ? carry_error(&why, err) : 0;
}

static void input_fill(
	const struct tensor_bytes *from, uint32_t index, struct edge_client_tensor *to)
{
	*to = (struct edge_client_tensor){.index = index,
		.type = from->type,
		.shape = {.rank = from->shape.rank},
		.data = from->data,
		.bytes = (size_t)from->bytes};
	memcpy(to->shape.dim, from->shape.dim, sizeof(to->shape.dim));
}

static int answer_copy(const struct edge_client_answer *answer, struct tensor_bytes *outputs,
	uint32_t n_outputs, struct error *err)
{
	if (answer->n_outputs != n_outputs) {
		return error_set(
			err, -EPROTO, "%u outputs instead of %u", answer->n_outputs, n_outputs);
	}
	for (uint32_t i = 0; i < n_outputs; i++) {
		const struct edge_client_tensor *from = &answer->outputs[i];
		struct shape shape = {0};
		shape_fill(&from->shape, &shape);
		int r = tensor_copy(from->type, &shape, from->data, from->bytes, &outputs[i], err);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int run(void *context, const char *model, const char *signature,
	const struct tensor_bytes *inputs, uint32_t n_inputs, struct tensor_bytes *outputs,
	uint32_t n_outputs, struct error *err)
{
	const struct pipeline_daemon *daemon = context;
	struct edge_client_answer *answer = NULL;
	struct edge_client_error why = {0};
	owned_mem struct edge_client_tensor *tensors =
		calloc((size_t)n_inputs + 1, sizeof(tensors[0]));
	if (!tensors) {
		return error_no_memory(err);
	}
	for (uint32_t i = 0; i < n_inputs; i++) {
		input_fill(&inputs[i], i, &tensors[i]);
	}
	const struct edge_client_request request = {
		.model = model, .signature = signature, .n_inputs = n_inputs, .inputs = tensors};
	if (edge_client_infer(daemon->client, &request, daemon->timeout_ms, &answer, &why) < 0) {
		return carry_error(&why, err);
	}
	int r = answer_copy(answer, outputs, n_outputs, err);
	edge_client_answer_free(answer);
	return r;
}

struct pipeline_models pipeline_models_of_daemon(struct pipeline_daemon *daemon)
{
	return (struct pipeline_models){
		.describe = describe, .run = run, .context = daemon, .examples = examples};
}
