/* SPDX-License-Identifier: Apache-2.0 */
/* Pipeline files, and the models that the pipelines need. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "client/edgectl/pipeline_files.h"
#include "client/media/byte_source.h"
#include "daemon/mqtt/broker/brokers.h"
#include "daemon/mqtt/pipelines/pipelines.h"

#define MAX_FILE (1u << 20)

void mqtt_pipeline_free(struct mqtt_pipeline *pipeline)
{
	if (pipeline) {
		for (size_t i = 0; i < pipeline->n_sources; i++) {
			free(pipeline->sources[i].unpublished);
		}
		pipeline_close(pipeline->parsed);
		free(pipeline->path);
		source_close(&pipeline->file);
		free(pipeline);
	}
}
DEFINE_OWNED(struct mqtt_pipeline *, mqtt_pipeline_free)

/* The parent's pipelines get no inputs, so no model is needed. */
static int describe(void *context, const char *model, const char *signature,
	struct pipeline_model *ret_model, struct error *err)
{
	(void)context;
	(void)signature;
	(void)ret_model;
	return error_set(err, -ENOENT, "there is no model %s", model);
}

static int pipeline_load(const char *path, struct mqtt_pipeline **ret_pipeline, struct error *err)
{
	const struct pipeline_models models = {.describe = describe};
	owned(mqtt_pipeline_free) struct mqtt_pipeline *pipeline = calloc(1, sizeof(*pipeline));
	if (!pipeline) {
		return error_no_memory(err);
	}
	pipeline->path = strdup(path);
	int r = pipeline->path ? source_open_file(pipeline->path, MAX_FILE, &pipeline->file, err)
			       : error_no_memory(err);
	if (r == 0 && pipeline->file.size == 0) {
		r = error_set(err, -EINVAL, "an empty file");
	}
	if (r < 0) {
		error_prefix(err, "%s", path);
		return r;
	}
	r = pipeline_open_text(path, (const char *)pipeline->file.data, pipeline->file.size,
		&models, NULL, &pipeline->parsed, err);
	if (r < 0) {
		return r;
	}
	snprintf(pipeline->name, sizeof(pipeline->name), "%s", pipeline_name(pipeline->parsed));
	pipeline->properties = pipeline_about(pipeline->parsed);
	pipeline->own_threshold = pipeline_threshold(pipeline->parsed);
	pipeline->threshold = NAN;
	if (!topics_is_level(pipeline->name)) {
		return error_set(err, -EINVAL, "%s: no name for a topic", path);
	}
	*ret_pipeline = take(pipeline);
	return 0;
}

/* ---- models */

static struct pipelines_model *model_find(
	const struct pipelines *pipelines, const char *name, const char *signature)
{
	for (size_t i = 0; i < pipelines->n_models; i++) {
		struct pipelines_model *model = &pipelines->models[i];
		if (strcmp(model->name, name) == 0 && strcmp(model->signature, signature) == 0) {
			return model;
		}
	}
	return NULL;
}

/* "": the default signature. */
static const char *signature_of(const struct mqtt_pipeline *pipeline, size_t stage)
{
	const char *signature = pipeline_signature_name(pipeline->parsed, stage);
	return signature ? signature : "";
}

/* Returns the model of a stage; NULL: there is no such stage. */
static struct pipelines_model *model_of(
	const struct pipelines *pipelines, const struct mqtt_pipeline *pipeline, size_t stage)
{
	const char *name = pipeline_model_name(pipeline->parsed, stage);
	return name ? model_find(pipelines, name, signature_of(pipeline, stage)) : NULL;
}

static int model_add(
	struct pipelines *pipelines, const char *name, const char *signature, struct error *err)
{
	if (model_find(pipelines, name, signature)) {
		return 0;
	}
	if (strlen(name) >= PIPELINES_MODEL_SIZE || !topics_is_model(name)) {
		return error_set(err, -EINVAL, "edged has no model of the name %s", name);
	}
	struct pipelines_model *model =
		array_add(&pipelines->models, &pipelines->n_models, sizeof(*model));
	if (!model) {
		return error_no_memory(err);
	}
	snprintf(model->name, sizeof(model->name), "%s", name);
	snprintf(model->signature, sizeof(model->signature), "%s", signature);
	return 0;
}

static int models_add(
	struct pipelines *pipelines, const struct mqtt_pipeline *pipeline, struct error *err)
{
	const char *model = NULL;
	int r = 0;
	for (size_t i = 0; r == 0 && (model = pipeline_model_name(pipeline->parsed, i)); i++) {
		r = model_add(pipelines, model, signature_of(pipeline, i), err);
	}
	if (r < 0) {
		error_prefix(err, "%s", pipeline->path);
	}
	return r;
}

void pipelines_model_deinit(struct pipelines_model *model)
{
	bytes_writer_deinit(&model->frame);
	bytes_writer_deinit(&model->examples);
}

