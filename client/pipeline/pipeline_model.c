/* SPDX-License-Identifier: Apache-2.0 */
/* Converts the daemon's model descriptions to those of a pipeline. */
#include <errno.h>
#include <string.h>

#include "client/lib/edge_client.h"
#include "client/pipeline/pipeline.h"

void pipeline_model_free(struct pipeline_model *model)
{
	free(model->inputs);
	free(model->outputs);
	free(model->labels);
	*model = (struct pipeline_model){0};
}

static void shape_fill(const struct edge_client_shape *from, struct shape *to)
{
	to->rank = (uint8_t)(from->rank <= SHAPE_MAX_RANK ? from->rank : SHAPE_MAX_RANK);
	memcpy(to->dim, from->dim, sizeof(to->dim));
}

static void spec_fill(const struct edge_client_tensor_info *info, struct tensor_spec *spec)
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

/* Copies the labels of all outputs into one allocation, because @from is freed before the specs. */
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
