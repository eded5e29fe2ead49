/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/pipeline.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/ini.h"
#include "client/pipeline/result.h"
#include "client/pipeline/work.h"

#define NS_PER_US 1000

/* ---- life */

static int stages_open(struct pipeline *p, const char *name, struct error *err)
{
	for (size_t i = 0; i < p->recipe->n_stages; i++) {
		struct recipe_stage *recipe = &p->recipe->stages[i];
		unsigned int line = 0;
		int r = stage_init(&p->stages[i], recipe, &line, err);
		r = r < 0
			? r
			: stage_check_labels(&p->stages[i], &p->stages[recipe->parent], &line, err);
		if (r < 0) {
			error_prefix(err, "%s:%u: stage %s", name, line, recipe->name);
			return r;
		}
	}
	return 0;
}

static int open_file(FILE *file, const char *name, const struct pipeline_models *models,
	const struct pipeline_sink *sink, struct pipeline **ret_pipeline, struct error *err)
{
	owned(pipeline_close) struct pipeline *p = calloc(1, sizeof(*p));
	if (!p) {
		return error_no_memory(err);
	}
	p->models = *models;
	p->sink = sink ? *sink : (struct pipeline_sink){0};
	int r = recipe_read(file, name, &p->recipe, err);
	r = r < 0 ? r : stages_open(p, name, err);
	if (r < 0) {
		return r;
	}
	*ret_pipeline = take(p);
	return 0;
}

static void file_close(FILE **file)
{
	if (*file) {
		fclose(*file);
	}
}

int pipeline_open(const char *path, const struct pipeline_models *models,
	const struct pipeline_sink *sink, struct pipeline **ret_pipeline, struct error *err)
{
	__attribute__((cleanup(file_close))) FILE *file = NULL;
	int r = ini_open(path, &file, err);
	r = r < 0 ? r : open_file(file, path, models, sink, ret_pipeline, err);
	if (r < 0 && err) {
		const struct error raw = *err; /* it has the path */
		error_clean(err->text, sizeof(err->text), raw.text, strlen(raw.text));
	}
	return r;
}

int pipeline_open_text(const char *name, const char *text, size_t size,
	const struct pipeline_models *models, const struct pipeline_sink *sink,
	struct pipeline **ret_pipeline, struct error *err)
{
	/* fmemopen() does not write to what is opened for reading. */
	__attribute__((cleanup(file_close))) FILE *file =
		fmemopen((void *)(uintptr_t)text, size, "r");
	if (!file) {
		return error_set(err, -errno, "%s: %s", name, strerror(errno));
	}
	return open_file(file, name, models, sink, ret_pipeline, err);
}

void pipeline_close(struct pipeline *p)
{
	if (!p) {
		return;
	}
	queue_deinit(&p->queue);
	image_free(&p->drawing);
	for (size_t i = 0; i < p->n_streams; i++) {
		stream_deinit(&p->streams[i]);
	}
	for (size_t i = 0; i < RECIPE_MAX_STAGES; i++) {
		stage_deinit(&p->stages[i]);
	}
	free(p->recipe);
	free(p);
}

const char *pipeline_name(const struct pipeline *p)
{
	return p->recipe->name;
}

const char *pipeline_description(const struct pipeline *p)
{
	return p->recipe->description;
}

const char *pipeline_model_name(const struct pipeline *p, size_t index)
{
	return index < p->recipe->n_stages ? p->recipe->stages[index].model : NULL;
}

const char *pipeline_signature_name(const struct pipeline *p, size_t index)
{
	bool said = index < p->recipe->n_stages && p->recipe->stages[index].signature[0];
	return said ? p->recipe->stages[index].signature : NULL;
}

static bool has_threshold(const struct recipe_stage *stage)
{
	uint64_t kind = stage->post.kind;
	return stage->decision.given ? kind != RECIPE_POST_TENSORS && isnan(stage->decision.change)
				     : kind != RECIPE_POST_NUMBERS &&
			kind != RECIPE_POST_EMBEDDING && kind != RECIPE_POST_TENSORS;
}