static bool is_used(const struct pipelines *pipelines, const struct pipelines_model *model)
{
	for (size_t i = 0; i < pipelines->n; i++) {
		const struct pipelines_model *other = NULL;
		for (size_t k = 0; (other = model_of(pipelines, pipelines->items[i], k)); k++) {
			if (other == model) {
				return true;
			}
		}
	}
	return false;
}

/* Removes the models that no pipeline has any more. */
static void models_prune(struct pipelines *pipelines)
{
	for (size_t i = pipelines->n_models; i-- > 0;) {
		if (!is_used(pipelines, &pipelines->models[i])) {
			pipelines_model_deinit(&pipelines->models[i]);
			pipelines->models[i] = pipelines->models[--pipelines->n_models];
		}
	}
}

/* Replaces *frame, which is kept for later processes too. Without memory it is empty. */
static void frame_set(struct bytes_writer *frame, enum worker_frame type, const void *record)
{
	bytes_writer_deinit(frame);
	worker_frames_write(frame, type, record);
	if (frame->failed) {
		bytes_writer_deinit(frame);
	}
}

/* @described NULL: edged does not serve the model. */
static void set_description(struct pipelines_model *model, const struct pipeline_model *described)
{
	struct worker_model record = {.is_served = described};
	memcpy(record.name, model->name, sizeof(record.name));
	memcpy(record.signature, model->signature, sizeof(record.signature));
	memset(model->elements, 0, sizeof(model->elements));
	model->is_served = described;
	if (described) {
		record.model = *described;
	}
	for (uint32_t i = 0; i < record.model.n_outputs && i < PIPELINES_MAX_TENSORS; i++) {
		model->elements[i] = tensor_spec_elements(&record.model.outputs[i]);
	}
	frame_set(&model->frame, WORKER_COMMAND_MODEL, &record);
	model->send_frame = model->frame.size > 0;
}

void pipelines_reset_sources(struct pipelines *pipelines)
{
	for (size_t i = 0; i < pipelines->n_models; i++) {
		pipelines->models[i].send_removal =
			pipelines->models[i].is_served && pipelines->models[i].frame.size > 0;
	}
	pipelines_send_next(pipelines);
}

void pipelines_describe(struct pipelines *pipelines, const struct edge_client_model *from)
{
	for (size_t i = 0; i < pipelines->n_models; i++) {
		struct pipelines_model *model = &pipelines->models[i];
		struct pipeline_model described = {0};
		if (strcmp(model->name, from->name) != 0) {
			continue;
		}
		int r = pipeline_model_of(
			from, model->signature[0] ? model->signature : NULL, &described, NULL);
		set_description(model, r < 0 ? NULL : &described);
		pipeline_model_free(&described);
	}
}

void pipelines_set_examples(struct pipelines *pipelines, const char *name, const char *text)
{
	struct worker_examples record = {.text = text};
	snprintf(record.model, sizeof(record.model), "%s", name);
	for (size_t i = 0; i < pipelines->n_models; i++) {
		struct pipelines_model *model = &pipelines->models[i];
		const bool changes = model->examples.size > 0 || text[0];
		if (strcmp(model->name, name) == 0 && changes) {
			frame_set(&model->examples, WORKER_COMMAND_EXAMPLES, &record);
			model->send_examples = model->examples.size > 0;
		}
	}
	pipelines_send_next(pipelines);
}

/* Writes why stage @index cannot run; "" if it can, or while that is not known. */
static void find_need(const struct pipelines *pipelines, const struct mqtt_pipeline *pipeline,
	size_t index, char *why, size_t size)
{
	const char *name = pipeline_model_name(pipeline->parsed, index), *file = "";
	const struct pipelines_model *model = model_of(pipelines, pipeline, index);
	const struct model_entry *entry = known_models_find(pipelines->mqtt_requests->models, name);
	const char *few_shot = pipeline_set_few_shot(pipeline->parsed, &file);
	const bool described = model && model->is_served;
	why[0] = 0;
	if (edged_client_is_away(pipelines->edged)) {
		snprintf(why, size, "edged is away");
	} else if (!entry || !entry->listed) {
		snprintf(why, size, "there is no model %s", name);
	} else if (!described && entry->generation && entry->described) {
		snprintf(why, size, "model %s has no signature %s", name,
			signature_of(pipeline, index));
	} else if (!described && !entry->generation) {
		snprintf(why, size, "model %s is %s%s%.130s", name, entry->state,
			entry->reason[0] ? ": " : "", entry->reason);
	} else if (entry->no_examples[0] && !file[0] && few_shot && strcmp(few_shot, name) == 0) {
		snprintf(why, size, "the examples of model %s: %.140s", name, entry->no_examples);
	}
}

