/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/request/known_models.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/pipeline/pipeline.h"
#include "daemon/mqtt/text/threshold.h"
#include "daemon/mqtt/text/topics.h"

static void entry_free(struct model_entry *entry)
{
	if (entry) {
		labels_free(&entry->labels);
		free(entry);
	}
}

void known_models_deinit(struct known_models *models)
{
	for (size_t i = 0; i < models->n; i++) {
		entry_free(models->entries[i]);
	}
	models->n = 0;
}

struct model_entry *known_models_find(const struct known_models *models, const char *name)
{
	for (size_t i = 0; i < models->n; i++) {
		if (strcmp(models->entries[i]->name, name) == 0) {
			return models->entries[i];
		}
	}
	return NULL;
}

/* Removes a model that edged no longer serves and whose topics are emptied. */
static bool remove_unlisted(struct known_models *models, bool set_too)
{
	for (size_t i = 0; i < models->n; i++) {
		struct model_entry *m = models->entries[i];
		bool set = m->off || !isnan(m->threshold);
		if (!m->listed && !m->published.state && (set_too || !set)) {
			entry_free(m);
			models->n--;
			memmove(&models->entries[i], &models->entries[i + 1],
				(models->n - i) * sizeof(models->entries[0]));
			return true;
		}
	}
	return false;
}

struct model_entry *known_models_add(struct known_models *models, const char *name)
{
	bool room = models->n < MODELS_MAX || remove_unlisted(models, false) ||
		remove_unlisted(models, true);
	struct model_entry *entry = room ? calloc(1, sizeof(*entry)) : NULL;
	if (entry) {
		snprintf(entry->name, sizeof(entry->name), "%s", name);
		entry->threshold = (double)NAN;
		models->entries[models->n++] = entry;
	}
	return entry;
}

bool known_models_is_ready(const struct model_entry *model)
{
	return model->listed && model->usable && model->generation != 0;
}

/* The labels of @info are not taken; they would not outlive it. */
static void fill_spec(const struct edge_client_tensor_info *info, struct tensor_spec *spec)
{
	*spec = (struct tensor_spec){0};
	pipeline_model_spec(info, "", spec);
	spec->labels = NULL;
	spec->labels_bytes = 0;
}

/* Uses the rules of answer.h, without an answer. */
static enum known_models_kind kind_of(const struct model_entry *m)
{
	uint32_t wide = 0;
	uint64_t elements = tensor_spec_elements(&m->outputs[0]);
	for (unsigned int i = 0; i < m->outputs[0].shape.rank; i++) {
		wide += m->outputs[0].shape.dim[i] != 1;
	}
	if (m->n_outputs != 1) {
		return MODELS_TENSORS;
	}
	if (m->n_inputs == 1 && strcmp(m->outputs[0].name, "reconstruction") == 0 &&
		shape_equal(&m->inputs[0].shape, &m->outputs[0].shape)) {
		return MODELS_ANOMALY;
	}
	return wide == 1 && elements >= 2 ? MODELS_CLASSES : MODELS_TENSORS;
}

int known_models_describe(
	struct model_entry *model, const struct edge_client_model *from, struct error *err)
{
	const struct edge_client_signature *s = from->n_signatures ? from->signatures : NULL;
	model->usable = s && s->n_inputs >= 1 && s->n_inputs <= DECODE_MAX_INPUTS &&
		s->n_outputs >= 1 && s->n_outputs <= MODELS_MAX_OUTPUTS;
	model->described = from->generation;
	labels_free(&model->labels);
	memset(model->response_bytes, 0, sizeof(model->response_bytes));
	if (!model->usable) {
		return 0;
	}
	model->n_inputs = s->n_inputs;
	model->n_outputs = s->n_outputs;
	for (uint32_t i = 0; i < s->n_inputs; i++) {
		fill_spec(&s->inputs[i], &model->inputs[i]);
	}
	for (uint32_t i = 0; i < s->n_outputs; i++) {
		fill_spec(&s->outputs[i], &model->outputs[i]);
	}
	model->kind = kind_of(model);
	if (!threshold_is_allowed(model->threshold, model->kind == MODELS_ANOMALY)) {
		model->threshold = (double)NAN; /* it was set for an older model of that name */
	}
	const char *labels = s->outputs[0].labels[0] ? s->outputs[0].labels : from->labels;
	return labels[0] && s->n_outputs == 1
		? labels_parse(labels, strlen(labels), &model->labels, err)
		: 0;
}

void known_models_forget_description(struct known_models *models, const char *name)
{
	struct model_entry *model = known_models_find(models, name);
	if (model) {
		model->described = 0; /* the old description serves until the new one comes */
		model->taught = 0;
	}
}

/* The file: [MODEL] with threshold = NUMBER and enable = yes or no. */
static void *find_or_add(void *models, const char *name)
{
	struct model_entry *entry = topics_is_model(name) ? known_models_find(models, name) : NULL;
	return entry || !topics_is_model(name) ? entry : known_models_add(models, name);
}

/* The kind of model is not known yet; known_models_describe() checks the range. */
static int set_threshold(void *item, const char *text, struct error *err)
{
	struct model_entry *entry = item;
	return threshold_parse(text, true, &entry->threshold, err);
}

static void set_off(void *item, bool off)
{
	struct model_entry *entry = item;
	entry->off = off;
}

int known_models_load_settings(struct known_models *models, const char *folder, struct error *err)
{
	const struct threshold_sink sink = {models, find_or_add, set_threshold, set_off};
	return threshold_load_settings(folder, "set.conf", &sink, err);
}

void known_models_write_settings(const struct known_models *models, struct bytes_writer *w)
{
	for (size_t i = 0; i < models->n; i++) {
		const struct model_entry *m = models->entries[i];
		threshold_write_settings(w, m->name, m->off, m->threshold);
	}
}
