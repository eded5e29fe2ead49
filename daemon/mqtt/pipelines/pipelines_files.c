/* SPDX-License-Identifier: Apache-2.0 */
/* Pipeline files, and the models that the pipelines need. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text/ini.h"
#include "client/edgectl/pipeline_files.h"
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
		free(pipeline->text);
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

static int read_text(const char *path, char **ret_text, size_t *ret_size, struct error *err)
{
	owned_mem char *text = malloc(MAX_FILE + 1);
	FILE *file = NULL;
	int r = text ? ini_open(path, &file, err) : error_no_memory(err);
	if (r < 0) {
		return r;
	}
	size_t size = fread(text, 1, MAX_FILE + 1, file);
	fclose(file);
	if (size == 0 || size > MAX_FILE) {
		return error_set(err, -EFBIG, "%s: empty, or more than %u bytes", path, MAX_FILE);
	}
	text[size] = 0;
	char *small = realloc(text, size + 1);
	*ret_text = small ? small : text;
	*ret_size = size;
	text = NULL;
	return 0;
}

static int pipe_load(const char *path, struct mqtt_pipeline **ret_pipeline, struct error *err)
{
	const struct pipeline_models models = {.describe = describe};
	owned(mqtt_pipeline_free) struct mqtt_pipeline *pipeline = calloc(1, sizeof(*pipeline));
	if (!pipeline) {
		return error_no_memory(err);
	}
	pipeline->path = strdup(path);
	int r = pipeline->path ? read_text(path, &pipeline->text, &pipeline->size, err)
			       : error_no_memory(err);
	r = r < 0 ? r
		  : pipeline_open_text(path, pipeline->text, pipeline->size, &models, NULL,
			    &pipeline->parsed, err);
	if (r < 0) {
		return r;
	}
	snprintf(pipeline->name, sizeof(pipeline->name), "%s", pipeline_name(pipeline->parsed));
	pipeline->says = pipeline_about(pipeline->parsed);
	pipeline->own_threshold = pipeline_threshold(pipeline->parsed);
	pipeline->threshold = NAN;
	if (!topics_is_level(pipeline->name)) {
		return error_set(err, -EINVAL, "%s: no name for a topic", path);
	}
	*ret_pipeline = take(pipeline);
	return 0;
}

/* ---- models */

static struct pipelines_known *known_find(
	const struct pipelines *pipelines, const char *name, const char *signature)
{
	for (size_t i = 0; i < pipelines->n_known; i++) {
		struct pipelines_known *known = &pipelines->known[i];
		if (strcmp(known->name, name) == 0 && strcmp(known->signature, signature) == 0) {
			return known;
		}
	}
	return NULL;
}

static int known_add(
	struct pipelines *pipelines, const char *name, const char *signature, struct error *err)
{
	if (known_find(pipelines, name, signature)) {
		return 0;
	}
	if (strlen(name) >= PIPELINES_MODEL_SIZE || !topics_is_model(name)) {
		return error_set(err, -EINVAL, "edged has no model of the name %s", name);
	}
	struct pipelines_known *known =
		realloc(pipelines->known, (pipelines->n_known + 1) * sizeof(pipelines->known[0]));
	if (!known) {
		return error_no_memory(err);
	}
	pipelines->known = known;
	known = &known[pipelines->n_known++];
	*known = (struct pipelines_known){0};
	snprintf(known->name, sizeof(known->name), "%s", name);
	snprintf(known->signature, sizeof(known->signature), "%s", signature);
	return 0;
}

static int known_add_all(
	struct pipelines *pipelines, const struct mqtt_pipeline *pipeline, struct error *err)
{
	const char *model = NULL;
	int r = 0;
	for (size_t i = 0; r == 0 && (model = pipeline_model_name(pipeline->parsed, i)); i++) {
		const char *signature = pipeline_signature_name(pipeline->parsed, i);
		r = known_add(pipelines, model, signature ? signature : "", err);
	}
	if (r < 0) {
		error_prefix(err, "%s", pipeline->path);
	}
	return r;
}

