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

void pipeline_model_shape(const struct edge_client_shape *from, struct shape *to)
{
	to->rank = (uint8_t)(from->rank <= SHAPE_MAX_RANK ? from->rank : SHAPE_MAX_RANK);
	memcpy(to->dim, from->dim, sizeof(to->dim));
}

void pipeline_model_spec(
	const struct edge_client_tensor_info *info, const char *labels, struct tensor_spec *spec)
{
	error_escape(spec->name, sizeof(spec->name), info->name, strlen(info->name));
	spec->type = info->type;
	pipeline_model_shape(&info->shape, &spec->shape);
	pipeline_model_shape(
		info->run_time_shape ? &info->shape : &info->declared, &spec->declared);
	spec->scale = (double)info->scale;
	spec->zero_point = info->zero_point;
	spec->bytes = info->bytes;
	spec->score_threshold = info->score_threshold;
	labels = info->labels[0] ? info->labels : labels;
	spec->labels = labels[0] ? labels : NULL;
	spec->labels_bytes = strlen(labels);
	bool fits = info->n_mean <= SPEC_MAX_CHANNELS && info->n_std <= SPEC_MAX_CHANNELS;
	spec->n_mean = fits ? info->n_mean : 0;
	spec->n_std = fits ? info->n_std : 0;
	memcpy(spec->mean, info->mean, spec->n_mean * sizeof(float));
	memcpy(spec->std, info->std, spec->n_std * sizeof(float));
}

int pipeline_model_own_labels(struct pipeline_model *model)
{
	size_t room = 1;
	for (uint32_t i = 0; i < model->n_inputs; i++) {
		model->inputs[i].labels = NULL;
		model->inputs[i].labels_bytes = 0;
	}
	for (uint32_t i = 0; i < model->n_outputs; i++) {
		room += model->outputs[i].labels ? model->outputs[i].labels_bytes : 0;
	}
	char *at = model->labels = malloc(room);
	for (uint32_t i = 0; i < model->n_outputs && at; i++) {
		struct tensor_spec *spec = &model->outputs[i];
		if (spec->labels) {
			memcpy(at, spec->labels, spec->labels_bytes);
			spec->labels = at;
			at += spec->labels_bytes;
		}
	}
	return model->labels ? 0 : -ENOMEM;
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
	for (uint32_t i = 0; model.inputs && i < signature->n_inputs; i++) {
		pipeline_model_spec(&signature->inputs[i], "", &model.inputs[i]);
	}
	for (uint32_t i = 0; model.outputs && i < signature->n_outputs; i++) {
		pipeline_model_spec(&signature->outputs[i], from->labels, &model.outputs[i]);
	}
	if (!model.inputs || !model.outputs || pipeline_model_own_labels(&model) < 0) {
		pipeline_model_free(&model);
		return error_no_memory(err);
	}
	error_escape(model.version, sizeof(model.version), from->version, strlen(from->version));
	*ret_model = model;
	return 0;
}