struct pipeline_about pipeline_about(const struct pipeline *p)
{
	const struct recipe_stage *first = &p->recipe->stages[0];
	struct pipeline_about about = {.latest_only = p->recipe->source.latest_only != 0,
		.decides = first->decision.given,
		.tells_ends = first->decision.publish != RECIPE_PUBLISH_BEGIN,
		.numbers = first->post.kind == RECIPE_POST_NUMBERS,
		.anomaly = first->post.kind == RECIPE_POST_RECONSTRUCTION,
		.names = first->post.names,
		.unit = first->post.unit,
		.output = first->post.outputs.n ? (uint32_t)first->post.outputs.v[0] : 0,
		.remembers = p->recipe->source.every > 1,
		.has_threshold = has_threshold(first)};
	for (size_t i = 0; i < p->recipe->n_stages; i++) {
		const struct recipe_stage *stage = &p->recipe->stages[i];
		if (!about.snapshot) {
			about.snapshot = stage->post.snapshot != RECIPE_SNAPSHOT_NO;
			about.snapshot_jpeg = stage->post.snapshot == RECIPE_SNAPSHOT_JPEG;
		}
		about.remembers |=
			stage->decision.given || stage->session || asking_is_followed(p, i);
	}
	return about;
}

void pipeline_print(const struct pipeline *p, FILE *out)
{
	recipe_print(p->recipe, out);
}

void pipeline_forget_models(struct pipeline *p)
{
	for (size_t i = 0; i < p->recipe->n_stages; i++) {
		stage_forget_model(&p->stages[i]);
	}
}

double pipeline_threshold(const struct pipeline *p)
{
	const struct recipe_stage *first = &p->recipe->stages[0];
	return first->decision.given && !isnan(first->decision.threshold)
		? first->decision.threshold
		: result_threshold(&p->stages[0]);
}

int pipeline_set_threshold(struct pipeline *p, double threshold, struct error *err)
{
	struct recipe_stage *first = &p->recipe->stages[0];
	if (fabs(threshold) > 1e12) {
		return error_set(err, -EINVAL, "a threshold of %g", threshold);
	}
	if (!has_threshold(first)) {
		return error_set(err, -EOPNOTSUPP, "%s has no threshold", p->recipe->name);
	}
	if (first->decision.given && threshold < first->decision.low) {
		return error_set(err, -EINVAL, "below low, %g", first->decision.low);
	}
	if (first->decision.given) {
		first->decision.threshold = threshold;
	} else {
		first->post.threshold = threshold;
	}
	return 0;
}

void pipeline_want_everything(struct pipeline *p)
{
	for (size_t i = 0; i < p->recipe->n_stages; i++) {
		p->recipe->stages[i].decision.publish = RECIPE_PUBLISH_ALL;
		p->recipe->stages[i].decision.rate_limit = 0;
	}
	p->recipe->source.every = 1;
}

void pipeline_want_found(struct pipeline *p, uint32_t top_k, double threshold)
{
	for (size_t i = 0; i < p->recipe->n_stages; i++) {
		struct recipe_post_keys *post = &p->recipe->stages[i].post;
		const bool scored = post->kind != RECIPE_POST_NUMBERS &&
			post->kind != RECIPE_POST_EMBEDDING && post->kind != RECIPE_POST_TENSORS;
		post->top_k = top_k ? top_k : post->top_k;
		post->threshold = scored && !isnan(threshold) ? threshold : post->threshold;
	}
}

bool pipeline_want_masks(struct pipeline *p)
{
	bool any = false;
	for (size_t i = 0; i < p->recipe->n_stages; i++) {
		struct recipe_post_keys *post = &p->recipe->stages[i].post;
		post->show_mask = 1;
		any |= post->kind == RECIPE_POST_MASK;
	}
	return any;
}

