/* SPDX-License-Identifier: Apache-2.0 */
/* Which pipelines there are, and which models they need. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/ini.h"
#include "client/pipeline_files.h"
#include "daemon/mqtt/bridge.h"

#define MAX_FILE (1u << 20)

void pipe_free(struct pipe *pipe)
{
	if (pipe) {
		for (size_t i = 0; i < pipe->n_sources; i++) {
			free(pipe->sources[i].untold);
		}
		pipeline_close(pipe->about);
		free(pipe->path);
		free(pipe->text);
		free(pipe);
	}
}
DEFINE_OWNED(struct pipe *, pipe_free)

/* Nobody pushes here, so nobody asks. */
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

static int pipe_load(const char *path, struct pipe **ret_pipe, struct error *err)
{
	const struct pipeline_models models = {.describe = describe};
	owned(pipe_free) struct pipe *pipe = calloc(1, sizeof(*pipe));
	if (!pipe) {
		return error_no_memory(err);
	}
	pipe->path = strdup(path);
	int r = pipe->path ? read_text(path, &pipe->text, &pipe->size, err) : error_no_memory(err);
	r = r < 0 ? r
		  : pipeline_open_text(
			    path, pipe->text, pipe->size, &models, NULL, &pipe->about, err);
	if (r < 0) {
		return r;
	}
	snprintf(pipe->name, sizeof(pipe->name), "%s", pipeline_name(pipe->about));
	pipe->says = pipeline_about(pipe->about);
	pipe->own_threshold = pipeline_threshold(pipe->about);
	pipe->threshold = NAN;
	if (!topics_is_level(pipe->name)) {
		return error_set(err, -EINVAL, "%s: no name for a topic", path);
	}
	*ret_pipe = take(pipe);
	return 0;
}

/* ---- what is to be known of models */

static struct pipes_known *known_find(
	const struct pipes *pipes, const char *name, const char *signature)
{
	for (size_t i = 0; i < pipes->n_known; i++) {
		struct pipes_known *known = &pipes->known[i];
		if (strcmp(known->name, name) == 0 && strcmp(known->signature, signature) == 0) {
			return known;
		}
	}
	return NULL;
}

static int known_add(
	struct pipes *pipes, const char *name, const char *signature, struct error *err)
{
	if (known_find(pipes, name, signature)) {
		return 0;
	}
	if (strlen(name) >= PIPES_MODEL_SIZE || !topics_is_model(name)) {
		return error_set(err, -EINVAL, "edged has no model of the name %s", name);
	}
	struct pipes_known *known =
		realloc(pipes->known, (pipes->n_known + 1) * sizeof(pipes->known[0]));
	if (!known) {
		return error_no_memory(err);
	}
	pipes->known = known;
	known = &known[pipes->n_known++];
	*known = (struct pipes_known){0};
	snprintf(known->name, sizeof(known->name), "%s", name);
	snprintf(known->signature, sizeof(known->signature), "%s", signature);
	return 0;
}

static int known_add_all(struct pipes *pipes, const struct pipe *pipe, struct error *err)
{
	const char *model = NULL;
	int r = 0;
	for (size_t i = 0; r == 0 && (model = pipeline_model_name(pipe->about, i)); i++) {
		const char *signature = pipeline_signature_name(pipe->about, i);
		r = known_add(pipes, model, signature ? signature : "", err);
	}
	if (r < 0) {
		error_prefix(err, "%s", pipe->path);
	}
	return r;
}

/* The order is kept for every child to come. */
static void known_say(struct pipes_known *known, const struct pipeline_model *model)
{
	memset(known->elements, 0, sizeof(known->elements));
	known->there = model;
	for (uint32_t i = 0; model && i < model->n_outputs && i < PIPES_MAX_TENSORS; i++) {
		known->elements[i] = spec_elements(&model->outputs[i]);
	}
	bytes_writer_deinit(&known->order);
	known->order = (struct bytes_writer){0};
	pipes_model_write(&known->order, known->name, known->signature, model);
	if (known->order.failed) {
		bytes_writer_deinit(&known->order);
		known->order = (struct bytes_writer){0};
	}
	known->is_news = known->order.size > 0;
}

void pipes_rest(struct pipes *pipes)
{
	for (size_t i = 0; i < pipes->n_known; i++) {
		pipes->known[i].rests = pipes->known[i].there && pipes->known[i].order.size > 0;
	}
	pipes_feed(pipes);
}

void pipes_describe(struct pipes *pipes, const struct edge_client_model *model)
{
	for (size_t i = 0; i < pipes->n_known; i++) {
		struct pipes_known *known = &pipes->known[i];
		struct pipeline_model described = {0};
		if (strcmp(known->name, model->name) != 0) {
			continue;
		}
		int r = pipeline_model_of(
			model, known->signature[0] ? known->signature : NULL, &described, NULL);
		known_say(known, r < 0 ? NULL : &described);
		pipeline_model_free(&described);
	}
}

void pipes_teach(struct pipes *pipes, const char *model, const char *text)
{
	for (size_t i = 0; i < pipes->n_known; i++) {
		struct pipes_known *known = &pipes->known[i];
		bool had = known->examples.size > 0;
		if (strcmp(known->name, model) != 0 || (!had && !text[0])) {
			continue;
		}
		bytes_writer_deinit(&known->examples);
		known->examples = (struct bytes_writer){0};
		pipes_examples_write(&known->examples, model, text);
		if (known->examples.failed) {
			bytes_writer_deinit(&known->examples);
			known->examples = (struct bytes_writer){0};
		}
		known->examples_are_news = known->examples.size > 0;
	}
	pipes_feed(pipes);
}