/* Keeps the frame for later children, too. */
static void describe_known(struct pipelines_known *known, const struct pipeline_model *model)
{
	memset(known->elements, 0, sizeof(known->elements));
	known->there = model;
	for (uint32_t i = 0; model && i < model->n_outputs && i < PIPELINES_MAX_TENSORS; i++) {
		known->elements[i] = tensor_spec_elements(&model->outputs[i]);
	}
	bytes_writer_deinit(&known->frame);
	known->frame = (struct bytes_writer){0};
	worker_frames_model_write(&known->frame, known->name, known->signature, model);
	if (known->frame.failed) {
		bytes_writer_deinit(&known->frame);
		known->frame = (struct bytes_writer){0};
	}
	known->is_news = known->frame.size > 0;
}

void pipelines_rest(struct pipelines *pipelines)
{
	for (size_t i = 0; i < pipelines->n_known; i++) {
		pipelines->known[i].rests =
			pipelines->known[i].there && pipelines->known[i].frame.size > 0;
	}
	pipelines_feed(pipelines);
}

void pipelines_describe(struct pipelines *pipelines, const struct edge_client_model *model)
{
	for (size_t i = 0; i < pipelines->n_known; i++) {
		struct pipelines_known *known = &pipelines->known[i];
		struct pipeline_model described = {0};
		if (strcmp(known->name, model->name) != 0) {
			continue;
		}
		int r = pipeline_model_of(
			model, known->signature[0] ? known->signature : NULL, &described, NULL);
		describe_known(known, r < 0 ? NULL : &described);
		pipeline_model_free(&described);
	}
}

void pipelines_teach(struct pipelines *pipelines, const char *model, const char *text)
{
	for (size_t i = 0; i < pipelines->n_known; i++) {
		struct pipelines_known *known = &pipelines->known[i];
		bool had = known->examples.size > 0;
		if (strcmp(known->name, model) != 0 || (!had && !text[0])) {
			continue;
		}
		bytes_writer_deinit(&known->examples);
		known->examples = (struct bytes_writer){0};
		worker_frames_examples_write(&known->examples, model, text);
		if (known->examples.failed) {
			bytes_writer_deinit(&known->examples);
			known->examples = (struct bytes_writer){0};
		}
		known->examples_are_news = known->examples.size > 0;
	}
	pipelines_feed(pipelines);
}

/* Writes why stage @index cannot run; "" if it can, or while that is not known. */
static void find_need(const struct pipelines *pipelines, const struct mqtt_pipeline *pipeline,
	size_t index, char *why, size_t size)
{
	const char *model = pipeline_model_name(pipeline->parsed, index), *file = "";
	const char *signature = pipeline_signature_name(pipeline->parsed, index);
	const struct pipelines_known *known =
		known_find(pipelines, model, signature ? signature : "");
	const struct model_entry *entry = known_models_find(pipelines->queue->models, model);
	const char *taught = pipeline_set_few_shot(pipeline->parsed, &file);
	bool there = entry && entry->listed;
	why[0] = 0;
	if (service_is_away(pipelines->service)) {
		snprintf(why, size, "edged is away");
	} else if (!there) {
		snprintf(why, size, "there is no model %s", model);
	} else if ((!known || !known->there) && entry->generation && entry->described) {
		snprintf(why, size, "model %s has no signature %s", model,
			signature ? signature : "");
	} else if ((!known || !known->there) && !entry->generation) {
		snprintf(why, size, "model %s is %s%s%.130s", model, entry->state,
			entry->reason[0] ? ": " : "", entry->reason);
	} else if (entry->no_examples[0] && !file[0] && taught && strcmp(taught, model) == 0) {
		snprintf(why, size, "the examples of model %s: %.140s", model, entry->no_examples);
	}
}