enum pipeline_feed pipeline_feed(
	const struct pipeline *p, uint32_t *ret_rate, uint32_t *ret_channels)
{
	const struct recipe_source *source = &p->recipe->source;
	*ret_rate = (uint32_t)source->rate;
	*ret_channels = (uint32_t)source->channels;
	return source->kind == RECIPE_SOURCE_SOUND      ? PIPELINE_STREAM_SOUND
		: source->kind == RECIPE_SOURCE_NUMBERS ? PIPELINE_STREAM_NUMBERS
							: PIPELINE_SINGLE;
}

const char *pipeline_taught(const struct pipeline *p, const char **ret_examples)
{
	for (size_t i = 0; i < p->recipe->n_stages; i++) {
		const struct recipe_stage *stage = &p->recipe->stages[i];
		if (stage->post.kind == RECIPE_POST_EMBEDDING) {
			*ret_examples = stage->post.examples;
			return stage->model;
		}
	}
	return NULL;
}

struct pipeline_counts pipeline_counts(const struct pipeline *p)
{
	return p->counts;
}

size_t pipeline_tags(const struct pipeline *p, uint64_t ret_tags[PIPELINE_MAX_QUESTIONS])
{
	size_t n = 0;
	for (size_t i = 0; i < PIPELINE_MAX_QUESTIONS; i++) {
		if (p->queue.items[i] && p->queue.items[i]->tag) {
			ret_tags[n++] = p->queue.items[i]->tag;
		}
	}
	return n;
}

size_t pipeline_pending(const struct pipeline *p)
{
	return p->queue.n;
}

static struct stream_source source_named(const char *name, uint32_t origin)
{
	struct stream_source source = {.origin = origin};
	snprintf(source.name, sizeof(source.name), "%s", name ? name : "");
	return source;
}

void pipeline_forget_source(struct pipeline *p, const char *source)
{
	const struct stream_source who = source_named(source, 0);
	struct stream *stream = asking_source_find(p, &who);
	if (stream) {
		stream_deinit(stream);
		*stream = p->streams[--p->n_streams];
		p->streams[p->n_streams] = (struct stream){0};
	}
}

void pipeline_forget_sources(struct pipeline *p)
{
	while (p->n_streams > 0) {
		struct stream *stream = &p->streams[--p->n_streams];
		stream_deinit(stream);
		*stream = (struct stream){0};
	}
}

static bool is_stream(const struct pipeline *p, const struct material *material)
{
	uint64_t kind = p->recipe->source.kind;
	return (kind == RECIPE_SOURCE_SOUND && material->kind == MATERIAL_SOUND) ||
		(kind == RECIPE_SOURCE_NUMBERS && material->kind == MATERIAL_NUMBERS);
}

static int whole_push(struct pipeline *p, struct stream *stream, struct material *material,
	const struct pipeline_input *input, struct error *err)
{
	uint64_t time_us = input->time_us ? input->time_us : clock_now_ns() / NS_PER_US;
	if (stream->inputs++ % p->recipe->source.every != 0) {
		p->counts.sampled_out++;
		return 0;
	}
	struct question *q =
		asking_new(p, 0, &stream->source, material, time_us, NULL, input->deadline_ns);
	if (!q) {
		return error_no_memory(err);
	}
	q->tag = input->tag;
	if (p->recipe->source.latest_only) {
		asking_drop(p, stream, 0);
		q->lost = stream->lost[0];
	}
	return asking_put(p, q, err);
}

int pipeline_push(struct pipeline *p, const struct pipeline_input *input, struct error *err)
{
	owned(material_unref) struct material *material = NULL;
	const char *source = input->source ? input->source : "";
	int r = strlen(source) < PIPELINE_SOURCE_SIZE
		? material_decode(&p->recipe->source, input, &material, err)
		: error_set(err, -EINVAL, "a source's name is longer than %d bytes",
			  PIPELINE_SOURCE_SIZE - 1);
	if (r == 0) {
		const struct stream_source who = source_named(source, input->origin);
		struct stream *stream = asking_source(p, &who);
		r = is_stream(p, material)
			? windowing_push(p, stream, material, input->time_us, err)
			: whole_push(p, stream, material, input, err);
	}
	p->counts.inputs += r == 0;
	p->counts.refused += r < 0;
	return r;
}

