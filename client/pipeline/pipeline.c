/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/pipeline.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/text/ini.h"
#include "client/pipeline/pipeline_internal.h"
#include "client/pipeline/result_json.h"

/* ---- open and close */

static int stages_open(struct pipeline *p, const char *name, struct error *err)
{
	for (size_t i = 0; i < p->config->n_stages; i++) {
		struct pipeline_config_stage *config = &p->config->stages[i];
		unsigned int line = 0;
		int r = stage_init(&p->stages[i], config, &line, err);
		r = r < 0
			? r
			: stage_check_labels(&p->stages[i], &p->stages[config->parent], &line, err);
		if (r < 0) {
			error_prefix(err, "%s:%u: stage %s", name, line, config->name);
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
	int r = pipeline_config_read(file, name, &p->config, err);
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
		/* contains the path, which may hold control characters */
		const struct error raw = *err;
		error_clean(err->text, sizeof(err->text), raw.text, strlen(raw.text));
	}
	return r;
}

int pipeline_open_text(const char *name, const char *text, size_t size,
	const struct pipeline_models *models, const struct pipeline_sink *sink,
	struct pipeline **ret_pipeline, struct error *err)
{
	/* fmemopen() does not write to a buffer opened for reading. */
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
	inference_queue_deinit(&p->queue);
	image_free(&p->drawing);
	for (size_t i = 0; i < p->n_streams; i++) {
		stream_deinit(&p->streams[i]);
	}
	for (size_t i = 0; i < PIPELINE_CONFIG_MAX_STAGES; i++) {
		stage_deinit(&p->stages[i]);
	}
	free(p->config);
	free(p);
}

const char *pipeline_name(const struct pipeline *p)
{
	return p->config->name;
}

const char *pipeline_description(const struct pipeline *p)
{
	return p->config->description;
}

const char *pipeline_model_name(const struct pipeline *p, size_t index)
{
	return index < p->config->n_stages ? p->config->stages[index].model : NULL;
}

const char *pipeline_signature_name(const struct pipeline *p, size_t index)
{
	bool given = index < p->config->n_stages && p->config->stages[index].signature[0];
	return given ? p->config->stages[index].signature : NULL;
}

static bool has_threshold(const struct pipeline_config_stage *stage)
{
	uint64_t kind = stage->post.kind;
	return stage->decision.given
		? kind != PIPELINE_CONFIG_POST_TENSORS && isnan(stage->decision.change)
		: kind != PIPELINE_CONFIG_POST_NUMBERS && kind != PIPELINE_CONFIG_POST_EMBEDDING &&
			kind != PIPELINE_CONFIG_POST_TENSORS;
}

struct pipeline_about pipeline_about(const struct pipeline *p)
{
	const struct pipeline_config_stage *first = &p->config->stages[0];
	struct pipeline_about about = {.latest_only = p->config->source.latest_only != 0,
		.decides = first->decision.given,
		.tells_ends = first->decision.publish != PIPELINE_CONFIG_PUBLISH_BEGIN,
		.numbers = first->post.kind == PIPELINE_CONFIG_POST_NUMBERS,
		.anomaly = first->post.kind == PIPELINE_CONFIG_POST_RECONSTRUCTION,
		.names = first->post.names,
		.unit = first->post.unit,
		.output = first->post.outputs.n ? (uint32_t)first->post.outputs.v[0] : 0,
		.remembers = p->config->source.every > 1,
		.has_threshold = has_threshold(first)};
	for (size_t i = 0; i < p->config->n_stages; i++) {
		const struct pipeline_config_stage *stage = &p->config->stages[i];
		if (!about.snapshot) {
			about.snapshot = stage->post.snapshot != PIPELINE_CONFIG_SNAPSHOT_NO;
			about.snapshot_jpeg = stage->post.snapshot == PIPELINE_CONFIG_SNAPSHOT_JPEG;
		}
		about.remembers |= stage->decision.given || stage->session ||
			pipeline_requests_is_followed(p, i);
	}
	return about;
}

void pipeline_print(const struct pipeline *p, FILE *out)
{
	pipeline_config_print(p->config, out);
}

void pipeline_forget_models(struct pipeline *p)
{
	for (size_t i = 0; i < p->config->n_stages; i++) {
		stage_forget_model(&p->stages[i]);
	}
}

double pipeline_threshold(const struct pipeline *p)
{
	const struct pipeline_config_stage *first = &p->config->stages[0];
	return first->decision.given && !isnan(first->decision.threshold)
		? first->decision.threshold
		: result_json_threshold(&p->stages[0]);
}

int pipeline_set_threshold(struct pipeline *p, double threshold, struct error *err)
{
	struct pipeline_config_stage *first = &p->config->stages[0];
	if (fabs(threshold) > 1e12) {
		return error_set(err, -EINVAL, "a threshold of %g", threshold);
	}
	if (!has_threshold(first)) {
		return error_set(err, -EOPNOTSUPP, "%s has no threshold", p->config->name);
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
	for (size_t i = 0; i < p->config->n_stages; i++) {
		p->config->stages[i].decision.publish = PIPELINE_CONFIG_PUBLISH_ALL;
		p->config->stages[i].decision.rate_limit = 0;
	}
	p->config->source.every = 1;
}

void pipeline_want_found(struct pipeline *p, uint32_t top_k, double threshold)
{
	for (size_t i = 0; i < p->config->n_stages; i++) {
		struct pipeline_config_post_keys *post = &p->config->stages[i].post;
		const bool scored = post->kind != PIPELINE_CONFIG_POST_NUMBERS &&
			post->kind != PIPELINE_CONFIG_POST_EMBEDDING &&
			post->kind != PIPELINE_CONFIG_POST_TENSORS;
		post->top_k = top_k ? top_k : post->top_k;
		post->threshold = scored && !isnan(threshold) ? threshold : post->threshold;
	}
}

bool pipeline_want_masks(struct pipeline *p)
{
	bool any = false;
	for (size_t i = 0; i < p->config->n_stages; i++) {
		struct pipeline_config_post_keys *post = &p->config->stages[i].post;
		post->show_mask = 1;
		any |= post->kind == PIPELINE_CONFIG_POST_MASK;
	}
	return any;
}

enum pipeline_input_mode pipeline_input_mode(
	const struct pipeline *p, uint32_t *ret_rate, uint32_t *ret_channels)
{
	const struct pipeline_config_source *source = &p->config->source;
	*ret_rate = (uint32_t)source->rate;
	*ret_channels = (uint32_t)source->channels;
	return source->kind == PIPELINE_CONFIG_SOURCE_SOUND      ? PIPELINE_STREAM_SOUND
		: source->kind == PIPELINE_CONFIG_SOURCE_NUMBERS ? PIPELINE_STREAM_NUMBERS
								 : PIPELINE_SINGLE;
}

const char *pipeline_set_few_shot(const struct pipeline *p, const char **ret_examples)
{
	for (size_t i = 0; i < p->config->n_stages; i++) {
		const struct pipeline_config_stage *stage = &p->config->stages[i];
		if (stage->post.kind == PIPELINE_CONFIG_POST_EMBEDDING) {
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

static void stream_remove(struct pipeline *p, struct stream *stream)
{
	stream_deinit(stream);
	*stream = p->streams[--p->n_streams];
	p->streams[p->n_streams] = (struct stream){0};
}

void pipeline_forget_source(struct pipeline *p, const char *source)
{
	const struct stream_source who = source_named(source, 0);
	struct stream *stream = pipeline_requests_source_find(p, &who);
	if (stream) {
		stream_remove(p, stream);
	}
}

void pipeline_forget_sources(struct pipeline *p)
{
	while (p->n_streams > 0) {
		stream_remove(p, &p->streams[p->n_streams - 1]);
	}
}

static bool is_stream(const struct pipeline *p, const struct input_data *input_data)
{
	uint64_t kind = p->config->source.kind;
	return (kind == PIPELINE_CONFIG_SOURCE_SOUND && input_data->kind == INPUT_DATA_SOUND) ||
		(kind == PIPELINE_CONFIG_SOURCE_NUMBERS && input_data->kind == INPUT_DATA_NUMBERS);
}

static int whole_push(struct pipeline *p, struct stream *stream, struct input_data *input_data,
	const struct pipeline_input *input, struct error *err)
{
	uint64_t time_us = input->time_us ? input->time_us : clock_now_ns() / NSEC_PER_USEC;
	if (stream->inputs++ % p->config->source.every != 0) {
		p->counts.sampled_out++;
		return 0;
	}
	struct question *q = pipeline_requests_new(
		p, 0, &stream->source, input_data, time_us, NULL, input->deadline_ns);
	if (!q) {
		return error_no_memory(err);
	}
	q->tag = input->tag;
	if (p->config->source.latest_only) {
		pipeline_requests_drop(p, stream, 0);
		q->lost = stream->lost[0];
	}
	return pipeline_requests_put(p, q, err);
}

int pipeline_push(struct pipeline *p, const struct pipeline_input *input, struct error *err)
{
	owned(input_data_unref) struct input_data *input_data = NULL;
	const char *source = input->source ? input->source : "";
	int r = strlen(source) < PIPELINE_SOURCE_SIZE
		? input_data_decode(&p->config->source, input, &input_data, err)
		: error_set(err, -EINVAL, "a source's name is longer than %d bytes",
			  PIPELINE_SOURCE_SIZE - 1);
	if (r == 0) {
		const struct stream_source who = source_named(source, input->origin);
		struct stream *stream = pipeline_requests_source(p, &who);
		r = is_stream(p, input_data)
			? pipeline_windows_push(p, stream, input_data, input->time_us, err)
			: whole_push(p, stream, input_data, input, err);
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
		struct question *q = inference_queue_next(&p->queue);
		q = q ? q : pipeline_windows_next(p);
		if (!q) {
			return NULL;
		}
		if (!is_late(q)) {
			q->given = true;
			return &q->shown;
		}
		owned(question_free) struct question *late =
			inference_queue_take(&p->queue, &q->shown);
		pipeline_emit_trouble(p, PIPELINE_SKIPPED, late, "budget");
		pipeline_requests_lost(p, late->stage, &late->source, late->shown.id);
	}
}

/* ---- outputs */

int pipeline_answer(struct pipeline *p, const struct pipeline_question *shown,
	const struct tensor_bytes *outputs, uint32_t n_outputs, struct error *err)
{
	struct error why = {0};
	owned(question_free) struct question *q = inference_queue_take(&p->queue, shown);
	assert(q);
	p->counts.answers++;
	/* The model was forgotten while it ran: without a new description its outputs cannot be
	 * read. */
	int r = stage_describe(&p->stages[q->stage], &p->models, &why);
	r = r < 0 ? r : pipeline_results_take(p, q, outputs, n_outputs, &why);
	if (r < 0) {
		pipeline_emit_trouble(p, PIPELINE_FAILED, q, why.text);
		pipeline_requests_lost(p, q->stage, &q->source, q->shown.id);
		if (err) {
			*err = why;
		}
	}
	return r;
}

void pipeline_fail(
	struct pipeline *p, const struct pipeline_question *shown, const struct error *why)
{
	owned(question_free) struct question *q = inference_queue_take(&p->queue, shown);
	assert(q);
	bool busy = why->code == -EBUSY || why->code == -EAGAIN || why->code == -ETIMEDOUT;
	pipeline_emit_trouble(p, busy ? PIPELINE_SKIPPED : PIPELINE_FAILED, q,
		why->text[0] ? why->text : strerror(-why->code));
	pipeline_requests_lost(p, q->stage, &q->source, q->shown.id);
}

/* Runs one request and passes its outputs on. */
static int question_run(struct pipeline *p, const struct pipeline_question *q, struct error *err)
{
	uint32_t n = q->n_outputs;
	struct tensor_bytes *outputs = calloc((size_t)n + 1, sizeof(outputs[0]));
	struct error why = {0};
	int r = outputs ? p->models.run(p->models.context, q, outputs, n, &why)
			: error_no_memory(&why);
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

/* @first: result of the push. */
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
	struct stream *stream = pipeline_requests_source_find(p, &who);
	return questions_run(p, stream ? pipeline_windows_end(p, stream, err) : 0, err);
}