void pipelines_check_needs(struct pipelines *pipelines)
{
	bool known =
		pipelines->mqtt_requests->models->listed || edged_client_is_away(pipelines->edged);
	for (size_t i = 0; i < pipelines->n && known; i++) {
		struct mqtt_pipeline *pipeline = pipelines->items[i];
		char why[sizeof(pipeline->wait_reason)] = "";
		for (size_t k = 0; !why[0] && pipeline_model_name(pipeline->parsed, k); k++) {
			find_need(pipelines, pipeline, k, why, sizeof(why));
		}
		if (why[0] && !pipeline->wait_reason[0]) {
			pipelines_publish_inactive(pipelines, pipeline);
		}
		memcpy(pipeline->wait_reason, why, sizeof(why));
	}
}

bool pipelines_are_models_described(
	const struct pipelines *pipelines, const struct mqtt_pipeline *pipeline)
{
	bool all = pipelines->mqtt_requests->models->listed;
	for (size_t i = 0; all && pipeline_model_name(pipeline->parsed, i); i++) {
		const struct pipelines_model *model = model_of(pipelines, pipeline, i);
		all = model && model->is_served;
	}
	return all;
}

size_t pipelines_count_numbers(
	const struct pipelines *pipelines, const struct mqtt_pipeline *pipeline)
{
	const struct pipelines_model *model = model_of(pipelines, pipeline, 0);
	return model && pipeline->properties.output < PIPELINES_MAX_TENSORS
		? model->elements[pipeline->properties.output]
		: 0;
}

void pipelines_check_models(struct pipelines *pipelines)
{
	for (size_t i = 0; i < pipelines->n_models; i++) {
		struct pipelines_model *model = &pipelines->models[i];
		const struct model_entry *entry =
			known_models_find(pipelines->mqtt_requests->models, model->name);
		if (model->is_served && (!entry || !entry->listed)) {
			set_description(model, NULL);
		}
	}
}

/* ---- the folder */

/* The paths come from pipeline_files_list(). */
static const char *base_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* Takes the pipeline of that file name out of the old ones, to keep its sources, or the pipeline
 * itself. */
static struct mqtt_pipeline *old_take(struct mqtt_pipeline **old, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++) {
		if (old[i] && strcmp(base_of(old[i]->path), base_of(path)) == 0) {
			return take(old[i]);
		}
	}
	return NULL;
}

static void inherit(struct mqtt_pipeline *pipeline, struct mqtt_pipeline *from)
{
	struct error err = {0};
	memcpy(pipeline->sources, from->sources, sizeof(pipeline->sources));
	pipeline->n_sources = from->n_sources;
	from->n_sources = 0; /* @pipeline owns their memory now */
	pipeline->off = from->off;
	memcpy(pipeline->wait_reason, from->wait_reason, sizeof(pipeline->wait_reason));
	pipeline->state_hash = from->state_hash;
	pipeline->threshold_hash = from->threshold_hash;
	pipeline->enable_hash = from->enable_hash;
	if (!isnan(from->threshold) &&
		pipeline_set_threshold(pipeline->parsed, from->threshold, &err) == 0) {
		pipeline->threshold = from->threshold;
	}
}

static void load_one(struct pipelines *pipelines, const char *path, struct mqtt_pipeline **old,
	size_t n_old, size_t *bad)
{
	struct error err = {0};
	owned(mqtt_pipeline_free) struct mqtt_pipeline *pipeline = NULL;
	if (pipelines->n == PIPELINES_MAX) {
		log_error(pipelines->mqtt_requests->log, "%s: more than %d pipelines", path,
			PIPELINES_MAX);
		++*bad;
		return;
	}
	owned(mqtt_pipeline_free) struct mqtt_pipeline *before = old_take(old, n_old, path);
	int r = pipeline_load(path, &pipeline, &err);
	r = r < 0 ? r : models_add(pipelines, pipeline, &err);
	if (r < 0) {
		log_error(pipelines->mqtt_requests->log, "%s", err.text);
		++*bad;
		mqtt_pipeline_free(take(pipeline));
		if (before) {
			pipelines->items[pipelines->n++] = take(before);
		}
		return;
	}
	if (before) {
		inherit(pipeline, before);
	}
	pipelines->items[pipelines->n++] = take(pipeline);
}

int pipelines_load(struct pipelines *pipelines, size_t *ret_bad, struct error *err)
{
	struct pipeline_files files = {0};
	const char *folder = pipelines->mqtt_requests->settings->pipelines;
	struct mqtt_pipeline *old[PIPELINES_MAX];
	size_t n_old = pipelines->n;
	memcpy(old, pipelines->items, sizeof(old));
	*ret_bad = 0;
	int r = strcmp(folder, "none") == 0
		? 0
		: pipeline_files_list(folder[0] ? folder : NULL, &files, err);
	if (r < 0) {
		return r;
	}
	pipelines->n = 0;
	for (size_t i = 0; i < files.n; i++) {
		load_one(pipelines, files.paths[i], old, n_old, ret_bad);
	}
	pipeline_files_free(&files);
	for (size_t i = 0; i < n_old; i++) {
		if (old[i]) {
			pipelines_forget(pipelines, old[i]);
			mqtt_pipeline_free(old[i]);
		}
	}
	models_prune(pipelines);
	return 0;
}