static bool is_late(const struct question *q)
{
	return q->shown.deadline_ns && clock_now_ns() > q->shown.deadline_ns;
}

const struct pipeline_question *pipeline_next(struct pipeline *p)
{
	for (;;) {
		struct question *q = queue_next(&p->queue);
		q = q ? q : windowing_next(p);
		if (!q) {
			return NULL;
		}
		if (!is_late(q)) {
			q->given = true;
			return &q->shown;
		}
		owned(question_free) struct question *late = queue_take(&p->queue, &q->shown);
		telling_trouble(p, PIPELINE_SKIPPED, late, "budget");
		asking_lost(p, late->stage, &late->source, late->shown.id);
	}
}

/* ---- answers */

int pipeline_answer(struct pipeline *p, const struct pipeline_question *shown,
	const struct tensor_bytes *outputs, uint32_t n_outputs, struct error *err)
{
	struct error why = {0};
	owned(question_free) struct question *q = queue_take(&p->queue, shown);
	assert(q);
	p->counts.answers++;
	/* The model was forgotten while it was asked: what it said can't be read any more. */
	int r = stage_describe(&p->stages[q->stage], &p->models, &why);
	r = r < 0 ? r : answering_take(p, q, outputs, n_outputs, &why);
	if (r < 0) {
		telling_trouble(p, PIPELINE_FAILED, q, why.text);
		asking_lost(p, q->stage, &q->source, q->shown.id);
		if (err) {
			*err = why;
		}
	}
	return r;
}

void pipeline_fail(
	struct pipeline *p, const struct pipeline_question *shown, const struct error *why)
{
	owned(question_free) struct question *q = queue_take(&p->queue, shown);
	assert(q);
	bool busy = why->code == -EBUSY || why->code == -EAGAIN || why->code == -ETIMEDOUT;
	telling_trouble(p, busy ? PIPELINE_SKIPPED : PIPELINE_FAILED, q,
		why->text[0] ? why->text : strerror(-why->code));
	asking_lost(p, q->stage, &q->source, q->shown.id);
}

static int question_ask(struct pipeline *p, const struct pipeline_question *q,
	struct tensor_bytes *outputs, struct error *err)
{
	const struct pipeline_models *models = &p->models;
	if (models->ask) {
		return models->ask(models->context, q, outputs, q->n_outputs, err);
	}
	if (q->session) {
		return error_set(err, -EOPNOTSUPP, "nobody here keeps sessions");
	}
	return models->run(models->context, q->model, q->signature, q->inputs, q->n_inputs, outputs,
		q->n_outputs, err);
}

/* Outputs of one question, as many as the model has. */
static int question_run(struct pipeline *p, const struct pipeline_question *q, struct error *err)
{
	uint32_t n = q->n_outputs;
	struct tensor_bytes *outputs = calloc((size_t)n + 1, sizeof(outputs[0]));
	struct error why = {0};
	int r = outputs ? question_ask(p, q, outputs, &why) : error_no_memory(&why);
	if (r < 0) {
		pipeline_fail(p, q, &why);
		if (err) {
			*err = why;
		}
	} else {
		r = pipeline_answer(p, q, outputs, n, err);
	}
	for (uint32_t i = 0; outputs && i < n; i++) {
		tensor_free(&outputs[i]);
	}
	free(outputs);
	return r;
}

/* @first: what became of what was pushed. */
static int questions_run(struct pipeline *p, int first, struct error *err)
{
	const struct pipeline_question *q = NULL;
	while (first != -ENOTCONN && (q = pipeline_next(p))) {
		int r = question_run(p, q, first == 0 ? err : NULL);
		first = first ? first : r;
	}
	return first;
}

int pipeline_run(struct pipeline *p, const struct pipeline_input *input, struct error *err)
{
	return questions_run(p, pipeline_push(p, input, err), err);
}

int pipeline_run_rest(struct pipeline *p, const char *source, struct error *err)
{
	const struct stream_source who = source_named(source, 0);
	struct stream *stream = asking_source_find(p, &who);
	return questions_run(p, stream ? windowing_end(p, stream, err) : 0, err);
}