void pipelines_check_needs(struct pipelines *pipelines)
{
	bool known = pipelines->queue->models->listed || service_is_away(pipelines->service);
	for (size_t i = 0; i < pipelines->n && known; i++) {
		struct mqtt_pipeline *pipeline = pipelines->items[i];
		char why[sizeof(pipeline->waits)] = "";
		for (size_t k = 0; !why[0] && pipeline_model_name(pipeline->parsed, k); k++) {
			find_need(pipelines, pipeline, k, why, sizeof(why));
		}
		if (why[0] && !pipeline->waits[0]) {
			pipelines_publish_reset_of(pipelines, pipeline);
		}
		memcpy(pipeline->waits, why, sizeof(why));
	}
}

bool pipelines_knows_models(const struct pipelines *pipelines, const struct mqtt_pipeline *pipeline)
{
	bool all = pipelines->queue->models->listed;
	const char *model = NULL;
	for (size_t i = 0; all && (model = pipeline_model_name(pipeline->parsed, i)); i++) {
		const char *signature = pipeline_signature_name(pipeline->parsed, i);
		const struct pipelines_known *known =
			known_find(pipelines, model, signature ? signature : "");
		all = known && known->there;
	}
	return all;
}

size_t pipelines_count_numbers(
	const struct pipelines *pipelines, const struct mqtt_pipeline *pipeline)
{
	const char *model = pipeline_model_name(pipeline->parsed, 0);
	const char *signature = pipeline_signature_name(pipeline->parsed, 0);
	const struct pipelines_known *known =
		model ? known_find(pipelines, model, signature ? signature : "") : NULL;
	return known && pipeline->says.output < PIPELINES_MAX_TENSORS
		? known->elements[pipeline->says.output]
		: 0;
}

void pipelines_check_models(struct pipelines *pipelines)
{
	for (size_t i = 0; i < pipelines->n_known; i++) {
		struct pipelines_known *known = &pipelines->known[i];
		const struct model_entry *entry =
			known_models_find(pipelines->queue->models, known->name);
		if (known->there && (!entry || !entry->listed)) {
			describe_known(known, NULL);
		}
	}
}

/* ---- the folder */

/* Takes the pipeline of that name out of the old ones, to keep its sources, or the pipeline
 * itself. */
static struct mqtt_pipeline *old_take(struct mqtt_pipeline **old, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (old[i] && strcmp(old[i]->name, name) == 0) {
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
	memcpy(pipeline->waits, from->waits, sizeof(pipeline->waits));
	pipeline->said_state = from->said_state;
	pipeline->said_threshold = from->said_threshold;
	pipeline->said_enable = from->said_enable;
	if (!isnan(from->threshold) &&
		pipeline_set_threshold(pipeline->parsed, from->threshold, &err) == 0) {
		pipeline->threshold = from->threshold;
	}
}

static void name_of(const char *path, char *out, size_t size)
{
	const char *base = strrchr(path, '/');
	snprintf(out, size, "%s", base ? base + 1 : path);
	char *end = strrchr(out, '.');
	if (end) {
		*end = 0;
	}
}

static void load_one(struct pipelines *pipelines, const char *path, struct mqtt_pipeline **old,
	size_t n_old, size_t *bad)
{
	struct error err = {0};
	owned(mqtt_pipeline_free) struct mqtt_pipeline *pipeline = NULL;
	char name[PIPELINE_NAME_SIZE];
	name_of(path, name, sizeof(name));
	if (pipelines->n == PIPELINES_MAX) {
		log_error(pipelines->queue->log, "%s: more than %d pipelines", path, PIPELINES_MAX);
		++*bad;
		return;
	}
	owned(mqtt_pipeline_free) struct mqtt_pipeline *before = old_take(old, n_old, name);
	int r = pipe_load(path, &pipeline, &err);
	r = r < 0 ? r : known_add_all(pipelines, pipeline, &err);
	if (r < 0) {
		log_error(pipelines->queue->log, "%s", err.text);
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
	const char *folder = pipelines->queue->settings->pipelines;
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
	return 0;
}