/* Why stage @index cannot be asked; "" also while that is not known yet. */
static void find_need(
	const struct pipes *pipes, const struct pipe *pipe, size_t index, char *why, size_t size)
{
	const char *model = pipeline_model_name(pipe->about, index), *file = "";
	const char *signature = pipeline_signature_name(pipe->about, index);
	const struct pipes_known *known = known_find(pipes, model, signature ? signature : "");
	const struct model_entry *entry = models_find(&pipes->bridge->models, model);
	const char *taught = pipeline_taught(pipe->about, &file);
	bool there = entry && entry->listed;
	why[0] = 0;
	if (service_is_away(&pipes->bridge->service)) {
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

void pipes_look_at_needs(struct pipes *pipes)
{
	const struct bridge *b = pipes->bridge;
	bool known = b->listed || service_is_away(&b->service);
	for (size_t i = 0; i < pipes->n && known; i++) {
		struct pipe *pipe = pipes->items[i];
		char why[sizeof(pipe->waits)] = "";
		for (size_t k = 0; !why[0] && pipeline_model_name(pipe->about, k); k++) {
			find_need(pipes, pipe, k, why, sizeof(why));
		}
		if (why[0] && !pipe->waits[0]) {
			pipes_say_reset_of(pipes, pipe);
		}
		memcpy(pipe->waits, why, sizeof(why));
	}
}

bool pipes_knows_models(const struct pipes *pipes, const struct pipe *pipe)
{
	bool all = pipes->bridge->listed;
	const char *model = NULL;
	for (size_t i = 0; all && (model = pipeline_model_name(pipe->about, i)); i++) {
		const char *signature = pipeline_signature_name(pipe->about, i);
		const struct pipes_known *known =
			known_find(pipes, model, signature ? signature : "");
		all = known && known->there;
	}
	return all;
}

size_t pipes_count_numbers(const struct pipes *pipes, const struct pipe *pipe)
{
	const char *model = pipeline_model_name(pipe->about, 0);
	const char *signature = pipeline_signature_name(pipe->about, 0);
	const struct pipes_known *known =
		model ? known_find(pipes, model, signature ? signature : "") : NULL;
	return known && pipe->says.output < PIPES_MAX_TENSORS ? known->elements[pipe->says.output]
							      : 0;
}

void pipes_look_at_models(struct pipes *pipes)
{
	for (size_t i = 0; i < pipes->n_known; i++) {
		struct pipes_known *known = &pipes->known[i];
		const struct model_entry *entry = models_find(&pipes->bridge->models, known->name);
		if (known->there && (!entry || !entry->listed)) {
			known_say(known, NULL);
		}
	}
}

/* ---- the folder */

/* What was served under that name stays with what it was told, or stays as it was. */
static struct pipe *old_take(struct pipe **old, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (old[i] && strcmp(old[i]->name, name) == 0) {
			return take(old[i]);
		}
	}
	return NULL;
}

static void inherit(struct pipe *pipe, struct pipe *from)
{
	struct error err = {0};
	memcpy(pipe->sources, from->sources, sizeof(pipe->sources));
	pipe->n_sources = from->n_sources;
	from->n_sources = 0; /* they are the new one's */
	pipe->off = from->off;
	memcpy(pipe->waits, from->waits, sizeof(pipe->waits));
	pipe->said_state = from->said_state;
	pipe->said_threshold = from->said_threshold;
	pipe->said_enable = from->said_enable;
	if (!isnan(from->threshold) &&
		pipeline_set_threshold(pipe->about, from->threshold, &err) == 0) {
		pipe->threshold = from->threshold;
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

static void load_one(
	struct pipes *pipes, const char *path, struct pipe **old, size_t n_old, size_t *bad)
{
	struct error err = {0};
	owned(pipe_free) struct pipe *pipe = NULL;
	char name[PIPELINE_NAME_SIZE];
	name_of(path, name, sizeof(name));
	if (pipes->n == PIPES_MAX) {
		log_error(&pipes->bridge->log, "%s: more than %d pipelines", path, PIPES_MAX);
		++*bad;
		return;
	}
	owned(pipe_free) struct pipe *before = old_take(old, n_old, name);
	int r = pipe_load(path, &pipe, &err);
	r = r < 0 ? r : known_add_all(pipes, pipe, &err);
	if (r < 0) {
		log_error(&pipes->bridge->log, "%s", err.text);
		++*bad;
		pipe_free(take(pipe));
		if (before) {
			pipes->items[pipes->n++] = take(before);
		}
		return;
	}
	if (before) {
		inherit(pipe, before);
	}
	pipes->items[pipes->n++] = take(pipe);
}

int pipes_load(struct pipes *pipes, size_t *ret_bad, struct error *err)
{
	struct pipeline_files files = {0};
	const char *folder = pipes->bridge->settings.pipelines;
	struct pipe *old[PIPES_MAX];
	size_t n_old = pipes->n;
	memcpy(old, pipes->items, sizeof(old));
	*ret_bad = 0;
	int r = strcmp(folder, "none") == 0
		? 0
		: pipeline_files_list(folder[0] ? folder : NULL, &files, err);
	if (r < 0) {
		return r;
	}
	pipes->n = 0;
	for (size_t i = 0; i < files.n; i++) {
		load_one(pipes, files.paths[i], old, n_old, ret_bad);
	}
	pipeline_files_free(&files);
	for (size_t i = 0; i < n_old; i++) {
		if (old[i]) {
			pipes_forget(pipes, old[i]);
			pipe_free(old[i]);
		}
	}
	return 0;
}
